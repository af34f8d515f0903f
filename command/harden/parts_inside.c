/* SPDX-License-Identifier: MIT */
/*
 * The parts of "enable". A unit that is used is written before what uses it, and taken out after
 * it: whatever is interrupted, a user manager can start. Lines of PAM come last.
 */
#include "parts.h"

#include "common/user_protocol.h"
#include "config.h"

static const struct part_command start = {
	.needs = SYSTEMD,
	.argv = {"systemctl", "start", "pam-unshare-make.socket", "pam-unshare-at.path"},
};

/* A pin that is there needs its unit to be taken away. The namespace stays for its sessions and its
   user manager. What was not enabled has no socket to stop. */
static const struct part_command unpin = {
	.needs = UNITCONFDIR "/pam-unshare-make.socket",
	.argv = {"systemctl", "stop", "pam-unshare-make.socket", "pam-unshare-at.path",
		"pam-unshare-pin@*.service"},
};

static const struct part parts[] = {
	{
		.name = "scope",
		.about = "all sessions of a user share one namespace",
		.type = &part_block,
		.source = "inside-unshare.conf",
		.path = SYSCONFDIR "/security/unshare.conf",
		.needs = SYSTEMD,
		.below = "",
		.setting = "scope",
		.made = true,
	},
	{
		.name = "namespace",
		.about = "at power-off it is there until those who use it have stopped",
		.type = &part_file,
		.source = "pamunshare.slice",
		.path = UNITCONFDIR "/pamunshare.slice",
		.needs = SYSTEMD,
		.is_unit = true,
	},
	{
		.name = "namespace",
		.about = "a user's namespace is a unit",
		.type = &part_file,
		.source = "pam-unshare@.service",
		.path = UNITCONFDIR "/pam-unshare@.service",
		.needs = SYSTEMD,
		.is_unit = true,
	},
	{
		.name = "pin",
		.about = "it stays as long as /run/user/UID",
		.type = &part_file,
		.source = "pam-unshare-pin@.service",
		.path = UNITCONFDIR "/pam-unshare-pin@.service",
		.needs = SYSTEMD,
		.is_unit = true,
	},
	{
		.name = "pin",
		.about = "/run/user/UID has a pin",
		.type = &part_file,
		.source = "inside-runtime-dir.conf",
		.path = UNITCONFDIR "/user-runtime-dir@.service.d/pam-unshare.conf",
		.needs = SYSTEMD,
		.is_unit = true,
	},
	{
		.name = "requests",
		.about = "sessions that are the first of their user have the unit make it",
		.type = &part_file,
		.source = "pam-unshare-make@.service",
		.path = UNITCONFDIR "/pam-unshare-make@.service",
		.needs = SYSTEMD,
		.is_unit = true,
	},
	{
		.name = "requests",
		.about = "the socket where they ask",
		.type = &part_file,
		.source = "pam-unshare-make.socket",
		.path = UNITCONFDIR "/pam-unshare-make.socket",
		.needs = SYSTEMD,
		.is_unit = true,
		.works = USER_DIRECTORY "/" USER_MAKER,
	},
	{
		.name = "requests",
		.about = "the socket is there from boot on",
		.type = &part_file,
		.source = "inside-sockets.conf",
		.path = UNITCONFDIR "/sockets.target.d/pam-unshare.conf",
		.needs = SYSTEMD,
		.is_unit = true,
	},
	{
		.name = "manager",
		.about = "root's user manager is on the host, whatever happens",
		.type = &part_file,
		.source = "inside-root-manager.conf",
		.path = UNITCONFDIR "/user@0.service.d/pam-unshare-inside.conf",
		.needs = SYSTEMD,
		.is_unit = true,
	},
	{
		.name = "manager",
		.about = "user managers run in the user's namespace",
		.type = &part_file,
		.source = "inside-user-manager.conf",
		.path = UNITCONFDIR "/user@.service.d/pam-unshare-inside.conf",
		.needs = SYSTEMD,
		.is_unit = true,
	},
	{
		.name = "at",
		.about = "what tells atd of new jobs",
		.type = &part_file,
		.source = "pam-unshare-at.service",
		.path = UNITCONFDIR "/pam-unshare-at.service",
		.needs = SYSTEMD,
		.is_unit = true,
	},
	{
		.name = "at",
		.about = "atd is told, whom at cannot signal from inside",
		.type = &part_file,
		.source = "pam-unshare-at.path",
		.path = UNITCONFDIR "/pam-unshare-at.path",
		.needs = SYSTEMD,
		.is_unit = true,
	},
	{
		.name = "at",
		.about = "and so it is from boot on",
		.type = &part_file,
		.source = "inside-paths.conf",
		.path = UNITCONFDIR "/paths.target.d/pam-unshare.conf",
		.needs = SYSTEMD,
		.is_unit = true,
	},
	{
		.name = "podman",
		.about = "rootless containers are units of the user manager",
		.type = &part_file,
		.source = "inside-containers.conf",
		.path = SYSCONFDIR "/containers/containers.conf.d/pam-unshare.conf",
		.needs = SYSCONFDIR "/containers",
	},
	{
		.name = "needrestart",
		.about = "no restart of namespaces after an upgrade",
		.type = &part_file,
		.source = "inside-needrestart.conf",
		.path = SYSCONFDIR "/needrestart/conf.d/pam-unshare.conf",
		.needs = SYSCONFDIR "/needrestart/conf.d",
	},
	{
		.name = "sshd",
		.about = "ssh sessions are isolated",
		.type = &part_lines,
		.path = SYSCONFDIR "/pam.d/sshd",
		.needs = SYSCONFDIR "/pam.d/sshd",
		.marked_by = "enable",
		.included = SYSCONFDIR "/pam.d/common-session",
	},
	{
		.name = "login",
		.about = "console sessions are isolated",
		.type = &part_lines,
		.path = SYSCONFDIR "/pam.d/login",
		.needs = SYSCONFDIR "/pam.d/login",
		.marked_by = "enable",
		.included = SYSCONFDIR "/pam.d/common-session",
	},
};

const struct part_set inside = {.parts = parts,
	.n = sizeof(parts) / sizeof(*parts),
	.is_chain = true,
	.after_enable = &start,
	.before_disable = &unpin};

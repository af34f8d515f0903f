/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include "command/lib/file.h"
#include "config.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const struct part_command reload_bus = {
	.needs = "/run/dbus/system_bus_socket",
	.argv = {"busctl", "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus",
		"ReloadConfig"},
};

static const struct part_command create_files = {
	.needs = SYSTEMD,
	.argv = {"systemd-tmpfiles", "--create", SYSCONFDIR "/tmpfiles.d/pam-unshare.conf"},
};

static const struct part_command restore_modes = {
	.needs = SYSTEMD,
	.argv = {"systemd-tmpfiles", "--create", "-"},
};

/* The modes that systemd gives to what units.conf changes. */
static const char stock_modes[] = "z /run/systemd/transient 0755\n"
				  "z /run/systemd/inhibit 0755\n"
				  "z /run/systemd/io.systemd.Manager 0666\n"
				  "z /run/systemd/io.systemd.ManagedOOM 0666\n"
				  "z /run/systemd/userdb/io.systemd.DynamicUser 0666\n"
				  "z /run/systemd/report/io.systemd.Manager 0666\n"
				  "z /run/systemd/io.systemd.Login 0666\n";

static const struct part_command close_logins = {
	.needs = SYSTEMD,
	.argv = {"systemd-tmpfiles", "--create", SYSCONFDIR "/tmpfiles.d/pam-unshare-logins.conf"},
};

/* What logins.conf changes, if it is there. */
static const char *const login_records[] = {"/run/utmp", "/var/log/wtmp*", "/var/log/lastlog",
	"/var/lib/wtmpdb", "/var/lib/lastlog", "/run/systemd/sessions", "/run/systemd/seats",
	"/run/systemd/users", NULL};

/* Without polkit's entries. */
static const char stock_lists[] = "a /run/systemd/sessions - - - - u::rwx,g::r-x,o::r-x\n"
				  "a /run/systemd/seats - - - - u::rwx,g::r-x,o::r-x\n"
				  "a /run/systemd/users - - - - u::rwx,g::r-x,o::r-x\n";

/* The daemon need not be told: exim executes itself anew for each delivery. */
static const struct part_command update_exim = {
	.needs = "/usr/sbin/update-exim4.conf",
	.argv = {"update-exim4.conf"},
};

static const struct part_command reload_postfix = {
	.needs = SYSTEMD,
	.argv = {"systemctl", "try-reload-or-restart", "postfix.service"},
};

static const struct part_command update_grub = {
	.needs = "/usr/sbin/update-grub",
	.argv = {"update-grub"},
};

/* The kernel of the next boot may be another than the one that runs. */
static const char *process_events_note(void)
{
	char *line = file_read("/proc/cmdline");
	const bool none = line && strstr(line, "initcall_blacklist=cn_proc_init");

	free(line);
	return none ? "this kernel has none" : "this kernel may have them";
}

static const struct part parts[] = {
	{
		.name = "bus",
		.about = "D-Bus: other users' units and processes",
		.type = &part_file,
		.source = "bus.conf",
		.path = SYSCONFDIR "/dbus-1/system.d/pam-unshare.conf",
		.needs = SYSCONFDIR "/dbus-1/system.d",
		.apply = &reload_bus,
		.revert = &reload_bus,
	},
	{
		.name = "bus",
		.about = "D-Bus: no command lines when it refuses, from its next start on",
		.type = &part_file,
		.source = "dbus.conf",
		.path = UNITCONFDIR "/dbus.service.d/pam-unshare.conf",
		.needs = SYSTEMD,
		.is_unit = true,
	},
	{
		.name = "units",
		.about = "files with the command lines of units",
		.type = &part_file,
		.source = "units.conf",
		.path = SYSCONFDIR "/tmpfiles.d/pam-unshare.conf",
		.needs = SYSTEMD,
		.apply = &create_files,
		.revert = &restore_modes,
		.revert_input = stock_modes,
	},
	{
		.name = "units",
		.about = "logind's files of inhibitors, from its next start on",
		.type = &part_file,
		.source = "logind.conf",
		.path = UNITCONFDIR "/systemd-logind.service.d/pam-unshare.conf",
		.needs = SYSTEMD,
		.is_unit = true,
	},
	{
		.name = "units",
		.about = "logind's Varlink socket, when it is created at boot",
		.type = &part_file,
		.source = "login-socket.conf",
		.path = UNITCONFDIR "/systemd-logind-varlink.socket.d/pam-unshare.conf",
		.needs = SYSTEMD,
		.is_unit = true,
	},
	{
		.name = "user-manager",
		.about = "user managers only for root and members of sudo",
		.type = &part_file,
		.source = "user-manager.conf",
		.path = UNITCONFDIR "/user@.service.d/pam-unshare.conf",
		.needs = SYSTEMD,
		.is_unit = true,
	},
	{
		.name = "cron",
		.about = "cron jobs are isolated",
		.type = &part_lines,
		.path = SYSCONFDIR "/pam.d/cron",
		.needs = SYSCONFDIR "/pam.d/cron",
		.marked_by = "harden",
	},
	{
		.name = "atd",
		.about = "at jobs are isolated",
		.type = &part_lines,
		.path = SYSCONFDIR "/pam.d/atd",
		.needs = SYSCONFDIR "/pam.d/atd",
		.marked_by = "harden",
	},
	{
		.name = "mail",
		.about = "exim4, split configuration: no programs from ~/.forward",
		.type = &part_block,
		.source = "mail-exim4.conf",
		.path = SYSCONFDIR "/exim4/conf.d/router/600_exim4-config_userforward",
		.needs = "/usr/sbin/update-exim4.conf",
		.apply = &update_exim,
		.revert = &update_exim,
		.below = "  allow_filter\n",
		.setting = "forbid_pipe",
		.overridden_by = SYSCONFDIR "/exim4/exim4.conf",
	},
	{
		.name = "mail",
		.about = "exim4, configuration in one file: no programs from ~/.forward",
		.type = &part_block,
		.source = "mail-exim4.conf",
		.path = SYSCONFDIR "/exim4/exim4.conf.template",
		.needs = "/usr/sbin/update-exim4.conf",
		.apply = &update_exim,
		.revert = &update_exim,
		.below = "  allow_filter\n",
		.setting = "forbid_pipe",
		.overridden_by = SYSCONFDIR "/exim4/exim4.conf",
	},
	{
		.name = "mail",
		.about = "Postfix: no programs from ~/.forward",
		.type = &part_block,
		.source = "mail-postfix.cf",
		.path = SYSCONFDIR "/postfix/main.cf",
		.needs = "/usr/sbin/postconf",
		.apply = &reload_postfix,
		.revert = &reload_postfix,
		.below = "",
		.setting = "allow_mail_to_commands",
	},
	{
		.name = "process-events",
		.about = "no process events, from the next boot on",
		.type = &part_file,
		.source = "process-events.cfg",
		.path = SYSCONFDIR "/default/grub.d/pam-unshare.cfg",
		.needs = SYSCONFDIR "/default/grub.d",
		.apply = &update_grub,
		.revert = &update_grub,
		.note = process_events_note,
	},
	{
		.name = "logins",
		.about = "files of who is and was logged in",
		.type = &part_file,
		.source = "logins.conf",
		.path = SYSCONFDIR "/tmpfiles.d/pam-unshare-logins.conf",
		.needs = SYSTEMD,
		.apply = &close_logins,
		.revert = &restore_modes,
		.revert_input = stock_lists,
		.modes_of = login_records,
		.makes = "/var/log/wtmp.db",
		.only_by_name = true,
	},
	{
		.name = "logins",
		.about = "logind: other users' sessions",
		.type = &part_file,
		.source = "logins-bus.conf",
		.path = SYSCONFDIR "/dbus-1/system.d/pam-unshare-logins.conf",
		.needs = SYSCONFDIR "/dbus-1/system.d",
		.apply = &reload_bus,
		.revert = &reload_bus,
		.only_by_name = true,
	},
	{
		.name = "logins",
		.about = "logind's files of sessions, from its next start on",
		.type = &part_file,
		.source = "logins-logind.conf",
		.path = UNITCONFDIR "/systemd-logind.service.d/pam-unshare-logins.conf",
		.needs = SYSTEMD,
		.is_unit = true,
		.only_by_name = true,
	},
	{
		.name = "logins",
		.about = "wtmp, when logrotate makes it anew",
		.type = &part_file,
		.source = "logins-logrotate.conf",
		.path = UNITCONFDIR "/logrotate.service.d/pam-unshare-logins.conf",
		.needs = "/lib/systemd/system/logrotate.service",
		.is_unit = true,
		.only_by_name = true,
	},
};

const struct part_set hardening = {.parts = parts, .n = sizeof(parts) / sizeof(*parts)};

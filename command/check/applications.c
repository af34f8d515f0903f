/* SPDX-License-Identifier: MIT */
/*
 * What is known of the service's application. This command has one thread and forks, so its own
 * session would not show how another application fares.
 */
#include "checks.h"
#include "command/lib/isolation.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

#define GDM "GDM has threads"
#define LIGHTDM "LightDM has threads"
#define SDDM "SDDM's helper uses /proc/self after it has opened the session"
#define GREETER "this is the service of the login screen, which runs as a user of its own"

/* Services whose applications were tried, and for which the module is not. The manual has the
   same. */
static const struct application {
	const char *service;
	bool harms;
	bool at_fork; /* but with enter=fork */
	const char *why;
} applications[] = {
	{.service = "slurm",
		.harms = true,
		.why = "slurmstepd has threads and is refused: with UsePAM=1 every job fails, and the node is drained"},
	{.service = "pure-ftpd",
		.harms = true,
		.why = "pure-ftpd does not check whether its session is refused: the user gets in, unisolated"},
	{.service = "xdm",
		.harms = true,
		.why = "xdm does not check whether its session is refused: the user gets in, unisolated"},
	{.service = "lxdm",
		.harms = true,
		.why = "LXDM does not check whether its session is refused: the user gets in, unisolated"},
	{.service = "cockpit",
		.harms = true,
		.at_fork = true,
		.why = "cockpit-session reads /proc after it has opened the session"},
	{.service = "gdm-password", .harms = true, .at_fork = true, .why = GDM},
	{.service = "gdm-autologin", .harms = true, .at_fork = true, .why = GDM},
	{.service = "gdm-fingerprint", .harms = true, .at_fork = true, .why = GDM},
	{.service = "gdm-smartcard", .harms = true, .at_fork = true, .why = GDM},
	{.service = "gdm-launch-environment", .harms = true, .why = GREETER},
	{.service = "lightdm", .harms = true, .at_fork = true, .why = LIGHTDM},
	{.service = "lightdm-autologin", .harms = true, .at_fork = true, .why = LIGHTDM},
	{.service = "sddm", .harms = true, .at_fork = true, .why = SDDM},
	{.service = "sddm-autologin", .harms = true, .at_fork = true, .why = SDDM},
	{.service = "sddm-greeter", .harms = true, .why = GREETER},
	{.service = "lightdm-greeter", .harms = true, .why = GREETER},
	{.service = "polkit-1",
		.harms = true,
		.why = "pkexec has threads, and is the process that becomes the program: it is refused"},
	{.service = "systemd-run0",
		.harms = true,
		.why = "run0 makes a unit with PAMName=, which is refused"},
	{.service = "systemd-user",
		.why = "the user manager is left alone, whatever the arguments say; after 'pam-unshare enable' its launcher joins the user's namespace"},
	{.service = "dovecot",
		.why = "dovecot opens and closes the session before it serves: nothing is isolated"},
	{.service = "samba", .why = "smbd ends the session before it serves: nothing is isolated"},
	{.service = "proftpd",
		.why = "proftpd serves in the process that opens the session, which stays outside: nothing is isolated"},
};

static const struct application *find_application(const char *service)
{
	for (size_t i = 0; i < sizeof(applications) / sizeof(*applications); i++)
		if (strcmp(service, applications[i].service) == 0)
			return &applications[i];
	return NULL;
}

/* Tell whether the file of a unit has PAMName=SERVICE, in whatever section. */
static bool names_service(const char *path, const char *service)
{
	char line[512], name[256];
	bool found = false;
	FILE *file = fopen(path, "re");

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, " PAMName = %255s", name) == 1 && strcmp(name, service) == 0;
	if (file)
		(void)fclose(file);
	return found;
}

/* A unit's session is refused: systemd opens it in the process that becomes the unit's program. */
static bool check_units(struct check *check)
{
	static const char files[] =
		"{/etc,/run,/usr/local/lib,/lib}/systemd/system/{*.service,*.service.d/*.conf}";
	bool found = false;
	glob_t units = {0};

	if (glob(files, GLOB_BRACE | GLOB_NOSORT, NULL, &units) != 0)
		return false;
	for (size_t i = 0; i < units.gl_pathc; i++) {
		const char *unit = units.gl_pathv[i];

		if (!names_service(unit, check->service))
			continue;
		found = true;
		findings_add_at(&check->findings, FINDING_PROBLEM, unit, 0,
			"%s has PAMName=%s: systemd opens the session in the process that runs the unit's program, and is refused. Do not list pam_unshare.so in %s, or give the unit a service of its own.",
			unit, check->service, check->service);
	}
	globfree(&units);
	return found;
}

/* What "hold" opens for the plugin for Slurm. */
static bool check_held(struct check *check)
{
	const bool at_fork = isolation_enters_at_fork(&check->stack);

	if (at_fork)
		findings_add(&check->findings, FINDING_PROBLEM,
			"'pam-unshare hold' opens no session with 'enter=fork': no task would be started. Give the line of pam_unshare.so that opens the argument 'enter=open'.");
	return at_fork;
}

bool check_application(struct check *check)
{
	const struct application *application = find_application(check->service);

	if (strcmp(check->service, "slurm-unshare") == 0 && check_held(check))
		return true;
	if (!application)
		return check_units(check);
	if (application->at_fork && isolation_enters_at_fork(&check->stack))
		return false;
	if (application->at_fork)
		findings_add(&check->findings, FINDING_PROBLEM,
			"%s: no session would begin. Give the line of pam_unshare.so that opens the argument 'enter=fork'.",
			application->why);
	else if (application->harms)
		findings_add(&check->findings, FINDING_PROBLEM,
			"%s. Do not list pam_unshare.so in %s.", application->why, check->service);
	else
		findings_add(&check->findings, FINDING_NOTE, "%s.", application->why);
	return application->harms;
}

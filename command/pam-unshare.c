/* SPDX-License-Identifier: MIT */
/*
 * pam-unshare: the administrator's command. Only "harden" changes the configuration of the machine.
 * See pam-unshare(8).
 */
#include "check.h"
#include "command/audit/audit.h"
#include "harden.h"
#include "list.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"Usage: pam-unshare check SERVICE USER\n"
	"       pam-unshare list [--json]\n"
	"       pam-unshare audit [--json] [--without] [--only=WAY,...] SERVICE USER\n"
	"       pam-unshare harden enable|disable|status [PART...]\n"
	"       pam-unshare --help\n"
	"\n"
	"check  reads the session lines of a PAM service, opens and closes a real session of it\n"
	"       for USER, and says whether USER is isolated, what they would see, and what to\n"
	"       change if something is wrong\n"
	"list   shows the isolated sessions that are open\n"
	"audit  tries every known way to see processes of others from inside a session of USER,\n"
	"       and says of each whether it is closed, or what closes it; takes a minute or two\n"
	"harden closes what the module does not (D-Bus, user managers, cron, at), takes that back,\n"
	"       or shows it; PART is bus, units, user-manager, cron, atd, process-events\n"
	"\n"
	"Exit status: 0 all is well, 1 something is wrong or OPEN, 3 something is not tested, 2 the command cannot do its work.\n"
	"All need root. The whole story is in pam-unshare(8) and pam_unshare(8).\n";

/* What was wrong with the command line, and what would be right. */
static int wrong(const char *what)
{
	(void)fprintf(stderr, "pam-unshare: %s\n\n%s", what, help);
	return 2;
}

/* The options of audit come before its two words. */
static int audit(int argc, char **argv)
{
	struct audit_options options = {0};
	int i = 2;

	for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (strcmp(argv[i], "--json") == 0)
			options.table.json = true;
		else if (strcmp(argv[i], "--without") == 0)
			options.without = true;
		else if (strncmp(argv[i], "--only=", strlen("--only=")) == 0)
			options.only = argv[i] + strlen("--only=");
		else
			return wrong(
				"audit takes the options --json, --without and --only=WAY,...");
	}
	if (argc - i != 2)
		return wrong("audit needs a SERVICE, as in /etc/pam.d, and a USER");
	return audit_service(&options, argv[i], argv[i + 1]);
}

static int check(int argc, char **argv)
{
	if (argc != 4)
		return wrong("check needs a SERVICE, as in /etc/pam.d, and a USER");
	return check_service(argv[2], argv[3]);
}

static int list(int argc, char **argv)
{
	static const struct option known[] = {TABLE_LONG_OPTIONS, {0}};
	struct table_options options = {0};
	int option;

	optind = 2;
	while ((option = getopt_long(argc, argv, TABLE_SHORT_OPTIONS, known, NULL)) != -1)
		if (!table_option(option, optarg, &options))
			return wrong("list takes the options --json, --noheadings and --output");
	if (optind != argc)
		return wrong("list takes no arguments");
	return list_sessions(&options);
}

static int change_hardening(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[2] : "";

	if (strcmp(verb, "enable") != 0 && strcmp(verb, "disable") != 0 &&
		strcmp(verb, "status") != 0)
		return wrong("harden takes enable, disable or status, and names of parts");
	return harden(verb, argv + 3, argc - 3);
}

static const struct {
	const char *name;
	int (*function)(int argc, char **argv);
} commands[] = {{"check", check}, {"list", list}, {"audit", audit}, {"harden", change_hardening}};

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	int status = audit_part(argc, argv);

	if (status >= 0)
		return status;
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return fputs(help, stdout) < 0 ? 2 : 0;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(name, commands[i].name) != 0)
			continue;
		if (geteuid() == 0)
			return commands[i].function(argc, argv);
		(void)fprintf(stderr, "pam-unshare: only root can do this\n");
		return 2;
	}
	return wrong(argc > 1 ? "the first word must be check, list, audit or harden"
			      : "a command is missing");
}

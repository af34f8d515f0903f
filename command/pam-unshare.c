/* SPDX-License-Identifier: MIT */
/*
 * pam-unshare: the administrator's command, pam-unshare(8). This file reads the command line.
 */
#include "command/audit/audit.h"
#include "command/audit/probes.h"
#include "command/check/check.h"
#include "command/harden/harden.h"
#include "command/launch/launch.h"
#include "command/metrics/metrics.h"
#include "config.h"
#include "hold.h"
#include "list.h"
#include "namespace.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
	"Usage: pam-unshare check [OPTION...] SERVICE USER\n"
	"       pam-unshare check --conf FILE [OPTION...] [USER...]\n"
	"       pam-unshare list [OPTION...]\n"
	"       pam-unshare audit [OPTION...] SERVICE USER\n"
	"       pam-unshare namespace [OPTION...] make|pin|unpin USER|UID\n"
	"       pam-unshare hold SERVICE USER|+UID\n"
	"       pam-unshare launch [OPTION...] UID -- PROGRAM [ARGUMENT...]\n"
	"       pam-unshare enable|disable|status [OPTION...]\n"
	"       pam-unshare harden [OPTION...] enable|disable|status [PART...]\n"
	"       pam-unshare metrics [OPTION...]\n"
	"       pam-unshare --help | --version\n";

static const char help[] =
	"\n"
	"Commands:\n"
	"  check      test a PAM service with a real session of USER, and report each\n"
	"             configuration error and how to fix it; or a configuration file\n"
	"  list       show the isolated sessions that are open\n"
	"  audit      try every known way to see processes of other users from inside\n"
	"             a session of USER; this takes a minute or two\n"
	"  namespace  with scope=user: make the namespace of a user and pin it, so that\n"
	"             it stays without sessions; pin or unpin it\n"
	"  hold       open a session and hold it until standard input ends, for programs\n"
	"             that enter it, as the plugin for Slurm\n"
	"  launch     with scope=user: the program of the unit user@UID.service; runs the\n"
	"             user manager in the user's namespace\n"
	"  enable     where systemd runs: put the whole life of each user into one\n"
	"             namespace, with the user manager and its services\n"
	"  disable    take that back\n"
	"  status     show whether that is so\n"
	"  harden     close side doors of the machine, reopen them, or show their state\n"
	"  metrics    print numbers for a monitoring system, in the format of Prometheus\n"
	"\n"
	"Options:\n"
	"  -J, --json                 print JSON\n"
	"  -n, --noheadings           print no headings\n"
	"  -o, --output COLUMN[,...]  print these columns only, in this order\n"
	"      --conf FILE            check: this configuration file, before it is put in\n"
	"                             place, and whether it isolates each USER\n"
	"      --no-session           audit: open no session, show what USER sees without one\n"
	"      --only PROBE[,...]     audit: run these probes only\n"
	"      --grace SECONDS        namespace make: as the module's argument\n"
	"      --linger, --ipc        namespace make: as the module's arguments\n"
	"      --proc-options LIST    namespace make: as the module's argument\n"
	"      --notify               namespace make: as the program of a unit\n"
	"      --if-shared            namespace: only if the configuration file says that\n"
	"                             the user's sessions share a namespace\n"
	"      --scopes               launch: let the user move processes out of the scopes\n"
	"                             of sessions, as systemd-run --user --scope does\n"
	"      --write FILE           metrics: replace FILE in one step\n"
	"  -h, --help                 print this text\n"
	"  -V, --version              print the version\n"
	"\n";

static const char help_end[] =
	"Exit status:\n"
	"  0  all is well\n"
	"  1  something is wrong, a probe of audit is OPEN, there is nothing to pin, or\n"
	"     a part of status is off\n"
	"  2  the command could not do its work\n"
	"  3  nothing is OPEN, but some probes could not be tested\n"
	"\n"
	"All commands need root. See pam-unshare(8), and pam_unshare(8) for the module.\n";

/* What the command line says, besides the command. */
struct arguments {
	struct table_options table;
	struct audit_options audit;
	struct namespace_options namespace;
	bool scopes;	   /* of launch */
	const char *conf;  /* of check */
	const char *write; /* of metrics */
	char **words;
	int n_words;
};

/* A fault of the command line. Returns the exit status. */
__attribute__((format(printf, 1, 2))) static int wrong(const char *format, ...)
{
	va_list args;

	(void)fprintf(stderr, "pam-unshare: ");
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fprintf(stderr, "\n\n%s", usage);
	return 2;
}

static int check(const struct arguments *arguments)
{
	if (arguments->conf && arguments->conf[0] != '/')
		return wrong("check needs the absolute path of a FILE");
	if (arguments->conf)
		return check_conf(
			arguments->conf, arguments->words, arguments->n_words, &arguments->table);
	if (arguments->n_words != 2)
		return wrong("check needs a SERVICE, as in /etc/pam.d, and a USER");
	return check_service(arguments->words[0], arguments->words[1], &arguments->table);
}

static int list(const struct arguments *arguments)
{
	if (arguments->n_words > 0)
		return wrong("list takes no arguments, but '%s' is given", arguments->words[0]);
	return list_sessions(&arguments->table);
}

static int audit(const struct arguments *arguments)
{
	struct audit_options options = arguments->audit;

	if (arguments->n_words != 2)
		return wrong("audit needs a SERVICE, as in /etc/pam.d, and a USER");
	options.table = arguments->table;
	return audit_service(&options, arguments->words[0], arguments->words[1]);
}

static int change_namespace(const struct arguments *arguments)
{
	const char *verb = arguments->n_words > 0 ? arguments->words[0] : "";

	if (arguments->n_words == 1 && strcmp(verb, "request") == 0)
		return namespace_request();
	if (arguments->n_words != 2 || !namespace_has_verb(verb))
		return wrong("namespace needs make, pin or unpin, and a USER or UID");
	return namespace_change(verb, arguments->words[1], &arguments->namespace);
}

static int hold(const struct arguments *arguments)
{
	if (arguments->n_words != 2)
		return wrong("hold needs a SERVICE, as in /etc/pam.d, and a USER or +UID");
	return hold_session(arguments->words[0], arguments->words[1]);
}

static int launch_program(const struct arguments *arguments)
{
	if (arguments->n_words < 2 || arguments->words[1][0] != '/')
		return wrong("launch needs a UID, and the absolute path of a PROGRAM");
	return launch(arguments->words[0], arguments->scopes, arguments->words + 1);
}

static int change_units(const char *verb, const struct arguments *arguments)
{
	if (arguments->n_words > 0)
		return wrong("%s takes no arguments, but '%s' is given", verb, arguments->words[0]);
	return change_inside(verb, &arguments->table);
}

static int enable(const struct arguments *arguments)
{
	return change_units("enable", arguments);
}

static int disable(const struct arguments *arguments)
{
	return change_units("disable", arguments);
}

static int show_status(const struct arguments *arguments)
{
	return change_units("status", arguments);
}

static int change_hardening(const struct arguments *arguments)
{
	const char *verb = arguments->n_words > 0 ? arguments->words[0] : "";

	if (strcmp(verb, "enable") != 0 && strcmp(verb, "disable") != 0 &&
		strcmp(verb, "status") != 0)
		return wrong("harden needs enable, disable or status, and takes names of parts");
	return harden(verb, arguments->words + 1, arguments->n_words - 1, &arguments->table);
}

static int show_metrics(const struct arguments *arguments)
{
	if (arguments->n_words > 0)
		return wrong("metrics takes no arguments, but '%s' is given", arguments->words[0]);
	return metrics(arguments->write);
}

/* Options without a letter. */
enum {
	OPTION_NO_SESSION = 256,
	OPTION_ONLY,
	OPTION_GRACE,
	OPTION_LINGER,
	OPTION_IPC,
	OPTION_PROC_OPTIONS,
	OPTION_NOTIFY,
	OPTION_IF_SHARED,
	OPTION_SCOPES,
	OPTION_CONF,
	OPTION_WRITE,
};

/* clang-format off */
#define GENERAL_OPTIONS \
	{"help", no_argument, NULL, 'h'}, \
	{"version", no_argument, NULL, 'V'}
/* clang-format on */

/* "+" ends the options at the first word, which is the command. */
static const char general_letters[] = "+hV";
static const struct option known_general[] = {GENERAL_OPTIONS, {0}};

static const char command_letters[] = "hV" TABLE_SHORT_OPTIONS;
static const struct option known_table[] = {GENERAL_OPTIONS, TABLE_LONG_OPTIONS, {0}};
static const struct option known_check[] = {
	GENERAL_OPTIONS, TABLE_LONG_OPTIONS, {"conf", required_argument, NULL, OPTION_CONF}, {0}};
static const struct option known_audit[] = {GENERAL_OPTIONS, TABLE_LONG_OPTIONS,
	{"no-session", no_argument, NULL, OPTION_NO_SESSION},
	{"only", required_argument, NULL, OPTION_ONLY}, {0}};
static const char general_command_letters[] = "hV";
static const struct option known_namespace[] = {GENERAL_OPTIONS,
	{"grace", required_argument, NULL, OPTION_GRACE},
	{"linger", no_argument, NULL, OPTION_LINGER}, {"ipc", no_argument, NULL, OPTION_IPC},
	{"proc-options", required_argument, NULL, OPTION_PROC_OPTIONS},
	{"notify", no_argument, NULL, OPTION_NOTIFY},
	{"if-shared", no_argument, NULL, OPTION_IF_SHARED}, {0}};
static const struct option known_hold[] = {GENERAL_OPTIONS, {0}};
static const struct option known_launch[] = {
	GENERAL_OPTIONS, {"scopes", no_argument, NULL, OPTION_SCOPES}, {0}};
static const struct option known_metrics[] = {
	GENERAL_OPTIONS, {"write", required_argument, NULL, OPTION_WRITE}, {0}};

static const struct command {
	const char *name;
	int (*run)(const struct arguments *arguments);
	const struct option *options;
	const struct table_layout *table; /* NULL: it prints none */
} commands[] = {
	{.name = "check", .run = check, .options = known_check, .table = &check_table},
	{.name = "list", .run = list, .options = known_table, .table = &list_table},
	{.name = "audit", .run = audit, .options = known_audit, .table = &audit_table},
	{.name = "namespace", .run = change_namespace, .options = known_namespace},
	{.name = "hold", .run = hold, .options = known_hold},
	{.name = "launch", .run = launch_program, .options = known_launch},
	{.name = "harden", .run = change_hardening, .options = known_table, .table = &harden_table},
	{.name = "enable", .run = enable, .options = known_table, .table = &harden_table},
	{.name = "disable", .run = disable, .options = known_table, .table = &harden_table},
	{.name = "status", .run = show_status, .options = known_table, .table = &harden_table},
	{.name = "metrics", .run = show_metrics, .options = known_metrics},
};

#define N_COMMANDS (sizeof(commands) / sizeof(*commands))

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

#define LINE_WIDTH 78

/* The names of the probes, in lines of the width of a terminal. */
static void print_probes(void)
{
	size_t column = 0;

	printf("Probes of audit:");
	for (size_t i = 0; i < probes_count(); i++) {
		const size_t width = strlen(probes[i].name) + 1;

		if (i == 0 || column + width > LINE_WIDTH) {
			printf("\n ");
			column = 1;
		}
		printf(" %s", probes[i].name);
		column += width;
	}
	printf("\n\n");
}

static int print_help(void)
{
	(void)fputs(usage, stdout);
	(void)fputs(help, stdout);
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (!commands[i].table || (i > 0 && commands[i].table == commands[i - 1].table))
			continue;
		printf("Columns of %s:\n", commands[i].name);
		table_help(stdout, commands[i].table);
		printf("\n");
	}
	print_probes();
	(void)fputs("Parts of harden (default: all):\n", stdout);
	harden_help(stdout);
	(void)fputs("\n", stdout);
	(void)fputs(help_end, stdout);
	return fflush(stdout) == 0 ? 0 : 2;
}

static int print_version(void)
{
	return puts("pam-unshare " VERSION) < 0 || fflush(stdout) != 0 ? 2 : 0;
}

/* Take one of namespace's options. Tells whether it is one. */
static bool namespace_option(int option, struct namespace_options *options)
{
	switch (option) {
	case OPTION_GRACE:
		options->grace = optarg;
		return true;
	case OPTION_LINGER:
		options->linger = true;
		return true;
	case OPTION_IPC:
		options->ipc = true;
		return true;
	case OPTION_PROC_OPTIONS:
		options->proc_options = optarg;
		return true;
	case OPTION_NOTIFY:
		options->notify = true;
		return true;
	case OPTION_IF_SHARED:
		options->if_shared = true;
		return true;
	default:
		return false;
	}
}

/* An option that getopt_long(3) returned. Returns an exit status, or -1: go on. */
static int take_option(int option, struct arguments *arguments)
{
	if (table_option(option, optarg, &arguments->table) ||
		namespace_option(option, &arguments->namespace))
		return -1;
	switch (option) {
	case OPTION_NO_SESSION:
		arguments->audit.no_session = true;
		return -1;
	case OPTION_ONLY:
		arguments->audit.only = optarg;
		return -1;
	case OPTION_SCOPES:
		arguments->scopes = true;
		return -1;
	case OPTION_CONF:
		arguments->conf = optarg;
		return -1;
	case OPTION_WRITE:
		arguments->write = optarg;
		return -1;
	case 'h':
		return print_help();
	case 'V':
		return print_version();
	default: /* getopt_long(3) has said what is wrong */
		(void)fprintf(stderr, "\n%s", usage);
		return 2;
	}
}

/* Take the options up to the first word, or all of them, as letters says. Returns as above. */
static int take_options(int argc, char **argv, const char *letters, const struct option *options,
	struct arguments *arguments)
{
	int option, status = -1;

	optind = 0; /* begin anew, getopt(3) */
	while (status < 0 && (option = getopt_long(argc, argv, letters, options, NULL)) != -1)
		status = take_option(option, arguments);
	arguments->words = argv + optind;
	arguments->n_words = argc - optind;
	return status;
}

static int run_command(const struct command *command, const struct arguments *arguments)
{
	if (geteuid() == 0)
		return command->run(arguments);
	(void)fprintf(stderr, "pam-unshare: must be run as root\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {0};
	const struct command *command;
	int status = audit_subprogram(argc, argv);

	if (status >= 0)
		return status;
	status = take_options(argc, argv, general_letters, known_general, &arguments);
	if (status >= 0)
		return status;
	if (arguments.n_words == 0)
		return wrong("a command is missing");
	command = find_command(arguments.words[0]);
	if (!command)
		return wrong("there is no command '%s'", arguments.words[0]);
	/* getopt_long(3) names the program by the first of its words */
	arguments.words[0] = argv[0];
	status = take_options(arguments.n_words, arguments.words,
		command->table ? command_letters : general_command_letters, command->options,
		&arguments);
	return status >= 0 ? status : run_command(command, &arguments);
}

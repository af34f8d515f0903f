/* SPDX-License-Identifier: MIT */
/*
 * pam-unshare audit: what a user can see of others' processes, by every probe that is known. This
 * process stays on the host and starts, besides the decoys (fixture.c), a tree:
 *
 *     audit ─┬─ opener of a session ─┬─ the probes that begin as root
 *            │                       └─ the probes, as the user
 *            └─ opener of another session ─── as the user: tmux and screen servers, and a
 *                                              process that has directories open
 *
 * The probes execute this program anew, as a login executes a shell: what the application has open
 * close-on-exec is not theirs, and neither is root's terminal. They report through memory that is
 * shared; what the user could write there is text, and is printed as such.
 */
#include "audit.h"

#include "command/lib/log_capture.h"
#include "command/lib/pam_session.h"
#include "command/lib/printable.h"
#include "command/lib/subprocess.h"
#include "command/list.h"
#include "common/syscalls.h"
#include "fixture.h"
#include "probes.h"
#include "proc_scan.h"

#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define SESSION_LIMIT_MS 1800000
#define SERVERS_LIMIT_MS 60000

/* What the probes share with the process that reports. The user may write there. */
struct shared {
	struct audit_context context; /* a copy, for the probes */
	struct result results[PROBES_MAX];
};

/* What the process that opens the session shares with it: both are root's. */
struct outcome {
	bool opened;
	bool tried; /* the probes came to their end */
	char refused[256];
};

struct audit {
	const struct audit_options *options;
	struct audit_context context;
	struct passwd user;
	struct shared *shared;
	int memory;  /* descriptor of shared */
	int cleaner; /* whoever has it keeps the cleaner waiting */
	struct outcome *outcome;
};

/* ---- in the session ---------------------------------------------------------------------------
 */

static bool wants(const struct audit_context *context, const char *name)
{
	for (size_t i = 0; i < probes_count(); i++)
		if (context->wanted[i] && strcmp(probes[i].name, name) == 0)
			return true;
	return false;
}

/* A child that executes this program anew, in the session. It dies with its parent. Tells whether
   it came to its end. */
static bool run_inside(const struct audit *audit, bool as_root)
{
	char memory[16];
	const char *const argv[] = {
		audit->context.command, "audit-inside", memory, as_root ? "root" : "user", NULL};
	const struct subprocess as_user = {.user = audit->user.pw_name, .home = audit->user.pw_dir};
	const struct subprocess nothing = {0};
	const pid_t parent = getpid();
	pid_t child = fork();
	int status;

	if (child == 0) {
		(void)snprintf(memory, sizeof(memory), "%d", audit->memory);
		(void)fcntl(audit->memory, F_SETFD, 0);
		if (!detach_terminal() || (!as_root && !become_user(&audit->user)))
			_exit(1);
		die_with_parent(parent);
		subprocess_exec(as_root ? &nothing : &as_user, argv);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static void run_probes(const struct audit *audit)
{
	audit->outcome->tried = run_inside(audit, true) && run_inside(audit, false);
}

/* What an application may have in a mount namespace, and open: the module must see to it. */
static void be_careless(struct audit_context *context)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/proc", context->directory);
	/* without the mount the probe says that it is not there */
	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) == 0)
		(void)mount("proc", path, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	context->descriptors = open("/", O_RDONLY | O_DIRECTORY) >= 0 &&
			       open("/proc", O_RDONLY | O_DIRECTORY) >= 0;
}

/* What other modules say that refuse nobody: pam_unix; pam_env, of a file that Debian's services
   name and not every machine has. */
static bool is_no_refusal(const char *said)
{
	static const char *const beginnings[] = {"session opened", "Unable to open env file"};

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++)
		if (strncmp(said, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

static void refuse(struct audit *audit, const char *what, const char *why)
{
	size_t i = 0;

	while (log_capture_message(i) && is_no_refusal(log_capture_message(i)))
		i++;
	(void)snprintf(audit->outcome->refused, sizeof(audit->outcome->refused), "%s says '%s'; %s",
		what, why, log_capture_message(i) ? log_capture_message(i) : "nothing was logged");
}

/* Open a session, have something done in it, close it. */
static void in_session(struct audit *audit, void (*body)(const struct audit *audit))
{
	pam_handle_t *pamh = NULL;
	int result;

	log_capture_set_mode(LOG_CAPTURE_FORWARD);
	be_careless(&audit->shared->context);
	if (audit->context.without) {
		audit->outcome->opened = true;
		body(audit);
		return;
	}
	result = start_transaction(audit->context.service, audit->context.user, false, &pamh);
	if (result != PAM_SUCCESS) {
		refuse(audit, "pam_start()", pam_strerror(pamh, result));
		return;
	}
	result = pam_open_session(pamh, PAM_SILENT);
	if (result != PAM_SUCCESS) {
		refuse(audit, "pam_open_session()", pam_strerror(pamh, result));
	} else {
		audit->outcome->opened = true;
		body(audit);
		(void)pam_close_session(pamh, PAM_SILENT);
	}
	(void)pam_end(pamh, PAM_SUCCESS);
}

static void run_session(void *data)
{
	in_session(data, run_probes);
}

/* ---- another session of the user's ------------------------------------------------------------
 */

static int servers[2] = {-1, -1}; /* what it reads from: its end is the audit's */

/* tmux and screen stay in the foreground: so their pids are known. Whoever is set-group-id, as
   screen is, does not die with its parent. */
static pid_t start_server(const struct subprocess *program, const char *const argv[])
{
	const char *path = subprocess_find(argv[0]);
	const char *arguments[8] = {path};
	pid_t child = path ? fork() : -1;

	if (child != 0)
		return child;
	for (size_t i = 1; i < 7 && argv[i]; i++)
		arguments[i] = argv[i];
	subprocess_exec(program, arguments);
}

static bool audit_has_ended(void)
{
	char byte;

	return recv(servers[1], &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void run_servers(const struct audit *audit)
{
	char own[96], socket[96], directory[96], environment[128];
	const char *const tmux[] = {"tmux", "-D", "-S", socket, "-f", "/dev/null", NULL};
	const char *const session[] = {"tmux", "-S", socket, "new-session", "-d", NULL};
	const char *const screen[] = {"screen", "-D", "-m", "-S", "audit", NULL};
	const char *const holder[] = {audit->context.command, "audit-holder", own, NULL};
	struct subprocess program = {.user = audit->user.pw_name, .home = audit->user.pw_dir};
	const struct timespec pause = {.tv_nsec = 200000000};
	pid_t child = fork(), started[3];
	char byte = 'r';

	if (child > 0)
		(void)waitpid(child, NULL, 0);
	if (child != 0)
		return;
	/* it lives to end the servers: a killed audit is the end of what it reads from */
	(void)close(audit->cleaner);
	if (!detach_terminal() || !become_user(&audit->user))
		_exit(1);
	(void)snprintf(own, sizeof(own), "%s/user", audit->context.directory);
	started[2] = start_server(&program, holder);
	(void)snprintf(socket, sizeof(socket), "%s/user/tmux-socket", audit->context.directory);
	(void)snprintf(directory, sizeof(directory), "%s/user/screen", audit->context.directory);
	(void)snprintf(environment, sizeof(environment), "SCREENDIR=%s", directory);
	(void)mkdir(directory, 0700);
	started[0] = start_server(&program, tmux);
	for (int i = 0; i < 100 && started[0] > 0 && access(socket, F_OK) < 0; i++) {
		if (audit_has_ended())
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (started[0] > 0 && access(socket, F_OK) == 0 && subprocess_run(&program, session) == 0)
		subprocess_free(&program);
	program.more = environment;
	started[1] = audit_has_ended() ? -1 : start_server(&program, screen);
	for (int i = 0; i < 50 && started[1] > 0 && rmdir(directory) == 0; i++) {
		(void)mkdir(directory, 0700); /* empty as yet */
		(void)nanosleep(&pause, NULL);
	}
	/* until the audit has ended */
	if (send(servers[1], &byte, 1, MSG_NOSIGNAL) == 1)
		(void)recv(servers[1], &byte, 1, 0);
	for (size_t i = 0; i < 3; i++)
		if (started[i] > 0)
			(void)kill(started[i], SIGKILL);
	_exit(0);
}

static void run_other_session(void *data)
{
	in_session(data, run_servers);
}

/* Returns its process, or -1. */
static pid_t start_other_session(struct audit *audit)
{
	struct pollfd ready = {.events = POLLIN};
	pid_t child;
	char byte;

	if (!wants(&audit->context, "tmux") && !wants(&audit->context, "screen") &&
		!wants(&audit->context, "own-descriptors"))
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, servers) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close(servers[0]);
		(void)run_in_child(run_other_session, audit, SESSION_LIMIT_MS);
		_exit(0);
	}
	(void)close(servers[1]);
	ready.fd = servers[0];
	if (poll(&ready, 1, SERVERS_LIMIT_MS) > 0) /* or the probes say that no server answers */
		(void)recv(servers[0], &byte, 1, 0);
	return child;
}

static void end_other_session(pid_t child)
{
	if (child <= 0)
		return;
	(void)close(servers[0]);
	(void)waitpid(child, NULL, 0);
}

/* ---- the report -------------------------------------------------------------------------------
 */

static const char *const words[] = {"not tested", "closed", "OPEN", "not promised"};

/* Exactly what closes a probe. */
static void closes(
	const struct audit_context *context, const struct probe *probe, char *text, size_t size)
{
	static const char *const parts[] = {[BY_BUS] = "bus",
		[BY_UNITS] = "units",
		[BY_MANAGER] = "user-manager",
		[BY_CRON] = "cron",
		[BY_ATD] = "atd",
		[BY_MAIL] = "mail",
		[BY_KERNEL] = "process-events"};

	/* the audit's sshd is like any other: of the service sshd */
	const char *service = strcmp(probe->name, "ssh") == 0 ? "sshd" : context->service;

	if (probe->closed_by == BY_MODULE)
		(void)snprintf(text, size,
			"pam_unshare.so in /etc/pam.d/%s: pam-unshare check %s %s", service,
			service, context->user);
	else if (probe->closed_by == BY_NOBODY)
		(void)snprintf(text, size, "nothing that is known");
	else
		(void)snprintf(text, size, "pam-unshare harden enable %s", parts[probe->closed_by]);
}

static void print_result(const struct audit *audit, const struct probe *probe,
	const struct result *result, bool first)
{
	char remedy[256] = "";

	closes(&audit->context, probe, remedy, sizeof(remedy));
	if (!audit->options->table.json) {
		printf("%-18s %-12s %s", probe->name, words[result->verdict], result->seen);
		if (result->verdict == OPEN)
			printf("; what closes it: %s", remedy);
		else if (result->verdict == CLOSED && probe->never)
			printf(" (never open: %s)", probe->never);
		printf("\n");
		return;
	}
	printf("%s\n {\"way\": \"%s\", \"verdict\": \"%s\", \"seen\": ", first ? "" : ",",
		probe->name, result->verdict == OPEN ? "open" : words[result->verdict]);
	print_json_string(result->seen);
	printf(", \"closed_by\": ");
	print_json_string(remedy);
	printf(", \"never_open\": ");
	print_json_string(probe->never ? probe->never : "");
	printf("}");
}

static int report(const struct audit *audit)
{
	unsigned int count[4] = {0};
	char service[sizeof(audit->context.service)], user[sizeof(audit->context.user)];
	bool first = true;

	printable(service, sizeof(service), audit->context.service, strlen(audit->context.service));
	printable(user, sizeof(user), audit->context.user, strlen(audit->context.user));
	if (audit->options->table.json) {
		printf("{\"service\": ");
		print_json_string(service);
		printf(", \"user\": ");
		print_json_string(user);
		printf(", \"session\": %s, \"ways\": [", audit->context.without ? "false" : "true");
	}
	for (size_t i = 0; i < probes_count(); i++) {
		struct result result = audit->shared->results[i];

		if (!audit->context.wanted[i])
			continue;
		if (result.verdict < NOT_TESTED || result.verdict > NOT_PROMISED)
			result.verdict = NOT_TESTED;
		result.seen[sizeof(result.seen) - 1] = '\0';
		printable(result.seen, sizeof(result.seen), result.seen, strlen(result.seen));
		count[result.verdict]++;
		print_result(audit, &probes[i], &result, first);
		first = false;
	}
	if (audit->options->table.json)
		printf("],\n \"closed\": %u, \"open\": %u, \"not_tested\": %u, \"not_promised\": %u}\n",
			count[CLOSED], count[OPEN], count[NOT_TESTED], count[NOT_PROMISED]);
	else
		printf("result: %s%s, for %s: %u OPEN, %u closed, %u not tested, %u not promised\n",
			audit->context.without ? "without a session of " : "with ", service, user,
			count[OPEN], count[CLOSED], count[NOT_TESTED], count[NOT_PROMISED]);
	if (fflush(stdout) != 0)
		return 2;
	if (count[OPEN] > 0)
		return 1;
	return count[NOT_TESTED] > 0 ? 3 : 0;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static int fail(const char *what)
{
	(void)fprintf(stderr, "pam-unshare: the audit cannot be made: %s\n", what);
	return 2;
}

static bool choose_one(struct audit_context *context, const char *name, size_t length)
{
	bool known = false;

	for (size_t i = 0; i < probes_count(); i++) {
		if (strlen(probes[i].name) != length || strncmp(probes[i].name, name, length) != 0)
			continue;
		context->wanted[i] = true;
		known = true;
	}
	return known;
}

static bool choose(struct audit_context *context, const char *only)
{
	for (size_t i = 0; i < probes_count(); i++)
		context->wanted[i] = !only;
	for (const char *s = only; s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL) {
		size_t length = strcspn(s, ",");

		if (choose_one(context, s, length))
			continue;
		(void)fprintf(stderr,
			"pam-unshare: there is no probe '%.*s'; known are:", (int)length, s);
		for (size_t i = 0; i < probes_count(); i++)
			(void)fprintf(stderr, " %s", probes[i].name);
		(void)fprintf(stderr, "\n");
		return false;
	}
	return true;
}

/* The user executes this program: from where it is, or the probes cannot run. */
static const char *find_command(struct audit_context *context, const struct passwd *user)
{
	ssize_t n = readlink("/proc/self/exe", context->command, sizeof(context->command) - 1);
	int status = 1;
	pid_t child;

	if (n <= 0 || n >= (ssize_t)sizeof(context->command) - 1 ||
		strpbrk(context->command, " \t%\"'\\$"))
		return "the path of this program is not a plain one: install it in /usr/sbin";
	child = fork();
	if (child == 0)
		_exit(become_user(user) && access(context->command, X_OK) == 0 ? 0 : 1);
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		return "the user may not execute this program where it is: install it in /usr/sbin";
	return NULL;
}

static bool any_of_manager(const struct audit_context *context)
{
	for (size_t i = 0; i < probes_count(); i++)
		if (context->wanted[i] && probes[i].closed_by == BY_MANAGER)
			return true;
	return false;
}

static bool any_of_unit(const struct audit_context *context)
{
	for (size_t i = 0; i < probes_count(); i++)
		if (context->wanted[i] &&
			(probes[i].closed_by == BY_BUS || probes[i].closed_by == BY_UNITS))
			return true;
	return false;
}

/* atd, told by a signal that there is a job, does not hear one from inside a PID namespace. */
static void wake_atd(void)
{
	const char *const argv[] = {"pkill", "-HUP", "-x", "-u", "0,1", "atd", NULL};
	struct subprocess program = {0};

	if (subprocess_run(&program, argv) == 0)
		subprocess_free(&program);
}

static pid_t wake_atd_until_end(const struct audit *audit)
{
	const struct timespec pause = {.tv_sec = 5};
	pid_t child = wants(&audit->context, "at") ? fork() : -1;

	if (child != 0)
		return child;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		(void)nanosleep(&pause, NULL);
		wake_atd();
	}
}

static int run_audit(struct audit *audit)
{
	pid_t other, waker;
	enum child_end end;

	memcpy(&audit->shared->context, &audit->context, sizeof(audit->context));
	for (size_t i = 0; i < probes_count(); i++)
		result_set(&audit->shared->results[i], NOT_TESTED, "it was not reached");
	waker = wake_atd_until_end(audit);
	other = start_other_session(audit);
	audit->outcome->opened = false;
	end = run_in_child(run_session, audit, SESSION_LIMIT_MS);
	if (waker > 0) {
		(void)kill(waker, SIGKILL);
		(void)waitpid(waker, NULL, 0);
	}
	end_other_session(other);
	switch (end) {
	case CHILD_NOT_STARTED:
		return fail("no process can be made");
	case CHILD_TIMED_OUT:
		return fail("it took longer than half an hour");
	case CHILD_ENDED:
		break;
	}
	if (!audit->outcome->opened)
		return fail(audit->outcome->refused);
	if (!audit->outcome->tried)
		return fail("what tries the probes has died in the session");
	return report(audit);
}

static int prepare(struct audit *audit, struct fixture *fixture)
{
	const char *failed = find_command(&audit->context, &audit->user);

	if (failed)
		return fail(failed);
	audit->memory = memfd_create("pam-unshare-audit", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	/* sealed: nobody takes the memory away from under this process */
	if (audit->memory < 0 || ftruncate(audit->memory, sizeof(struct shared)) < 0 ||
		fcntl(audit->memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return fail("no memory");
	audit->shared = mmap(
		NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, audit->memory, 0);
	audit->outcome = mmap(NULL, sizeof(struct outcome), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (audit->shared == MAP_FAILED || audit->outcome == MAP_FAILED)
		return fail("no memory");
	failed =
		fixture_setup(fixture, &audit->context, &audit->user, wants(&audit->context, "ssh"),
			any_of_manager(&audit->context), any_of_unit(&audit->context));
	audit->cleaner = fixture->cleaner_pipe;
	if (failed) {
		(void)fprintf(stderr, "pam-unshare: cannot %s: %s\n", failed, strerror(errno));
		return 2;
	}
	return 0;
}

int audit_service(const struct audit_options *options, const char *service, const char *user_name)
{
	struct audit audit = {.options = options, .user = {0}};
	const struct passwd *found = getpwnam(user_name);
	struct fixture fixture = {0};
	int status;

	while ((status = open("/dev/null", O_RDWR)) >= 0 && status <= STDERR_FILENO)
		; /* what is closed is not to be anything else's place */
	close_fd(&status);
	if (!found) {
		(void)fprintf(stderr, "pam-unshare: there is no user '%s'\n", user_name);
		return 2;
	}
	if (found->pw_uid == 0)
		return fail("root sees everything; name an unprivileged user");
	audit.context.without = options->without;
	(void)snprintf(audit.context.service, sizeof(audit.context.service), "%s", service);
	(void)snprintf(audit.context.user, sizeof(audit.context.user), "%s", found->pw_name);
	(void)snprintf(audit.context.home, sizeof(audit.context.home), "%s", found->pw_dir);
	audit.user.pw_uid = found->pw_uid;
	audit.user.pw_gid = found->pw_gid;
	audit.user.pw_name = audit.context.user;
	audit.user.pw_dir = audit.context.home;
	if (!choose(&audit.context, options->only))
		return 2;
	status = prepare(&audit, &fixture);
	if (status == 0)
		status = run_audit(&audit);
	fixture_teardown(&fixture);
	return status;
}

/* ---- the program anew -------------------------------------------------------------------------
 */

static int inside(const char *memory, bool as_root)
{
	const int fd = (int)strtol(memory, NULL, 10);
	struct shared *shared =
		mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	/* not for the programs that a probe runs, su's among them as another user */
	if (shared == MAP_FAILED || close(fd) < 0)
		return 1;
	log_capture_set_mode(LOG_CAPTURE_FORWARD);
	probes_run(&shared->context, shared->results, as_root);
	return 0;
}

int audit_part(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";

	if (strcmp(word, DECOY_WORD) == 0 && argc >= 3)
		return decoy_main(argv[2], argc > 3 ? argv[3] : NULL);
	if (strcmp(word, "audit-scan") == 0 && argc == 5)
		return proc_scan_report(argv[2], argv[3], argv[4]);
	if (strcmp(word, "audit-holder") == 0 && argc == 3)
		return holder_main(argv[2]);
	if (strcmp(word, "audit-inside") == 0 && argc == 4)
		return inside(argv[2], strcmp(argv[3], "root") == 0);
	return -1;
}

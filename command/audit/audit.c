/* SPDX-License-Identifier: MIT */
/*
 * pam-unshare audit: what a user can see of other users' processes, by every way that is known.
 * This process stays on the host. Besides the fixture (fixture.h) it starts
 *
 *     audit ─┬─ application of a session ─┬─ the probes that begin as root
 *            │                            └─ the probes, as the user
 *            └─ application of another session ─── as the user: servers.h
 *
 * The probes execute this program anew, as a login executes a shell: they inherit neither what the
 * application has open close-on-exec, nor root's terminal. They report through shared memory. The
 * user can write to it, so everything that comes from it is made printable before it is printed.
 */
#include "audit.h"

#include "command/lib/pam_session.h"
#include "command/lib/subprocess.h"
#include "common/syscalls.h"
#include "decoy.h"
#include "fixture.h"
#include "proc_scan.h"
#include "report.h"
#include "servers.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define SESSION_LIMIT_MS 1800000

static int audit_failed(const char *what)
{
	(void)fprintf(stderr, "pam-unshare: the audit cannot be made: %s\n", what);
	return 2;
}

/* ---- which probes -----------------------------------------------------------------------------
 */

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

/* Unless the user asks for probes by name, only those that can be tried here. */
static void leave_out(struct audit_context *context)
{
	for (size_t i = 0; i < probes_count(); i++)
		if (probes[i].needs_sharing && !context->shares)
			context->wanted[i] = false;
}

static bool any_of_shared(const struct audit_context *context)
{
	for (size_t i = 0; i < probes_count(); i++)
		if (context->wanted[i] && probes[i].needs_sharing)
			return true;
	return false;
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

/* ---- the run ----------------------------------------------------------------------------------
 */

/* The user executes this program, from where it is. Returns NULL, or why that is impossible. */
static const char *find_command(struct audit_context *context, const struct passwd *user)
{
	ssize_t n = readlink("/proc/self/exe", context->command, sizeof(context->command) - 1);
	int status = 1;
	pid_t child;

	if (n <= 0 || n >= (ssize_t)sizeof(context->command) - 1 ||
		strpbrk(context->command, " \t%\"'\\$"))
		return "the path of this program has special characters or is too long: install it in /usr/sbin";
	child = fork();
	if (child == 0)
		_exit(become_user(user) && access(context->command, X_OK) == 0 ? 0 : 1);
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		return "the user may not execute this program where it is: install it in /usr/sbin";
	return NULL;
}

static void wake_atd(void)
{
	const char *const argv[] = {"pkill", "-HUP", "-x", "-u", "0,1", "atd", NULL};
	struct subprocess program = {0};

	if (subprocess_run(&program, argv) == 0)
		subprocess_free(&program);
}

/* Wake atd every five seconds: at(1) tells it of a job by a signal, which does not leave a PID
   namespace. Returns the process, or -1. */
static pid_t wake_atd_until_end(const struct audit *audit)
{
	const struct timespec pause = {.tv_sec = 5};
	pid_t child = probe_is_wanted(&audit->context, "at") ? fork() : -1;

	if (child != 0)
		return child;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		(void)nanosleep(&pause, NULL);
		wake_atd();
	}
}

static void run_probe_session(void *audit)
{
	session_run(audit, session_probes, NULL);
}

static enum child_end run_sessions(struct audit *audit)
{
	struct servers servers;
	pid_t waker = wake_atd_until_end(audit);
	enum child_end end;

	servers = servers_start(audit);
	audit->status->opened = false;
	end = run_in_child(run_probe_session, audit, SESSION_LIMIT_MS);
	if (waker > 0) {
		(void)kill(waker, SIGKILL);
		(void)waitpid(waker, NULL, 0);
	}
	servers_stop(&servers);
	return end;
}

static int run_audit(struct audit *audit, struct report *report)
{
	memcpy(&audit->shared->context, &audit->context, sizeof(audit->context));
	for (size_t i = 0; i < probes_count(); i++)
		result_set(&audit->shared->results[i], NOT_TESTED, "the probe was not reached");
	switch (run_sessions(audit)) {
	case CHILD_NOT_STARTED:
		return audit_failed("cannot fork: raise the limit of processes");
	case CHILD_TIMED_OUT:
		return audit_failed(
			"it took longer than half an hour; run fewer probes with --only");
	case CHILD_ENDED:
		break;
	}
	if (!audit->status->opened)
		return audit_failed(audit->status->refusal);
	if (!audit->status->completed)
		return audit_failed(
			"the process that runs the probes died in the session; see the system log");
	return report_print(report, audit);
}

/* Make the memory that is shared. Sealed: nobody can take it away from under this process. */
static bool share_memory(struct audit *audit)
{
	audit->shared_fd = memfd_create("pam-unshare-audit", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (audit->shared_fd < 0 || ftruncate(audit->shared_fd, sizeof(*audit->shared)) < 0 ||
		fcntl(audit->shared_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return false;
	audit->shared = mmap(NULL, sizeof(*audit->shared), PROT_READ | PROT_WRITE, MAP_SHARED,
		audit->shared_fd, 0);
	audit->status = mmap(NULL, sizeof(*audit->status), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return audit->shared != MAP_FAILED && audit->status != MAP_FAILED;
}

/* Returns 0, or the exit status. */
static int prepare(struct audit *audit, struct fixture *fixture)
{
	const struct fixture_needs needs = {
		.sshd = probe_is_wanted(&audit->context, "ssh"),
		.manager = any_of_manager(&audit->context),
		.shared = any_of_shared(&audit->context),
		.unit = any_of_unit(&audit->context),
	};
	const char *failed = find_command(&audit->context, &audit->user);

	if (failed)
		return audit_failed(failed);
	if (!share_memory(audit))
		return audit_failed("out of memory");
	failed = fixture_setup(fixture, &audit->context, &audit->user, needs);
	audit->cleaner_pipe = fixture->cleaner_pipe;
	if (failed) {
		(void)fprintf(stderr, "pam-unshare: cannot %s: %s\n", failed, strerror(errno));
		return 2;
	}
	return 0;
}

static void set_user(struct audit *audit, const struct passwd *found)
{
	struct audit_context *context = &audit->context;

	(void)snprintf(context->user, sizeof(context->user), "%s", found->pw_name);
	(void)snprintf(context->home, sizeof(context->home), "%s", found->pw_dir);
	audit->user = (struct passwd){.pw_uid = found->pw_uid,
		.pw_gid = found->pw_gid,
		.pw_name = context->user,
		.pw_dir = context->home};
}

/* Open /dev/null for those of standard input, output and error that are closed: nothing else must
   get their numbers. */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	close_fd(&fd);
}

/* With the options and the user checked. Returns the exit status. */
static int audit_user(struct audit *audit, struct report *report)
{
	struct fixture fixture = {0};
	int status = prepare(audit, &fixture);

	if (status == 0)
		status = run_audit(audit, report);
	fixture_teardown(&fixture);
	return status;
}

int audit_service(const struct audit_options *options, const char *service, const char *user_name)
{
	struct audit audit = {.context = {.no_session = options->no_session}};
	const struct passwd *found = getpwnam(user_name);
	struct report report;
	int status;

	fill_standard_descriptors();
	if (!found) {
		(void)fprintf(stderr, "pam-unshare: there is no user '%s'\n", user_name);
		return 2;
	}
	if (found->pw_uid == 0)
		return audit_failed("root sees everything; name an unprivileged user");
	(void)snprintf(audit.context.service, sizeof(audit.context.service), "%s", service);
	set_user(&audit, found);
	if (!choose(&audit.context, options->only) || !report_begin(&report, &options->table))
		return 2;
	audit.context.shares = service_shares(service);
	if (!options->only)
		leave_out(&audit.context);
	status = audit_user(&audit, &report);
	report_drop(&report);
	return status;
}

/* ---- this program, executed anew --------------------------------------------------------------
 */

int audit_subprogram(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (strcmp(name, DECOY_WORD) == 0 && argc >= 3)
		return decoy_main(argv[2], argc > 3 ? argv[3] : NULL);
	if (strcmp(name, "audit-scan") == 0 && argc == 5)
		return proc_scan_report(argv[2], argv[3], argv[4]);
	if (strcmp(name, "audit-own-process") == 0 && argc == 3)
		return own_process_main(argv[2]);
	if (strcmp(name, "audit-probes") == 0 && argc == 4)
		return session_probes_main(argv[2], strcmp(argv[3], "root") == 0);
	return -1;
}

/* SPDX-License-Identifier: MIT */
/*
 * The probes of a namespace that another user's sessions share (scope=user): can this user enter
 * it, keep it, delay its sessions, or end it? Each attempt is also made where it must succeed, or
 * must be denied by name: only then does a failure mean something.
 */
#include "config.h"
#include "probes.h"

#include "common/syscalls.h"
#include "module/user_place.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

/* Tells whether there is a namespace to attack. */
static bool has_namespace(const struct audit_context *context, struct result *result)
{
	if (!context->shares)
		result_set(result, NOT_TESTED, "no scope=user in /etc/pam.d/%s", context->service);
	else if (context->namespace_init <= 0)
		result_set(result, NOT_TESTED, "no namespace of another user could be made: %s",
			context->namespace_reason);
	return context->shares && context->namespace_init > 0;
}

/* ---- the directory ----------------------------------------------------------------------------
 */

void probe_shared_list(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	DIR *dir = opendir(USER_DIRECTORY);
	const int err = errno;
	struct stat st;

	(void)probe;
	if (dir)
		(void)closedir(dir);
	if (!context->shares)
		(void)has_namespace(context, result);
	else if (dir)
		result_set(result, OPEN, "%s can be listed: it names the users with sessions",
			USER_DIRECTORY);
	else if (stat(USER_DIRECTORY "/.", &st) == 0)
		result_set(result, OPEN, "%s can be entered", USER_DIRECTORY);
	else
		result_set(result, err == EACCES ? CLOSED : NOT_TESTED, "%s: %s", USER_DIRECTORY,
			strerror(err));
}

/* ---- the socket -------------------------------------------------------------------------------
 */

/* Returns 0, or an errno. */
static int connect_to(const char *place)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd AUTO_CLOSE = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), USER_DIRECTORY "/%.47s", place);
	if (fd < 0)
		return errno;
	return connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
}

/* Become a member, as the module does. Tells whether the init has agreed. */
static bool join(const char *place)
{
	struct user_request request = {.operation = USER_JOIN};
	struct failure why = {.err = 0};
	struct user_init init;
	int pidfd AUTO_CLOSE = sys_pidfd_open(getpid());
	bool joined = user_ask(place, &request, pidfd, &init, NULL, &why) == 0;

	close_fd(&init.pidfd);
	return joined;
}

void probe_shared_socket(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	int err;

	(void)probe;
	if (!has_namespace(context, result))
		return;
	err = connect_to(context->namespace_place);
	if (err == 0)
		result_set(result, OPEN, "the init of another user's namespace %s",
			join(context->namespace_place)
				? "lets this user join"
				: "accepts a connection, which delays others, and then refuses");
	else
		result_set(result, err == EACCES ? CLOSED : NOT_TESTED,
			"no connection to the init of another user's namespace: %s", strerror(err));
}

/* ---- entering ---------------------------------------------------------------------------------
 */

static bool enters(int fd, int type)
{
	const bool entered = fd >= 0 && setns(fd, type) == 0;

	close_fd(&fd);
	return entered;
}

static int open_namespace(pid_t pid, const char *type)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, type);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Returns by what the namespaces of a process can be entered, or NULL. */
static const char *way_into(pid_t pid)
{
	if (enters(sys_pidfd_open(pid), CLONE_NEWPID | CLONE_NEWNS) ||
		enters(sys_pidfd_open(pid), CLONE_NEWPID))
		return "setns(2) with a pidfd";
	if (enters(open_namespace(pid, "pid"), CLONE_NEWPID) ||
		enters(open_namespace(pid, "mnt"), CLONE_NEWNS))
		return "setns(2) with its files in /proc";
	return NULL;
}

/* setns(2) itself works: for a namespace of this process's own. */
static bool can_set_namespaces(void)
{
	return unshare(CLONE_NEWNS) == 0 && enters(open_namespace(getpid(), "mnt"), CLONE_NEWNS);
}

/* What a child finds: without and with the capabilities that a user namespace gives. */
enum entry { CANNOT_TRY, KEPT_OUT, ENTERED, ENTERED_FROM_USER_NAMESPACE };

static enum entry try_to_enter(pid_t init)
{
	if (way_into(init))
		return ENTERED;
	if (unshare(CLONE_NEWUSER) < 0)
		return CANNOT_TRY;
	if (way_into(init))
		return ENTERED_FROM_USER_NAMESPACE;
	return can_set_namespaces() ? KEPT_OUT : CANNOT_TRY;
}

void probe_shared_enter(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	int status = 0;
	pid_t child;

	(void)probe;
	if (!has_namespace(context, result))
		return;
	child = fork();
	if (child == 0)
		_exit((int)try_to_enter(context->namespace_init));
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return;
	switch ((enum entry)WEXITSTATUS(status)) {
	case ENTERED:
		result_set(result, OPEN, "setns(2) enters another user's namespace");
		break;
	case ENTERED_FROM_USER_NAMESPACE:
		result_set(result, OPEN,
			"setns(2) enters another user's namespace from a user namespace");
		break;
	case KEPT_OUT:
		result_set(result, CLOSED,
			"setns(2) enters no namespace of another user's, nor from a user namespace");
		break;
	default:
		result_set(result, NOT_TESTED, "setns(2) cannot be tried: no user namespace");
	}
}

/* ---- ending and delaying ----------------------------------------------------------------------
 */

static long send_no_signal(pid_t pid)
{
	return kill(pid, 0);
}

static long send_by_pidfd(pid_t pid)
{
	int fd AUTO_CLOSE = sys_pidfd_open(pid);

	return fd < 0 ? -1 : sys_pidfd_send_signal(fd, 0);
}

static long trace(pid_t pid)
{
	return ptrace(PTRACE_SEIZE, pid, NULL, NULL);
}

static long lower_priority(pid_t pid)
{
	return setpriority(PRIO_PROCESS, (id_t)pid, 19);
}

static long bind_to_processor(pid_t pid)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	return sched_setaffinity(pid, sizeof(one), &one);
}

static long limit_descriptors(pid_t pid)
{
	const struct rlimit few = {.rlim_cur = 8, .rlim_max = 8};

	return prlimit(pid, RLIMIT_NOFILE, &few, NULL);
}

static const struct {
	const char *name;
	long (*function)(pid_t pid);
} attacks[] = {
	{.name = "kill", .function = send_no_signal},
	{.name = "pidfd_send_signal", .function = send_by_pidfd},
	{.name = "ptrace", .function = trace},
	{.name = "setpriority", .function = lower_priority},
	{.name = "sched_setaffinity", .function = bind_to_processor},
	{.name = "prlimit", .function = limit_descriptors},
};

#define N_ATTACKS (sizeof(attacks) / sizeof(*attacks))

/* Returns the first call that succeeds for a process, or that fails; NULL: none. */
static const char *first_that(bool succeeds, pid_t pid)
{
	for (size_t i = 0; i < N_ATTACKS; i++)
		if ((attacks[i].function(pid) >= 0) == succeeds)
			return attacks[i].name;
	return NULL;
}

static const char *first_that_fails_for_a_child(void)
{
	const char *failed;
	pid_t child = fork();

	if (child == 0)
		for (;;)
			(void)pause();
	if (child < 0)
		return "fork";
	failed = first_that(false, child);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	return failed;
}

void probe_shared_end(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *failed, *done;

	(void)probe;
	if (!has_namespace(context, result))
		return;
	failed = first_that_fails_for_a_child();
	done = first_that(true, context->namespace_init);
	if (done)
		result_set(result, OPEN,
			"%s may be called for the init of another user's namespace", done);
	else if (failed)
		result_set(result, NOT_TESTED, "%s fails for the probe's own child", failed);
	else
		result_set(result, CLOSED,
			"the init of another user's namespace can be neither signalled nor traced nor slowed down");
}

/* SPDX-License-Identifier: MIT */
/*
 * Probes of system calls that take a pid. Each call is also made with a pid of this process's own
 * and with one that nobody has: only then does its answer about a decoy mean something.
 */
#include "probes.h"

#include "common/syscalls.h"
#include "proc_scan.h"

#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

static long call_pidfd_open(pid_t pid)
{
	int fd AUTO_CLOSE = sys_pidfd_open(pid);

	return fd;
}

static long call_getpriority(pid_t pid)
{
	return syscall(SYS_getpriority, PRIO_PROCESS, pid);
}

static long call_ioprio_get(pid_t pid)
{
	return syscall(SYS_ioprio_get, 1, pid);
}

static long call_capget(pid_t pid)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3, .pid = pid};
	struct __user_cap_data_struct data[2];

	return syscall(SYS_capget, &header, data);
}

static long call_sched_getaffinity(pid_t pid)
{
	cpu_set_t set;

	return sched_getaffinity(pid, sizeof(set), &set);
}

static long call_prlimit(pid_t pid)
{
	struct rlimit limit;

	return prlimit(pid, RLIMIT_NOFILE, NULL, &limit);
}

static long call_ptrace(pid_t pid)
{
	return ptrace(PTRACE_SEIZE, pid, NULL, NULL);
}

static long call_process_vm_readv(pid_t pid)
{
	static char from[8]; /* at the same address in a child */
	char to[8];
	const struct iovec local = {.iov_base = to, .iov_len = sizeof(to)},
			   remote = {.iov_base = from, .iov_len = sizeof(from)};

	return process_vm_readv(pid, &local, 1, &remote, 1, 0);
}

static long call_getsid(pid_t pid)
{
	return getsid(pid);
}

static long call_getpgid(pid_t pid)
{
	return getpgid(pid);
}

static long call_sched_getscheduler(pid_t pid)
{
	return sched_getscheduler(pid);
}

static const struct {
	const char *name;
	long (*function)(pid_t pid);
} calls[] = {
	{.name = "pidfd_open", .function = call_pidfd_open},
	{.name = "getsid", .function = call_getsid},
	{.name = "getpgid", .function = call_getpgid},
	{.name = "getpriority", .function = call_getpriority},
	{.name = "ioprio_get", .function = call_ioprio_get},
	{.name = "capget", .function = call_capget},
	{.name = "sched_getaffinity", .function = call_sched_getaffinity},
	{.name = "sched_getscheduler", .function = call_sched_getscheduler},
	{.name = "prlimit", .function = call_prlimit},
	{.name = "ptrace", .function = call_ptrace},
	{.name = "process_vm_readv", .function = call_process_vm_readv},
};

/* A pid that no process has. */
static pid_t free_pid(void)
{
	for (pid_t pid = 30011; pid > 20000; pid--)
		if (kill(pid, 0) < 0 && errno == ESRCH)
			return pid;
	return 0;
}

/* A child that waits until it is killed. */
static pid_t waiting_child(void)
{
	pid_t child = fork();

	if (child != 0)
		return child;
	for (;;)
		(void)pause();
}

static int error_of(long (*function)(pid_t pid), pid_t pid)
{
	errno = 0;
	return function(pid) < 0 ? errno : 0;
}

/* What a call answers: 0, or an errno. */
struct answers {
	int own;    /* about a child of this process's own */
	int nobody; /* about a pid that no process has */
	int decoy;  /* about a decoy, where that is not the same as about nobody */
	unsigned int found;
};

static void compare_answers(const struct audit_context *context, long (*function)(pid_t pid),
	pid_t child, struct answers *answers)
{
	*answers = (struct answers){
		.own = error_of(function, child), .nobody = error_of(function, free_pid())};
	for (size_t i = 0; i < context->n_decoys; i++) {
		int err = error_of(function, context->decoys[i].pid);

		if (err == answers->nobody)
			continue;
		answers->decoy = err;
		answers->found++;
	}
}

static long (*find_call(const char *name))(pid_t pid)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (strcmp(calls[i].name, name) == 0)
			return calls[i].function;
	return NULL;
}

/* arguments: the name of the call. */
void probe_call(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *name = probe->arguments[0];
	long (*function)(pid_t pid) = find_call(name);
	const pid_t child = function ? waiting_child() : -1;
	struct answers answers;

	if (child < 0)
		return;
	compare_answers(context, function, child, &answers);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	if (answers.own != 0 || answers.nobody == 0)
		result_set(result, NOT_TESTED,
			"%s: '%s' for the probe's own child, '%s' for a free pid", name,
			strerror(answers.own), strerror(answers.nobody));
	else if (answers.found > 0)
		result_set(result, OPEN,
			"%s tells that %u of %zu decoys exist: '%s' for one, '%s' for a free pid",
			name, answers.found, context->n_decoys, strerror(answers.decoy),
			strerror(answers.nobody));
	else
		result_set(result, CLOSED, "%s: '%s' for every decoy, as for a free pid", name,
			strerror(answers.nobody));
}

void probe_kill_range(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	pid_t last = getpid();
	unsigned int others = 0, own = 0;

	(void)probe;
	for (size_t i = 0; i < context->n_decoys; i++)
		if (context->decoys[i].pid > last)
			last = context->decoys[i].pid;
	for (pid_t pid = 1; pid <= last; pid++) {
		if (kill(pid, 0) == 0)
			own++;
		else if (errno == EPERM && !proc_scan_is_kin(pid))
			others++;
	}
	if (others > 0)
		result_set(result, OPEN,
			"kill(2) with signal 0 finds %u processes of other users up to pid %d",
			others, (int)last);
	else if (own == 0)
		result_set(result, NOT_TESTED, "kill(2) does not find the probe's own process");
	else
		result_set(result, CLOSED,
			"kill(2) with signal 0 finds %u processes up to pid %d, none of another user",
			own, (int)last);
}

#define ROUNDS 2001

static int compare_times(const void *a, const void *b)
{
	const long long one = *(const long long *)a, other = *(const long long *)b;

	return (one > other) - (one < other);
}

static long long time_kill(pid_t pid)
{
	struct timespec before, after;

	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	(void)kill(pid, 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	return (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec;
}

/* The error decides. The times are shown for information: noise can make a difference, and equal
   medians prove nothing. */
void probe_kill_timing(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	static long long there[ROUNDS], nowhere[ROUNDS];
	const pid_t decoy = context->decoys[0].pid, nobody = free_pid();
	int one, other;

	(void)probe;
	for (size_t i = 0; i < ROUNDS; i++) {
		there[i] = time_kill(decoy);
		nowhere[i] = time_kill(nobody);
	}
	one = kill(decoy, 0) == 0 ? 0 : errno;
	other = kill(nobody, 0) == 0 ? 0 : errno;
	qsort(there, ROUNDS, sizeof(*there), compare_times);
	qsort(nowhere, ROUNDS, sizeof(*nowhere), compare_times);
	result_set(result, one == other ? CLOSED : OPEN,
		"'%s' for a decoy, '%s' for a free pid; median times %lld and %lld ns",
		strerror(one), strerror(other), there[ROUNDS / 2], nowhere[ROUNDS / 2]);
}

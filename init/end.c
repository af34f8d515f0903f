/* SPDX-License-Identifier: MIT */
#include "end.h"

#include "init_calls.h"
#include "watch.h"

#include <limits.h>
#include <sys/timerfd.h>

/* ---- the namespace's processes ----------------------------------------------------------------
 */

/* More are not signalled one by one: processes that fork all the time would have no end. */
#define PROCESSES_MAX 32768

/* A scan of the namespace's processes through its /proc, in the order of their pids. A process
   that is born meanwhile comes later and is met too (next_tgid()). */
struct process_scan {
	struct names names;
	unsigned int left; /* how many more processes it visits */
	bool self;	   /* it has met the init: nothing else is mounted over the init's /proc */
};

static void scan_begin(struct process_scan *scan, int proc)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

	scan->names.at = scan->names.n = 0;
	scan->names.fd = (int)syscall(SYS_openat, proc == NO_PROC ? AT_FDCWD : proc,
		proc == NO_PROC ? "/proc" : ".", flags);
	scan->left = PROCESSES_MAX;
	scan->self = false;
}

/* Read a decimal number; -1 if the text is anything else. */
static pid_t parse_pid(const char *s)
{
	long n = 0;

	for (; *s >= '0' && *s <= '9' && n < INT_MAX / 10; s++)
		n = n * 10 + (*s - '0');
	return *s == '\0' && n > 0 ? (pid_t)n : -1;
}

/* The next process but the init, or 0. */
static pid_t scan_next(struct process_scan *scan)
{
	const char *name;
	pid_t pid;

	while (scan->names.fd >= 0 && scan->left > 0 && (name = next_name(&scan->names))) {
		pid = parse_pid(name);
		scan->self = scan->self || pid == 1;
		scan->left -= pid > 0;
		if (pid > 1)
			return pid;
	}
	return 0;
}

static void scan_end(const struct process_scan *scan)
{
	if (scan->names.fd >= 0)
		sys_close(scan->names.fd);
}

/* ---- asking them to end -----------------------------------------------------------------------
 */

static void ask_to_end(pid_t pid)
{
	(void)syscall(SYS_kill, pid, SIGHUP);
	(void)syscall(SYS_kill, pid, SIGTERM);
	(void)syscall(SYS_kill, pid, SIGCONT); /* only now does a stopped one act on the others */
}

/*
 * One by one: kill(-1) looks at every process of the machine, with a lock held. It is the only way
 * if hidepid hides the processes from the init, if root inside has mounted something else over
 * /proc, or if there are too many. Returns whether there may be a process that has to end: mostly
 * the user's has ended before the close.
 */
static bool ask_all_to_end(bool hidden, int proc)
{
	struct process_scan scan NOT_CLEARED;
	bool any = false;
	pid_t pid;

	scan_begin(&scan, proc);
	while (!hidden && (pid = scan_next(&scan)) > 0) {
		ask_to_end(pid);
		any = true;
	}
	scan_end(&scan);
	if (!hidden && scan.self && scan.left > 0)
		return any;
	ask_to_end(-1);
	return true;
}

/* ---- waiting for their end --------------------------------------------------------------------
 */

/* Take a process as the survivor if it lives. A pidfd is readable once its process has died, reaped
   or not (pidfd_open(2)). */
static void examine(pid_t pid, struct survivor *found)
{
	struct pollfd dead = {.events = POLLIN};

	found->seen = true;
	dead.fd = sys_pidfd_open(pid);
	if (dead.fd < 0)
		found->unwatched = found->unwatched || errno != ESRCH;
	else if (sys_poll(&dead, 1, false) == 0)
		found->pidfd = dead.fd;
	else
		sys_close(dead.fd);
}

struct survivor find_survivor(bool hidden, int proc)
{
	struct survivor found = {.pidfd = -1};
	struct process_scan scan NOT_CLEARED;
	pid_t pid;

	scan_begin(&scan, proc);
	while (found.pidfd < 0 && (pid = scan_next(&scan)) > 0)
		examine(pid, &found);
	scan_end(&scan);
	found.unwatched = found.unwatched || scan.left == 0;
	found.hidden = hidden || !scan.self;
	return found;
}

bool survivor_is_none(const struct survivor *left)
{
	if (left->pidfd >= 0 || left->unwatched)
		return false;
	/* asked after the scan: a process that is there and was not seen is hidden, not gone */
	return left->seen || !left->hidden || (syscall(SYS_kill, -1, 0) < 0 && errno == ESRCH);
}

/* A descriptor that is readable after so many seconds. Not clock_gettime(3): it needs the vdso's
   data page, which is unmapped. */
static int alarm_after(unsigned int seconds)
{
	const int64_t once[4] = {0, 0, seconds, 0}; /* struct itimerspec */
	int fd = (int)syscall(SYS_timerfd_create, CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (fd < 0 || syscall(NR_TIMERFD_SETTIME, fd, 0, once, NULL) == 0)
		return fd;
	sys_close(fd);
	return -1;
}

/* Without a descriptor to wait for: whether they have ended is not seen. */
static void sleep_for(unsigned int seconds)
{
	int64_t time[2] = {seconds, 0}; /* struct timespec */

	(void)syscall(NR_PPOLL, NULL, 0, time, NULL, NSIG / 8);
}

/* Not inlined: an init that waits for the end would have these buffers on its stack. */
__attribute__((noinline)) void end_processes(unsigned int grace, bool hidden, int proc)
{
	struct pollfd events[] = {{.events = POLLIN}, {.events = POLLIN}};
	struct survivor left;

	(void)watch_signals(FD_SIGNALS, SIGCHLD, 0);
	if (!ask_all_to_end(hidden, proc))
		return;
	events[0].fd = alarm_after(grace);
	if (events[0].fd < 0) /* any user may use up the machine's */
		sleep_for(grace);
	while (events[0].fd >= 0 && !events[0].revents) {
		left = find_survivor(hidden, proc);
		if (survivor_is_none(&left))
			return;
		events[1].fd = left.pidfd >= 0 ? left.pidfd : FD_SIGNALS;
		if (sys_poll(events, 2, true) < 0 && errno != EINTR)
			return;
		if (left.pidfd >= 0)
			sys_close(left.pidfd);
		(void)take_signal();
	}
}

/* SPDX-License-Identifier: MIT */
#include "init_start.h"
#include "config.h"

#include "common/privacy.h"
#include "descriptors.h"
#include "init/init.h"
#include "procfs_plan_make.h"

#include <linux/sched.h> /* CLONE_PIDFD */
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>

/* How long a killed init may take to end, milliseconds: it ends at once, unless the machine is
   under load. */
#define DISCARD_LIMIT_MS 1000

/* ---- starting it ------------------------------------------------------------------------------
 */

/* Move the pidfd out of the way of the application. */
static int keep_pidfd(int pidfd, struct started_init *init, struct failure *why)
{
	int high = pidfd < FIRST_FD ? fcntl(pidfd, F_DUPFD_CLOEXEC, FIRST_FD) : pidfd;

	init->pidfd = high < 0 ? pidfd : high;
	if (high < 0) {
		(void)fail(why, EMFILE, "keep the init's pidfd");
		init_discard(init); /* without it the init is of no use */
		init->pidfd = -1;
	}
	if (high != pidfd)
		(void)close(pidfd);
	return high < 0 ? -why->err : 0;
}

static int run_init(void *task)
{
	init_main(task);
}

/* Put the title where the init's stack begins, so that both are in one page, as execve(2) does. */
static char *put_title(void *stack, const char *title)
{
	/* every supported architecture aligns its stack pointer so */
	size_t size = (strlen(title) + 1 + 15) & ~(size_t)15;

	return memcpy((char *)stack + INIT_STACK - size, title, strlen(title) + 1);
}

/* Fork with an exit signal of 0, so that the application's wait(2) does not see the init; on a
   stack of its own, so that it can unmap the application's. */
static int fork_init(
	struct init_task *task, int flags, struct started_init *init, struct failure *why)
{
	sigset_t all, before;
	int pidfd = -1;

	/* no signal handler of the application may run in the init */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &before);
	/* the C library's wrapper counts downwards on every supported architecture */
	init->pid = clone(run_init, task->title, CLONE_PIDFD | flags, task, &pidfd);
	if (init->pid < 0)
		(void)fail(why, errno, "fork the namespace's init");
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return init->pid < 0 ? -why->err : keep_pidfd(pidfd, init, why);
}

/* Open what the init inherits, fork it, and close that here. */
static int open_and_fork(const struct init_request *request, struct init_task *task,
	struct started_init *init, struct failure *why)
{
	int ends[2], err;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail(why, errno, "make a pipe");
	init->report_fd = ends[0];
	task->report_fd = ends[1] = high_fd(ends[1]);
	task->opener = high_fd(sys_pidfd_open(getpid()));
	task->mount_namespace = openat(request->proc_self, "ns/mnt", O_RDONLY | O_CLOEXEC);
	if (ends[1] < 0 || task->opener < 0 || task->mount_namespace < 0)
		err = fail(why, errno, "open what the init needs");
	else
		err = fork_init(task, request->is_parents ? CLONE_PARENT : 0, init, why);
	close_high(&ends[1]); /* before reading: the end of the pipe says that the init has ended */
	close_high(&task->opener);
	close_high(&task->mount_namespace);
	return err;
}

/* In digits and words here: the init has no snprintf(3). */
static void set_privacy(struct privacy_task *privacy, const struct init_request *request)
{
	const unsigned long owner = request->owner;

	privacy->wanted = request->privacy;
	(void)snprintf(privacy->user, sizeof(privacy->user), "%lu", owner);
	(void)snprintf(privacy->slice, sizeof(privacy->slice), CGROUP_SLICE_FORMAT, owner);
}

/* Some number up to the half of the greatest pid. Libraries of desktops (libICE) name sockets that
   all users share by the pid alone, and the first process of each session would have the same. */
static void set_last_pid(char *digits, size_t size)
{
	int fd AUTO_CLOSE = open("/proc/sys/kernel/pid_max", O_RDONLY | O_CLOEXEC);
	char text[16] = "";
	unsigned int number;
	long max;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 ||
		getrandom(&number, sizeof(number), GRND_NONBLOCK) != (ssize_t)sizeof(number))
		return;
	max = strtol(text, NULL, 10);
	if (max >= 4096)
		(void)snprintf(digits, size, "%ld",
			1000 + (long)(number % (unsigned long)(max / 2 - 1000)));
}

int init_start(const struct init_request *request, struct started_init *init, struct failure *why)
{
	struct init_task task = {.grace = request->grace,
		.hidden = procfs_plan_hides(request->plan),
		.plan = request->plan,
		.root = request->root,
		.user = request->user,
		.is_helper = request->is_helper,
		.stack = init_stack_new()};
	int err;

	set_privacy(&task.privacy, request);
	if (request->spreads_pids)
		set_last_pid(task.last_pid, sizeof(task.last_pid));
	*init = (struct started_init){.pidfd = -1, .report_fd = -1};
	if (!task.stack)
		return fail(why, errno, "allocate what the init needs");
	task.title = put_title(task.stack, request->title);
	memory_retain(&task.retained, task.stack);
	err = open_and_fork(request, &task, init, why);
	init_stack_free(task.stack);
	return err;
}

/* ---- its report -------------------------------------------------------------------------------
 */

/* The step in words, for a log line. */
static const char *step_name(enum init_step step)
{
	static const char *const names[] = {
		[INIT_READY] = "be ready",
		[INIT_PID] = "check that it is PID 1",
		[INIT_IDS] = "set all ids to 0",
		[INIT_SIGNALS] = "reset the signals",
		[INIT_TERMINAL] = "start a session of its own (setsid)",
		[INIT_OPENER] = "watch the application",
		[INIT_LIMITS] =
			"be free of the application's limits RLIMIT_CPU and RLIMIT_NOFILE (CAP_SYS_RESOURCE)",
		[INIT_LOCK] = "take the lock of the user's namespace",
		[INIT_CHROOT] = "compare the root directories",
		[INIT_PROCFS] = "replace the procfs",
		[INIT_PLACES] = "cover what all users share",
		[INIT_CGROUPS] = "hide the control groups of others",
		[INIT_OWN_PROCFS] = "mount a procfs of its own",
		[INIT_MOUNTS] = "make the mounts shared, or leave them",
		[INIT_LISTEN] = "listen for members",
		[INIT_MEMBERS] = "keep the members",
		[INIT_DIRECTORY] = "change to the root directory",
		[INIT_DESCRIPTORS] = "close the descriptors",
		[INIT_CAPABILITIES] = "drop the capabilities",
		[INIT_DUMPABLE] = "clear the dumpable flag",
	};

	_Static_assert(sizeof(names) / sizeof(*names) == INIT_STEPS, "each step has a name");

	return names[step];
}

static int read_report(int fd, struct init_report *report, struct failure *why)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	ssize_t n;
	int ready;

	do {
		ready = poll(&readable, 1, READY_LIMIT_MS);
	} while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		return fail(why, ready < 0 ? errno : ETIMEDOUT, "wait for the init to be ready");
	do {
		n = read(fd, report, sizeof(*report));
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*report))
		return fail(why, n < 0 ? errno : ECHILD, "the init ended before it was ready");
	return 0;
}

int init_wait_until_ready(
	const struct started_init *init, struct init_report *report, struct failure *why)
{
	int err = read_report(init->report_fd, report, why);

	if (err < 0)
		return err;
	switch (report->step) {
	case INIT_READY:
		return 0;
	case INIT_LOCK:
		if (report->err == EWOULDBLOCK)
			return fail(why, report->err,
				"another init holds the lock in " USER_DIRECTORY
				" and does not answer; lslocks(8) shows it");
		break;
	case INIT_CHROOT:
		if (report->err == EXDEV)
			return fail(why, report->err, "the application is chrooted");
		break;
	case INIT_PROCFS:
		return fail(why, report->err, "init: %s at %s%s", step_name(report->step),
			report->mount_point,
			report->err == ESTALE ? ", which another mount covers" : "");
	case INIT_PLACES:
		return fail(why, report->err, "init: %s at %s", step_name(report->step),
			report->mount_point);
	default:
		break;
	}
	return fail(why, report->err, "init: %s", step_name(report->step));
}

/* ---- its end ----------------------------------------------------------------------------------
 */

void init_discard(const struct started_init *init)
{
	struct pollfd ended = {.fd = init->pidfd, .events = POLLIN};

	if (init->pidfd < 0)
		return;
	/* the pid is still its own: nobody has waited for this child since it was forked */
	if (sys_pidfd_send_signal(init->pidfd, SIGKILL) < 0)
		(void)kill(init->pid, SIGKILL);
	while (poll(&ended, 1, DISCARD_LIMIT_MS) < 0 && errno == EINTR)
		;
	(void)waitid(P_PIDFD, (id_t)init->pidfd, &(siginfo_t){0}, WEXITED | WNOHANG | __WALL);
}

bool is_init(pid_t pid)
{
	char path[32], name[sizeof(INIT_NAME)] = "";
	int fd AUTO_CLOSE = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, name, sizeof(name)) == (ssize_t)sizeof(name) &&
	       memcmp(name, INIT_NAME "\n", sizeof(name)) == 0;
}

void init_reap(void)
{
	siginfo_t ended;

	/* __WCLONE: only children whose exit signal is not SIGCHLD, as the init's is not */
	const int ended_clones = WEXITED | WNOHANG | (int)__WCLONE;

	for (;;) {
		ended.si_pid = 0;
		if (waitid(P_ALL, 0, &ended, ended_clones | WNOWAIT) < 0 || ended.si_pid == 0 ||
			!is_init(ended.si_pid))
			return;
		(void)waitid(P_PID, (id_t)ended.si_pid, &ended, ended_clones);
	}
}

/* SPDX-License-Identifier: MIT */
#include "init.h"

#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

/* The only descriptors that it keeps, and while it starts the pipe for its report. */
enum { FD_OPENER, FD_SIGNALS, FD_REPORT };

const char *init_step_name(enum init_step step)
{
	static const char *const names[] = {
		[INIT_READY] = "be ready",
		[INIT_PID] = "be PID 1 of a namespace",
		[INIT_IDS] = "become root in every id",
		[INIT_SIGNALS] = "reset the signals",
		[INIT_TERMINAL] = "leave the terminal",
		[INIT_OPENER] = "watch the application",
		[INIT_CHROOT] = "compare the root directories",
		[INIT_PROCFS] = "replace the procfs",
		[INIT_DIRECTORY] = "change to the root directory",
		[INIT_DESCRIPTORS] = "close the descriptors",
		[INIT_CAPABILITIES] = "drop the capabilities",
		[INIT_DUMPABLE] = "become undumpable",
	};

	return names[step];
}

/*
 * System calls by syscall(2): functions of the C library look for threads, of which a bare clone(2)
 * has none, and at the library's data, which are forgotten once it is ready. And each of them lies
 * in another page, for whose fault a login would wait. But for sigaction(2), whose structure in the
 * kernel is another one on each architecture.
 */

static int sys_prctl(int option, unsigned long arg)
{
	return (int)syscall(SYS_prctl, option, arg, 0UL, 0UL, 0UL);
}

static void sys_close(int fd)
{
	(void)syscall(SYS_close, fd);
}

/* The calls that take times of 64 bits, which is each struct timespec's two numbers. */
#ifdef __NR_ppoll_time64
#define NR_PPOLL __NR_ppoll_time64
#define NR_TIMERFD_SETTIME __NR_timerfd_settime64
#else
#define NR_PPOLL SYS_ppoll
#define NR_TIMERFD_SETTIME SYS_timerfd_settime
#endif

/* ppoll(2), because some architectures have no poll(2). */
static int sys_poll(struct pollfd *fds, unsigned int n, bool wait)
{
	int64_t no_time[2] = {0, 0};

	return (int)syscall(NR_PPOLL, fds, n, wait ? NULL : no_time, NULL, NSIG / 8);
}

_Noreturn static void sys_exit(int status)
{
	for (;;)
		(void)syscall(SYS_exit_group, status);
}

static void say(const struct init_task *task, const struct init_report *report)
{
	/* the kernel writes so few bytes to a pipe in one piece or not at all, pipe(7) */
	if (syscall(SYS_write, task->report, report, sizeof(*report)) != (long)sizeof(*report))
		sys_exit(1); /* the application sees the end of the pipe */
}

/* Up to "ready" a step that fails (a negative result, and errno) is reported and ends the init. */
static void must(const struct init_task *task, enum init_step step, long result)
{
	const struct init_report report = {.step = step, .err = errno, .where = task->where};

	if (result >= 0)
		return;
	say(task, &report);
	sys_exit(1);
}

static int be_first(void)
{
	if (syscall(SYS_getpid) == 1)
		return 0;
	errno = ENOTSUP; /* a filter that makes unshare(2) do nothing, and say that it did */
	return -1;
}

/* su and sudo open with the caller's real uid, which would let the caller signal the init. */
static int become_root(void)
{
	if (sys_prctl(PR_SET_DUMPABLE, 0) < 0 || syscall(SYS_setgroups, 0, NULL) < 0 ||
		syscall(SYS_setresgid, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_setresuid, 0, 0, 0);
}

/*
 * No handler of the application may run here, nothing may stay ignored. Everything stays blocked:
 * a blocked signal reaches even PID 1, through signalfd(2). Signals 32 and 33 as well, which
 * glibc's function would refuse and posix_spawn(3) leaves ignored. SPARC has one argument more,
 * before the size.
 *
 * Orphans become the init's children; SA_NOCLDWAIT has the kernel reap them. That wakes nobody, and
 * no storm of them can keep the init from seeing that the session is over.
 */
static int reset_signals(void)
{
	/* the kernel's struct sigaction, on every architecture: SIG_DFL is 0 */
	static const unsigned char standard[64];
	const struct sigaction reap = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};

	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP &&
			syscall(SYS_rt_sigaction, sig, standard, NULL, NSIG / 8, NSIG / 8) < 0)
			return -1;
	return sigaction(SIGCHLD, &reap, NULL);
}

/* The kernel signals only a death that is still to come, prctl(2): look whether it has come. */
static int die_with_opener(int opener)
{
	struct pollfd dead = {.fd = opener, .events = POLLIN};

	if (sys_prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -1;
	switch (sys_poll(&dead, 1, false)) {
	case 0:
		return 0;
	case 1:
		errno = ESRCH;
		return -1;
	default:
		return -1;
	}
}

/*
 * An application whose root directory is not that of its mount namespace is chrooted: it sees only
 * a part of the mount table, and setns(2), the only way back, would let it out. Only this process
 * can find out without moving the application: setns(2) moves it to the namespace's root.
 */
static int compare_root(const struct init_task *task)
{
	struct file_id root;

	if (syscall(SYS_setns, task->mount_namespace, CLONE_NEWNS) < 0 ||
		file_identify(AT_FDCWD, "/", &root) < 0)
		return -1;
	if (memcmp(&root, &task->root, sizeof(root)) != 0) {
		errno = EXDEV;
		return -1;
	}
	return 0;
}

static int replace_procfs(struct init_task *task)
{
	int err = procfs_replace(task->procfs, &task->where);

	task->replaced = err == 1;
	errno = -err;
	return err;
}

/* The session should not end because memory is short elsewhere. Lowering the value takes
   CAP_SYS_RESOURCE; without it the application's stays. By the fresh /proc: whatever the
   application's shows, here "self" is this process. */
static void keep_from_oom_killer(void)
{
	static const char never[] = "-1000";
	int fd = (int)syscall(
		SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)syscall(SYS_write, fd, never, sizeof(never) - 1);
	sys_close(fd);
}

/* ---- how it looks from the host ------------------------------------------------------------- */

/*
 * Show a command line of our own and no environment. PR_SET_MM_ARG_START and its kin ask for
 * CAP_SYS_RESOURCE, PR_SET_MM_MAP for nothing but a sound layout (validate_prctl_map_addr()); the
 * text may not be in a mapping of a file. What the kernel knows of code, data, heap and stack is
 * for what /proc shows and for brk(2), which nobody calls here: so it need not be true, and to read
 * it would take longer than all the rest. Data and heap of no size pass any RLIMIT_DATA. A kernel
 * without it shows the application's command line; the name is there in any case.
 *
 * The structure has a pointer before its last two members. A 32-bit program does not know which
 * kind of kernel it runs under: the one that this structure is not made for says EINVAL.
 */
static void set_title(const char *title)
{
	const __u64 code = (__u64)(uintptr_t)init_main, text = (__u64)(uintptr_t)title;
	struct prctl_mm_map map = {.start_code = code,
		.end_code = code + 1,
		.start_data = code,
		.end_data = code,
		.start_brk = code + 1,
		.brk = code + 1,
		.start_stack = code,
		.arg_start = text,
		.arg_end = text + strlen(title) + 1,
		.exe_fd = (__u32)-1};
	struct {
		__u64 addresses[11], auxv;
		__u32 auxv_size, exe_fd;
	} of_64_bits = {.exe_fd = (__u32)-1};

	map.env_start = map.env_end = map.arg_end;
	if (syscall(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0UL) == 0 ||
		sizeof(void *) == sizeof(__u64))
		return;
	memcpy(of_64_bits.addresses, &map, sizeof(of_64_bits.addresses));
	(void)syscall(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, &of_64_bits, sizeof(of_64_bits), 0UL);
}

/* ---- dropping everything -------------------------------------------------------------------- */

/* Make FD_SIGNALS report that signal, and no other. */
static int watch_signal(int fd, int sig)
{
	const unsigned long signals[NSIG / 8 / sizeof(long)] = {1UL << (sig - 1)};

	return (int)syscall(SYS_signalfd4, fd, signals, NSIG / 8, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Keep the opener's pidfd and a signalfd. Among the rest is logind's fifo, whose last copy tells
   logind that the session has ended. */
static int keep_descriptors(struct init_task *task)
{
	if (syscall(SYS_dup3, task->opener, FD_OPENER, O_CLOEXEC) < 0 ||
		syscall(SYS_dup3, task->report, FD_REPORT, O_CLOEXEC) < 0)
		return -1;
	task->report = FD_REPORT;
	if (syscall(__NR_close_range, FD_REPORT + 1, UINT_MAX, 0) < 0)
		return -1;
	sys_close(FD_SIGNALS);
	return watch_signal(-1, SIGTERM) == FD_SIGNALS ? 0 : -1;
}

static int set_capabilities(unsigned int set)
{
	struct __user_cap_header_struct self = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct data[2] = {{.effective = set, .permitted = set}};

	return (int)syscall(SYS_capset, &self, data);
}

/*
 * With no_new_privs no program that it would execute could have a capability that it has not itself
 * (cap_bprm_creds_from_file()): all that an empty bounding set is for, and in one call instead
 * of 41. CAP_SETPCAP is there for those, which the session does not wait for.
 */
static int drop_capabilities(void)
{
	if (sys_prctl(PR_SET_NO_NEW_PRIVS, 1) < 0 ||
		sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL) < 0)
		return -1;
	return set_capabilities(CAP_TO_MASK(CAP_KILL) | CAP_TO_MASK(CAP_SETPCAP));
}

/* The first that is no capability of the kernel's cannot be dropped, cap_valid(). */
static void empty_bounding_set(void)
{
	unsigned long cap = 0;

	while (cap < 64 && sys_prctl(PR_CAPBSET_DROP, cap) == 0)
		cap++;
	if (set_capabilities(CAP_TO_MASK(CAP_KILL)) < 0)
		sys_exit(1); /* and the session ends */
}

/* ---- the session ---------------------------------------------------------------------------- */

/*
 * Take a pending signal. Tells whether it came from outside the namespace: the kernel clears the
 * sender's pid when it cannot be named here (signal(7), __send_signal()). root inside can forge
 * that pid with rt_sigqueueinfo(2), but not SI_USER, unless the queue of signals is full.
 */
static bool take_signal(void)
{
	struct signalfd_siginfo info;

	return syscall(SYS_read, FD_SIGNALS, &info, sizeof(info)) == (long)sizeof(info) &&
	       info.ssi_code == SI_USER && info.ssi_pid == 0;
}

/* Until the opener has died without closing the session, or a SIGTERM has come from outside. */
static void wait_for_end(void)
{
	struct pollfd events[] = {
		{.fd = FD_OPENER, .events = POLLIN}, {.fd = FD_SIGNALS, .events = POLLIN}};

	do {
		if (sys_poll(events, 2, true) > 0 && events[0].revents)
			return;
	} while (!take_signal());
}

/* Read a decimal number; -1 if the text is anything else. */
static pid_t parse_pid(const char *s)
{
	long n = 0;

	for (; *s >= '0' && *s <= '9' && n < INT_MAX / 10; s++)
		n = n * 10 + (*s - '0');
	return *s == '\0' && n > 0 ? (pid_t)n : -1;
}

/* More are not gone through one by one: processes that fork all the time would have no end. */
#define PROCESSES_MAX 32768

/* A look at the namespace's processes, by its /proc, in the order of their pids: one that is born
   meanwhile comes later, and is met too (next_tgid()). */
struct look {
	struct names names;
	unsigned int left; /* how many more it goes through */
	bool self; /* it has met the init: that /proc is the one which the init has mounted */
};

static void begin_look(struct look *look)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

	look->names.at = look->names.n = 0;
	look->names.fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc", flags);
	look->left = PROCESSES_MAX;
	look->self = false;
}

/* The next process but the init, or 0. */
static pid_t next_process(struct look *look)
{
	const char *name;
	pid_t pid;

	while (look->names.fd >= 0 && look->left > 0 && (name = next_name(&look->names))) {
		pid = parse_pid(name);
		look->self = look->self || pid == 1;
		look->left -= pid > 0;
		if (pid > 1)
			return pid;
	}
	return 0;
}

static void end_look(const struct look *look)
{
	if (look->names.fd >= 0)
		sys_close(look->names.fd);
}

static void ask_to_end(pid_t pid)
{
	(void)syscall(SYS_kill, pid, SIGHUP);
	(void)syscall(SYS_kill, pid, SIGTERM);
	(void)syscall(SYS_kill, pid, SIGCONT); /* a stopped one acts on the others only now */
}

/*
 * One by one: kill(-1) looks at every process of the machine, with a lock held. There is no other
 * way where hidepid hides them from the init, where root inside has put something else over /proc,
 * or where they have no end.
 */
static void ask_all_to_end(bool hidden)
{
	struct look look NOT_CLEARED;
	pid_t pid;

	begin_look(&look);
	while (!hidden && (pid = next_process(&look)) > 0)
		ask_to_end(pid);
	end_look(&look);
	if (hidden || !look.self || look.left == 0)
		ask_to_end(-1);
}

struct survivor {
	int pidfd;	/* of a living process of the namespace, or -1 */
	bool seen;	/* there was one, living or dead */
	bool unwatched; /* there was one that no descriptor could be had for, or there were too many
			 */
	bool hidden;	/* there may be one that was not seen */
};

/* Look at one process: take it as the survivor if it lives. A pidfd is readable once it has died,
   reaped or not (pidfd_open(2)). */
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

/*
 * Find a process that is still alive, to watch it by pidfd: those that the application forked are
 * its children, not the init's, so no SIGCHLD tells of their end. hidepid may hide all of them.
 */
static struct survivor find_survivor(bool hidden)
{
	struct survivor found = {.pidfd = -1};
	struct look look NOT_CLEARED;
	pid_t pid;

	begin_look(&look);
	while (found.pidfd < 0 && (pid = next_process(&look)) > 0)
		examine(pid, &found);
	end_look(&look);
	found.unwatched = found.unwatched || look.left == 0;
	found.hidden = hidden || !look.self;
	return found;
}

/* Tell whether nothing of the session is left, but perhaps the application's unreaped children. */
static bool is_over(const struct survivor *left)
{
	if (left->pidfd >= 0 || left->unwatched)
		return false;
	/* asked after looking: what is there now and was not seen is hidden, not gone */
	return left->seen || !left->hidden || (syscall(SYS_kill, -1, 0) < 0 && errno == ESRCH);
}

/* Readable after so many seconds. A timer, because there is no clock to look at: the kernel's page
   of it is forgotten. */
static int alarm_after(unsigned int seconds)
{
	const int64_t once[4] = {0, 0, seconds, 0}; /* struct itimerspec */
	int fd = (int)syscall(SYS_timerfd_create, CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (fd < 0 || syscall(NR_TIMERFD_SETTIME, fd, 0, once, NULL) == 0)
		return fd;
	sys_close(fd);
	return -1;
}

/* Ask what is left to end, and wait for that as long as the time of grace. Not inlined: its buffers
   would be on the stack of an init that waits. */
__attribute__((noinline)) static void end_processes(unsigned int grace, bool hidden)
{
	struct pollfd events[] = {{.fd = alarm_after(grace), .events = POLLIN}, {.events = POLLIN}};
	struct survivor left;

	(void)watch_signal(FD_SIGNALS, SIGCHLD);
	ask_all_to_end(hidden);
	while (events[0].fd >= 0 && !events[0].revents) {
		left = find_survivor(hidden);
		if (is_over(&left))
			return;
		events[1].fd = left.pidfd >= 0 ? left.pidfd : FD_SIGNALS;
		if (sys_poll(events, 2, true) < 0 && errno != EINTR)
			return;
		if (left.pidfd >= 0)
			sys_close(left.pidfd);
		(void)take_signal();
	}
}

_Noreturn void init_main(struct init_task *task)
{
	struct init_report ready = {.step = INIT_READY};
	/* the task is in the application's memory, which is forgotten */
	const struct kept kept = task->kept;
	const unsigned int grace = task->grace;
	const bool hidden = task->hidden;

	/* 1. Nowhere but in a namespace of its own may it signal "all processes". */
	must(task, INIT_PID, be_first());

	/* 2. Out of the caller's reach, and deaf; until it is ready it dies with the opener. */
	must(task, INIT_IDS, become_root());
	must(task, INIT_OPENER, die_with_opener(task->opener)); /* new ids would undo it */
	must(task, INIT_SIGNALS, reset_signals());
	must(task, INIT_TERMINAL, syscall(SYS_setsid));

	/* 3. The work that takes CAP_SYS_ADMIN. */
	must(task, INIT_CHROOT, compare_root(task));
	must(task, INIT_PROCFS, replace_procfs(task));
	ready.replaced = task->replaced;
	keep_from_oom_killer();

	/* 4. Be seen as what it is; may fail. Before the session begins: the command line of the
	   application is its caller's, and may hold a secret. */
	(void)sys_prctl(PR_SET_NAME, (unsigned long)(uintptr_t)INIT_NAME);
	set_title(task->title);

	/* 5. Drop everything. Dumpable again: a change of capabilities sets it to suid_dumpable. */
	(void)syscall(SYS_umask, 022);
	must(task, INIT_DIRECTORY, syscall(SYS_chdir, "/"));
	must(task, INIT_DESCRIPTORS, keep_descriptors(task));
	must(task, INIT_CAPABILITIES, drop_capabilities());
	must(task, INIT_DUMPABLE, sys_prctl(PR_SET_DUMPABLE, 0));
	must(task, INIT_OPENER, sys_prctl(PR_SET_PDEATHSIG, 0));

	/* 6. From here on the session may begin. What it does not have to wait for: */
	say(task, &ready);
	sys_close(FD_REPORT);
	empty_bounding_set();
	forget(&kept);

	/* 7. The session. */
	wait_for_end();
	if (grace > 0)
		end_processes(grace, hidden);
	sys_exit(0);
}

/* SPDX-License-Identifier: MIT */
#include "setup.h"

#include "init_calls.h"
#include "watch.h"

#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>

int require_pid_1(void)
{
	if (syscall(SYS_getpid) == 1)
		return 0;
	errno = ENOTSUP;
	return -1;
}

int become_root(void)
{
	if (sys_prctl(PR_SET_DUMPABLE, 0) < 0 || syscall(SYS_setgroups, 0, NULL) < 0 ||
		syscall(SYS_setresgid, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_setresuid, 0, 0, 0);
}

int die_with_opener(int opener)
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
 * No handler of the application may run here, and nothing may stay ignored. All signals stay
 * blocked: a blocked signal reaches even PID 1, through signalfd(2). Signals 32 and 33 are reset
 * too: glibc's function would refuse them, and posix_spawn(3) leaves them ignored. SPARC's call has
 * one more argument, before the size.
 *
 * Orphans become the init's children. With SA_NOCLDWAIT the kernel reaps them: that wakes nobody,
 * and no storm of them can keep the init from seeing that the session is over.
 */
int reset_signals(void)
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

/*
 * An application is chrooted if its root directory is not that of its mount namespace. It sees only
 * a part of the mount table then, and setns(2), the only way back, would let it out. Only the init
 * can find out without moving the application: setns(2) changes to the namespace's root.
 */
int compare_root(const struct init_task *task)
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

/* Memory that is short elsewhere should not end the session. Without CAP_SYS_RESOURCE at least
   take back what the caller of su may have set. By the fresh /proc: whatever the application's
   shows, here "self" is the init. */
void keep_from_oom_killer(void)
{
	static const char never[] = "-1000", standard[] = "0";
	int fd = (int)syscall(
		SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (syscall(SYS_write, fd, never, sizeof(never) - 1) < 0)
		(void)syscall(SYS_write, fd, standard, sizeof(standard) - 1);
	sys_close(fd);
}

void begin_pids(const char *last_pid)
{
	size_t n = 0;
	int fd;

	while (last_pid[n])
		n++;
	if (n == 0)
		return;
	fd = (int)syscall(
		SYS_openat, AT_FDCWD, "/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)syscall(SYS_write, fd, last_pid, n);
	sys_close(fd);
}

static int keep_users_descriptors(const struct user_task *user)
{
	if (syscall(SYS_dup3, user->lock, FD_LOCK, O_CLOEXEC) < 0 ||
		syscall(SYS_dup3, user->listener, FD_LISTENER, O_CLOEXEC) < 0)
		return -1;
	return (int)syscall(SYS_dup3, user->proc, FD_PROC, O_CLOEXEC);
}

/* Among the others is logind's fifo: when its last copy closes, logind ends the session. */
int keep_descriptors(struct init_task *task)
{
	if (syscall(SYS_dup3, task->opener, FD_OPENER, O_CLOEXEC) < 0 ||
		syscall(SYS_dup3, task->report_fd, FD_REPORT, O_CLOEXEC) < 0)
		return -1;
	task->report_fd = FD_REPORT;
	if (task->user && keep_users_descriptors(task->user) < 0)
		return -1;
	if (syscall(__NR_close_range, task->user ? FD_TIMER : FD_LOCK, UINT_MAX, 0) < 0)
		return -1;
	sys_close(FD_SIGNALS);
	return watch_signals(-1, SIGTERM, 0) == FD_SIGNALS ? 0 : -1;
}

static int set_capabilities(unsigned int set)
{
	struct __user_cap_header_struct self = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct data[2] = {{.effective = set, .permitted = set}};

	return (int)syscall(SYS_capset, &self, data);
}

/*
 * With no_new_privs no program that the init would execute could gain a capability
 * (cap_bprm_creds_from_file()). That is all that an empty bounding set is for, in one call instead
 * of 41. The session does not wait for those.
 */
int drop_capabilities(void)
{
	if (sys_prctl(PR_SET_NO_NEW_PRIVS, 1) < 0 ||
		sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL) < 0)
		return -1;
	return set_capabilities(CAP_TO_MASK(CAP_KILL) | CAP_TO_MASK(CAP_SETPCAP));
}

void empty_bounding_set(void)
{
	unsigned long cap = 0;

	/* the first number that is no capability of the kernel's cannot be dropped, cap_valid() */
	while (cap < 64 && sys_prctl(PR_CAPBSET_DROP, cap) == 0)
		cap++;
	if (set_capabilities(CAP_TO_MASK(CAP_KILL)) < 0)
		sys_exit(1);
}

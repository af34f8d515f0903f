/* SPDX-License-Identifier: MIT */
#include "fork_guard.h"

#include "common/syscalls.h"
#include "descriptors.h"

#include <linux/sched.h> /* CLONE_PIDFD */
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <sys/wait.h>

/* waitid(2). An enumerator of <sys/wait.h> since glibc 2.36. */
#if defined(__GLIBC_PREREQ)
#if !__GLIBC_PREREQ(2, 36)
#define P_PIDFD ((idtype_t)3)
#endif
#endif

/* 32-bit architectures that are older than large ids */
#ifdef __NR_setresuid32
#define NR_SETRESUID __NR_setresuid32
#else
#define NR_SETRESUID SYS_setresuid
#endif

/* How long the child may take, milliseconds: the user could stop it. */
#define PROOF_LIMIT_MS 2000

/* What the child ends with. */
enum { REFUSED, NOT_REFUSED, NOT_THE_USER };

int fork_guard_set(struct rlimit *before, struct failure *why)
{
	struct rlimit none;

	if (getrlimit(RLIMIT_NPROC, before) < 0)
		return fail(why, errno, "read the limit RLIMIT_NPROC");
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before->rlim_max};
	return setrlimit(RLIMIT_NPROC, &none) < 0 ? fail(why, errno, "set the limit RLIMIT_NPROC")
						  : 0;
}

bool fork_guard_is_lifted(void)
{
	struct rlimit now;

	return getrlimit(RLIMIT_NPROC, &now) == 0 && now.rlim_cur != 0;
}

int fork_guard_lift(const struct rlimit *before)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_NPROC, &now) < 0)
		return -errno;
	return now.rlim_cur == 0 && setrlimit(RLIMIT_NPROC, before) < 0 ? -errno : 0;
}

/* System calls only: the application may have threads. The kernel looks at the limit before it
   looks for the program, which is none. */
static int become_and_execute(void *user)
{
	static char *const none[] = {NULL};
	const uid_t uid = *(const uid_t *)user;

	if (syscall(NR_SETRESUID, uid, uid, uid) < 0)
		return NOT_THE_USER;
	(void)syscall(SYS_execve, "/", none, none);
	return errno == EAGAIN ? REFUSED : NOT_REFUSED;
}

static int judge(const siginfo_t *child, struct failure *why)
{
	if (child->si_code == CLD_EXITED && child->si_status == REFUSED)
		return 0;
	if (child->si_code == CLD_EXITED && child->si_status == NOT_REFUSED)
		return fail(why, ENOTSUP,
			"close 'enter=fork': outside of the session a program could be executed as the user, who has no process yet, such as a user manager, or whom this kernel does not count");
	return fail(
		why, ECANCELED, "try 'enter=fork': the child was ended, or could not be the user");
}

static int wait_for_child(int pidfd, struct failure *why)
{
	struct pollfd ended = {.fd = pidfd, .events = POLLIN};
	siginfo_t child = {.si_pid = 0};
	int ready;

	do {
		ready = poll(&ended, 1, PROOF_LIMIT_MS);
	} while (ready < 0 && errno == EINTR);
	if (ready <= 0) {
		(void)fail(
			why, ready < 0 ? errno : ETIMEDOUT, "try 'enter=fork': wait for the child");
		(void)sys_pidfd_send_signal(pidfd, SIGKILL);
	}
	if (waitid(P_PIDFD, (id_t)pidfd, &child, WEXITED | __WALL) < 0)
		(void)fail(why, errno, "try 'enter=fork': wait for the child");
	return why->err != 0 ? -why->err : judge(&child, why);
}

/* With an exit signal of 0, so that the application's wait(2) does not see it. */
int fork_guard_prove(uid_t user, struct failure *why)
{
	_Alignas(16) char stack[16384];
	sigset_t all, before;
	int pidfd = -1, err;
	pid_t pid;

	if (user == 0)
		return fail(why, EINVAL, "root cannot be isolated with 'enter=fork'");
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &before);
	pid = clone(become_and_execute, stack + sizeof(stack), CLONE_PIDFD, &user, &pidfd);
	err = pid < 0 ? fail(why, errno, "try 'enter=fork': start a child%s",
				errno == EAGAIN
					? ", which a process of root's always may, but not in a user namespace"
					: "")
		      : wait_for_child(pidfd, why);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	close_high(&pidfd);
	return err;
}

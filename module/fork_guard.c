/* SPDX-License-Identifier: MIT */
#include "fork_guard.h"

#include "common/syscalls.h"
#include "descriptors.h"

#include <linux/sched.h> /* CLONE_PIDFD */
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <sys/wait.h>

/* 32-bit architectures that are older than large ids */
#ifdef __NR_setresuid32
#define NR_SETRESUID __NR_setresuid32
#else
#define NR_SETRESUID SYS_setresuid
#endif

/* How long a child may take, milliseconds: the user could stop it. */
#define CHILD_LIMIT_MS 2000

/* What a child ends with. */
enum { ENDED_AS_USER, REFUSED, NOT_REFUSED, NOT_THE_USER };

static int lower_limit(struct rlimit *before, struct failure *why)
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

int fork_guard_lift(const struct fork_guard *guard)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_NPROC, &now) < 0)
		return -errno;
	return now.rlim_cur == 0 && setrlimit(RLIMIT_NPROC, &guard->before) < 0 ? -errno : 0;
}

/* ---- children: system calls only, the application may have threads ----------------------------
 */

static bool become(uid_t user)
{
	return syscall(NR_SETRESUID, user, user, user) == 0;
}

static int become_and_end(void *user)
{
	return become(*(const uid_t *)user) ? ENDED_AS_USER : NOT_THE_USER;
}

/* The kernel looks at the limit before it looks for the program, which is none. */
static int become_and_execute(void *user)
{
	static char *const none[] = {NULL};

	if (!become(*(const uid_t *)user))
		return NOT_THE_USER;
	(void)syscall(SYS_execve, "/", none, none);
	return errno == EAGAIN ? REFUSED : NOT_REFUSED;
}

/* ---- the application --------------------------------------------------------------------------
 */

/* With an exit signal of 0, so that the application's wait(2) does not see it. Returns a pidfd or
   -errno. */
static int start_child(int (*child)(void *), uid_t user, struct failure *why)
{
	_Alignas(16) char stack[16384];
	sigset_t all, before;
	int pidfd = -1, err = 0;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &before);
	if (clone(child, stack + sizeof(stack), CLONE_PIDFD, &user, &pidfd) < 0)
		err = fail(why, errno, "try 'enter=fork': start a child%s",
			errno == EAGAIN
				? ", which a process of root's always may, but not in a user namespace"
				: "");
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return err < 0 ? err : pidfd;
}

/* Returns the status that it has ended with, or -errno. It is a zombie then. */
static int wait_for_child(int pidfd, struct failure *why)
{
	struct pollfd ended = {.fd = pidfd, .events = POLLIN};
	siginfo_t child = {.si_pid = 0};
	int ready;

	do {
		ready = poll(&ended, 1, CHILD_LIMIT_MS);
	} while (ready < 0 && errno == EINTR);
	if (ready <= 0) {
		(void)fail(
			why, ready < 0 ? errno : ETIMEDOUT, "try 'enter=fork': wait for the child");
		(void)sys_pidfd_send_signal(pidfd, SIGKILL);
	}
	if (waitid(P_PIDFD, (id_t)pidfd, &child, WEXITED | WNOWAIT | __WALL) < 0)
		(void)fail(why, errno, "try 'enter=fork': wait for the child");
	if (why->err != 0)
		return -why->err;
	if (child.si_code != CLD_EXITED || child.si_status == NOT_THE_USER)
		return fail(why, ECANCELED,
			"try 'enter=fork': the child was ended, or could not be the user");
	return child.si_status;
}

static int reap(int *pidfd)
{
	siginfo_t child;
	int err = 0;

	if (*pidfd >= 0 && waitid(P_PIDFD, (id_t)*pidfd, &child, WEXITED | __WALL) < 0)
		err = -errno;
	close_high(pidfd);
	return err;
}

static int leave_zombie(struct fork_guard *guard, uid_t user, struct failure *why)
{
	int pidfd = start_child(become_and_end, user, why);

	if (pidfd < 0)
		return pidfd;
	if (wait_for_child(pidfd, why) == ENDED_AS_USER)
		guard->zombie = fcntl(pidfd, F_DUPFD_CLOEXEC, FIRST_FD);
	if (guard->zombie < 0) {
		(void)fail(why, errno, "keep the descriptor of a child"); /* or the first one */
		(void)reap(&pidfd);
	}
	close_high(&pidfd);
	return -why->err;
}

static int prove(uid_t user, struct failure *why)
{
	int status, pidfd = start_child(become_and_execute, user, why);

	if (pidfd < 0)
		return pidfd;
	status = wait_for_child(pidfd, why);
	(void)reap(&pidfd);
	if (status >= 0 && status != REFUSED)
		return fail(why, ENOTSUP,
			"close 'enter=fork': outside of the session a program could be executed as the user, whom this kernel does not count");
	return status < 0 ? status : 0;
}

int fork_guard_begin(struct fork_guard *guard, uid_t user, struct failure *why)
{
	int err;

	guard->zombie = -1;
	if (user == 0)
		return fail(why, EINVAL, "root cannot be isolated with 'enter=fork'");
	if (getuid() == user)
		return fail(why, EINVAL,
			"the application's real user id is the user's already: no limit could keep what it starts from running as the user");
	err = lower_limit(&guard->before, why);
	if (err < 0)
		return err;
	err = leave_zombie(guard, user, why);
	if (err == 0)
		err = prove(user, why);
	if (err < 0) {
		(void)fork_guard_lift(guard);
		(void)fork_guard_end(guard);
	}
	return err;
}

int fork_guard_end(struct fork_guard *guard)
{
	return reap(&guard->zombie);
}

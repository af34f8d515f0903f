/* SPDX-License-Identifier: MIT */
#include "child.h"

#include "common/syscalls.h"
#include "launch.h"

#include <limits.h>
#include <linux/capability.h>
#include <linux/sched.h> /* CLONE_PIDFD */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define STACK (256UL * 1024UL)

/* ---- before it ---------------------------------------------------------------------------------
 */

/* The ambient set, capabilities(7), of which setresuid(2) takes everything. */
static uint64_t get_ambient(void)
{
	uint64_t set = 0;

	for (unsigned long cap = 0; cap < 64; cap++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1)
			set |= (uint64_t)1 << cap;
	return set;
}

int child_prepare(struct child *child, pam_handle_t *pamh, struct failure *why)
{
	sigset_t all;

	child->pidfd = -1;
	child->ambient = get_ambient();
	child->of_pam = pam_getenvlist(pamh);
	if (!child->of_pam)
		return fail(why, ENOMEM, "get PAM's environment");
	if (pipe2(child->go, O_CLOEXEC) < 0)
		return fail(why, errno, "make a pipe");
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &child->signals);
	return 0;
}

/* ---- the process itself ------------------------------------------------------------------------
 */

static int set_variables(const struct passwd *user)
{
	if (setenv("HOME", user->pw_dir, 1) < 0 || setenv("USER", user->pw_name, 1) < 0 ||
		setenv("LOGNAME", user->pw_name, 1) < 0 ||
		setenv("SHELL", *user->pw_shell ? user->pw_shell : "/bin/sh", 1) < 0)
		return -1;
	return unsetenv("MANAGERPID");
}

/* Inside, SYSTEMD_EXEC_PID is another number. */
static int set_environment(const struct child *child)
{
	char pid[16];

	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (set_variables(child->user) < 0 ||
		(getenv("SYSTEMD_EXEC_PID") && setenv("SYSTEMD_EXEC_PID", pid, 1) < 0))
		return -1;
	for (char **variable = child->of_pam; *variable; variable++)
		if (putenv(*variable) != 0)
			return -1;
	return 0;
}

static int set_capabilities(uint64_t set)
{
	struct __user_cap_header_struct self = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		const uint32_t half = (uint32_t)(set >> (32 * i));

		data[i].effective = data[i].permitted = data[i].inheritable = half;
	}
	return (int)syscall(SYS_capset, &self, data);
}

/* What execve(2) is to leave to the program. */
static int keep_ambient(uint64_t set)
{
	if (set_capabilities(set) < 0)
		return -1;
	for (unsigned long cap = 0; cap < 64; cap++)
		if ((set >> cap & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return -1;
	return 0;
}

static bool become_user(const struct child *child)
{
	const struct passwd *user = child->user;

	if (child->ambient != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return false;
	return setresgid(user->pw_gid, user->pw_gid, user->pw_gid) == 0 &&
	       setresuid(user->pw_uid, user->pw_uid, user->pw_uid) == 0 &&
	       (child->ambient == 0 || keep_ambient(child->ambient) == 0);
}

/* All signals are blocked until the program runs as it was started by systemd. The groups and the
   working directory are the launcher's. */
static int run_child(void *data)
{
	const struct child *child = data;
	char go;

	(void)close(child->go[1]);
	if (read(child->go[0], &go, 1) != 1) /* the launcher has ended, or wants it to */
		_exit(LAUNCH_EXEC);
	/* before it is the user's: the launcher has descriptors of the host's */
	if (syscall(__NR_close_range, STDERR_FILENO + 1, UINT_MAX, 0) < 0 || setsid() < 0)
		_exit(LAUNCH_EXEC);
	if (!become_user(child))
		_exit(LAUNCH_USER);
	if (set_environment(child) < 0 || sigprocmask(SIG_SETMASK, &child->signals, NULL) < 0)
		_exit(LAUNCH_EXEC);
	(void)execv(child->program[0], child->program);
	_exit(LAUNCH_EXEC);
}

/* ---- forking it -------------------------------------------------------------------------------
 */

/* The stack is copied with everything else, and grows downwards on every supported architecture. */
int child_start(struct child *child, struct failure *why)
{
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (stack == MAP_FAILED)
		return fail(why, errno, "allocate a stack");
	child->pid = clone(run_child, stack + STACK, CLONE_PARENT | CLONE_PIDFD | SIGCHLD, child,
		&child->pidfd);
	if (child->pid < 0)
		(void)fail(why, errno, "fork");
	(void)munmap(stack, STACK);
	(void)close(child->go[0]);
	return child->pid < 0 ? -why->err : 0;
}

int child_release(struct child *child, struct failure *why)
{
	const ssize_t n = write(child->go[1], "", 1);

	(void)close(child->go[1]);
	return n != 1 ? fail(why, errno, "let the process go on") : 0;
}

void child_discard(struct child *child)
{
	(void)close(child->go[1]);
}

/* SPDX-License-Identifier: MIT */
/*
 * enter=fork: what the application starts without fork(3), by posix_spawn(3), vfork(2) or clone(2),
 * calls none of at_fork.c's handlers and is on the host. The guard lets it execute no program as a
 * user: the application has the limit RLIMIT_NPROC of 0, which its children inherit, and execve(2)
 * after a change to a user who has more processes than the limit fails with EAGAIN. The one that
 * changes is not counted yet (set_user() of the kernel), so the guard keeps a zombie of the user's:
 * it is counted until it is reaped (release_task()), and nobody can end it. root, as who the
 * application runs, is not counted. A child that has entered gets the limit of before.
 */
#ifndef PAM_UNSHARE_FORK_GUARD_H
#define PAM_UNSHARE_FORK_GUARD_H

#include "failure.h"

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

struct fork_guard {
	struct rlimit before; /* the application's limit */
	int zombie; /* pidfd, FIRST_FD or higher, of the child that is counted; -1: none */
};

/**
 * Lower the application's limit, leave a zombie of the user's, and prove that it is enough: a child
 * of clone(2) becomes the user and executes a program, which must be refused. Some kernels do not,
 * before Linux 5.17 (c16bdeb5a39f) or elsewhere.
 *
 * Runs in the application.
 *
 * @param guard  filled in; on failure there is none
 * @return 0 or -errno: ENOTSUP when the program is not refused, ETIMEDOUT (the user may have
 *         stopped a child before it has ended), EINVAL when the user is root, who is not counted,
 *         or the one who has started the application, to whom no child would change
 */
int fork_guard_begin(struct fork_guard *guard, uid_t user, struct failure *why);

/**
 * Tell whether the limit is no longer lowered: a PAM module or the application has set another.
 *
 * Runs in the application. Makes one system call.
 */
bool fork_guard_is_lifted(void);

/**
 * Give the caller the limit of before, unless another was set meanwhile.
 *
 * Runs in the application, and in its children. Makes system calls only.
 *
 * @return 0 or -errno
 */
int fork_guard_lift(const struct fork_guard *guard);

/**
 * Reap the zombie.
 *
 * Runs in the application.
 *
 * @return 0 or -errno: ECHILD when it was gone, since the application waits for children of
 *         clone(2), too, so that the user may not have been counted
 */
int fork_guard_end(struct fork_guard *guard);

#endif

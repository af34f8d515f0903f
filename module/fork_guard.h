/* SPDX-License-Identifier: MIT */
/*
 * enter=fork: what the application starts without fork(3), by posix_spawn(3), vfork(2) or clone(2),
 * calls none of at_fork.c's handlers and is on the host. The guard lets it execute no program as a
 * user: the application has the limit RLIMIT_NPROC of 0, which its children inherit, and execve(2)
 * after a change to a user who has more processes than the limit fails with EAGAIN. The one that
 * changes is not counted yet (set_user() of the kernel), so the user must have another. root, as
 * who the application runs, is not counted. A child that has entered gets the limit of before.
 */
#ifndef PAM_UNSHARE_FORK_GUARD_H
#define PAM_UNSHARE_FORK_GUARD_H

#include "failure.h"

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

/**
 * Lower the application's limit.
 *
 * Runs in the application.
 *
 * @param before  filled in: the limit of before
 * @return 0 or -errno
 */
int fork_guard_set(struct rlimit *before, struct failure *why);

/**
 * Have a child of clone(2) become the user and execute a program, which must be refused: some
 * kernels do not, before Linux 5.17 (c16bdeb5a39f) or elsewhere.
 *
 * Runs in the application, after fork_guard_set().
 *
 * @return 0 or -errno: ENOTSUP when it is not refused, ETIMEDOUT (the user may have stopped the
 *         child), EINVAL when the user is root, who is not counted
 */
int fork_guard_prove(uid_t user, struct failure *why);

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
int fork_guard_lift(const struct rlimit *before);

#endif

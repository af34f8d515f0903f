/* SPDX-License-Identifier: MIT */
/*
 * scope=user with hide=cgroups: a session that joins brings the slice of its user along. The one
 * that was there when the namespace was made may be gone, and with it what is mounted inside.
 */
#ifndef PAM_UNSHARE_CGROUP_BRANCH_H
#define PAM_UNSHARE_CGROUP_BRANCH_H

#include "common/syscalls.h"
#include "failure.h"

struct cgroup_branch {
	int tree; /* the slice, as a mount that is not attached; -1: there is none */
	struct file_id id;
	char path[64];
};

/**
 * Take the slice of a user, if there is one.
 *
 * Runs in the application, on the host.
 *
 * @param branch  filled in; close the tree, also on failure
 * @return 0 or -errno
 */
int cgroup_branch_take(uid_t user, struct cgroup_branch *branch, struct failure *why);

/**
 * Mount it at its path, unless it is there already.
 *
 * Runs in the application, in the mount namespace of the user's.
 *
 * @return 0 or -errno
 */
int cgroup_branch_put(const struct cgroup_branch *branch, struct failure *why);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The control groups of a user manager, whose unit has Delegate=yes. They are those of cgroup2
 * alone; with the older hierarchies nothing is done, and nothing is an error.
 *
 * Runs in the launcher, as root, before the user manager starts: no name below is the user's yet.
 */
#ifndef PAM_UNSHARE_LAUNCH_CGROUP_H
#define PAM_UNSHARE_LAUNCH_CGROUP_H

#include "module/failure.h"

#include <linux/limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* The caller's control group; empty: not one of cgroup2. */
struct cgroup {
	char path[PATH_MAX]; /* from the root of the file system */
};

/**
 * Take the path out of the text of /proc/PID/cgroup, cgroups(7).
 *
 * @return false if there is no line of cgroup2, or the path is too long
 */
bool cgroup_parse(const char *text, struct cgroup *cgroup);

/**
 * Find the directory of the user's slice above a control group: ".../user-UID.slice".
 *
 * @param slice  filled in
 * @return false if there is none
 */
bool cgroup_find_slice(const struct cgroup *cgroup, uid_t uid, struct cgroup *slice);

/** Tell whether it is the unit's own control group, and no part of it. */
bool cgroup_is_unit(const struct cgroup *cgroup, uid_t uid);

/** Find the caller's control group. @return 0 or -errno */
int cgroup_find_own(struct cgroup *cgroup, struct failure *why);

/**
 * Leave the unit's control group for "init.scope" below it, as DelegateSubgroup= does since systemd
 * 254, and as a user manager would do for itself alone: with a process left in the group the kernel
 * lets the manager enable no controller, cgroups(7).
 *
 * @return 0 or -errno
 */
int cgroup_enter_leaf(const struct cgroup *own, uid_t uid, gid_t gid, struct failure *why);

/**
 * Say who may move the user's processes between his control groups: from the scope of a session
 * into one of the user manager's. The kernel asks for write permission to cgroup.procs of what is
 * above both, which is the slice. If that is root's, as systemd makes it, the user manager asks PID
 * 1, and names the process by a number that means another one on the host.
 *
 * @param uid    whose slice
 * @param owner  the same, or 0
 * @return 0 or -errno
 */
int cgroup_set_slice_owner(const struct cgroup *own, uid_t uid, uid_t owner, struct failure *why);

/**
 * Give the slices of all users back to root. Runs in the command.
 *
 * @return 0 or -errno
 */
int cgroup_take_slices(struct failure *why);

#endif

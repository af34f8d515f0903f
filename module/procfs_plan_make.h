/* SPDX-License-Identifier: MIT */
/*
 * The application makes the plan, after unshare(2) has given it the session's mount namespace:
 * mount ids are those of the copies.
 */
#ifndef PAM_UNSHARE_PROCFS_PLAN_MAKE_H
#define PAM_UNSHARE_PROCFS_PLAN_MAKE_H

#include "common/procfs_plan.h"
#include "failure.h"

/**
 * Make the plan with statmount(2) and listmount(2), which takes a fraction of the time that it
 * takes to read the mount table as text.
 *
 * Runs in the application.
 *
 * @param proc_options  mount options for the fresh /proc ("hidepid=…,gid=…,subset=…"); NULL: those
 *                      of the old one. Other instances keep their own. Must outlive the plan.
 * @param plan          set on success; release with procfs_plan_free()
 * @param why           filled in on failure, but for ENOSYS
 * @return 0 or -errno: ENOSYS (the kernel does not answer: read the table), ENOENT (no procfs at
 *         /proc), ENOBUFS (too many instances are out of sight)
 */
int procfs_plan_from_statmount(
	const char *proc_options, struct procfs_plan **plan, struct failure *why);

/**
 * Make the plan from the mount table as text.
 *
 * Runs in the application.
 *
 * @param mountinfo  descriptor of the caller's mountinfo; is read to its end, and by the init again
 * @return 0 or -errno: EINVAL (a line that is not understood), ENOENT (no procfs at /proc), ENOMEM,
 *         or that of read(2)
 */
int procfs_plan_from_mountinfo(
	int mountinfo, const char *proc_options, struct procfs_plan **plan, struct failure *why);

/**
 * Make the plan independent of users' own file servers (FUSE). A procfs below such a mount could
 * be reached only if the server answered: no user may make another's login wait for that. The
 * server's mount goes as a whole from the sessions of all other users.
 *
 * Runs in the application.
 *
 * @param user  whose session it is
 */
void procfs_plan_avoid_servers(struct procfs_plan *plan, uid_t user);

/**
 * Tell whether the fresh /proc will hide other users' processes from root without CAP_SYS_PTRACE.
 *
 * Runs in the application.
 */
bool procfs_plan_hides(const struct procfs_plan *plan);

/**
 * Tell whether a mount stays where it is. A mount of another namespace does not; nor does one that
 * is carried over: its copy comes to the fresh instance.
 *
 * Runs in the application.
 *
 * @param mount_id  as from statx(2)
 */
bool procfs_plan_keeps(const struct procfs_plan *plan, unsigned long long mount_id);

/** Release a plan; NULL is allowed. Runs in the application. */
void procfs_plan_free(struct procfs_plan *plan);

#endif

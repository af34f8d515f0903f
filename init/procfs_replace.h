/* SPDX-License-Identifier: MIT */
/*
 * Replace the procfs instances of the session's mount namespace by instances of its own PID
 * namespace.
 */
#ifndef PAM_UNSHARE_PROCFS_REPLACE_H
#define PAM_UNSHARE_PROCFS_REPLACE_H

struct procfs_plan;

/**
 * Carry the plan out: create the fresh instances, detach the old ones with all mounts below them,
 * attach the fresh ones, and on these what was mounted on the old. mount_walk.h says how it finds
 * the mounts.
 *
 * Runs in the init until it is ready, in the session's PID and mount namespaces, with
 * CAP_SYS_ADMIN. Makes only async-signal-safe calls. Changes the working directory.
 *
 * @param plan         is used up: it holds descriptors meanwhile
 * @param mount_point  on failure, set to where it happened (in the plan's memory)
 * @return 0; 1 if a mount was replaced by a copy, which may hold the application's directories;
 *         or -errno: ESTALE (another mount covers /proc), EBUSY (an old instance is left), or that
 *         of openat2(2), statx(2), fsopen(2), fsconfig(2), fsmount(2), open_tree(2), umount2(2),
 *         move_mount(2)
 */
int procfs_replace(struct procfs_plan *plan, const char **mount_point);

#endif

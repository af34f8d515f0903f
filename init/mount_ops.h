/* SPDX-License-Identifier: MIT */
/*
 * What the init does to mounts, by descriptor: no path is walked twice. Runs in the init until it
 * is ready, with CAP_SYS_ADMIN. Async-signal-safe.
 */
#ifndef PAM_UNSHARE_MOUNT_OPS_H
#define PAM_UNSHARE_MOUNT_OPS_H

/** Tell the id of the mount that a descriptor is on. @return the id, or -1 with errno */
int mount_id_of(int fd);

/**
 * Move a mount, or attach one that is detached.
 *
 * @param mount  descriptor of its root
 * @param dir    descriptor of the directory
 * @param name   where in it; "": on the directory itself
 * @return 0, or -1 with errno of move_mount(2)
 */
int mount_move(int mount, int dir, const char *name);

/**
 * Detach a mount, with all mounts below it. Changes the working directory.
 *
 * @param proc  descriptor of a procfs that shows the caller
 * @param fd    descriptor of the mount's root
 * @return 0 or -errno: EINVAL when it is locked, in a container (mount_namespaces(7))
 */
int mount_detach(int proc, int fd);

#endif

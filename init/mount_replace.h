/* SPDX-License-Identifier: MIT */
/*
 * The last resort against a mount to which no path leads, or which is not found in time: a copy
 * takes the place of the mount's parent. The copy has nothing mounted on it at first. What is
 * mounted in trusted places moves to it (trusted_place.h). What is mounted below directories of
 * other users is not in the session then.
 */
#ifndef PAM_UNSHARE_MOUNT_REPLACE_H
#define PAM_UNSHARE_MOUNT_REPLACE_H

#include "mount_walk.h"

/**
 * Replace the parent of a mount by a copy; if that is in no trusted place, the nearest mount above
 * it that is; in the last resort the root of the mount namespace.
 *
 * Runs in the init until it is ready. Async-signal-safe. The application must enter its working
 * directory anew: it may be one of a mount that has gone. If the root was replaced, its root
 * directory is the same directory of another mount.
 *
 * @param parent_id  mount id of the parent
 * @param user       whose session it is
 * @return 0 or -errno
 */
int replace_parent_mount(struct walker *walker, int parent_id, uid_t user);

#endif

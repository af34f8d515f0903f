/* SPDX-License-Identifier: MIT */
/*
 * The last resort against a mount that no path leads to, or that is not found in time: what holds
 * it is replaced by a copy of itself, which has nothing mounted on it, and gets back what is
 * mounted in trusted places. A place is trusted if no user but the session's own can change the way
 * to it; so a path that the kernel has told stays true, and no walk needs a second try. What is
 * mounted below directories of other users is not in the session then.
 */
#ifndef PAM_UNSHARE_HOLDER_H
#define PAM_UNSHARE_HOLDER_H

#include "mount_walk.h"

/**
 * Replace the mount that holds another one, or the nearest above it that is in a trusted place, in
 * the last resort the root of the mount namespace.
 *
 * Runs in the init until it is ready. Async-signal-safe. With the root's, the application gets
 * another root directory, the same of another mount, and must enter its working directory anew.
 *
 * @param parent  mount id of what holds it
 * @param user    the session's
 * @return 0 or -errno
 */
int replace_holder(struct walker *walker, int parent, uid_t user);

/** Open a trusted place by its path from the root. @return a descriptor, O_PATH, or -errno */
int open_trusted(int root, const char *path, uid_t user);

#endif

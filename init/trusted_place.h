/* SPDX-License-Identifier: MIT */
/*
 * Trusted places: nobody but root and the session's user can rename or replace a directory on the
 * way to them. What the kernel has reported about such a path stays true, so no walk needs a second
 * try. Runs in the init until it is ready. Async-signal-safe.
 */
#ifndef PAM_UNSHARE_TRUSTED_PLACE_H
#define PAM_UNSHARE_TRUSTED_PLACE_H

#include "common/procfs_plan.h"

struct trusted_place {
	int fd;
	int dir;		 /* the directory that it is in; -1: the path was "" */
	char name[NAME_MAX + 1]; /* and its name there */
};

/**
 * Open a place by a trusted path.
 *
 * @param from   descriptor of the directory where the path begins
 * @param path   relative, or ""
 * @param to     the mount that the path leads to: it may pass through those that hold this mount,
 *               and no others; NULL: it stays in the mount where it begins
 * @param user   whose session it is
 * @param place  filled in; close it with trusted_place_close()
 * @return 0 or -errno: ENXIO when the path is not trusted, or that of openat2(2) or statx(2)
 */
int trusted_place_open(const struct procfs_plan *plan, int from, const char *path,
	const struct mount_entry *to, uid_t user, struct trusted_place *place);

/** Close the descriptors. */
void trusted_place_close(const struct trusted_place *place);

/**
 * Open a trusted path, through any mounts.
 *
 * @param root  descriptor of the directory where the path begins
 * @return a descriptor, O_PATH, or -errno
 */
int open_trusted(int root, const char *path, uid_t user);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Find a mount in the session's mount namespace, by its id alone. Runs in the init until it is
 * ready, with CAP_SYS_ADMIN. Async-signal-safe.
 *
 * A mount can be detached only where a path leads to it. That path may lead through directories of
 * a user, who renames them meanwhile, nests them deeper than PATH_MAX, mounts his own file server
 * over them, or moves them out of sight. None of that may keep others from logging in, or show the
 * host's processes to a session. So:
 *
 *   - The walk goes by descriptors. If a name is not there, it asks the kernel for the path again
 *     and goes on from the directory that it has reached: what is renamed above that does not
 *     matter any more.
 *   - It moves aside what covers the way, and puts it back. It never looks into a cover: the file
 *     server may not answer.
 *   - What it has found is moved or detached by its descriptor (mount_ops.h).
 */
#ifndef PAM_UNSHARE_MOUNT_WALK_H
#define PAM_UNSHARE_MOUNT_WALK_H

#include "common/procfs_plan.h"
#include "common/syscalls.h"

/* How long all walks may take together, milliseconds. After that a copy takes the place of the
   mount's parent (mount_replace.h). The application waits longer: READY_LIMIT_MS in
   module/init_start.h. */
#define WALK_LIMIT_MS 2000

/* A mount that covered the way, as a descriptor. */
struct aside {
	int cover;
	int place; /* descriptor of where it belongs; -1: that has gone */
};

#define ASIDE_MAX 32

struct walker {
	struct procfs_plan *plan;
	int root;	 /* "/". Covers are moved onto it: no walk from there sees them */
	int root_mount;	 /* its mount id */
	int proc;	 /* the fresh /proc */
	long long until; /* when walks are given up: CLOCK_MONOTONIC, milliseconds */
	char *buffer;	 /* for the kernel's answers, or NULL */
	size_t size;	 /* of the buffer, bytes */
	struct aside aside[ASIDE_MAX];
	size_t n_aside;
};

/* Where a mount was found. */
struct place {
	int fd;			 /* its root */
	int dir;		 /* the directory that it is mounted in */
	char name[NAME_MAX + 1]; /* and its name there */
	char below[PATH_MAX];	 /* the path from its parent's root; "": it is mounted on that */
	size_t n_aside;		 /* how many covers were aside before the walk */
};

/* What may cover the mount. */
enum cover {
	COVER_NONE,  /* nothing may, or there is no session */
	COVER_ASIDE, /* anything; it goes aside */
	COVER_TAKEN, /* a mount on it is found instead of it; anything else goes aside */
};

/**
 * Prepare for walks.
 *
 * @param proc  descriptor of a fresh procfs, which shows the caller
 * @return 0 or -errno
 */
int walker_begin(struct walker *walker, struct procfs_plan *plan, int proc);

/**
 * Find a mount. What covers it stays aside until walker_leave().
 *
 * @param wanted  the mount, by its ids
 * @param known   the path where it was; NULL: ask the kernel
 * @param cover   what may cover it
 * @param place   filled in
 * @return 0, or -errno: ENOENT (it has gone), ENXIO (no path leads there, or none that can be
 *         walked), ETIMEDOUT, ESTALE (COVER_NONE, and it is covered), or that of a system call
 */
int walker_find(struct walker *walker, const struct mount_entry *wanted, const char *known,
	enum cover cover, struct place *place);

/* ---- mount_path.c -----------------------------------------------------------------------------
 */

/**
 * Ask the kernel where a mount is now.
 *
 * @param path  set to a string that lasts until the next walk or question; "": no path leads there
 * @return 0, or -errno: ENOENT (it has gone), ENAMETOOLONG, or that of a system call
 */
int walker_ask_path(struct walker *walker, const struct mount_entry *wanted, const char **path);

/**
 * Look for a procfs in the mount table as text.
 *
 * @param parent  set to the id of the mount that it is mounted on
 * @return 1, 0 when there is none, or -errno
 */
int walker_find_procfs(struct walker *walker, int *parent);

/* ---- mount_aside.c ----------------------------------------------------------------------------
 */

/**
 * Move aside what covers a name.
 *
 * @param cover  descriptor of the cover's root; now belongs to the walker
 * @param dir    descriptor of the directory
 * @param name   the covered name in it
 * @return 0, or -errno: EAGAIN (it has gone, or cannot be moved), ENXIO (more than ASIDE_MAX)
 */
int walker_move_aside(struct walker *walker, int cover, int dir, const char *name);

/** Put back what went aside since the walk began, and close the place's descriptors. */
void walker_leave(struct walker *walker, struct place *place);

/**
 * Note that a mount that was found has gone.
 *
 * @param gone   its id
 * @param stays  covers of its root belong to where it was mounted; else they go with it
 */
void walker_gone(struct walker *walker, int gone, const struct place *place, bool stays);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Finding a mount in the session's mount namespace, by its id alone. Runs in the init until it is
 * ready, with CAP_SYS_ADMIN; async-signal-safe.
 *
 * A mount can be detached only where a path leads to it, and a path may lead through directories of
 * a user's, who renames them meanwhile, makes them deeper than PATH_MAX, mounts a file server of
 * his own over them, or moves them out of sight. None of that may keep others from logging in, or
 * leave the host's processes to a session. So:
 *
 *   - The walk goes by descriptors. Where a name is not there the kernel is asked for the path
 * anew, and the walk goes on from the directory that it has reached: what is renamed above that
 * does not matter any more.
 *   - What covers the way is moved aside and put back. It is never looked into: nobody may answer.
 *   - What has been found is moved or detached by its descriptor, so that no path is walked twice.
 */
#ifndef PAM_UNSHARE_WALKER_H
#define PAM_UNSHARE_WALKER_H

#include "common/procfs_plan.h"
#include "common/syscalls.h"

/* How long walks may take, milliseconds, all together; then a copy takes the place of what holds
   the mount (mount_replace.h). The application waits for longer (READY_LIMIT_MS). */
#define WALK_LIMIT_MS 2000

/* A mount that covered the way, and where it belongs: a descriptor, or -1 when that is gone. */
struct aside {
	int cover, place;
};

#define ASIDE_MAX 32

struct walker {
	struct procfs_plan *plan;
	int root;	 /* "/", on which what is aside hangs: no walk that starts there sees it */
	int root_mount;	 /* its mount id */
	int proc;	 /* the fresh /proc */
	long long until; /* when walks are given up, in milliseconds */
	char *buffer;	 /* for the kernel's answers, or NULL */
	size_t size;
	struct aside aside[ASIDE_MAX];
	size_t n_aside;
};

/* Where a mount has been found. */
struct place {
	int fd;			 /* its root */
	int dir;		 /* the directory that it is mounted in */
	char name[NAME_MAX + 1]; /* and its name there */
	char below[PATH_MAX]; /* the path from the root of its parent, "": it is mounted on that */
	size_t n_aside;	      /* what was aside before the walk */
};

/* What may cover a mount that is looked for. */
enum cover {
	COVER_NONE,  /* nothing, or there is no session */
	COVER_ASIDE, /* anything: it goes aside */
	COVER_TAKEN, /* what is mounted on it is found in its place, anything else goes aside */
};

/**
 * Prepare for walks.
 *
 * @param proc  a fresh procfs that shows the caller
 * @return 0 or -errno
 */
int walker_begin(struct walker *walker, struct procfs_plan *plan, int proc);

/**
 * Find a mount, and stay there until walker_leave(), with what covers it aside.
 *
 * @param known  where it was, or NULL
 * @return 0, or -errno: ENOENT (it is gone), ENXIO (no path leads there, or none that can be
 * walked), ETIMEDOUT, ESTALE (COVER_NONE, and it is covered), or that of a system call
 */
int walker_find(struct walker *walker, const struct entry *target, const char *known,
	enum cover cover, struct place *place);

/**
 * Ask where a mount is now.
 *
 * @param path  set to a string that lasts until the next walk or question; "": no path leads there
 * @return 0, or -errno: ENOENT (it is gone), ENAMETOOLONG, or that of a system call
 */
int walker_ask_path(struct walker *walker, const struct entry *target, const char **path);

/**
 * Look for a procfs in the mount table as text.
 *
 * @param parent  set to the id of what it is mounted on
 * @return 1, 0 when there is none, or -errno
 */
int walker_find_procfs(struct walker *walker, int *parent);

/** Put back what is aside since the walk began, and close the place's descriptors. */
void walker_leave(struct walker *walker, struct place *place);

/**
 * A mount that was found has gone.
 *
 * @param gone   its id
 * @param stays  what lay on its root belongs to where it stood, or else goes with it
 */
void walker_gone(struct walker *walker, int gone, const struct place *place, bool stays);

/** Move aside what covers a name. Takes the descriptor. @return 0 or -errno: EAGAIN (it is gone, or
    cannot be moved), ENXIO (it is one too many) */
int walker_move_aside(struct walker *walker, int cover, int dir, const char *name);

/** Put back what went aside since there were so many. */
void walker_put_back(struct walker *walker, size_t since);

/** Detach a mount, with all that is below it, by a descriptor of its root. @return 0, or -1, errno
 */
int walker_detach(const struct walker *walker, int fd);

/** Mount what a descriptor stands for there; "" is the directory itself. @return 0, or -1, errno */
int walker_move_to(int mount, int dir, const char *name);

/** The id of the mount that a descriptor is on, or -1 with errno. */
int walker_mount_of(int fd);

#endif

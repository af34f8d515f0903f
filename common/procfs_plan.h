/* SPDX-License-Identifier: MIT */
/*
 * The plan: which procfs instances the session's mount namespace holds, and what becomes of each.
 *
 * The application makes the plan (module/procfs_plan_make.h): it may allocate memory, and its
 * /proc/self still resolves. The init carries it out (init/procfs_replace.h): a procfs shows the
 * PID namespace of whoever mounts it. The init is a fork of the application and has its own copy.
 */
#ifndef PAM_UNSHARE_PROCFS_PLAN_H
#define PAM_UNSHARE_PROCFS_PLAN_H

#include "mountinfo.h"
#include "statmount.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

/* An id that no mount has. */
#define NO_ID (-1)

/* What becomes of a mount when the procfs instances are replaced. */
enum procfs_role {
	PROCFS_NONE,	    /* it stays: it is no procfs, or a part that shows no process */
	PROCFS_INSTANCE,    /* a whole procfs: a fresh one takes its place */
	PROCFS_DETACH,	    /* a bind mount of a part that shows processes: it goes */
	PROCFS_CARRIED,	    /* mounted directly below an instance: comes along to the fresh one */
	PROCFS_COVER,	    /* mounted on an instance's root, where nobody sees it: it stays */
	PROCFS_WITH_PARENT, /* mounted below one of these: goes, stays, or comes along, with it */
};

/* One mount of the mount namespace. */
struct mount_entry {
	uint64_t unique; /* the id that statmount(2) takes; 0: the table was read as text */
	int id, parent;	 /* as in mountinfo */
	bool fuse;
	bool gone;    /* with the mount that held it */
	bool moved;   /* to a copy of the mount that held it */
	uid_t server; /* of a FUSE mount: whose process serves it; 0: root's, or not asked */
	const char *mount_point;   /* only where the table was read as text */
	const char *super_options; /* likewise */
};

/* A mount with a role. */
struct planned_mount {
	struct mount mount; /* its mount point is "" where no path leads there */
	uint64_t unique;    /* as in struct mount_entry */
	enum procfs_role role;
	size_t instance; /* index of the instance that it is mounted on, or its own */
	bool covered;	 /* an instance: another one is mounted over it in the same place */
	int fd;		 /* an instance: the fresh one; carried: the copy that comes to it; or -1 */
	int dir;	 /* an instance: the directory where the fresh one is mounted; or -1 */
	char name[NAME_MAX + 1]; /* and the name there; carried: the path below the instance */
};

/* The strings of one mount that statmount(2) has answered. */
struct mount_answer {
	struct mount_answer *next;
	struct mount_text text;
	_Alignas(uint64_t) char buffer[];
};

struct procfs_plan {
	int mountinfo; /* the application's descriptor of it, where the table was read as text */
	char *table;   /* that text, which the mounts' strings point into; or NULL */
	struct mount_answer *answers; /* or these */
	struct planned_mount *mounts; /* parents before children, as in the table */
	size_t n_mounts;
	struct mount_entry *entries; /* all mounts of the table */
	size_t n_entries;
	const char *proc_options; /* for the fresh /proc; NULL: those of the old one */
	uid_t user;		  /* whose session it is */
	bool parent_replaced;	  /* a mount was replaced by a copy (init/mount_replace.h) */
};

/** Tell whether it is the instance at /proc, without which there is no session. */
static inline bool is_main(const struct planned_mount *planned)
{
	return strcmp(planned->mount.mount_point, "/proc") == 0;
}

/** Tell whether a process of another user serves the file system: not root's, not the session's. */
static inline bool is_other_users_fuse(
	const struct procfs_plan *plan, const struct mount_entry *entry)
{
	return entry && entry->fuse && entry->server != 0 && entry->server != plan->user;
}

/**
 * Tell the role of a mount, as far as the mount alone decides it, not what it is mounted on.
 *
 * Runs in the application, and in the init until it is ready.
 */
enum procfs_role procfs_role(const struct mount *mount);

/**
 * Tell whether a mount directly below a procfs instance is needed on the fresh one too. It is not
 * if it is below the directory of a process, which the fresh instance does not have; nor if it is
 * binfmt_misc, an automount point on every systemd machine, which a session does not miss.
 *
 * Runs in the application.
 *
 * @param instance     mount point of the instance
 * @param mount_point  the mount point below it
 */
bool procfs_carries(const char *instance, const char *mount_point);

/**
 * Find a mount by its id.
 *
 * Runs in the application, and in the init until it is ready.
 *
 * @return NULL when the plan has none, or for NO_ID
 */
struct mount_entry *plan_entry(const struct procfs_plan *plan, int id);

/** Tell whether a mount is above another one, directly or not. Runs in the init. */
bool plan_is_above(const struct procfs_plan *plan, int id, const struct mount_entry *below);

/**
 * Note that a mount has gone, with all mounts below it. The kernel gives their ids to others.
 *
 * Runs in the init.
 */
void plan_remove(struct procfs_plan *plan, int id);

#endif

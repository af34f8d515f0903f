/* SPDX-License-Identifier: MIT */
/*
 * The inside of a plan, for procfs.c, which makes it in the application, and procfs_replace.c,
 * which carries it out in the init. The init has its own copy: it is a fork of the application.
 */
#ifndef PAM_UNSHARE_PROCFS_PLAN_H
#define PAM_UNSHARE_PROCFS_PLAN_H

#include "procfs.h"
#include "statmount.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

/* An id that no mount has. */
#define NO_ID (-1)

/* One mount of the mount namespace. */
struct entry {
	uint64_t unique; /* the id that statmount(2) takes; 0: the table was read as text */
	int id, parent;	 /* as in mountinfo */
	bool fuse;
	bool gone, moved;    /* with what held it; to a copy of that */
	uid_t server;	     /* of a FUSE mount, whose process serves it; 0: root's, or not asked */
	const char *point;   /* in a table that was read as text */
	const char *options; /* likewise */
};

/* A mount that is not left as it is. */
struct planned {
	struct mount mount; /* its point is "" where no path leads to it now */
	uint64_t unique;    /* as in struct entry */
	enum procfs_role role;
	size_t instance; /* index of the instance that it is mounted on, or its own */
	bool covered;	 /* PROCFS_INSTANCE: another one lies over it in the same place */
	int fd;	 /* PROCFS_INSTANCE: the fresh mount; PROCFS_CARRIED: the copy to carry over */
	int dir; /* PROCFS_INSTANCE: where the fresh one comes to, -1: nowhere; and its name there
		  */
	char name[NAME_MAX + 1]; /* PROCFS_CARRIED: the path below the instance */
};

/* The strings of one mount, where the kernel was asked by mount. */
struct text {
	struct text *next;
	struct mount_text mount;
	_Alignas(uint64_t) char buffer[];
};

struct procfs_plan {
	int mountinfo; /* the application's descriptor of it, where the table was read as text */
	char *table;   /* that text, or NULL; what the mounts' strings point into */
	struct text *texts;	/* or these */
	struct planned *mounts; /* those with a role, parents before children as in the table */
	size_t n_mounts;
	struct entry *entries; /* all mounts of the table */
	size_t n_entries;
	const char *options; /* for the fresh /proc, or NULL */
	uid_t user;	     /* the session's */
	bool replaced;	     /* a mount was replaced by a copy */
};

/** Tell whether it is the instance at /proc, without which there is no session. */
static inline bool is_main(const struct planned *planned)
{
	return strcmp(planned->mount.point, "/proc") == 0;
}

/** Tell whether a file system's server is a process of another user's than the session's. */
static inline bool is_foreign(const struct procfs_plan *plan, const struct entry *entry)
{
	return entry && entry->fuse && entry->server != 0 && entry->server != plan->user;
}

/**
 * A mount is gone, and all that was below it: forget the ids, which the kernel gives to others.
 *
 * Runs in the init.
 */
void plan_forget(struct procfs_plan *plan, int id);

/** Tell whether a mount holds another, directly or not. */
bool plan_is_above(const struct procfs_plan *plan, int id, const struct entry *below);

/** Find a mount by its id. @return NULL when it is not of the plan */
struct entry *plan_entry(const struct procfs_plan *plan, int id);

/** Undo mountinfo's escapes, in place. @return the text */
char *mountinfo_unescape(char *s);

#endif

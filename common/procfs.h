/* SPDX-License-Identifier: MIT */
/*
 * Which procfs instances the session's mount namespace holds, and their replacement by instances
 * of the session's own PID namespace.
 *
 * The application plans (it may allocate, and its /proc/self still resolves); the namespace's init
 * replaces (a procfs shows the PID namespace of whoever mounts it). The init is a fork of the
 * application, so it has the plan in its own copy of the memory.
 */
#ifndef PAM_UNSHARE_PROCFS_H
#define PAM_UNSHARE_PROCFS_H

#include "module/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* One line of /proc/self/mountinfo, proc_pid_mountinfo(5), or what statmount(2) says. The strings
   point into the line, or the answer. */
struct mount {
	int id, parent;
	const char *root;    /* what of the file system is mounted: "/", or a part of it */
	const char *point;   /* where, relative to the root of the process */
	const char *flags;   /* per-mount options */
	const char *type;    /* file system type */
	const char *options; /* per-superblock options */
};

/* What becomes of a mount when the procfs instances are replaced. */
enum procfs_role {
	PROCFS_NONE,	    /* nothing: no procfs, or a part of one that tells of no process */
	PROCFS_INSTANCE,    /* a whole instance: a fresh one takes its place */
	PROCFS_REMNANT,	    /* a bind mount of a part that tells of processes: goes */
	PROCFS_CARRIED,	    /* mounted directly below an instance: comes along to the fresh one */
	PROCFS_COVER,	    /* mounted on an instance's root, which nobody sees: stays as it is */
	PROCFS_WITH_PARENT, /* mounted below one of these: goes, stays, or comes along, with it */
};

struct procfs_plan;

/**
 * Take a line of mountinfo apart, in place, undoing the octal escapes of its paths.
 *
 * Runs in the application.
 *
 * @param line   one line without its newline; is written to
 * @param mount  filled in
 * @return 0, or -EINVAL when the line is not of the documented form
 */
int mountinfo_parse(char *line, struct mount *mount);

/**
 * Tell the role of a mount, as far as the mount alone decides it: not by what it is mounted on.
 *
 * @param mount  as filled in by mountinfo_parse()
 */
enum procfs_role procfs_role(const struct mount *mount);

/**
 * Tell whether a mount directly below a procfs instance is needed on the fresh one too. It is not
 * when it lies below a process's directory, which the fresh instance does not have, or is
 * binfmt_misc (an automount point on every systemd machine), which is no loss to a session.
 *
 * @param instance  mount point of the instance
 * @param point     mount point below it
 */
bool procfs_carries(const char *instance, const char *point);

/**
 * Plan the replacement from the mount table of the caller's mount namespace.
 *
 * Runs in the application, after unshare(2) has given it the session's mount namespace: mount ids
 * are those of the copies.
 *
 * @param mountinfo  descriptor of the caller's mountinfo; is read to its end, and again by
 *                   procfs_replace()
 * @param options    mount options for the fresh /proc ("hidepid=…,gid=…,subset=…"), or NULL for
 *                   those of the present one. Other instances keep their own. Must outlive the
 * plan.
 * @param plan       where to put the plan; release with procfs_plan_free()
 * @param why        filled in on failure
 * @return 0 or -errno: EINVAL (a line that is not understood), ENOENT (no procfs at /proc), ENOMEM,
 *         or what read(2) gave
 */
int procfs_plan(int mountinfo, const char *options, struct procfs_plan **plan, struct failure *why);

/**
 * The same without reading the mount table as text, which takes several times as long.
 *
 * @return 0 or -errno: ENOSYS (the kernel cannot be asked: read the table), ENOENT (no procfs at
 *         /proc)
 */
int procfs_plan_ask(const char *options, struct procfs_plan **plan, struct failure *why);

/**
 * Have the plan pass over what a user's own file server (FUSE) shows: where a procfs is mounted
 * below one it would have to answer before anybody could log in. It goes as a whole, from the
 * sessions of other users.
 *
 * @param user  the session's
 */
void procfs_plan_avoid_servers(struct procfs_plan *plan, uid_t user);

/** Tell whether the fresh /proc will hide other users' processes from root without CAP_SYS_PTRACE.
 */
bool procfs_plan_hides(const struct procfs_plan *plan);

/**
 * Tell whether a mount, by its id, is one of the namespace that the plan was made for and stays
 * where it is. One that is carried over does not: a copy of it comes to the fresh instance.
 */
bool procfs_plan_keeps(const struct procfs_plan *plan, unsigned long long mount_id);

/**
 * Carry the plan out: prepare the fresh instances, detach the old ones with all that is below
 * them, attach the fresh ones, and on them what was mounted below. procfs_replace.c says how it
 * finds them.
 *
 * Runs in the init, in the session's PID and mount namespaces, with CAP_SYS_ADMIN. Uses only
 * async-signal-safe calls. Moves the working directory.
 *
 * @param plan   is used up: it holds descriptors meanwhile
 * @param point  on failure, set to the mount point that it happened at (in the plan's memory)
 * @return 0; 1: a mount was replaced by a copy, of which the application's directories may be;
 *         or -errno: ESTALE (another mount covers /proc), EBUSY (one is left), or that of
 * openat2(2), statx(2), fsopen(2), fsconfig(2), fsmount(2), open_tree(2), umount2(2), move_mount(2)
 */
int procfs_replace(struct procfs_plan *plan, const char **point);

/** Release a plan; NULL is allowed. */
void procfs_plan_free(struct procfs_plan *plan);

#endif

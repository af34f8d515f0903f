/* SPDX-License-Identifier: MIT */
/*
 * The mount table, asked of the kernel by mount instead of read as text: statmount(2) and
 * listmount(2), Linux 6.8, with the mount options Linux 6.11. A line of mountinfo costs the kernel
 * several times as much as the answer to "what file system is that?", and the answer to almost all
 * is "no procfs".
 */
#ifndef PAM_UNSHARE_STATMOUNT_H
#define PAM_UNSHARE_STATMOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is known of every mount at little cost. */
struct mount_facts {
	int id, parent; /* as in mountinfo and in statx(2) */
	bool procfs, fuse, read_only;
};

/* The rest, as unescaped text. */
struct mount_text {
	const char *root, *options;
	const char *point; /* "": no path leads there from the caller's root directory */
};

/**
 * List the mounts that the caller's root directory reaches, in the order of mountinfo: parents
 * before children.
 *
 * @param ids  where to put the list, by the ids that only these system calls know; free(3) it
 * @param n    where to put their number
 * @return 0 or -errno: ENOMEM, or what listmount(2) gave, such as ENOSYS before Linux 6.8
 */
int mounts_list(uint64_t **ids, size_t *n);

/**
 * Ask about one mount.
 *
 * @return 0 or -errno: ENOENT when it is gone, or what statmount(2) gave
 */
int mount_ask(uint64_t id, struct mount_facts *facts);

/**
 * Ask for the text too.
 *
 * Runs in the application, and in the init until it is ready: it makes a system call and no more.
 *
 * @param buffer  aligned for a uint64_t; what text points into
 * @return 0 or -errno: ENOENT when it is gone, EOVERFLOW when the buffer is too small, ENOSYS when
 *         the kernel does not tell the options (before Linux 6.11)
 */
int mount_ask_text(uint64_t id, void *buffer, size_t size, struct mount_text *text);

/** The same for the options alone: a path may be long. */
int mount_ask_options(uint64_t id, void *buffer, size_t size, struct mount_text *text);

/**
 * Tell the id by which these system calls know the mount that a descriptor is on.
 *
 * @param id  filled in; 0 where the kernel has none (before Linux 6.8)
 * @return 0 or -errno of statx(2)
 */
int mount_unique(int fd, uint64_t *id);

/**
 * Tell such an id that is higher than that of any mount there is.
 *
 * Runs in the application, with CAP_SYS_ADMIN.
 *
 * @return 0 or -errno of open_tree(2)
 */
int mount_newest(uint64_t *id);

#endif

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
	bool procfs, read_only;
};

/* The rest, as unescaped text. */
struct mount_text {
	const char *root, *point, *options;
	_Alignas(uint64_t) char buffer[16384]; /* three times PATH_MAX and more */
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
 * @return 0 or -errno: ENOENT when it is gone or not reachable from the caller's root directory,
 *         ENOSYS when the kernel does not tell the options (before Linux 6.11), EOVERFLOW
 */
int mount_ask_text(uint64_t id, struct mount_text *text);

#endif

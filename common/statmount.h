/* SPDX-License-Identifier: MIT */
/*
 * The mount table through statmount(2) and listmount(2): Linux 6.8, with the super options Linux
 * 6.11. Writing a line of mountinfo takes the kernel several times as long as telling the file
 * system's type, and that is almost always another than procfs.
 */
#ifndef PAM_UNSHARE_STATMOUNT_H
#define PAM_UNSHARE_STATMOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What statmount(2) answers fast. */
struct mount_facts {
	int id, parent; /* as in mountinfo and in statx(2) */
	bool procfs, fuse, read_only;
};

/* The strings, unescaped. */
struct mount_text {
	const char *root, *super_options;
	const char *mount_point; /* "": no path leads there from the caller's root directory */
};

/**
 * List the mounts below the caller's root directory in the order of mountinfo: parents before
 * children.
 *
 * Runs in the application.
 *
 * @param ids  set to their unique ids, which only these system calls use; free(3) it
 * @param n    set to their number
 * @return 0 or -errno: ENOMEM, or that of listmount(2), such as ENOSYS before Linux 6.8
 */
int mounts_list(uint64_t **ids, size_t *n);

/**
 * Ask about one mount.
 *
 * Runs in the application, and in the init until it is ready.
 *
 * @return 0 or -errno: ENOENT when it has gone, or that of statmount(2)
 */
int mount_ask(uint64_t id, struct mount_facts *facts);

/**
 * Ask for the strings of a mount.
 *
 * Runs in the application, and in the init until it is ready: it makes only a system call.
 *
 * @param buffer  aligned for a uint64_t; text points into it
 * @param size    of the buffer, bytes
 * @return 0 or -errno: ENOENT when it has gone, EOVERFLOW when the buffer is too small, ENOSYS when
 *         the kernel does not report super options (before Linux 6.11)
 */
int mount_ask_text(uint64_t id, void *buffer, size_t size, struct mount_text *text);

/** The same for the super options alone: a path may be long. Runs in the application. */
int mount_ask_options(uint64_t id, void *buffer, size_t size, struct mount_text *text);

/**
 * Tell the unique id of the mount that a descriptor is on.
 *
 * Runs in the application, and in the init until it is ready.
 *
 * @param id  filled in; 0 when the kernel has none (before Linux 6.8)
 * @return 0 or -errno of statx(2)
 */
int mount_unique(int fd, uint64_t *id);

/**
 * Tell a unique id that is higher than that of every mount.
 *
 * Runs in the application, with CAP_SYS_ADMIN.
 *
 * @return 0 or -errno of open_tree(2)
 */
int mount_id_bound(uint64_t *id);

#endif

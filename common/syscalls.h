/* SPDX-License-Identifier: MIT */
/*
 * System calls for which the oldest supported C library (glibc 2.31) has no function, and what
 * application, init and command share about descriptors and files. Where that library has no SYS_
 * name for a call either, the code uses the kernel's __NR_ name.
 */
#ifndef PAM_UNSHARE_SYSCALLS_H
#define PAM_UNSHARE_SYSCALLS_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef __GLIBC__
#error "pam_unshare needs the GNU C library: the init keeps parts of it, which it finds by what glibc calls them"
#endif

/* open_tree(2); the headers of older glibc lack it. */
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* waitid(2). An enumerator of <sys/wait.h> since glibc 2.36. */
#if defined(__GLIBC_PREREQ)
#if !__GLIBC_PREREQ(2, 36)
#define P_PIDFD ((idtype_t)3)
#endif
#endif

/** pidfd_open(2). @return a close-on-exec pidfd, or -1 with errno. */
static inline int sys_pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0U);
}

/** pidfd_send_signal(2). @return 0, or -1 with errno (ESRCH: it has ended and is reaped). */
static inline int sys_pidfd_send_signal(int pidfd, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0U);
}

static inline void close_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

/* A descriptor that is closed when its scope is left. */
#define AUTO_CLOSE __attribute__((cleanup(close_fd)))

/* A large variable that -ftrivial-auto-var-init must not set to zero: it would call memset(3),
   which the init has unmapped. */
#ifndef __has_attribute
#define __has_attribute(attribute) 0
#endif
#if __has_attribute(uninitialized)
#define NOT_CLEARED __attribute__((uninitialized))
#else
#define NOT_CLEARED
#endif

/* The names in a directory, one by one. opendir(3) would allocate 32 kB. */
struct names {
	int fd;	    /* of the directory */
	long at, n; /* where in the buffer, which is filled so far */
	_Alignas(struct dirent64) char buffer[4096];
};

/**
 * Get the next name in a directory.
 *
 * @param names  with the descriptor, and 0 in at and n
 * @return the name, until the next call; or NULL with errno, which is 0 at the end
 */
static inline const char *next_name(struct names *names)
{
	const struct dirent64 *entry; /* the kernel's record, getdents64(2), is glibc's dirent64 */

	if (names->at == names->n) {
		errno = 0;
		names->at = 0;
		names->n = syscall(SYS_getdents64, names->fd, names->buffer, sizeof(names->buffer));
	}
	if (names->n <= 0) {
		names->n = 0;
		return NULL;
	}
	entry = (const void *)(names->buffer + names->at);
	names->at += entry->d_reclen;
	return entry->d_name;
}

/* Which file a path leads to. Equal ids are the same file through the same mount. */
struct file_id {
	unsigned long long mount, inode;
	unsigned int major, minor;
};

/**
 * Identify a file, without following a symbolic link at its end.
 *
 * @param dir   directory descriptor or AT_FDCWD
 * @param path  path below it; "" is the descriptor itself
 * @param id    filled in
 * @return 0, or -1 with errno; ENOSYS when the kernel does not report mount ids (before Linux 5.8)
 */
static inline int file_identify(int dir, const char *path, struct file_id *id)
{
	struct statx sx;

	/* a file server that does not answer must not hold up a login */
	if (statx(dir, path,
		    AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		    STATX_INO | STATX_MNT_ID, &sx) < 0)
		return -1;
	if (!(sx.stx_mask & STATX_MNT_ID)) {
		errno = ENOSYS;
		return -1;
	}
	*id = (struct file_id){sx.stx_mnt_id, sx.stx_ino, sx.stx_dev_major, sx.stx_dev_minor};
	return 0;
}

#endif

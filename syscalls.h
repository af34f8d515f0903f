/* SPDX-License-Identifier: MIT */
/*
 * System calls that the oldest supported C library (glibc 2.31) has no function for, and what
 * everything here shares about descriptors. Where that library has no SYS_ name for a call either,
 * the kernel's __NR_ name stands in the code.
 */
#ifndef PAM_UNSHARE_SYSCALLS_H
#define PAM_UNSHARE_SYSCALLS_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* waitid(2): wait by pidfd; missing in the headers of glibc before 2.36. */
#define WAIT_BY_PIDFD ((idtype_t)3)

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

/* Which object a path names: equal in all three is the same object through the same mount. */
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
 * @return 0, or -1 with errno; ENOSYS when the kernel does not tell mount ids (before Linux 5.8)
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

/* SPDX-License-Identifier: MIT */
#include "descriptors.h"

#include "common/syscalls.h"

#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>

/* How many numbers are tried before the descriptors are listed. */
#define NUMBERS_MAX 1024

int high_fd(int fd)
{
	int high;

	if (fd < 0 || fd >= FIRST_FD)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
	if (high < 0 && errno == EINVAL) /* FIRST_FD is above RLIMIT_NOFILE */
		errno = EMFILE;
	(void)close(fd);
	return high;
}

void close_high(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* Of a file that even root may not look at, on the caller's own FUSE: the kernel knows without
   asking for a permission. errno stays EACCES where it may be a directory. */
static bool is_no_directory(int fd)
{
	int dot = openat(fd, ".", O_PATH | O_CLOEXEC);
	const bool is_none = dot < 0 && errno == ENOTDIR;

	if (dot >= 0)
		(void)close(dot);
	errno = EACCES;
	return is_none;
}

/* Tell whether a descriptor shows the host: it is a directory, or on a procfs. Returns 1, 0, or -1
   with errno. */
static int shows_host(int fd)
{
	struct statx sx;
	struct statfs fs;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &sx) < 0) {
		if (errno != EACCES || !is_no_directory(fd))
			return -1;
	} else if (!S_ISREG(sx.stx_mode) && !S_ISLNK(sx.stx_mode)) {
		return S_ISDIR(sx.stx_mode);
	}
	return fstatfs(fd, &fs) < 0 ? -1 : fs.f_type == PROC_SUPER_MAGIC;
}

static int note_if_host(struct descriptors *found, int fd, int flags, struct failure *why)
{
	int shows = flags == FD_CLOEXEC ? 0 : shows_host(fd), *more;

	/* A security module may forbid the look: then the descriptor goes as well. Not 0 to 2: a
	   program would find other files in their place. */
	if (shows < 0 && fd <= STDERR_FILENO)
		return fail(why, errno, "examine the application's descriptor %d", fd);
	if (!shows)
		return 0;
	if (found->n == found->room) {
		more = reallocarray(found->fds, found->room + 64, sizeof(*more));
		if (!more)
			return fail(why, ENOMEM, "list the application's descriptors");
		found->fds = more;
		found->room += 64;
	}
	found->fds[found->n++] = fd;
	return 0;
}

/*
 * Since Linux 6.2 the size of the directory is the number of open descriptors (proc_fd_getattr()).
 * To try the numbers takes less time than to list the directory, for which the kernel makes an
 * inode of each. Returns 0 or -errno, or 1 if not all are among the first numbers.
 */
static int find_by_number(int proc_self, struct descriptors *found, struct failure *why)
{
	struct stat directory;
	off_t left;
	int err = 0;

	if (fstatat(proc_self, "fd", &directory, 0) < 0 || directory.st_size <= 0)
		return 1;
	left = directory.st_size;
	for (int fd = 0; err == 0 && left > 0 && fd < NUMBERS_MAX; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags < 0)
			continue;
		err = note_if_host(found, fd, flags, why);
		left--;
	}
	return err < 0 ? err : left > 0;
}

static int find_by_name(int proc_self, struct descriptors *found, struct failure *why)
{
	int fd AUTO_CLOSE = openat(proc_self, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	bool complete = false;
	struct names names NOT_CLEARED;
	const char *name;

	if (fd < 0)
		return fail(why, errno, "list the application's descriptors");
	names.fd = fd;
	names.at = names.n = 0;
	while (err == 0 && (name = next_name(&names))) {
		int open_fd = name[0] == '.' ? -1 : atoi(name);

		complete = complete || open_fd == fd;
		if (open_fd >= 0 && open_fd != fd)
			err = note_if_host(found, open_fd, fcntl(open_fd, F_GETFD), why);
	}
	if (err == 0 && (errno != 0 || !complete)) /* ENOENT: /proc hides the descriptors */
		err = fail(why, errno ? errno : ENOENT, "list the application's descriptors");
	return err;
}

int find_host_descriptors(int proc_self, struct descriptors *found, struct failure *why)
{
	int err = find_by_number(proc_self, found, why);

	if (err <= 0)
		return err;
	found->n = 0;
	return find_by_name(proc_self, found, why);
}

/* One that may not be looked at goes as well, but for 0 to 2. */
static int hide_if_host(int fd)
{
	const int flags = fcntl(fd, F_GETFD);
	int shows;

	if (flags < 0 || flags == FD_CLOEXEC)
		return flags < 0 ? -errno : 0;
	shows = shows_host(fd);
	if (shows < 0 && fd <= STDERR_FILENO)
		return -errno;
	return shows != 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
}

int hide_host_descriptors(void)
{
	int list AUTO_CLOSE = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	bool complete = false;
	struct names names NOT_CLEARED;
	const char *name;

	if (list < 0)
		return -errno;
	names.fd = list;
	names.at = names.n = 0;
	while (err == 0 && (name = next_name(&names))) {
		int fd = name[0] == '.' ? -1 : atoi(name);

		complete = complete || fd == list;
		if (fd >= 0 && fd != list)
			err = hide_if_host(fd);
	}
	if (err == 0 && (errno != 0 || !complete)) /* ENOENT: /proc hides the descriptors */
		err = errno ? -errno : -ENOENT;
	return err;
}

int close_on_exec(const struct descriptors *found, struct failure *why)
{
	for (size_t i = 0; i < found->n; i++)
		if (fcntl(found->fds[i], F_SETFD, FD_CLOEXEC) < 0)
			return fail(why, errno,
				"set close-on-exec on the application's descriptor %d",
				found->fds[i]);
	return 0;
}

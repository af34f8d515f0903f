/* SPDX-License-Identifier: MIT */
#include "file.h"

#include "common/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

char *file_read(const char *path)
{
	int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : malloc(FILE_SIZE_MAX + 1);
	ssize_t n = text ? read(fd, text, FILE_SIZE_MAX + 1) : -1;
	int err;

	if (n >= 0 && n <= FILE_SIZE_MAX) {
		text[n] = '\0';
		return text;
	}
	err = n > FILE_SIZE_MAX ? EFBIG : errno;
	free(text);
	errno = err;
	return NULL;
}

size_t file_read_start(int directory, const char *path, char *text, size_t size)
{
	int fd AUTO_CLOSE = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);

	if (n < 0)
		n = 0;
	text[n] = '\0';
	return (size_t)n;
}

/* The owner and mode that a new file gets. What is no regular file counts as not there. */
static bool new_attributes(const char *path, mode_t mode, struct stat *st)
{
	if (lstat(path, st) == 0 && S_ISREG(st->st_mode))
		return true;
	*st = (struct stat){.st_mode = mode, .st_uid = geteuid(), .st_gid = getegid()};
	if (mode == 0)
		errno = ENOENT;
	return mode != 0;
}

bool file_replace(const char *path, const char *new, const char *text, size_t n, mode_t mode)
{
	struct stat st;
	int fd AUTO_CLOSE = -1, err;

	if (!new_attributes(path, mode, &st))
		return false;
	(void)unlink(new);
	fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && write(fd, text, n) == (ssize_t)n && fchown(fd, st.st_uid, st.st_gid) == 0 &&
		fchmod(fd, st.st_mode & 07777) == 0 && fsync(fd) == 0 && rename(new, path) == 0)
		return true;
	err = errno;
	(void)unlink(new);
	errno = err;
	return false;
}

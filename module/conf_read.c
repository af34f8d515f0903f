/* SPDX-License-Identifier: MIT */
#include "common/syscalls.h"
#include "conf.h"

#include <stdlib.h>

/* What decides who is isolated must be root's. As sshd(8) looks at its users' files; group 0 is
   root's. An application without privilege, which cannot isolate anybody, may read its own. */
static bool is_safe(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return false;
	return !(st->st_mode & S_IWOTH) && (!(st->st_mode & S_IWGRP) || st->st_gid == 0);
}

static int examine(int fd, const char *path, struct failure *why)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail(why, errno, "examine the configuration file %s", path);
	if (!S_ISREG(st.st_mode))
		return fail(why, EINVAL, "the configuration file %s is no regular file", path);
	if (!is_safe(&st))
		return fail(why, EPERM, "others than root can write to the configuration file %s",
			path);
	return 0;
}

/* Read to the end, which the size of the file does not tell: it may be changed meanwhile. */
static int read_text(int fd, const char *path, char *text, size_t *size, struct failure *why)
{
	ssize_t n;

	*size = 0;
	while ((n = read(fd, text + *size, CONF_SIZE_MAX + 1 - *size)) > 0)
		*size += (size_t)n;
	if (n < 0)
		return fail(why, errno, "read the configuration file %s", path);
	if (*size > CONF_SIZE_MAX)
		return fail(why, EFBIG, "the configuration file %s is larger than %d bytes", path,
			CONF_SIZE_MAX);
	return 1;
}

static int read_open_file(int fd, const char *path, char **text, size_t *size, struct failure *why)
{
	int result = examine(fd, path, why);

	if (result < 0)
		return result;
	*text = malloc(CONF_SIZE_MAX + 1);
	if (!*text)
		return fail(why, ENOMEM, "allocate memory for the configuration file %s", path);
	result = read_text(fd, path, *text, size, why);
	if (result < 0) {
		free(*text);
		*text = NULL;
	}
	return result;
}

/* A symbolic link is followed: administrators keep files of /etc elsewhere. One that leads nowhere
   is a mistake, not a file that is not there. O_NONBLOCK: a fifo or a terminal must not hold up a
   login. */
int conf_read(const char *path, char **text, size_t *size, struct failure *why)
{
	int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 && errno == ENOENT && lstat(path, &st) < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return fail(why, errno, "open the configuration file %s", path);
	return read_open_file(fd, path, text, size, why);
}

/* SPDX-License-Identifier: MIT */
#include "files.h"

#include "common/syscalls.h"

#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1 << 20)

static char *read_whole(int fd, size_t *n)
{
	char *text = malloc(FILE_MAX);
	ssize_t got = -1;

	*n = 0;
	while (text && *n < FILE_MAX && (got = read(fd, text + *n, FILE_MAX - *n)) > 0)
		*n += (size_t)got;
	if (text && got == 0)
		return text;
	free(text);
	errno = got < 0 ? errno : EFBIG;
	return NULL;
}

char *read_at(int dir, const char *name, size_t *n)
{
	int fd AUTO_CLOSE = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? NULL : read_whole(fd, n);
}

bool names_directory(int dir, const char *name, const char *directory)
{
	size_t n = 0;
	char *text = read_at(dir, name, &n);
	bool found = text && memmem(text, n, directory, strlen(directory)) != NULL;

	free(text);
	return found;
}

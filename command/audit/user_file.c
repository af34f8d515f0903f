/* SPDX-License-Identifier: MIT */
#include "user_file.h"

#include "common/syscalls.h"

#include <stdlib.h>
#include <string.h>

#define USER_FILE_MAX (1 << 20)

static char *read_whole(int fd, size_t *n)
{
	char *text = malloc(USER_FILE_MAX);
	ssize_t got = -1;

	*n = 0;
	while (text && *n < USER_FILE_MAX && (got = read(fd, text + *n, USER_FILE_MAX - *n)) > 0)
		*n += (size_t)got;
	if (text && got == 0)
		return text;
	free(text);
	errno = got < 0 ? errno : EFBIG;
	return NULL;
}

char *user_file_read(int dir, const char *name, size_t *n)
{
	int fd AUTO_CLOSE = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? NULL : read_whole(fd, n);
}

bool user_file_contains(int dir, const char *name, const char *string)
{
	size_t n = 0;
	char *text = user_file_read(dir, name, &n);
	bool found = text && memmem(text, n, string, strlen(string)) != NULL;

	free(text);
	return found;
}

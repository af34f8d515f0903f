/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into slurmd and slurmstepd in a container: /proc/PID/cgroup has one line, that of cgroup v2. The kernel's
 * other hierarchies are listed there although the container has none of them, and Slurm takes that for a hybrid machine.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int is_cgroup(const char *path)
{
	const size_t n = path ? strlen(path) : 0;

	return n > 13 && strncmp(path, "/proc/", 6) == 0 && strcmp(path + n - 7, "/cgroup") == 0;
}

static int only_unified(int fd)
{
	char text[16384];
	ssize_t n = read(fd, text, sizeof(text) - 1);
	int memory = memfd_create("cgroup", MFD_CLOEXEC);

	text[n > 0 ? n : 0] = '\0';
	for (char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (strncmp(line, "0::", 3) == 0)
			(void)!write(memory, line, strcspn(line, "\n") + 1);
	(void)lseek(memory, 0, SEEK_SET);
	(void)close(fd);
	return memory;
}

static int open_path(const char *name, const char *path, int flags, mode_t mode)
{
	int (*next)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name);
	int fd = next(path, flags, mode);

	return fd >= 0 && is_cgroup(path) ? only_unified(fd) : fd;
}

#define OPEN(name) \
	int name(const char *path, int flags, ...) \
	{ \
		va_list args; \
		mode_t mode; \
		va_start(args, flags); \
		mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0; \
		va_end(args); \
		return open_path(#name, path, flags, mode); \
	}

OPEN(open)
OPEN(open64)

#define FOPEN(name) \
	FILE *name(const char *path, const char *mode) \
	{ \
		FILE *(*next)(const char *, const char *) = (FILE *(*)(const char *, const char *))dlsym(RTLD_NEXT, #name); \
		FILE *file = next(path, mode); \
		if (!file || !is_cgroup(path)) \
			return file; \
		int fd = only_unified(dup(fileno(file))); \
		(void)fclose(file); \
		return fdopen(fd, "r"); \
	}

FOPEN(fopen)
FOPEN(fopen64)

/* SPDX-License-Identifier: MIT */
#include "inits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Read a file of a process. Returns whether there is one. */
static bool read_file(int proc, const char *pid, const char *name, char *text, size_t size)
{
	char path[300];
	ssize_t n = -1;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", pid, name);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, size - 1);
		(void)close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

bool is_init(int proc, const char *pid)
{
	char name[32];

	return pid[0] >= '0' && pid[0] <= '9' && read_file(proc, pid, "comm", name, sizeof(name)) &&
	       strcmp(name, "pam_unshare\n") == 0;
}

/* Add what one of them has used. Its state is the first field after its name, its page faults are
   the eighth (proc_pid_stat(5)). */
static void add(int proc, const char *pid, bool settle, struct usage *sum)
{
	char text[1024];
	const char *field;

	do {
		if (!read_file(proc, pid, "stat", text, sizeof(text)))
			return;
		field = strrchr(text, ')') + 2;
	} while (settle && *field != 'S' && *field != 'Z' && usleep(100) == 0);
	for (int i = 0; i < 7; i++)
		field = strchr(field, ' ') + 1;
	sum->faults += strtol(field, NULL, 10);
	/* nanoseconds on a processor */
	if (read_file(proc, pid, "schedstat", text, sizeof(text)))
		sum->cpu += strtod(text, NULL) / 1e3;
}

struct usage usage_of_inits(int proc, pid_t floor, bool settle)
{
	struct usage sum = {0, 0};
	const struct dirent *e;
	char pid[16];
	int copy = (int)must("open /proc", openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	DIR *all = fdopendir(copy);

	if (!all)
		die("list /proc");
	while ((e = readdir(all)))
		if (is_init(proc, e->d_name))
			add(proc, e->d_name, settle, &sum);
	(void)closedir(all);
	(void)snprintf(pid, sizeof(pid), "%d", (int)floor);
	if (floor > 0)
		add(proc, pid, settle, &sum);
	return sum;
}

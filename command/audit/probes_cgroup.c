/* SPDX-License-Identifier: MIT */
/*
 * The probe of the cgroup file system: cgroup.procs lists pids, cgroups(7).
 */
#include "probes.h"

#include "common/syscalls.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cgroups {
	unsigned int files;
	unsigned int decoys; /* lines with the pid of one */
	unsigned int zeroes; /* lines with 0: a process outside of this PID namespace */
	bool own;	     /* a line has the pid of this process */
};

static void read_cgroup(
	const struct audit_context *context, int dir, const char *name, struct cgroups *all)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char line[64];

	if (!file) {
		close_fd(&fd);
		return;
	}
	all->files++;
	while (fgets(line, sizeof(line), file)) {
		long pid = strtol(line, NULL, 10);

		all->own |= pid == getpid();
		all->zeroes += pid == 0;
		all->decoys += context_decoy(context, pid) != NULL;
	}
	(void)fclose(file);
}

/* NOLINTNEXTLINE(misc-no-recursion): to a depth of 12 */
static void walk_cgroups(
	const struct audit_context *context, int dir, int depth, struct cgroups *all)
{
	DIR *list = fdopendir(dir);
	const struct dirent *entry;

	if (!list) {
		close_fd(&dir);
		return;
	}
	read_cgroup(context, dirfd(list), "cgroup.procs", all);
	while (depth < 12 && (entry = readdir(list))) {
		int next;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		next = openat(dirfd(list), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (next >= 0)
			walk_cgroups(context, next, depth + 1, all);
	}
	(void)closedir(list);
}

void probe_cgroup(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	struct cgroups all = {0};
	int dir = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)probe;
	if (dir >= 0)
		walk_cgroups(context, dir, 0, &all);
	if (all.decoys > 0)
		result_set(result, OPEN,
			"%u lines of %u cgroup.procs files have the pid of a decoy", all.decoys,
			all.files);
	else if (!all.own)
		result_set(result, NOT_TESTED,
			"none of %u cgroup.procs files lists the probe's own process", all.files);
	else
		result_set(result, CLOSED,
			"%u cgroup.procs files list no decoy; %u processes outside of the session have pid 0",
			all.files, all.zeroes);
}

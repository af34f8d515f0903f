/* SPDX-License-Identifier: MIT */
/* A plan from the mount table as text. */
#include "common/syscalls.h"
#include "procfs_plan_internal.h"
#include "procfs_plan_make.h"

#include <stdlib.h>

/* A read(2) of mountinfo mostly gives a page at most. */
#define READ_SIZE 4096

/* Read to the end. Returns the text with a NUL at its end; or NULL, and the errno in *err. */
static char *read_all(int fd, int *err)
{
	size_t used = 0, size = 32768;
	char *buf = malloc(size), *bigger;
	ssize_t n;

	while (buf) {
		n = read(fd, buf + used, size - used - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			*err = errno; /* first: free(3) may change it before glibc 2.33 */
			free(buf);
			return NULL;
		}
		used += (size_t)n;
		buf[used] = '\0';
		if (n == 0)
			return buf;
		if (size - used > READ_SIZE)
			continue;
		size *= 2;
		bigger = realloc(buf, size);
		if (!bigger)
			free(buf);
		buf = bigger;
	}
	*err = ENOMEM;
	return NULL;
}

static int parse_table(struct procfs_plan *plan, struct failure *why)
{
	size_t lines = 0;
	char *rest = plan->table, *line;
	struct mount mount;

	for (const char *s = plan->table; (s = strchr(s, '\n')); s++)
		lines++;
	if (plan_allocate(plan, lines + 1) < 0)
		return fail(why, ENOMEM, "read the mount table");
	while (rest && *rest) {
		line = strsep(&rest, "\n");
		if (mountinfo_parse(line, &mount) < 0)
			return fail(why, EINVAL, "line %zu of mountinfo is not understood",
				plan->n_entries + 1);
		plan->entries[plan->n_entries++] = (struct mount_entry){.id = mount.id,
			.parent = mount.parent,
			.fuse = strncmp(mount.fs_type, "fuse", 4) == 0,
			.mount_point = mount.mount_point,
			.super_options = mount.super_options};
		plan_add(plan, &mount, 0);
	}
	return plan_check(plan, why);
}

int procfs_plan_from_mountinfo(
	int mountinfo, const char *proc_options, struct procfs_plan **plan, struct failure *why)
{
	struct procfs_plan *new = calloc(1, sizeof(*new));
	int err;

	if (!new)
		return fail(why, ENOMEM, "read the mount table");
	new->mountinfo = mountinfo;
	new->proc_options = proc_options;
	new->table = read_all(mountinfo, &err);
	err = new->table ? parse_table(new, why) : fail(why, err, "read the mount table");
	if (err < 0)
		procfs_plan_free(new);
	else
		*plan = new;
	return err;
}

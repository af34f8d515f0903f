/* SPDX-License-Identifier: MIT */
/* A mount table: each line by itself, and the plan that is made of the whole. */
#include "fuzz.h"
#include "module/procfs_plan_make.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static bool within(const char *s, const char *line, size_t size)
{
	return s >= line && s + strlen(s) <= line + size;
}

static void check_line(char *line)
{
	size_t size = strlen(line);
	struct mount mount;
	enum procfs_role role;

	if (mountinfo_parse(line, &mount) < 0)
		return;
	DEMAND(mount.id >= 0 && mount.parent >= 0 && mount.mount_point[0] == '/');
	DEMAND(within(mount.root, line, size) && within(mount.mount_point, line, size));
	DEMAND(within(mount.mount_options, line, size) && within(mount.fs_type, line, size));
	DEMAND(within(mount.super_options, line, size));
	role = procfs_role(&mount);
	DEMAND(role == PROCFS_NONE || strcmp(mount.fs_type, "proc") == 0);
	(void)procfs_carries("/proc", mount.mount_point);
	DEMAND_OF_CONTROL(role != PROCFS_INSTANCE || !strchr(mount.mount_point, ' '));
}

static int file_of(const uint8_t *data, size_t size)
{
	int fd = memfd_create("mountinfo", MFD_CLOEXEC);

	DEMAND(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = as_string(data, size), *rest = text, *line;
	struct procfs_plan *plan = NULL;
	struct failure why = {0};
	int fd = file_of(data, size), err = procfs_plan_from_mountinfo(fd, NULL, &plan, &why);

	DEMAND((err == 0) == (plan != NULL) && (err < 0) == (why.err != 0));
	if (plan)
		for (unsigned long long id = 0; id < 64; id++)
			(void)procfs_plan_keeps(plan, id);
	procfs_plan_free(plan);
	(void)close(fd);
	while ((line = strsep(&rest, "\n")))
		check_line(line);
	free(text);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "hidden_cgroups.h"

#include "common/mount_api.h"
#include "common/privacy.h"
#include "init_calls.h"
#include "mount_ops.h"

#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/vfs.h>

/* The group that has the empty ones, by uid. */
#define EMPTY_GROUPS "pam_unshare"

static int open_group(int dir, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};

	return (int)syscall(__NR_openat2, dir, path, &how, sizeof(how));
}

static int open_cgroups(void)
{
	int fd = open_group(AT_FDCWD, CGROUPS);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return -1;
	if (fs.f_type == CGROUP2_SUPER_MAGIC)
		return fd;
	errno = ENOTSUP;
	return -1;
}

/* Make each group of a path that is not there. Returns the last one. */
static int make_groups(int dir, const char *path)
{
	char name[64];
	size_t n;

	for (; *path; path += n + (path[n] == '/')) {
		n = strcspn(path, "/");
		if (n >= sizeof(name)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name, path, n);
		name[n] = '\0';
		if (syscall(SYS_mkdirat, dir, name, 0755) < 0 && errno != EEXIST)
			return -1;
		dir = open_group(dir, name);
		if (dir < 0)
			return -1;
	}
	return dir;
}

static int clone_mount(int dir, const char *path)
{
	return (int)syscall(SYS_open_tree, dir, path,
		OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW |
			(*path ? 0U : AT_EMPTY_PATH));
}

int hide_cgroups(const struct privacy_task *privacy)
{
	int top = open_cgroups(), empty, cover, slice, below;

	slice = top < 0 ? -1 : clone_mount(top, privacy->slice);
	if (top < 0 || (slice < 0 && errno != ENOENT))
		return -1;
	empty = make_groups(top, EMPTY_GROUPS);
	empty = empty < 0 ? -1 : make_groups(empty, privacy->user);
	if (empty < 0 || make_groups(empty, privacy->slice) < 0)
		return -1;
	cover = clone_mount(empty, "");
	if (cover < 0 || mount_move(cover, top, "") < 0)
		return -1;
	if (slice < 0)
		return 0;
	below = open_group(
		cover, privacy->slice); /* attached: before, nothing can be mounted there */
	return below < 0 ? -1 : mount_move(slice, below, "");
}

/* SPDX-License-Identifier: MIT */
#include "cgroup_branch.h"

#include "common/mount_api.h"
#include "common/privacy.h"

#include <stdio.h>

int cgroup_branch_take(uid_t user, struct cgroup_branch *branch, struct failure *why)
{
	(void)snprintf(branch->path, sizeof(branch->path), CGROUPS "/" CGROUP_SLICE_FORMAT,
		(unsigned long)user);
	branch->tree = (int)syscall(SYS_open_tree, AT_FDCWD, branch->path,
		OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (branch->tree < 0)
		return errno == ENOENT ? 0 : fail(why, errno, "open the user's control groups");
	if (file_identify(branch->tree, "", &branch->id) < 0)
		return fail(why, errno, "identify the user's control groups");
	return 0;
}

/* The new one in the place of what was there: beneath it first, from Linux 6.5 on, so that open
   sessions keep what they have if that fails. On a group that is gone nothing can be mounted:
   before, what was there goes first. Returns 0 or -1 with errno. */
static int exchange(int tree, const char *path)
{
	const unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH;
	const int beneath =
		(int)syscall(SYS_move_mount, tree, "", AT_FDCWD, path, flags | MOVE_MOUNT_BENEATH);

	/* EINVAL: an older kernel, or nothing was there */
	if (beneath < 0 && errno != EINVAL)
		return -1;
	if (syscall(SYS_umount2, path, MNT_DETACH) < 0 && (beneath == 0 || errno != EINVAL))
		return -1;
	if (beneath == 0)
		return 0;
	return (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, path, flags);
}

int cgroup_branch_put(const struct cgroup_branch *branch, struct failure *why)
{
	struct file_id there;

	if (branch->tree < 0)
		return 0;
	if (file_identify(AT_FDCWD, branch->path, &there) < 0)
		return fail(why, errno, "identify the user's control groups");
	if (there.inode == branch->id.inode && there.major == branch->id.major &&
		there.minor == branch->id.minor)
		return 0;
	if (exchange(branch->tree, branch->path) < 0)
		return fail(why, errno, "mount the user's control groups");
	/* private: what root mounts there in the session must not come to the host, of whose mount
	   this is a copy */
	if (syscall(SYS_mount, NULL, branch->path, NULL, (unsigned long)MS_PRIVATE, NULL) == 0)
		return 0;
	fail(why, errno, "mount the user's control groups");
	(void)syscall(SYS_umount2, branch->path, MNT_DETACH);
	return -why->err;
}

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
	/* on a group that is gone nothing can be mounted; where none was, there is nothing to
	 * unmount */
	if (syscall(SYS_umount2, branch->path, MNT_DETACH) < 0 && errno != EINVAL)
		return fail(why, errno, "unmount the user's control groups of before");
	/* private: what root mounts there in the session must not come to the host, of whose mount
	   this is a copy */
	if (syscall(SYS_move_mount, branch->tree, "", AT_FDCWD, branch->path,
		    MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
		syscall(SYS_mount, NULL, branch->path, NULL, (unsigned long)MS_PRIVATE, NULL) < 0)
		return fail(why, errno, "mount the user's control groups");
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "mount_ops.h"

#include "common/mount_api.h"
#include "common/syscalls.h"

#include <string.h>

int mount_id_of(int fd)
{
	struct statx sx;

	/* nothing is asked of the file itself: another user's file server (FUSE) would refuse */
	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, 0, &sx) < 0)
		return -1;
	if (!(sx.stx_mask & STATX_MNT_ID)) {
		errno = ENOSYS;
		return -1;
	}
	return (int)sx.stx_mnt_id;
}

int mount_move(int mount, int dir, const char *name)
{
	return (int)syscall(SYS_move_mount, mount, "", dir, name,
		MOVE_MOUNT_F_EMPTY_PATH | (*name ? 0U : MOVE_MOUNT_T_EMPTY_PATH));
}

/* A descriptor as a path below /proc. */
static void put_link(char link[32], int fd)
{
	char *end = stpcpy(link, "self/fd/");
	unsigned int digits = 1;

	for (int rest = fd; rest >= 10; rest /= 10)
		digits++;
	for (unsigned int i = digits; i-- > 0; fd /= 10)
		end[i] = (char)('0' + fd % 10);
	end[digits] = '\0';
}

/*
 * umount2(2) takes no descriptor, but procfs has a link of each. If something is mounted on that
 * root, the call detaches it before the mount itself (LOOKUP_MOUNTPOINT). So it is repeated until
 * the mount is not in this namespace any more (EINVAL). Private first: then no mount that a user
 * still makes there comes after.
 */
int mount_detach(int proc, int fd)
{
	char link[32];

	put_link(link, fd);
	if (fchdir(proc) < 0)
		return -errno;
	(void)syscall(SYS_mount, NULL, link, NULL, (unsigned long)MS_PRIVATE, NULL);
	if (syscall(SYS_umount2, link, MNT_DETACH) < 0)
		return -errno;
	while (syscall(SYS_umount2, link, MNT_DETACH) == 0)
		;
	return errno == EINVAL ? 0 : -errno;
}

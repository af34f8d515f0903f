/* SPDX-License-Identifier: MIT */
#include "private_places.h"

#include "common/mount_api.h"
#include "common/privacy.h"
#include "init_calls.h"
#include "members.h"
#include "mount_ops.h"

#include <linux/openat2.h>
#include <string.h>

#ifndef UMOUNT_NOFOLLOW
#define UMOUNT_NOFOLLOW 8 /* umount2(2) */
#endif
#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE (1 << 1)
#endif

/* In each place, root's alone: the users' directories. */
#define INSTANCES ".pam_unshare"

/* What of the mode counts; and the mode of a user's directory, which is that of /tmp. */
#define PERMISSIONS (S_ISVTX | S_IRWXU | S_IRWXG | S_IRWXO)

/* Resolve further than openat(2): no symbolic link anywhere in the path. */
static int open_directory(int dir, const char *path, uint64_t resolve)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = resolve | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};

	return (int)syscall(__NR_openat2, dir, path, &how, sizeof(how));
}

/* Returns the permissions of a directory of root's; -1 with errno EPERM when it is another's. */
static int roots_permissions(int fd)
{
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_UID | STATX_MODE, &sx) < 0)
		return -1;
	if (sx.stx_uid == 0)
		return sx.stx_mode & PERMISSIONS;
	errno = EPERM;
	return -1;
}

/* ---- where the users' directories are ----------------------------------------------------------
 */

/* A name that nobody has guessed and taken. */
static int new_name(char name[sizeof(INSTANCES) + 17])
{
	uint64_t number = new_nonce();

	if (number == 0) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(name, INSTANCES ".", sizeof(INSTANCES));
	for (size_t i = sizeof(INSTANCES); i < sizeof(INSTANCES) + 16; i++, number >>= 4)
		name[i] = "0123456789abcdef"[number & 15];
	name[sizeof(INSTANCES) + 16] = '\0';
	return 0;
}

/* Make a directory, whatever the umask says. It is in one where nobody else can take it away. */
static int make_directory(int dir, const char *name, mode_t mode)
{
	int fd, err, permissions;

	if (syscall(SYS_mkdirat, dir, name, mode) < 0 && errno != EEXIST)
		return -1;
	fd = open_directory(dir, name, RESOLVE_NO_XDEV);
	if (fd < 0)
		return -1;
	permissions = roots_permissions(fd);
	if (permissions < 0 ||
		((mode_t)permissions != mode && syscall(SYS_fchmodat, dir, name, mode) < 0)) {
		err = errno;
		sys_close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

/*
 * Somebody has taken the name before root did: a file, a directory, a link, a file server. What is
 * there gets another name in exchange, and nobody can exchange it again: the place is sticky. If
 * another session has been faster, what is taken out is root's, and is put back.
 */
static int take_name(int top)
{
	char name[sizeof(INSTANCES) + 17] = "";
	int fd, theirs;

	if (syscall(SYS_fchdir, top) < 0)
		return -1;
	/* in this mount namespace alone, where it would be busy */
	(void)syscall(SYS_umount2, INSTANCES, MNT_DETACH | UMOUNT_NOFOLLOW);
	if (new_name(name) < 0)
		return -1;
	fd = make_directory(top, name, S_IRWXU);
	if (fd < 0)
		return -1;
	sys_close(fd);
	if (syscall(SYS_renameat2, top, name, top, INSTANCES, RENAME_EXCHANGE) < 0)
		return -1;
	theirs = open_directory(top, name, RESOLVE_NO_XDEV);
	if (theirs >= 0 && roots_permissions(theirs) >= 0) {
		(void)syscall(SYS_renameat2, top, name, top, INSTANCES, RENAME_EXCHANGE);
		(void)syscall(SYS_unlinkat, top, name, AT_REMOVEDIR);
	}
	if (theirs >= 0)
		sys_close(theirs);
	return 0;
}

static bool is_taken(int err)
{
	return err == EPERM || err == ELOOP || err == ENOTDIR || err == EXDEV;
}

static int open_instances(int top)
{
	int fd = make_directory(top, INSTANCES, S_IRWXU);

	if (fd >= 0 || !is_taken(errno) || take_name(top) < 0)
		return fd;
	return make_directory(top, INSTANCES, S_IRWXU);
}

/* ---- the places --------------------------------------------------------------------------------
 */

/* A place that all users share. */
static int open_place(const char *place)
{
	int fd = open_directory(AT_FDCWD, place, 0), permissions;

	permissions = fd < 0 ? -1 : roots_permissions(fd);
	if (permissions < 0)
		return -1;
	if (!(permissions & (S_IWGRP | S_IWOTH)) || (permissions & S_ISVTX))
		return fd;
	errno = EPERM;
	return -1;
}

/* The user's directory, as a mount that is not attached yet. */
static int open_own(int top, const char *user)
{
	const unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW;
	int instances = open_instances(top), own;

	own = instances < 0 ? -1 : make_directory(instances, user, PERMISSIONS);
	if (own < 0)
		return -1;
	return (int)syscall(SYS_open_tree, instances, user, flags);
}

/* The message queues of the IPC namespace, as a mount that is not attached yet. */
static int open_queues(void)
{
	int fs = (int)syscall(SYS_fsopen, "mqueue", FSOPEN_CLOEXEC);

	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC,
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

/* The init closes all its descriptors before it is ready, and a helper ends. */
static int cover(const char *place, const char *user)
{
	int top = open_place(place), own;

	if (top < 0)
		return -1;
	own = user ? open_own(top, user) : open_queues();
	return own < 0 ? -1 : mount_move(own, top, "");
}

int cover_private_places(const struct privacy_task *privacy, const char **place)
{
	static const struct {
		unsigned int word;
		const char *place;
	} places[] = {{PRIVATE_TMP, "/tmp"}, {PRIVATE_TMP, "/var/tmp"}, {PRIVATE_SHM, "/dev/shm"},
		{PRIVATE_MQUEUE, "/dev/mqueue"}};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		*place = places[i].place;
		if ((privacy->wanted & places[i].word) &&
			cover(*place, places[i].word == PRIVATE_MQUEUE ? NULL : privacy->user) < 0)
			return -1;
	}
	return 0;
}

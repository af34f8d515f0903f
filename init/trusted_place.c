/* SPDX-License-Identifier: MIT */
#include "trusted_place.h"

#include "common/syscalls.h"
#include "mount_ops.h"

#include <linux/openat2.h>

#define NOBODY ((uid_t)-1)

struct owner {
	uid_t uid;
	mode_t mode;
};

static int ask_owner(int fd, struct owner *owner)
{
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
		    STATX_UID | STATX_MODE | STATX_TYPE, &sx) < 0)
		return -errno;
	owner->uid = sx.stx_uid;
	owner->mode = sx.stx_mode;
	return 0;
}

/* Tell whether only root and the user can rename or replace what is in a directory. In a sticky one
   that depends on the file too. */
static bool is_trusted_dir(const struct owner *dir, uid_t user)
{
	return (dir->uid == 0 || dir->uid == user) &&
	       (!(dir->mode & (S_IWGRP | S_IWOTH)) || (dir->mode & S_ISVTX));
}

static bool is_trusted_in(const struct owner *dir, const struct owner *file, uid_t user)
{
	return !(dir->mode & (S_IWGRP | S_IWOTH)) || file->uid == 0 || file->uid == user;
}

/* Open the first name of a path in a directory if that is trusted. Advances the path. */
static int open_next(
	int dir, const char **path, uint64_t resolve, char name[NAME_MAX + 1], uid_t user)
{
	struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = resolve | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	const size_t length = strcspn(*path, "/");
	struct owner above = {.uid = NOBODY}, owner = {.uid = NOBODY};
	int fd, err;

	if (length == 0 || length > NAME_MAX)
		return -ENXIO;
	memcpy(name, *path, length);
	name[length] = '\0';
	*path += length + ((*path)[length] == '/');
	err = ask_owner(dir, &above);
	if (err < 0 ||
		!is_trusted_dir(&above, user)) /* first: a user's file server need not answer */
		return err < 0 ? err : -ENXIO;
	fd = (int)syscall(__NR_openat2, dir, name, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	err = ask_owner(fd, &owner);
	if (err == 0 && is_trusted_in(&above, &owner, user))
		return fd;
	(void)close(fd);
	return err < 0 ? err : -ENXIO;
}

void trusted_place_close(const struct trusted_place *place)
{
	if (place->dir >= 0)
		(void)close(place->dir);
	if (place->fd >= 0)
		(void)close(place->fd);
}

int trusted_place_open(const struct procfs_plan *plan, int from, const char *path,
	const struct mount_entry *to, uid_t user, struct trusted_place *place)
{
	int fd, mount;

	place->name[0] = '\0';
	place->dir = -1;
	place->fd = fcntl(from, F_DUPFD_CLOEXEC, 0);
	if (place->fd < 0)
		return -errno;
	while (*path) {
		fd = open_next(place->fd, &path, to ? 0 : RESOLVE_NO_XDEV, place->name, user);
		mount = to && fd >= 0 ? mount_id_of(fd) : NO_ID;
		if (to && fd >= 0 && mount != to->id && !plan_is_above(plan, mount, to)) {
			(void)close(fd);
			fd = -ENXIO;
		}
		if (fd < 0) {
			trusted_place_close(place);
			return fd;
		}
		if (place->dir >= 0)
			(void)close(place->dir);
		place->dir = place->fd;
		place->fd = fd;
	}
	return 0;
}

int open_trusted(int root, const char *path, uid_t user)
{
	char name[NAME_MAX + 1];
	int next, fd = fcntl(root, F_DUPFD_CLOEXEC, 0);

	while (fd >= 0 && *path) {
		next = open_next(fd, &path, 0, name, user);
		(void)close(fd);
		fd = next;
	}
	return fd;
}

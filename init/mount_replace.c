/* SPDX-License-Identifier: MIT */
#include "mount_replace.h"

#include <linux/mount.h> /* not with <sys/mount.h>: before glibc 2.36 the two exclude each other */
#include <linux/openat2.h>

#define DETACH 2 /* MNT_DETACH of umount2(2), from <sys/mount.h> */

/* ---- trusted places ---------------------------------------------------------------------------
 */

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

/* Tell whether nobody but root and the user can rename what is in a directory, or replace it; in a
   sticky one that depends on the file. */
static bool is_trusted_dir(const struct owner *dir, uid_t user)
{
	return (dir->uid == 0 || dir->uid == user) &&
	       (!(dir->mode & (S_IWGRP | S_IWOTH)) || (dir->mode & S_ISVTX));
}

static bool is_trusted_in(const struct owner *dir, const struct owner *file, uid_t user)
{
	return !(dir->mode & (S_IWGRP | S_IWOTH)) || file->uid == 0 || file->uid == user;
}

/* Not to be taken for "is not trusted". */
static bool is_shortage(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM;
}

/* Open the first name of a path in a directory, if that is trusted. The path is advanced. */
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
	if (err < 0 || !is_trusted_dir(&above, user)) /* first: a user's server need not answer */
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

/* A place by a path, and the directory that it is in. */
struct spot {
	int dir, fd;
	char name[NAME_MAX + 1];
};

static void close_spot(const struct spot *spot)
{
	if (spot->dir >= 0)
		(void)close(spot->dir);
	if (spot->fd >= 0)
		(void)close(spot->fd);
}

/* Open a place by a trusted path below a directory: within its mount, or to a mount, and then
   through none but those that hold that. */
static int open_spot(const struct procfs_plan *plan, int from, const char *path,
	const struct entry *to, uid_t user, struct spot *spot)
{
	int fd, mount;

	spot->name[0] = '\0';
	spot->dir = -1;
	spot->fd = fcntl(from, F_DUPFD_CLOEXEC, 0);
	if (spot->fd < 0)
		return -errno;
	while (*path) {
		fd = open_next(spot->fd, &path, to ? 0 : RESOLVE_NO_XDEV, spot->name, user);
		mount = to && fd >= 0 ? walker_mount_of(fd) : NO_ID;
		if (to && fd >= 0 && mount != to->id && !plan_is_above(plan, mount, to)) {
			(void)close(fd);
			fd = -ENXIO;
		}
		if (fd < 0) {
			close_spot(spot);
			return fd;
		}
		if (spot->dir >= 0)
			(void)close(spot->dir);
		spot->dir = spot->fd;
		spot->fd = fd;
	}
	return 0;
}

/* ---- the copy ---------------------------------------------------------------------------------
 */

/* Tell whether it is one of those that must not stay. /proc comes along until its own turn:
   something may be mounted on it. */
static bool must_go(const struct procfs_plan *plan, int id)
{
	for (size_t i = 0; i < plan->n_mounts; i++)
		if (plan->mounts[i].mount.id == id)
			return plan->mounts[i].role == PROCFS_REMNANT ||
			       (plan->mounts[i].role == PROCFS_INSTANCE &&
				       !is_main(&plan->mounts[i]));
	return false;
}

/* The path of what is mounted on a mount, from the root of that; NULL when it is not there. */
static const char *below(const char *path, const char *holder)
{
	const size_t n = strcmp(holder, "/") == 0 ? 0 : strlen(holder);

	return strncmp(path, holder, n) == 0 && path[n] == '/' && path[n + 1] ? path + n + 1 : NULL;
}

/* Open a mount in its place, which is a trusted one, or what is mounted on it; -1 with errno. */
static int open_mounted(
	const struct walker *walker, int from, const char *path, const struct entry *child)
{
	struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	const char *slash = strrchr(path, '/');
	char above[PATH_MAX] = ".";
	int dir AUTO_CLOSE = -1, fd, mount;

	if (slash) {
		memcpy(above, path, (size_t)(slash - path));
		above[slash - path] = '\0';
	}
	dir = (int)syscall(__NR_openat2, from, above, &how, sizeof(how));
	fd = dir < 0 ? -1 : openat(dir, slash ? slash + 1 : path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	mount = walker_mount_of(fd);
	if (mount == child->id ||
		(plan_is_above(walker->plan, child->id, plan_entry(walker->plan, mount)) &&
			!must_go(walker->plan, mount)))
		return fd;
	(void)close(fd);
	errno = ESTALE;
	return -1;
}

/* Where a mount is. What a table of text has told of a trusted place stays true. */
static int path_of(struct walker *walker, const struct entry *entry, const char **path)
{
	if (entry->unique != 0)
		return walker_ask_path(walker, entry, path);
	*path = entry->point;
	return 0;
}

/* Move a mount to the same place in the copy. Returns an error only for a shortage: what is in no
   trusted place stays behind. */
static int move_over(struct walker *walker, struct entry *child, const char *holder, int from,
	int copy, uid_t user)
{
	struct spot to;
	const char *path;
	int mount AUTO_CLOSE = -1, err = path_of(walker, child, &path);

	child->moved = false; /* it may have been, to an earlier copy */
	path = err < 0 ? NULL : below(path, holder);
	if (!path || strlen(path) >= PATH_MAX)
		return is_shortage(err) ? err : 0;
	err = open_spot(walker->plan, copy, path, NULL, user, &to);
	if (err < 0)
		return is_shortage(err) ? err : 0;
	mount = open_mounted(walker, from, path, child);
	child->moved = mount >= 0 && walker_move_to(mount, to.fd, "") == 0;
	if (!child->moved)
		err = -errno;
	close_spot(&to);
	return is_shortage(err) ? err : 0;
}

/* Copy a mount alone, and move to it what is mounted there. First it hangs aside: it can be mounted
   on only where it is in the namespace. Returns a descriptor or -errno. */
static int copy_holder(
	struct walker *walker, const struct entry *holder, const char *path, int fd, uid_t user)
{
	struct procfs_plan *plan = walker->plan;
	int err = 0, copy = (int)syscall(SYS_open_tree, fd, "",
			     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	if (copy < 0 || walker_move_to(copy, walker->root, "") < 0)
		err = -errno;
	for (size_t i = 0; err == 0 && i < plan->n_entries; i++)
		if (plan->entries[i].parent == holder->id && !must_go(plan, plan->entries[i].id) &&
			!is_foreign(plan, &plan->entries[i]))
			err = move_over(walker, &plan->entries[i], path, fd, copy, user);
	if (err == 0)
		return copy;
	if (copy >= 0)
		(void)close(copy);
	return err;
}

/* The copy has other ids, and holds what was moved over; the rest is gone with the holder. */
static int rename_holder(struct procfs_plan *plan, struct entry *holder, int copy)
{
	const int old = holder->id;

	holder->id = walker_mount_of(copy);
	for (size_t i = 0; i < plan->n_entries; i++)
		if (plan->entries[i].parent == old && plan->entries[i].moved)
			plan->entries[i].parent = holder->id;
	plan_forget(plan, old);
	plan->replaced = true;
	return holder->unique == 0 ? 0 : mount_unique(copy, &holder->unique);
}

/* ---- in the place of the holder ---------------------------------------------------------------
 */

/* 1: it cannot be copied, and nothing is changed. */
static int replace_at(struct walker *walker, struct entry *holder, const char *path,
	const struct spot *spot, uid_t user)
{
	int copy AUTO_CLOSE = copy_holder(walker, holder, path, spot->fd, user);
	int err;

	if (copy < 0)
		return is_shortage(copy) ? copy : 1;
	err = walker_detach(walker, spot->fd);
	if (err == 0 && walker_move_to(copy, spot->dir, spot->name) < 0)
		err = -errno;
	return err < 0 ? err : rename_holder(walker->plan, holder, copy);
}

/* pivot_root(2) takes along the application, whose root directory is the old one. "." is the new
   root then, and the old one lies on it. */
static int replace_root(struct walker *walker, uid_t user)
{
	struct entry *root = plan_entry(walker->plan, walker->root_mount);
	int copy = root ? copy_holder(walker, root, "/", walker->root, user) : -ESTALE;
	int err;

	if (copy < 0)
		return copy;
	if (fchdir(copy) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
		syscall(SYS_umount2, ".", DETACH) < 0) {
		err = -errno;
		(void)close(copy);
		return err;
	}
	(void)close(walker->root);
	walker->root = copy;
	err = rename_holder(walker->plan, root, copy);
	walker->root_mount = root->id;
	return err;
}

/* Open a holder in a trusted place. */
static int open_holder(struct walker *walker, const struct entry *holder, uid_t user,
	char point[PATH_MAX], struct spot *spot)
{
	const char *path;
	int err = path_of(walker, holder, &path);

	if (err < 0)
		return err;
	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return -ENXIO;
	memcpy(point, path, strlen(path) + 1);
	err = open_spot(walker->plan, walker->root, point + 1, holder, user, spot);
	if (err == 0 && walker_mount_of(spot->fd) != holder->id) {
		close_spot(spot);
		err = -ENXIO;
	}
	return err;
}

int replace_holder(struct walker *walker, int parent, uid_t user)
{
	struct entry *holder = plan_entry(walker->plan, parent);
	char point[PATH_MAX];
	struct spot spot;
	int err;

	for (size_t n = 0; holder && holder->id != walker->root_mount; n++) {
		if (n > walker->plan->n_entries)
			return -ELOOP;
		err = open_holder(walker, holder, user, point, &spot);
		if (err == 0) {
			err = replace_at(walker, holder, point, &spot, user);
			close_spot(&spot);
			if (err <= 0)
				return err;
		}
		if (is_shortage(err))
			return err;
		holder = plan_entry(walker->plan, holder->parent);
	}
	return replace_root(walker, user);
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

/* SPDX-License-Identifier: MIT */
#include "holder.h"

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

/* Tell whether nobody but root and the user can rename a file in a directory, or replace it. */
static bool is_trusted(const struct owner *dir, const struct owner *file, uid_t user)
{
	if (dir->uid != 0 && dir->uid != user)
		return false;
	if (!(dir->mode & (S_IWGRP | S_IWOTH)))
		return true;
	return (dir->mode & S_ISVTX) && (file->uid == 0 || file->uid == user);
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
	fd = err < 0 ? -1 : (int)syscall(__NR_openat2, dir, name, &how, sizeof(how));
	if (fd < 0)
		return err < 0 ? err : -errno;
	err = ask_owner(fd, &owner);
	if (err == 0 && is_trusted(&above, &owner, user))
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

/* Open a place by a trusted path below a directory, through mounts or, with RESOLVE_NO_XDEV, not.
 */
static int open_spot(int from, const char *path, uint64_t resolve, uid_t user, struct spot *spot)
{
	int fd;

	spot->name[0] = '\0';
	spot->dir = -1;
	spot->fd = fcntl(from, F_DUPFD_CLOEXEC, 0);
	if (spot->fd < 0)
		return -errno;
	while (*path) {
		fd = open_next(spot->fd, &path, resolve, spot->name, user);
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

/* Tell whether it is one of those that must not stay. */
static bool must_go(const struct procfs_plan *plan, int id)
{
	for (size_t i = 0; i < plan->n_mounts; i++)
		if (plan->mounts[i].mount.id == id)
			return plan->mounts[i].role == PROCFS_INSTANCE ||
			       plan->mounts[i].role == PROCFS_REMNANT;
	return false;
}

/* The path of what is mounted on a mount, from the root of that; NULL when it is not there. */
static const char *below(const char *path, const char *holder)
{
	const size_t n = strcmp(holder, "/") == 0 ? 0 : strlen(holder);

	return strncmp(path, holder, n) == 0 && path[n] == '/' && path[n + 1] ? path + n + 1 : NULL;
}

/* Open what is mounted in a trusted place, the uppermost if it is a stack; -1 with errno. */
static int open_mounted(const struct walker *walker, int from, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	int fd = (int)syscall(__NR_openat2, from, path, &how, sizeof(how)), mount;

	if (fd < 0)
		return -1;
	mount = walker_mount_of(fd);
	if (mount >= 0 && mount != walker_mount_of(from) && !must_go(walker->plan, mount))
		return fd;
	(void)close(fd);
	errno = ESTALE;
	return -1;
}

/* Move a mount to the same place in the copy. Returns an error only for a shortage: what is in no
   trusted place stays behind. */
static int move_over(struct walker *walker, const struct entry *child, const char *holder, int from,
	int copy, uid_t user)
{
	struct spot to;
	const char *path;
	int mount AUTO_CLOSE = -1, err = walker_ask_path(walker, child, &path);

	path = err < 0 ? NULL : below(path, holder);
	if (!path)
		return is_shortage(err) ? err : 0;
	err = open_spot(copy, path, RESOLVE_NO_XDEV, user, &to);
	if (err < 0)
		return is_shortage(err) ? err : 0;
	mount = open_mounted(walker, from, path);
	if (mount < 0 || walker_move_to(mount, to.fd, "") < 0)
		err = -errno;
	close_spot(&to);
	return is_shortage(err) ? err : 0;
}

/* Copy a mount alone, and move to it what is mounted there. First it hangs aside: it can be mounted
   on only where it is in the namespace. Returns a descriptor or -errno. */
static int copy_holder(
	struct walker *walker, const struct entry *holder, const char *path, int fd, uid_t user)
{
	const struct procfs_plan *plan = walker->plan;
	int err = 0, copy = (int)syscall(SYS_open_tree, fd, "",
			     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	if (copy < 0 || walker_move_to(copy, walker->root, "") < 0)
		err = -errno;
	for (size_t i = 0; err == 0 && i < plan->n_entries; i++)
		if (plan->entries[i].parent == holder->id && !must_go(plan, plan->entries[i].id))
			err = move_over(walker, &plan->entries[i], path, fd, copy, user);
	if (err == 0)
		return copy;
	if (copy >= 0)
		(void)close(copy);
	return err;
}

/* The copy has other ids. */
static int rename_holder(struct procfs_plan *plan, struct entry *holder, int copy)
{
	const int id = walker_mount_of(copy);

	for (size_t i = 0; i < plan->n_entries; i++)
		if (plan->entries[i].parent == holder->id)
			plan->entries[i].parent = id;
	holder->id = id;
	plan->replaced = true;
	return holder->unique == 0 ? 0 : mount_unique(copy, &holder->unique);
}

/* ---- in the place of the holder ---------------------------------------------------------------
 */

static int replace_at(struct walker *walker, struct entry *holder, const char *path,
	const struct spot *spot, uid_t user)
{
	int copy AUTO_CLOSE = copy_holder(walker, holder, path, spot->fd, user);
	int err = copy < 0 ? copy : walker_detach(walker, spot->fd);

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
	int err = walker_ask_path(walker, holder, &path);

	if (err < 0)
		return err;
	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return -ENXIO;
	memcpy(point, path, strlen(path) + 1);
	err = open_spot(walker->root, point + 1, 0, user, spot);
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

	while (holder && holder->id != walker->root_mount) {
		err = open_holder(walker, holder, user, point, &spot);
		if (err == 0) {
			err = replace_at(walker, holder, point, &spot, user);
			close_spot(&spot);
			return err;
		}
		if (is_shortage(err))
			return err;
		holder = plan_entry(walker->plan, holder->parent);
	}
	return replace_root(walker, user);
}

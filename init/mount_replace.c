/* SPDX-License-Identifier: MIT */
#include "mount_replace.h"

#include "common/mount_api.h"
#include "mount_ops.h"
#include "trusted_place.h"

#include <linux/openat2.h>

/* Out of resources: not to be taken for "is not trusted". */
static bool is_shortage(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM;
}

/* ---- the copy ---------------------------------------------------------------------------------
 */

/* Tell whether a mount must not come along. /proc does, until its own turn: something may be
   mounted on it. */
static bool must_go(const struct procfs_plan *plan, int id)
{
	for (size_t i = 0; i < plan->n_mounts; i++)
		if (plan->mounts[i].mount.id == id)
			return plan->mounts[i].role == PROCFS_DETACH ||
			       (plan->mounts[i].role == PROCFS_INSTANCE &&
				       !is_main(&plan->mounts[i]));
	return false;
}

/* The path of a mount from the root of its parent; NULL when it is not below. */
static const char *below(const char *path, const char *parent_path)
{
	const size_t n = strcmp(parent_path, "/") == 0 ? 0 : strlen(parent_path);

	return strncmp(path, parent_path, n) == 0 && path[n] == '/' && path[n + 1] ? path + n + 1
										   : NULL;
}

/* Open a mount in its trusted place, or what is mounted on it; -1 with errno. */
static int open_mounted(
	const struct walker *walker, int from, const char *path, const struct mount_entry *child)
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
	mount = mount_id_of(fd);
	if (mount == child->id ||
		(plan_is_above(walker->plan, child->id, plan_entry(walker->plan, mount)) &&
			!must_go(walker->plan, mount)))
		return fd;
	(void)close(fd);
	errno = ESTALE;
	return -1;
}

/* Where a mount is. What the table as text says of a trusted place stays true. */
static int path_of(struct walker *walker, const struct mount_entry *entry, const char **path)
{
	if (entry->unique != 0)
		return walker_ask_path(walker, entry, path);
	*path = entry->mount_point;
	return 0;
}

/* Move a mount to the same place in the copy. A mount in no trusted place stays behind: an error is
   only a shortage. */
static int move_over(struct walker *walker, struct mount_entry *child, const char *parent_path,
	int from, int copy, uid_t user)
{
	struct trusted_place to;
	const char *path;
	int mount AUTO_CLOSE = -1, err = path_of(walker, child, &path);

	child->moved = false; /* to this copy: it may have been moved to an earlier one */
	path = err < 0 ? NULL : below(path, parent_path);
	if (!path || strlen(path) >= PATH_MAX)
		return is_shortage(err) ? err : 0;
	err = trusted_place_open(walker->plan, copy, path, NULL, user, &to);
	if (err < 0)
		return is_shortage(err) ? err : 0;
	mount = open_mounted(walker, from, path, child);
	child->moved = mount >= 0 && mount_move(mount, to.fd, "") == 0;
	if (!child->moved)
		err = -errno;
	trusted_place_close(&to);
	return is_shortage(err) ? err : 0;
}

/* Copy a mount without its children, and move these to the copy. The copy is attached aside first:
   a mount can be mounted on only when it is in the namespace. Returns a descriptor or -errno. */
static int copy_parent(struct walker *walker, const struct mount_entry *parent, const char *path,
	int fd, uid_t user)
{
	struct procfs_plan *plan = walker->plan;
	int err = 0, copy = (int)syscall(SYS_open_tree, fd, "",
			     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	if (copy < 0 || mount_move(copy, walker->root, "") < 0)
		err = -errno;
	for (size_t i = 0; err == 0 && i < plan->n_entries; i++)
		if (plan->entries[i].parent == parent->id && !must_go(plan, plan->entries[i].id) &&
			!is_other_users_fuse(plan, &plan->entries[i]))
			err = move_over(walker, &plan->entries[i], path, fd, copy, user);
	if (err == 0)
		return copy;
	if (copy >= 0)
		(void)close(copy);
	return err;
}

/* The copy has new ids, and holds what was moved to it. The rest has gone with the parent. */
static int adopt_copy(struct procfs_plan *plan, struct mount_entry *parent, int copy)
{
	const int old = parent->id;

	parent->id = mount_id_of(copy);
	for (size_t i = 0; i < plan->n_entries; i++)
		if (plan->entries[i].parent == old && plan->entries[i].moved)
			plan->entries[i].parent = parent->id;
	plan_remove(plan, old);
	plan->parent_replaced = true;
	return parent->unique == 0 ? 0 : mount_unique(copy, &parent->unique);
}

/* ---- the copy takes the place ---------------------------------------------------------------
 */

/* Returns 0; 1 when the parent cannot be copied, and nothing has changed; or -errno. */
static int replace_at(struct walker *walker, struct mount_entry *parent, const char *path,
	const struct trusted_place *place, uid_t user)
{
	int copy AUTO_CLOSE = copy_parent(walker, parent, path, place->fd, user);
	int err;

	if (copy < 0)
		return is_shortage(copy) ? copy : 1;
	err = mount_detach(walker->proc, place->fd);
	if (err == 0 && mount_move(copy, place->dir, place->name) < 0)
		err = -errno;
	return err < 0 ? err : adopt_copy(walker->plan, parent, copy);
}

/* pivot_root(2) changes the root directory of the application as well, since that is the old one.
   Then "." is the new root, with the old one mounted on it. */
static int replace_root(struct walker *walker, uid_t user)
{
	struct mount_entry *root = plan_entry(walker->plan, walker->root_mount);
	int copy = root ? copy_parent(walker, root, "/", walker->root, user) : -ESTALE;
	int err;

	if (copy < 0)
		return copy;
	if (fchdir(copy) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
		syscall(SYS_umount2, ".", MNT_DETACH) < 0) {
		err = -errno;
		(void)close(copy);
		return err;
	}
	(void)close(walker->root);
	walker->root = copy;
	err = adopt_copy(walker->plan, root, copy);
	walker->root_mount = root->id;
	return err;
}

/* Open a mount in its trusted place. */
static int open_parent(struct walker *walker, const struct mount_entry *parent, uid_t user,
	char point[PATH_MAX], struct trusted_place *place)
{
	const char *path;
	int err = path_of(walker, parent, &path);

	if (err < 0)
		return err;
	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return -ENXIO;
	memcpy(point, path, strlen(path) + 1);
	err = trusted_place_open(walker->plan, walker->root, point + 1, parent, user, place);
	if (err == 0 && mount_id_of(place->fd) != parent->id) {
		trusted_place_close(place);
		err = -ENXIO;
	}
	return err;
}

int replace_parent_mount(struct walker *walker, int parent_id, uid_t user)
{
	struct mount_entry *parent = plan_entry(walker->plan, parent_id);
	char point[PATH_MAX];
	struct trusted_place place;
	int err;

	for (size_t n = 0; parent && parent->id != walker->root_mount; n++) {
		if (n > walker->plan->n_entries)
			return -ELOOP;
		err = open_parent(walker, parent, user, point, &place);
		if (err == 0) {
			err = replace_at(walker, parent, point, &place, user);
			trusted_place_close(&place);
			if (err <= 0)
				return err;
		}
		if (is_shortage(err))
			return err;
		parent = plan_entry(walker->plan, parent->parent);
	}
	return replace_root(walker, user);
}

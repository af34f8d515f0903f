/* SPDX-License-Identifier: MIT */
#include "procfs_replace.h"

#include "common/mount_api.h"
#include "mount_ops.h"
#include "mount_replace.h"
#include "mount_walk.h"
#include "procfs_fresh.h"
#include "trusted_place.h"

#include <linux/magic.h>
#include <sys/vfs.h>

/* ---- detaching the old mounts ------------------------------------------------------------------
 */

/* The id of its parent, which may be a copy by now. */
static int parent_of(const struct procfs_plan *plan, const struct planned_mount *p)
{
	const struct mount_entry *entry = plan_entry(plan, p->mount.id);

	return entry ? entry->parent : p->mount.parent;
}

static struct mount_entry entry_of(const struct procfs_plan *plan, const struct planned_mount *p)
{
	return (struct mount_entry){
		.unique = p->unique, .id = p->mount.id, .parent = parent_of(plan, p)};
}

static const char *known_mount_point(const struct planned_mount *p)
{
	return p->mount.mount_point[0] == '/' ? p->mount.mount_point : NULL;
}

static bool note_name(struct planned_mount *p, const char *name)
{
	const size_t size = strlen(name) + 1;

	if (size <= sizeof(p->name))
		memcpy(p->name, name, size);
	return size <= sizeof(p->name);
}

static int detach_found(struct walker *walker, struct planned_mount *p, struct place *place)
{
	const bool inside = p->instance != (size_t)(p - walker->plan->mounts) && place->below[0];

	struct statfs fs;
	int err;

	/* The kernel reuses ids. Do not ask a user's file server: it need not answer. */
	if (strcmp(p->mount.fs_type, "proc") == 0 &&
		(fstatfs(place->fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC))
		return -ESTALE;
	err = mount_detach(walker->proc, place->fd);
	if (err < 0)
		return err;
	walker_gone(walker, p->mount.id, place, p->role == PROCFS_INSTANCE);
	plan_remove(walker->plan, p->mount.id);
	if (p->fd < 0)
		return 0;
	/* an instance on another one is attached to the fresh one, which will be there by then */
	if (!note_name(p, inside ? place->below : place->name))
		return -ENAMETOOLONG;
	if (!inside) {
		p->dir = place->dir;
		place->dir = -1;
	}
	return 0;
}

/* Detach an instance, or a mount that goes. */
static int detach_mount(struct walker *walker, struct planned_mount *p)
{
	const bool strict = p->role == PROCFS_INSTANCE && is_main(p);
	const struct mount_entry target = entry_of(walker->plan, p);
	struct place place;
	int err = walker_find(
		walker, &target, known_mount_point(p), strict ? COVER_NONE : COVER_ASIDE, &place);

	if (err == -ENOENT) /* the administrator was faster */
		return 0;
	if (err == 0) {
		err = detach_found(walker, p, &place);
		walker_leave(walker, &place);
	}
	return err == 0 || strict ? err
				  : replace_parent_mount(
					    walker, parent_of(walker->plan, p), walker->plan->user);
}

/* Copy a mount on an instance, with all mounts below it, into a detached tree. Of stacked mounts
   copy the visible one; copy none if it is not there any more. */
static int copy_mount(struct walker *walker, struct planned_mount *p)
{
	const struct mount_entry target = entry_of(walker->plan, p);
	struct place place;
	int err = walker_find(walker, &target, known_mount_point(p), COVER_TAKEN, &place);

	if (err < 0) /* of an instance that is not found the session has nothing */
		return err == -ENOENT || !is_main(&walker->plan->mounts[p->instance]) ? 0 : err;
	if (note_name(p, place.below)) {
		p->fd = (int)syscall(SYS_open_tree, place.fd, "",
			OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH);
		err = p->fd < 0 ? -errno : 0;
	} else {
		err = -ENAMETOOLONG;
	}
	walker_leave(walker, &place);
	return err;
}

static int detach_old(struct walker *walker, struct planned_mount *p)
{
	switch (p->role) {
	case PROCFS_INSTANCE:
	case PROCFS_DETACH:
		return detach_mount(walker, p);
	case PROCFS_CARRIED:
		return copy_mount(walker, p);
	default:
		return 0;
	}
}

/* ---- creating and attaching the fresh ones ----------------------------------------------------
 */

static int prepare(const struct procfs_plan *plan, struct planned_mount *p)
{
	if (p->role != PROCFS_INSTANCE || p->covered)
		return 0;
	p->fd = procfs_fresh(&p->mount,
		is_main(p) && plan->proc_options ? plan->proc_options : p->mount.super_options);
	return p->fd < 0 ? -errno : 0;
}

/* Attach a carried mount in the same place of the fresh instance. With subset=pid that has no such
   file: then there is nothing to cover. */
static int attach_to_instance(const struct procfs_plan *plan, const struct planned_mount *p)
{
	const struct planned_mount *instance = &plan->mounts[p->instance];
	struct file_id there;
	int err;

	/* the instance itself is attached nowhere */
	if (instance->fd < 0 || (instance->dir < 0 && !is_main(instance)))
		return 0;
	if (mount_move(p->fd, instance->fd, p->name) == 0)
		return 0;
	err = -errno;
	if (err == -ENOENT && file_identify(instance->fd, p->name, &there) < 0 && errno == ENOENT)
		return 0;
	return err;
}

/* Its directory is not there any more: a user has renamed it, or a copy has replaced the parent.
   Use its old path if that is a trusted place; else there is nothing to mount it on. */
static int attach_in_trusted_place(const struct walker *walker, const struct planned_mount *p)
{
	int place AUTO_CLOSE =
		p->mount.mount_point[0] == '/'
			? open_trusted(walker->root, p->mount.mount_point + 1, walker->plan->user)
			: -1;

	return place < 0 || mount_move(p->fd, place, "") == 0 ? 0 : -errno;
}

static int attach_fresh(const struct walker *walker, const struct planned_mount *p)
{
	if (p->fd < 0)
		return 0;
	if (is_main(p)) /* the root may have been replaced since */
		return mount_move(p->fd, walker->root, "proc") < 0 ? -errno : 0;
	if (p->dir < 0 && p->instance != (size_t)(p - walker->plan->mounts))
		return attach_to_instance(walker->plan, p);
	if (p->dir < 0) /* the old one had gone, or went with its parent */
		return walker->plan->parent_replaced ? attach_in_trusted_place(walker, p) : 0;
	if (mount_move(p->fd, p->dir, p->name) == 0)
		return 0;
	if (errno == EINVAL || errno == ENOENT || errno == ENOTDIR)
		return attach_in_trusted_place(walker, p);
	return -errno;
}

/* ---- all of it -------------------------------------------------------------------------------
 */

/* Look for an old procfs that is still there, whatever has happened. Returns 1 and the id of its
   parent, 0 when there is none, or -errno. */
static int find_left(struct walker *walker, int *parent)
{
	const struct procfs_plan *plan = walker->plan;
	struct mount_facts facts;
	size_t old = 0;

	for (size_t i = 0; i < plan->n_mounts; i++) {
		const struct planned_mount *p = &plan->mounts[i];

		if (strcmp(p->mount.fs_type, "proc") != 0 || p->role == PROCFS_CARRIED)
			continue;
		old++;
		*parent = parent_of(plan, p);
		if (p->unique != 0 && mount_ask(p->unique, &facts) != -ENOENT)
			return 1;
	}
	/* if there was only /proc, which was found, the table need not be read again */
	return plan->mountinfo < 0 || old <= 1 ? 0 : walker_find_procfs(walker, parent);
}

static int check_gone(struct walker *walker)
{
	int parent, err = 0, left = find_left(walker, &parent);

	for (size_t i = 0; left == 1 && err == 0 && i <= walker->plan->n_mounts; i++) {
		err = replace_parent_mount(walker, parent, walker->plan->user);
		left = find_left(walker, &parent);
	}
	if (err < 0)
		return err;
	return left == 1 ? -EBUSY : left;
}

static int fresh_main(const struct procfs_plan *plan)
{
	for (size_t i = plan->n_mounts; i-- > 0;)
		if (is_main(&plan->mounts[i]) && plan->mounts[i].fd >= 0)
			return plan->mounts[i].fd;
	return -1;
}

int procfs_replace(struct procfs_plan *plan, const char **mount_point)
{
	struct walker walker;
	size_t i;
	int err = 0;

	for (i = 0; err == 0 && i < plan->n_mounts; i++) {
		*mount_point = plan->mounts[i].mount.mount_point;
		err = prepare(plan, &plan->mounts[i]);
	}
	if (err == 0)
		err = walker_begin(&walker, plan, fresh_main(plan));
	/* backwards: children and covers go first, so that each mount is found uncovered */
	for (i = plan->n_mounts; err == 0 && i-- > 0;) {
		*mount_point = plan->mounts[i].mount.mount_point;
		err = detach_old(&walker, &plan->mounts[i]);
	}
	if (err == 0)
		err = check_gone(&walker);
	for (i = 0; err == 0 && i < plan->n_mounts; i++) {
		*mount_point = plan->mounts[i].mount.mount_point;
		err = attach_fresh(&walker, &plan->mounts[i]);
	}
	return err == 0 ? plan->parent_replaced : err;
}

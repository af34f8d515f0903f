/* SPDX-License-Identifier: MIT */
#include "holder.h"

#include <linux/mount.h> /* not with <sys/mount.h>: before glibc 2.36 the two exclude each other */
#include <linux/openat2.h>

/* Move a mount to its place in the copy of what holds it. Best effort: what a user moves about
   meanwhile, or mounts, need not be in the session. */
static void move_over(struct walker *walker, const struct entry *child, int copy)
{
	struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	struct place place;
	int to;

	if (walker_find(walker, child, NULL, COVER_ASIDE, SHORT_LIMIT_MS, &place) < 0)
		return;
	to = (int)syscall(
		__NR_openat2, copy, place.below[0] ? place.below : ".", &how, sizeof(how));
	if (to >= 0) {
		(void)walker_move_to(place.fd, to, "");
		(void)close(to);
	}
	walker_leave(walker, &place);
}

/* Tell whether it is one of those that must not stay. */
static bool must_go(const struct procfs_plan *plan, int id)
{
	for (size_t i = 0; i < plan->n_mounts; i++)
		if (plan->mounts[i].mount.id == id)
			return plan->mounts[i].role == PROCFS_INSTANCE ||
			       plan->mounts[i].role == PROCFS_REMNANT;
	return false;
}

/* Give the copy of a mount all that is mounted on the mount itself and may stay. */
static void move_all_over(struct walker *walker, const struct entry *holder, int copy)
{
	for (size_t i = 0; i < walker->plan->n_entries; i++) {
		struct entry *child = &walker->plan->entries[i];

		if (child->parent == holder->id && !must_go(walker->plan, child->id) &&
			!walker_is_aside(walker, child->id))
			move_over(walker, child, copy);
	}
}

/* The copy has another id. */
static void rename_entry(struct procfs_plan *plan, struct entry *entry, int id)
{
	for (size_t i = 0; i < plan->n_entries; i++)
		if (plan->entries[i].parent == entry->id)
			plan->entries[i].parent = id;
	entry->id = id;
}

static int replace_at(struct walker *walker, struct entry *holder, struct place *place)
{
	int copy AUTO_CLOSE = (int)syscall(
		SYS_open_tree, place->fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	/* it can be mounted on only where it is in the namespace: first it hangs aside */
	if (copy < 0 || walker_move_to(copy, walker->root, "") < 0)
		return -errno;
	move_all_over(walker, holder, copy);
	if (walker_detach(walker, place->fd) < 0 ||
		walker_move_to(copy, place->dir, place->name) < 0)
		return -errno;
	walker_gone(walker, holder->id, place, true);
	rename_entry(walker->plan, holder, walker_mount_of(copy));
	return mount_unique(copy, &holder->unique);
}

int replace_holder(struct walker *walker, const struct planned *p, int err)
{
	struct entry *holder = plan_entry(walker->plan, p->mount.parent);
	struct place place;

	if (!holder || holder->id == walker->root_mount)
		return err;
	err = walker_find(walker, holder, NULL, COVER_ASIDE, WALK_LIMIT_MS, &place);
	if (err < 0)
		return err;
	err = replace_at(walker, holder, &place);
	walker_leave(walker, &place);
	return err;
}

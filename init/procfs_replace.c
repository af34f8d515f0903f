/* SPDX-License-Identifier: MIT */
/* Carrying the plan out, in the init. */
#include "mount_replace.h"
#include "mount_walk.h"

#include <linux/magic.h>
#include <linux/mount.h> /* not with <sys/mount.h>: before glibc 2.36 the two exclude each other */
#include <sys/vfs.h>

#define RECURSIVE 0x8000U /* AT_RECURSIVE, missing in <fcntl.h> before glibc 2.36 */

/* ---- what becomes of a mount ------------------------------------------------------------------
 */

/* What it is mounted on may be a copy by now. */
static int parent_of(const struct procfs_plan *plan, const struct planned *p)
{
	const struct entry *entry = plan_entry(plan, p->mount.id);

	return entry ? entry->parent : p->mount.parent;
}

static struct entry entry_of(const struct procfs_plan *plan, const struct planned *p)
{
	return (struct entry){.unique = p->unique, .id = p->mount.id, .parent = parent_of(plan, p)};
}

static const char *known_point(const struct planned *p)
{
	return p->mount.point[0] == '/' ? p->mount.point : NULL;
}

static bool keep_name(struct planned *p, const char *name)
{
	const size_t size = strlen(name) + 1;

	if (size <= sizeof(p->name))
		memcpy(p->name, name, size);
	return size <= sizeof(p->name);
}

static int remove_found(struct walker *walker, struct planned *p, struct place *place)
{
	const bool inside = p->instance != (size_t)(p - walker->plan->mounts) && place->below[0];

	struct statfs fs;
	int err;

	/* an id may have come again; a user's server is not asked, it need not answer */
	if (strcmp(p->mount.type, "proc") == 0 &&
		(fstatfs(place->fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC))
		return -ESTALE;
	err = walker_detach(walker, place->fd);
	if (err < 0)
		return err;
	walker_gone(walker, p->mount.id, place, p->role == PROCFS_INSTANCE);
	plan_forget(walker->plan, p->mount.id);
	if (p->fd < 0)
		return 0;
	/* on another instance it comes to the fresh one, which will be there by then */
	if (!keep_name(p, inside ? place->below : place->name))
		return -ENAMETOOLONG;
	if (!inside) {
		p->dir = place->dir;
		place->dir = -1;
	}
	return 0;
}

/* Detach an instance, or a remnant. */
static int remove_mount(struct walker *walker, struct planned *p)
{
	const bool strict = p->role == PROCFS_INSTANCE && is_main(p);
	const struct entry target = entry_of(walker->plan, p);
	struct place place;
	int err = walker_find(
		walker, &target, known_point(p), strict ? COVER_NONE : COVER_ASIDE, &place);

	if (err == -ENOENT) /* the administrator has been faster */
		return 0;
	if (err == 0) {
		err = remove_found(walker, p, &place);
		walker_leave(walker, &place);
	}
	return err == 0 || strict
		       ? err
		       : replace_holder(walker, parent_of(walker->plan, p), walker->plan->user);
}

/* Copy what is mounted on an instance, and all below it, into a tree that belongs to no namespace
   yet. Where mounts are stacked the visible one counts. Nothing, if it is not there any more. */
static int copy_mount(struct walker *walker, struct planned *p)
{
	const struct entry target = entry_of(walker->plan, p);
	struct place place;
	int err = walker_find(walker, &target, known_point(p), COVER_TAKEN, &place);

	if (err < 0) /* what is on an instance that is not found either is nothing to the session */
		return err == -ENOENT || !is_main(&walker->plan->mounts[p->instance]) ? 0 : err;
	if (keep_name(p, place.below)) {
		p->fd = (int)syscall(SYS_open_tree, place.fd, "",
			OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | RECURSIVE | AT_EMPTY_PATH);
		err = p->fd < 0 ? -errno : 0;
	} else {
		err = -ENAMETOOLONG;
	}
	walker_leave(walker, &place);
	return err;
}

/* ---- fresh instances --------------------------------------------------------------------------
 */

/* Find the next word of a comma-separated list. */
static size_t next_option(const char **list)
{
	*list += strspn(*list, ",");
	return strcspn(*list, ",");
}

static bool has_option(const char *list, const char *word)
{
	size_t n;

	for (; (n = next_option(&list)) > 0; list += n)
		if (n == strlen(word) && strncmp(list, word, n) == 0)
			return true;
	return false;
}

/* Hand an option to the file system context if it is one of procfs itself. */
static int configure(int fs, const char *option, size_t n)
{
	static const char *const keys[] = {"hidepid", "gid", "subset"};
	char value[32];
	size_t k;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		k = strlen(keys[i]);
		if (n <= k || strncmp(option, keys[i], k) != 0 || option[k] != '=')
			continue;
		if (n - k > sizeof(value)) {
			errno = EINVAL;
			return -1;
		}
		memcpy(value, option + k + 1, n - k - 1);
		value[n - k - 1] = '\0';
		return (int)syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, keys[i], value, 0);
	}
	return 0;
}

/*
 * Make a procfs instance of this PID namespace that is mounted nowhere yet. All fresh instances
 * are made before an old one goes: in a user namespace that is not the initial one the kernel
 * allows a new procfs only next to an existing one that hides no more (mount_too_revealing()).
 */
static int fresh_instance(const struct mount *old, const char *options)
{
	unsigned int attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	int fs AUTO_CLOSE = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
	size_t n;

	if (fs < 0)
		return -1;
	for (; (n = next_option(&options)) > 0; options += n)
		if (configure(fs, options, n) < 0)
			return -1;
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	if (has_option(old->flags, "ro") || has_option(old->options, "ro"))
		attributes |= MOUNT_ATTR_RDONLY;
	return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes);
}

static int prepare(const struct procfs_plan *plan, struct planned *p)
{
	if (p->role != PROCFS_INSTANCE || p->covered)
		return 0;
	p->fd = fresh_instance(
		&p->mount, is_main(p) && plan->options ? plan->options : p->mount.options);
	return p->fd < 0 ? -errno : 0;
}

static int take_away(struct walker *walker, struct planned *p)
{
	switch (p->role) {
	case PROCFS_INSTANCE:
	case PROCFS_REMNANT:
		return remove_mount(walker, p);
	case PROCFS_CARRIED:
		return copy_mount(walker, p);
	default:
		return 0;
	}
}

/* To where it was carried from. A fresh instance with subset=pid has not the file that was covered:
   nothing to cover. */
static int put_on_instance(const struct procfs_plan *plan, const struct planned *p)
{
	const struct planned *instance = &plan->mounts[p->instance];
	struct file_id there;
	int err;

	/* nor is it anywhere if the instance has no place */
	if (instance->fd < 0 || (instance->dir < 0 && !is_main(instance)))
		return 0;
	if (walker_move_to(p->fd, instance->fd, p->name) == 0)
		return 0;
	err = -errno;
	if (err == -ENOENT && file_identify(instance->fd, p->name, &there) < 0 && errno == ENOENT)
		return 0;
	return err;
}

/* Where its directory is not what it was: a user has renamed it, or what held it has been replaced.
   If the place is no trusted one there is nothing to mount it on. */
static int put_in_trusted_place(const struct walker *walker, const struct planned *p)
{
	int place AUTO_CLOSE =
		p->mount.point[0] == '/'
			? open_trusted(walker->root, p->mount.point + 1, walker->plan->user)
			: -1;

	return place < 0 || walker_move_to(p->fd, place, "") == 0 ? 0 : -errno;
}

static int put_back(const struct walker *walker, const struct planned *p)
{
	if (p->fd < 0)
		return 0;
	if (is_main(p)) /* the root may have been replaced since */
		return walker_move_to(p->fd, walker->root, "proc") < 0 ? -errno : 0;
	if (p->dir < 0 && p->instance != (size_t)(p - walker->plan->mounts))
		return put_on_instance(walker->plan, p);
	if (p->dir < 0) /* it was gone, or went with what held it */
		return walker->plan->replaced ? put_in_trusted_place(walker, p) : 0;
	if (walker_move_to(p->fd, p->dir, p->name) == 0)
		return 0;
	if (errno == EINVAL || errno == ENOENT || errno == ENOTDIR)
		return put_in_trusted_place(walker, p);
	return -errno;
}

/* Find an old procfs that is still there, whatever happened on the way. Returns 1 and what it is
   mounted on, 0 when there is none, or -errno. */
static int find_left(struct walker *walker, int *parent)
{
	const struct procfs_plan *plan = walker->plan;
	struct mount_facts facts;
	size_t old = 0;

	for (size_t i = 0; i < plan->n_mounts; i++) {
		const struct planned *p = &plan->mounts[i];

		if (strcmp(p->mount.type, "proc") != 0 || p->role == PROCFS_CARRIED)
			continue;
		old++;
		*parent = parent_of(plan, p);
		if (p->unique != 0 && mount_ask(p->unique, &facts) != -ENOENT)
			return 1;
	}
	/* where there was but /proc, which had to be found, the table need not be read once more */
	return plan->mountinfo < 0 || old <= 1 ? 0 : walker_find_procfs(walker, parent);
}

static int check_gone(struct walker *walker)
{
	int parent, err = 0, left = find_left(walker, &parent);

	for (size_t i = 0; left == 1 && err == 0 && i <= walker->plan->n_mounts; i++) {
		err = replace_holder(walker, parent, walker->plan->user);
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

int procfs_replace(struct procfs_plan *plan, const char **point)
{
	struct walker walker;
	size_t i;
	int err = 0;

	for (i = 0; err == 0 && i < plan->n_mounts; i++) {
		*point = plan->mounts[i].mount.point;
		err = prepare(plan, &plan->mounts[i]);
	}
	if (err == 0)
		err = walker_begin(&walker, plan, fresh_main(plan));
	/* backwards, so that what lies above or below goes first and each is found uncovered */
	for (i = plan->n_mounts; err == 0 && i-- > 0;) {
		*point = plan->mounts[i].mount.point;
		err = take_away(&walker, &plan->mounts[i]);
	}
	if (err == 0)
		err = check_gone(&walker);
	for (i = 0; err == 0 && i < plan->n_mounts; i++) {
		*point = plan->mounts[i].mount.point;
		err = put_back(&walker, &plan->mounts[i]);
	}
	return err == 0 ? plan->replaced : err;
}

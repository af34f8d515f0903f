/* SPDX-License-Identifier: MIT */
#include "procfs_plan.h"

#include <ctype.h>

/* Tell whether s is `name` or lies below it in a path. */
static bool is_or_below(const char *s, const char *name)
{
	size_t n = strlen(name);

	return strncmp(s, name, n) == 0 && (s[n] == '\0' || s[n] == '/');
}

enum procfs_role procfs_role(const struct mount *mount)
{
	/*
	 * Parts of procfs that show no process: container runtimes mount these read-only over
	 * themselves. Anything else is taken to show processes (/proc/locks does).
	 */
	static const char *const no_process[] = {"/acpi", "/asound", "/bus", "/driver", "/fs",
		"/irq", "/scsi", "/sys", "/sysrq-trigger", "/tty"};

	if (strcmp(mount->fs_type, "proc") != 0)
		return PROCFS_NONE;
	if (strcmp(mount->root, "/") == 0)
		return PROCFS_INSTANCE;
	for (size_t i = 0; i < sizeof(no_process) / sizeof(*no_process); i++)
		if (is_or_below(mount->root, no_process[i]))
			return PROCFS_NONE;
	return PROCFS_DETACH;
}

bool procfs_carries(const char *instance, const char *mount_point)
{
	const char *below = mount_point + strlen(instance);

	if (!is_or_below(mount_point, instance))
		return true; /* renamed while the table was read: keep it */
	return strcmp(below, "/sys/fs/binfmt_misc") != 0 &&
	       !(below[0] == '/' && isdigit((unsigned char)below[1]));
}

struct mount_entry *plan_entry(const struct procfs_plan *plan, int id)
{
	for (size_t i = 0; i < plan->n_entries; i++)
		if (id != NO_ID && plan->entries[i].id == id)
			return &plan->entries[i];
	return NULL;
}

bool plan_is_above(const struct procfs_plan *plan, int id, const struct mount_entry *below)
{
	for (size_t n = 0; below && n < plan->n_entries; n++) {
		if (below->parent == id)
			return true;
		below = plan_entry(plan, below->parent);
	}
	return false;
}

static void remove_planned(struct procfs_plan *plan, int id)
{
	for (size_t i = 0; i < plan->n_mounts; i++)
		if (plan->mounts[i].mount.id == id)
			plan->mounts[i].mount.id = NO_ID;
}

static void note_gone(struct procfs_plan *plan, struct mount_entry *entry)
{
	for (size_t i = 0; i < plan->n_mounts; i++)
		if (plan->mounts[i].mount.id == entry->id) {
			plan->mounts[i].mount.id = NO_ID;
			plan->mounts[i].role = PROCFS_WITH_PARENT;
		}
	entry->gone = true;
}

/* Note that what is mounted on a mount has gone. Returns the first of these in the table, or how
   many there are in all. */
static size_t note_children_gone(struct procfs_plan *plan, int id)
{
	size_t first = plan->n_entries;

	for (size_t i = plan->n_entries; i-- > 0;)
		if (plan->entries[i].parent == id && plan->entries[i].id != id &&
			!plan->entries[i].gone) {
			note_gone(plan, &plan->entries[i]);
			first = i;
		}
	return first;
}

/* Not by plan_is_above() for each of them: with thousands of mounts that takes milliseconds. Mostly
   parents are before their children; else it goes back. */
void plan_remove(struct procfs_plan *plan, int id)
{
	size_t i = note_children_gone(plan, id), first;
	const struct mount_entry *entry;

	while (i < plan->n_entries) {
		entry = &plan->entries[i];
		first = entry->gone && entry->id != NO_ID ? note_children_gone(plan, entry->id)
							  : plan->n_entries;
		i = first < i ? first : i + 1;
	}
	for (i = 0; i < plan->n_entries; i++)
		if (plan->entries[i].gone || plan->entries[i].id == id)
			plan->entries[i].id = plan->entries[i].parent = NO_ID;
	remove_planned(plan, id);
}

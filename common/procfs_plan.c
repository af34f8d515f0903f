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

void plan_remove(struct procfs_plan *plan, int id)
{
	for (size_t i = 0; i < plan->n_entries; i++)
		if (plan->entries[i].id != id && plan_is_above(plan, id, &plan->entries[i]))
			note_gone(plan, &plan->entries[i]);
	for (size_t i = 0; i < plan->n_entries; i++)
		if (plan->entries[i].gone || plan->entries[i].id == id)
			plan->entries[i].id = plan->entries[i].parent = NO_ID;
	remove_planned(plan, id);
}

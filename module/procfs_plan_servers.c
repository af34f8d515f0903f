/* SPDX-License-Identifier: MIT */
#include "procfs_plan_make.h"

#include "procfs_plan_internal.h"

#include <stdlib.h>

/* Whose process serves a FUSE mount. One that cannot be asked any more is taken to be root's. */
static uid_t ask_server(const struct mount_entry *entry)
{
	_Alignas(uint64_t) char buffer[4096];
	struct mount_text text = {.super_options = entry->super_options};
	const char *user = NULL;

	if (entry->unique == 0 ||
		mount_ask_options(entry->unique, buffer, sizeof(buffer), &text) == 0)
		user = text.super_options ? strstr(text.super_options, "user_id=") : NULL;
	return user ? (uid_t)strtoul(user + strlen("user_id="), NULL, 10) : 0;
}

/* The outermost mount above a planned one that another user's process serves, or NULL. */
static const struct mount_entry *served_above(
	const struct procfs_plan *plan, const struct planned_mount *p)
{
	const struct mount_entry *entry = plan_entry(plan, p->mount.parent), *served = NULL;

	/* a root's parent is another namespace's, and a mount is never its own ancestor */
	for (size_t n = 0; entry && n < plan->n_entries; n++) {
		if (is_other_users_fuse(plan, entry))
			served = entry;
		entry = plan_entry(plan, entry->parent);
	}
	return served;
}

/* Have the whole of it detached, once. There is room: it had no role. */
static void plan_removal(struct procfs_plan *plan, const struct mount_entry *entry)
{
	if (plan_find(plan, entry->id) < plan->n_mounts)
		return;
	plan->mounts[plan->n_mounts] = (struct planned_mount){
		.mount = {.id = entry->id,
			.parent = entry->parent,
			.mount_point = entry->mount_point ? entry->mount_point : "",
			.fs_type = "fuse"},
		.unique = entry->unique,
		.role = PROCFS_DETACH,
		.instance = plan->n_mounts,
		.fd = -1,
		.dir = -1};
	plan->n_mounts++;
}

void procfs_plan_avoid_servers(struct procfs_plan *plan, uid_t user)
{
	const size_t n = plan->n_mounts;
	size_t elsewhere = 0;

	plan->user = user;
	for (size_t i = 0; i < n; i++)
		elsewhere += strcmp(plan->mounts[i].mount.fs_type, "proc") == 0 &&
			     !is_main(&plan->mounts[i]);
	if (elsewhere == 0) /* nobody looks at other mounts then */
		return;
	for (size_t i = 0; i < plan->n_entries; i++)
		if (plan->entries[i].fuse)
			plan->entries[i].server = ask_server(&plan->entries[i]);
	for (size_t i = 0; i < n; i++) {
		struct planned_mount *p = &plan->mounts[i];
		const struct mount_entry *served = served_above(plan, p);

		if (!served)
			continue;
		p->role = PROCFS_WITH_PARENT;
		plan_removal(plan, served);
	}
}

/* SPDX-License-Identifier: MIT */
#include "procfs_plan_internal.h"

#include "procfs_plan_make.h"

#include <errno.h>
#include <stdlib.h>

size_t plan_find(const struct procfs_plan *plan, int id)
{
	size_t i = 0;

	while (i < plan->n_mounts && plan->mounts[i].mount.id != id)
		i++;
	return i;
}

/* Tell what becomes of a mount that is no procfs and is mounted on one of the plan's. */
static enum procfs_role role_below(const struct planned_mount *parent, const struct mount *mount)
{
	if (parent->role == PROCFS_COVER)
		return PROCFS_NONE;
	if (parent->role != PROCFS_INSTANCE || mount->mount_point[0] == '\0')
		return PROCFS_WITH_PARENT;
	if (strcmp(parent->mount.mount_point, mount->mount_point) == 0)
		return PROCFS_COVER;
	return procfs_carries(parent->mount.mount_point, mount->mount_point) ? PROCFS_CARRIED
									     : PROCFS_WITH_PARENT;
}

void plan_add(struct procfs_plan *plan, const struct mount *mount, uint64_t unique)
{
	struct planned_mount *new = &plan->mounts[plan->n_mounts];
	size_t parent = plan_find(plan, mount->parent);
	struct planned_mount *below = parent < plan->n_mounts ? &plan->mounts[parent] : NULL;

	*new = (struct planned_mount){.mount = *mount,
		.unique = unique,
		.role = procfs_role(mount),
		.instance = plan->n_mounts,
		.fd = -1,
		.dir = -1};
	if (below && new->role == PROCFS_NONE)
		new->role = role_below(below, mount);
	if (below && below->role == PROCFS_INSTANCE)
		new->instance = parent;
	if (below &&
		(new->role == PROCFS_INSTANCE || (new->role == PROCFS_COVER && !is_main(below))))
		below->covered |= strcmp(below->mount.mount_point, mount->mount_point) == 0;
	if (new->role != PROCFS_NONE)
		plan->n_mounts++;
}

int plan_allocate(struct procfs_plan *plan, size_t n)
{
	/* not calloc(3), which would write to the pages of all mounts, of which few have a role */
	plan->mounts = reallocarray(NULL, n, sizeof(*plan->mounts));
	plan->entries = reallocarray(NULL, n, sizeof(*plan->entries));
	return plan->mounts && plan->entries ? 0 : -ENOMEM;
}

int plan_check(const struct procfs_plan *plan, struct failure *why)
{
	for (size_t i = 0; i < plan->n_mounts; i++)
		if (plan->mounts[i].role == PROCFS_INSTANCE && is_main(&plan->mounts[i]))
			return 0;
	return fail(why, ENOENT, "no procfs is mounted at /proc");
}

/* The options that the fresh /proc will have. */
static const char *fresh_options(const struct procfs_plan *plan)
{
	const char *options = plan->proc_options;

	for (size_t i = 0; !options && i < plan->n_mounts; i++)
		if (is_main(&plan->mounts[i]) && plan->mounts[i].role == PROCFS_INSTANCE &&
			!plan->mounts[i].covered)
			options = plan->mounts[i].mount.super_options;
	return options;
}

bool procfs_plan_hides(const struct procfs_plan *plan)
{
	/* as administrators write them, and as the kernel shows them (proc_show_options()) */
	static const char *const hiding[] = {"2", "4", "invisible", "ptraceable"};
	const char *options = fresh_options(plan);
	const char *value = options ? strstr(options, "hidepid=") : NULL;

	if (!value)
		return false;
	value += strlen("hidepid=");
	for (size_t i = 0; i < sizeof(hiding) / sizeof(*hiding); i++)
		if (strcspn(value, ",") == strlen(hiding[i]) &&
			strncmp(value, hiding[i], strlen(hiding[i])) == 0)
			return true;
	return false;
}

bool procfs_plan_keeps(const struct procfs_plan *plan, unsigned long long mount_id)
{
	for (size_t i = 0; i < plan->n_mounts; i++)
		if ((unsigned long long)plan->mounts[i].mount.id == mount_id)
			return plan->mounts[i].role == PROCFS_COVER;
	for (size_t i = 0; i < plan->n_entries; i++)
		if ((unsigned long long)plan->entries[i].id == mount_id)
			return true;
	return false;
}

void procfs_plan_free(struct procfs_plan *plan)
{
	if (!plan)
		return;
	while (plan->answers) {
		struct mount_answer *answer = plan->answers;

		plan->answers = answer->next;
		free(answer);
	}
	free(plan->table);
	free(plan->mounts);
	free(plan->entries);
	free(plan);
}

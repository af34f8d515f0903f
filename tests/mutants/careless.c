/* SPDX-License-Identifier: MIT */
/*
 * A negative control: the init passes over what fails in replacing the procfs, and in covering the
 * places of private= and hide= (linked with --wrap).
 */
#include "init/hidden_cgroups.h"
#include "init/private_places.h"
#include "module/procfs_plan_make.h"

int __real_procfs_replace(struct procfs_plan *plan, const char **point);
int __wrap_procfs_replace(struct procfs_plan *plan, const char **point);

int __real_cover_private_places(
	const struct privacy_task *privacy, unsigned int *full, const char **place);
int __wrap_cover_private_places(
	const struct privacy_task *privacy, unsigned int *full, const char **place);

int __real_hide_cgroups(const struct privacy_task *privacy);
int __wrap_hide_cgroups(const struct privacy_task *privacy);

int __wrap_procfs_replace(struct procfs_plan *plan, const char **point)
{
	(void)__real_procfs_replace(plan, point);
	return 0;
}

int __wrap_cover_private_places(
	const struct privacy_task *privacy, unsigned int *full, const char **place)
{
	(void)__real_cover_private_places(privacy, full, place);
	return 0;
}

int __wrap_hide_cgroups(const struct privacy_task *privacy)
{
	(void)__real_hide_cgroups(privacy);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* A negative control: the init passes over what fails in procfs_replace() (linked with --wrap). */
#include "module/procfs_plan_make.h"

int __real_procfs_replace(struct procfs_plan *plan, const char **point);
int __wrap_procfs_replace(struct procfs_plan *plan, const char **point);

int __wrap_procfs_replace(struct procfs_plan *plan, const char **point)
{
	(void)__real_procfs_replace(plan, point);
	return 0;
}

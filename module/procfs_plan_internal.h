/* SPDX-License-Identifier: MIT */
/*
 * What the parts that make a plan (procfs_plan_*.c) share. All of it runs in the application.
 */
#ifndef PAM_UNSHARE_PROCFS_PLAN_INTERNAL_H
#define PAM_UNSHARE_PROCFS_PLAN_INTERNAL_H

#include "common/procfs_plan.h"
#include "failure.h"

/** Allocate room for n mounts. @return 0 or -ENOMEM */
int plan_allocate(struct procfs_plan *plan, size_t n);

/**
 * Decide what becomes of a mount, and add it to the plan if it does not stay as it is. Add parents
 * before their children.
 *
 * @param unique  its id for statmount(2); 0: not known
 */
void plan_add(struct procfs_plan *plan, const struct mount *mount, uint64_t unique);

/** Find a planned mount. @return its index; n_mounts when the plan has none with that id */
size_t plan_find(const struct procfs_plan *plan, int id);

/** Check that there is a procfs at /proc. @return 0 or -ENOENT */
int plan_check(const struct procfs_plan *plan, struct failure *why);

#endif

/* SPDX-License-Identifier: MIT */
/* The last resort against a mount that no path leads to: its parent is replaced by a copy without
 * it. */
#ifndef PAM_UNSHARE_HOLDER_H
#define PAM_UNSHARE_HOLDER_H

#include "walker.h"

/**
 * Replace the mount that holds one of the plan's by a copy of itself that has all that is mounted
 * there but that one, and others that must go. What the session sees is the same, unless a user
 * plays with what he has mounted there himself. Not possible with the root, through which
 * everything is found.
 *
 * Runs in the init until it is ready. Async-signal-safe.
 *
 * @param err  why the mount was not found: what is returned where this is not possible
 * @return 0 or -errno
 */
int replace_holder(struct walker *walker, const struct planned *p, int err);

#endif

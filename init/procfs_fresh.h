/* SPDX-License-Identifier: MIT */
#ifndef PAM_UNSHARE_PROCFS_FRESH_H
#define PAM_UNSHARE_PROCFS_FRESH_H

#include "common/mountinfo.h"

/**
 * Create a procfs instance of the caller's PID namespace, detached: nosuid, nodev, noexec.
 *
 * Runs in the init until it is ready, with CAP_SYS_ADMIN. Async-signal-safe. Every fresh instance
 * must be created before an old one is detached: in a user namespace other than the initial one
 * the kernel allows a new procfs only beside a present one that hides no more
 * (mount_too_revealing()).
 *
 * @param old      the mount that it replaces: read-only if that is
 * @param options  super options, of which it takes hidepid=, gid= and subset=
 * @return a descriptor, or -1 with errno of fsopen(2), fsconfig(2) or fsmount(2)
 */
int procfs_fresh(const struct mount *old, const char *options);

#endif

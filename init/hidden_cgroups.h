/* SPDX-License-Identifier: MIT */
/*
 * hide=cgroups: of /sys/fs/cgroup the session sees the branch of its user, at its own path, and
 * nothing else. Runs in the init until it is ready, in the session's mount namespace.
 * Async-signal-safe.
 */
#ifndef PAM_UNSHARE_HIDDEN_CGROUPS_H
#define PAM_UNSHARE_HIDDEN_CGROUPS_H

#include "init.h"

/**
 * Cover /sys/fs/cgroup with a control group that has no process, and no other below it than those
 * on the way to the user's slice, on which the real slice is mounted. A tmpfs would not do: systemd
 * looks at the type of the file system. If there is no slice yet, whoever joins the namespace
 * brings it (module/cgroup_branch.h). The empty groups stay: a few for each user.
 *
 * @return 0, or -1 with errno: ENOTSUP when there is no cgroup2
 */
int hide_cgroups(const struct privacy_task *privacy);

#endif

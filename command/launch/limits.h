/* SPDX-License-Identifier: MIT */
/*
 * The resource limits of the unit. systemd sets them after PAM: what pam_limits(8) says holds for
 * those alone that the unit and systemd's configuration do not set. Runs in the launcher.
 */
#ifndef PAM_UNSHARE_LAUNCH_LIMITS_H
#define PAM_UNSHARE_LAUNCH_LIMITS_H

#include "module/failure.h"

#include <stdbool.h>
#include <sys/resource.h>

struct limits {
	struct rlimit values[RLIM_NLIMITS];
	bool of_unit[RLIM_NLIMITS];
};

/** Note the limits before PAM. The unit has set those that are not PID 1's. */
void limits_note(struct limits *limits);

/** Set those of the unit again. @return 0 or -errno */
int limits_set(const struct limits *limits, struct failure *why);

#endif

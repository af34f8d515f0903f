/* SPDX-License-Identifier: MIT */
/*
 * What must hold of the application before anything is changed. Each check names what is wrong.
 */
#ifndef PAM_UNSHARE_PREFLIGHT_H
#define PAM_UNSHARE_PREFLIGHT_H

#include "failure.h"

/**
 * Check the application's effective capabilities.
 *
 * Runs in the application.
 *
 * @param why  on failure, lacks_capabilities is set if some are missing
 * @return 0 or -errno: EPERM when some are missing
 */
int check_capabilities_to_create(struct failure *why);

/** The same, for the few that the return to the host needs. Runs in the application. */
int check_capabilities_to_leave(struct failure *why);

/**
 * Check that the application has one thread: unshare(2) and setns(2) move the calling thread, and
 * the others would stay behind.
 *
 * Runs in the application.
 *
 * @param proc_self  the application's directory in the host's /proc
 * @return 0 or -errno: EINVAL when there are more
 */
int check_threads(int proc_self, struct failure *why);

/**
 * Check that the application is not systemd. For a unit with PAMName= systemd opens the session in
 * the process that then executes the unit's program. That process would be outside the PID
 * namespace, and its /proc would not show it.
 *
 * Runs in the application.
 *
 * @param proc_self  the application's directory in the host's /proc
 * @return 0 or -errno: ENOTSUP when it is systemd
 */
int check_executable(int proc_self, struct failure *why);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef PAM_UNSHARE_END_H
#define PAM_UNSHARE_END_H

#include <stdbool.h>

/**
 * Ask the session's processes to end with SIGHUP, SIGTERM and SIGCONT, and wait until none is left
 * or the grace period is over.
 *
 * Runs in the init, at the end of the session.
 *
 * @param grace   seconds
 * @param hidden  hidepid= keeps the init from seeing the session's processes
 */
void end_processes(unsigned int grace, bool hidden);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A PAM session that the command opens as an application would, in a process of its own, and what
 * the process of the user in it does first.
 */
#ifndef PAM_UNSHARE_SESSION_H
#define PAM_UNSHARE_SESSION_H

#include <pwd.h>
#include <security/pam_appl.h>
#include <stdbool.h>
#include <sys/types.h>

/** How a process of session_process() ended. */
enum session_end { SESSION_ENDED, SESSION_TOO_LONG, SESSION_NO_PROCESS };

/**
 * Run a function in a child without a terminal, which ends with this process.
 *
 * @param run       called in the child, which ends when it returns
 * @param data      passed to it
 * @param limit_ms  it is killed after that
 * @return SESSION_NO_PROCESS with errno
 */
enum session_end session_process(void (*run)(void *data), void *data, int limit_ms);

/**
 * Begin a PAM transaction; there is nobody to answer a question.
 *
 * @param aloud  print what modules say to the user
 * @param pamh   for pam_end(3), if PAM_SUCCESS is returned
 * @return as from pam_start(3)
 */
int session_start(const char *service, const char *user, bool aloud, pam_handle_t **pamh);

/**
 * Have this process die with its parent, from now on; a change of ids undoes it (prctl(2)). Ends
 * the process when the parent has died already.
 *
 * @param parent  its pid; a parent that is outside of this PID namespace has none here
 */
void session_die_with(pid_t parent);

/** Have nothing of root's terminal, for a process that will be the user's: /dev/null on 0 to 2. */
bool session_no_terminal(void);

/** Become the user, for good, as an application would before it starts the user's shell. */
bool session_become(const struct passwd *user);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What an application does to open a PAM session: a transaction, a process of its own for it, and
 * the steps by which that process's child becomes the user.
 *
 * Runs in the command and its children, as root until become_user().
 */
#ifndef PAM_UNSHARE_PAM_SESSION_H
#define PAM_UNSHARE_PAM_SESSION_H

#include "listener.h"

#include <pwd.h>
#include <security/pam_appl.h>
#include <stdbool.h>
#include <sys/types.h>

/* How the child of run_in_child() ended. */
enum child_end { CHILD_ENDED, CHILD_TIMED_OUT, CHILD_NOT_STARTED };

/**
 * Run a function in a child process, and wait for its end. The child has no controlling terminal,
 * and is killed when this process ends.
 *
 * @param run       called in the child, which exits when it returns
 * @param data      passed to it
 * @param limit_ms  milliseconds after which the child is killed
 * @return CHILD_NOT_STARTED with errno set
 */
enum child_end run_in_child(void (*run)(void *data), void *data, int limit_ms);

/**
 * Start a PAM transaction. Nobody answers: a module that asks a question gets PAM_CONV_ERR.
 *
 * @param listener  is told what modules say to the user; NULL: nobody
 * @param pamh      set if PAM_SUCCESS is returned; end it with pam_end(3)
 * @return as pam_start(3)
 */
int start_transaction(
	const char *service, const char *user, struct listener *listener, pam_handle_t **pamh);

/**
 * Have the kernel kill this process when its parent dies. If the parent has died already, this
 * process exits. A change of user or group IDs clears the setting, PR_SET_PDEATHSIG(2const).
 *
 * @param parent  its pid; a parent outside of this PID namespace is recognised as well
 */
void die_with_parent(pid_t parent);

/**
 * Replace standard input, output and error, which may be root's terminal, by /dev/null.
 *
 * @return false if open(2) or dup2(2) failed, or one of the three was closed
 */
bool detach_terminal(void);

/**
 * Take the user's IDs and groups for good, as an application does before it runs the shell.
 *
 * @param user  name, uid and gid are used
 * @return false with errno, as by initgroups(3), setresgid(2) and setresuid(2)
 */
bool become_user(const struct passwd *user);

#endif

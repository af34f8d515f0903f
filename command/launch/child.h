/* SPDX-License-Identifier: MIT */
/*
 * The process that becomes the user manager: a child of the launcher's parent, which is PID 1.
 * Runs in the launcher, and in that process.
 */
#ifndef PAM_UNSHARE_LAUNCH_CHILD_H
#define PAM_UNSHARE_LAUNCH_CHILD_H

#include "module/failure.h"

#include <pwd.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
	/* set by the caller */
	const struct passwd *user;
	char *const *program; /* absolute path, arguments, NULL */

	/* set by child_prepare() */
	uint64_t ambient; /* capabilities that PAM gave: pam_systemd's */
	char **of_pam;	  /* PAM's environment, which the launcher itself must not have: it may be
			     the user's */
	sigset_t signals; /* the mask that it starts with */
	int go[2];	  /* it waits for a byte before it does anything */

	/* set by child_start() */
	pid_t pid; /* in the launcher's PID namespace */
	int pidfd;
};

/**
 * Gather what the process starts with. Its environment is the launcher's, and what systemd.exec(5)
 * and PAM set in it. From now on all signals are blocked in the launcher, which ends after the
 * process.
 *
 * @return 0 or -errno
 */
int child_prepare(struct child *child, pam_handle_t *pamh, struct failure *why);

/**
 * Fork it. It is born where the launcher's children are, does nothing yet, and ends when the
 * launcher does before child_release().
 *
 * @return 0 or -errno
 */
int child_start(struct child *child, struct failure *why);

/** Let it become the user and execute the program. @return 0 or -errno */
int child_release(struct child *child, struct failure *why);

/** Let it end instead. */
void child_discard(struct child *child);

#endif

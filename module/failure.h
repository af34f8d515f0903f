/* SPDX-License-Identifier: MIT */
/*
 * How the parts below the PAM entry points report a failure: a text that names the step, and the
 * errno that it failed with. They never log; pam_unshare.c does.
 */
#ifndef PAM_UNSHARE_FAILURE_H
#define PAM_UNSHARE_FAILURE_H

#include <stdbool.h>

struct failure {
	int err;	    /* errno of the failed step; 0: nothing has failed */
	bool return_failed; /* the application is not wholly back on the host: in its namespaces and
			       root */
	bool lacks_capabilities; /* the application lacks those that the text names */
	int cwd_errno;	 /* not 0: the application has returned, but its working directory is "/" */
	int leave_errno; /* not 0: the user's namespace was not told that the session has ended */
	char text[4352]; /* the step in words; holds a mount point of PATH_MAX bytes */
};

/**
 * Note a failure. The first one stays: what fails later, on the way back, is a consequence of it.
 *
 * Runs in the application.
 *
 * @param why  where to note it
 * @param err  errno of the failed step
 * @param fmt  the step in words, as for printf(3), without the text of errno
 * @return -err, so that a caller can write `return fail(why, errno, "…")`
 */
int fail(struct failure *why, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/**
 * Forget a failure before another try. That the application has lost its working directory stays
 * true.
 *
 * Runs in the application.
 */
static inline void forget_failure(struct failure *why)
{
	why->err = 0;
	why->return_failed = why->lacks_capabilities = false;
}

#endif

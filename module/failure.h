/* SPDX-License-Identifier: MIT */
/*
 * How the layers below the PAM entry points report a failure: a text that names the step, and the
 * errno it failed with. They never log; pam_unshare.c does.
 */
#ifndef PAM_UNSHARE_FAILURE_H
#define PAM_UNSHARE_FAILURE_H

#include <stdbool.h>

struct failure {
	int err;	 /* errno of the failed step, 0: nothing has failed */
	bool stranded;	 /* the application could not be brought back to where it came from */
	bool powerless;	 /* the application lacks capabilities, which the text names */
	int astray;	 /* errno: it is back, but in "/" instead of its working directory */
	char text[4352]; /* the step in words; holds a mount point of PATH_MAX bytes */
};

/**
 * Note a failure. The first one is kept: what fails later, on the way back, is a consequence.
 *
 * @param why  where to note it
 * @param err  errno of the failed step
 * @param fmt  the step in words, as for printf(3), without the text of errno
 * @return -err, so that `return fail(why, errno, "…")` reads as what it does
 */
int fail(struct failure *why, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif

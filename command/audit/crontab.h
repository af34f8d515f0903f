/* SPDX-License-Identifier: MIT */
/*
 * The user's crontab, to which a probe adds a line: a copy of what it was, and how it becomes that
 * again. Runs as root, on the host.
 */
#ifndef PAM_UNSHARE_CRONTAB_H
#define PAM_UNSHARE_CRONTAB_H

#include "context.h"

struct crontab {
	char path[300];
	char *text; /* NULL: it could not be read */
	size_t n;
	int err; /* why not: ENOENT, there is none; else it is left alone */
};

/** Remember the user's crontab. Free the text with free(3). */
void crontab_remember(struct crontab *crontab, const char *user);

/**
 * Take the audit's line out. What remains is what was there, byte for byte; or what somebody has
 * written since, without that line. Failure is reported on standard error.
 */
void crontab_restore(const struct crontab *was, const struct audit_context *context);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef PAM_UNSHARE_AUDIT_H
#define PAM_UNSHARE_AUDIT_H

#include "command/lib/table.h"

#include <stdbool.h>

struct audit_options {
	struct table_options table;
	bool no_session;  /* open no session: audit the machine as it is */
	const char *only; /* names of probes, separated by commas; NULL: all */
};

/* The columns of the report. */
extern const struct table_layout audit_table;

/**
 * Run the probes from inside a session, and print what they found.
 *
 * Runs as root, on the host.
 *
 * @return the exit status: 0, nothing is open and everything was tested; 1, something is open; 2,
 *         the audit could not be made; 3, something was not tested
 */
int audit_service(const struct audit_options *options, const char *service, const char *user);

/**
 * The programs that the audit runs are this one, with a first argument of their own: a decoy, the
 * own process (decoy.h), the probes, a scan of /proc.
 *
 * @return its exit status; -1: the first argument is none of these
 */
int audit_subprogram(int argc, char **argv);

#endif

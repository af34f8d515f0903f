/* SPDX-License-Identifier: MIT */
#ifndef PAM_UNSHARE_AUDIT_H
#define PAM_UNSHARE_AUDIT_H

#include "command/lib/table.h"

#include <stdbool.h>

struct audit_options {
	struct table_options table;
	bool without;	  /* no session: the machine as it is */
	const char *only; /* names of probes, separated by commas; NULL: all */
};

/**
 * Try every known probe to see processes of others from inside a session, and print what was found.
 *
 * Runs as root, on the host.
 *
 * @return the exit status: 0 nothing is open; 1 something is; 2 the audit could not be made
 */
int audit_service(const struct audit_options *options, const char *service, const char *user);

/**
 * What the command runs as itself, by a first argument of its own: a decoy, a scan of /proc, the
 * probes.
 *
 * @return -1: it is none of these; or the exit status
 */
int audit_part(int argc, char **argv);

#endif

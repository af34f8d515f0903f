/* SPDX-License-Identifier: MIT */
/*
 * Another session of the user's, in which tmux and screen servers and the own process (decoy.h) run
 * as long as the audit: what a user may have left open before the audited session.
 *
 * These functions run as root, on the host; the servers as the user, in their session.
 */
#ifndef PAM_UNSHARE_SERVERS_H
#define PAM_UNSHARE_SERVERS_H

#include "session.h"

struct servers {
	pid_t application; /* the process that opens it, or -1 */
	int socket;	   /* closed when the audit ends: the servers are killed then */
};

/** Start them, if a wanted probe needs one, and wait until they are ready, at most a minute. */
struct servers servers_start(struct audit *audit);

/** Stop them, and wait until the session has closed. */
void servers_stop(const struct servers *servers);

#endif

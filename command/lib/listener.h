/* SPDX-License-Identifier: MIT */
/*
 * Runs in the process that opens a session, as root.
 */
#ifndef PAM_UNSHARE_LISTENER_H
#define PAM_UNSHARE_LISTENER_H

/* Receives messages of modules, printable, one line each. */
struct listener {
	void (*receive)(void *data, const char *text);
	void *data;
};

#endif

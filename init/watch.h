/* SPDX-License-Identifier: MIT */
/*
 * Whom the init watches, and how it learns that the session has ended.
 */
#ifndef PAM_UNSHARE_WATCH_H
#define PAM_UNSHARE_WATCH_H

#include <stdbool.h>

/* The only descriptors that the init of a session keeps, and the pipe for its report while it
   starts. The init of a user's namespace keeps the others too, and the pidfds of its members. */
enum {
	FD_OPENER,
	FD_SIGNALS,
	FD_REPORT,
	FD_LOCK,
	FD_LISTENER,
	FD_PROC,
	FD_TIMER,
	FD_EVENTS,
	FD_FREE
};

/**
 * Make a signalfd(2) report these signals and no others.
 *
 * Runs in the init.
 *
 * @param fd     the signalfd to change; -1: a new one
 * @param other  a second signal; 0: none
 * @return the signalfd, or -1 with errno
 */
int watch_signals(int fd, int sig, int other);

/** Read a pending signal. Tells whether it is a SIGTERM from outside the namespace. Runs in the
 * init. */
bool take_signal(void);

/**
 * Wait until the opener has died without closing the session, or a SIGTERM comes from outside.
 *
 * Runs in the init.
 */
void wait_for_end(void);

#endif

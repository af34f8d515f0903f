/* SPDX-License-Identifier: MIT */
/*
 * Whom the init watches, and how it learns that the session has ended.
 */
#ifndef PAM_UNSHARE_WATCH_H
#define PAM_UNSHARE_WATCH_H

#include <stdbool.h>

/* The only descriptors that the init keeps, and the pipe for its report while it starts. */
enum { FD_OPENER, FD_SIGNALS, FD_REPORT };

/**
 * Make a signalfd(2) report that signal and no other.
 *
 * Runs in the init.
 *
 * @param fd  the signalfd to change; -1: a new one
 * @return the signalfd, or -1 with errno
 */
int watch_signal(int fd, int sig);

/** Read a pending signal. Tells whether it came from outside the namespace. Runs in the init. */
bool take_signal(void);

/**
 * Wait until the opener has died without closing the session, or a SIGTERM comes from outside.
 *
 * Runs in the init.
 */
void wait_for_end(void);

#endif

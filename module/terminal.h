/* SPDX-License-Identifier: MIT */
/*
 * The application's controlling terminal. A session process that was not given a process group of
 * its own sees getpgrp() as 0, for the group is the application's and has no number inside; its
 * shell cannot hand the terminal's foreground back when it ends, and the caller's read(2) would
 * get EIO.
 */
#ifndef PAM_UNSHARE_TERMINAL_H
#define PAM_UNSHARE_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

/** Tell whether the caller has a controlling terminal and is in its foreground. */
bool terminal_is_ours(void);

/**
 * Make the caller the foreground process group of its terminal again, if the foreground was left
 * to a group that has ended, or is in the session's PID namespace. Any other group is left alone:
 * the caller's shell may have put the application into the background.
 *
 * Runs in the application, back in the host's mount namespace.
 *
 * @param pid_namespace  inode of the session's PID namespace
 */
void terminal_take_back(uint64_t pid_namespace);

#endif

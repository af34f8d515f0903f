/* SPDX-License-Identifier: MIT */
/*
 * The application's controlling terminal. If the application does not give the session's process a
 * process group of its own, that process sees getpgrp() as 0. Its process group is the
 * application's, which has no number in the namespace. Its shell cannot hand the terminal's
 * foreground back when it ends, and the caller's next read(2) would fail with EIO.
 */
#ifndef PAM_UNSHARE_TERMINAL_H
#define PAM_UNSHARE_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Tell whether the caller has a controlling terminal and is in its foreground.
 *
 * Runs in the application.
 */
bool terminal_is_ours(void);

/**
 * Make the caller's process group the foreground of its terminal again, if the foreground group has
 * ended or is in the session's PID namespace. Any other group keeps it: the caller's shell may have
 * put the application into the background.
 *
 * Runs in the application, back in the host's mount namespace.
 *
 * @param pid_namespace  inode of the session's PID namespace
 */
void terminal_take_back(uint64_t pid_namespace);

#endif

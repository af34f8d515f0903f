/* SPDX-License-Identifier: MIT */
/*
 * Captures what libpam and the modules of this process write to the system log. Messages are kept,
 * and forwarded to the system log if the mode says so.
 *
 * log_capture.c defines the functions of syslog(3). They take the place of the C library's because
 * the dynamic linker searches the program's own symbols first, ld.so(8). They run in the command
 * and in all its children.
 */
#ifndef PAM_UNSHARE_LOG_CAPTURE_H
#define PAM_UNSHARE_LOG_CAPTURE_H

#include "listener.h"

#include <stddef.h>

enum log_capture_mode {
	LOG_CAPTURE_KEEP,    /* keep messages, and do nothing else with them */
	LOG_CAPTURE_FORWARD, /* forward them to the system log as well */
};

/** Set the mode for messages from now on. The first mode is LOG_CAPTURE_KEEP. */
void log_capture_set_mode(enum log_capture_mode mode);

/** Tell a listener each message that is forwarded from now on; it must remain valid. NULL: nobody.
 */
void log_capture_set_listener(const struct listener *listener);

/**
 * Return a message that was captured.
 *
 * @param i  its number, from 0; the first 64 are kept
 * @return its text, printable, without the prefix that names the module; NULL when there is none
 */
const char *log_capture_message(size_t i);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What libpam and the modules of this process say to the system log: it is kept, and printed
 * or passed on to the system log. log_capture.c has the functions of syslog(3), which stand before
 * those of the C library because a program's symbols are found first, ld.so(8).
 */
#ifndef PAM_UNSHARE_HEARD_H
#define PAM_UNSHARE_HEARD_H

#include <stddef.h>

/* What is done with what is said: it is kept; passed on to the system log; printed as well. */
enum heard_mode { HEARD_KEEP, HEARD_LOG, HEARD_SHOW };

/** From now on; at first it is only kept. */
void heard_mode(enum heard_mode mode);

/** The message number i, from 0, without the name of its module; NULL: there is none.
 */
const char *heard(size_t i);

#endif

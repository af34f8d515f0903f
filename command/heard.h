/* SPDX-License-Identifier: MIT */
/*
 * What libpam and the modules of this process say to the system log: it is kept, printed, and goes
 * to the system log as well. heard.c has the functions of syslog(3), which stand before those of
 * the C library because a program's symbols are found first, ld.so(8).
 */
#ifndef PAM_UNSHARE_HEARD_H
#define PAM_UNSHARE_HEARD_H

#include <stdbool.h>
#include <stddef.h>

/** Print what is said from now on, and pass it on; or only keep it, which is the default. */
void heard_show(bool show);

/** The message number i, from 0, without the name of its module; NULL: there is none.
 */
const char *heard(size_t i);

#endif

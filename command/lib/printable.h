/* SPDX-License-Identifier: MIT */
/*
 * Runs in the command, as root, and in its children, as the user whose session it is.
 */
#ifndef PAM_UNSHARE_PRINTABLE_H
#define PAM_UNSHARE_PRINTABLE_H

#include <stddef.h>

/**
 * Copy text that a user may have chosen, to be printed: every byte that is not printable ASCII
 * becomes "?", and what does not fit is cut off.
 *
 * @param to    filled in, always terminated; may be the same as from
 * @param size  of to, at least 1
 * @param from  n bytes
 */
void printable(char *to, size_t size, const char *from, size_t n);

#endif

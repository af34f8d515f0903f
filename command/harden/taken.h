/* SPDX-License-Identifier: MIT */
/*
 * The parts of "harden" that "enable" turns on. "disable" turns off those alone: a mark is kept for
 * each of them, by its name. Parts that were on before, or that "harden" is told to change
 * afterwards, are the administrator's.
 */
#ifndef PAM_UNSHARE_TAKEN_H
#define PAM_UNSHARE_TAKEN_H

#include "parts.h"

#include <stdbool.h>

/** Tell whether "enable" turns it on: all but those that must be named, and the user manager, which
 * "enable" has inside. */
bool taken_is_of_inside(const struct part *part);

/** Turn on the parts that are off. @return whether that went well; what failed is on standard error
 */
bool taken_take(void);

/** Turn off those that have a mark. @return as taken_take() */
bool taken_give_back(void);

/** The part of that name is the administrator's from now on. */
void taken_forget(const char *name);

#endif

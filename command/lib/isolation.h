/* SPDX-License-Identifier: MIT */
/*
 * Whether a user's whole life is in one namespace, by the configuration file alone: units and the
 * launcher of the user manager have no line of PAM whose arguments could say so. And how lines that
 * there are isolate, with that file. Runs in the command, as root.
 */
#ifndef PAM_UNSHARE_ISOLATION_H
#define PAM_UNSHARE_ISOLATION_H

#include "command/lib/pam_stack.h"
#include "module/options.h"

enum isolation {
	ISOLATION_NONE,	   /* not isolated, or each session has a namespace of its own */
	ISOLATION_SHARED,  /* the user's sessions share a namespace */
	ISOLATION_UNKNOWN, /* the file is not understood; see options_admit() */
};

/**
 * Find out what the configuration file says of a user.
 *
 * @param pamh  a transaction, to log what is wrong with the file
 * @param user  whose sessions
 * @param opts  filled in, with scope=user; free it with options_free() in any case
 */
enum isolation isolation_of(pam_handle_t *pamh, const struct passwd *user, struct options *opts);

/** The same without a transaction of the caller's, and without the options. */
enum isolation isolation_find(const struct passwd *user);

/**
 * Tell whether a line of the module opens sessions with enter=fork, by its arguments and the
 * configuration file: then children of who opens one are inside, and he is not.
 */
bool isolation_enters_at_fork(const struct pam_stack *stack);

/** Who can log in where options_parse() has found a mistake, for a message: see options_admit(). */
const char *isolation_let_in(const struct options *opts);

#endif

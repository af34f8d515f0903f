/* SPDX-License-Identifier: MIT */
/*
 * The user's ~/.forward, which the audit exchanges for one of its own for a while.
 */
#ifndef PAM_UNSHARE_FORWARD_H
#define PAM_UNSHARE_FORWARD_H

#include "context.h"

#define FORWARD_MAX 400

/** The paths of ~/.forward, and of the other file: the user's own while the audit's is in place. */
void forward_paths(
	const struct audit_context *context, char forward[FORWARD_MAX], char other[FORWARD_MAX]);

/**
 * Put the user's own file back in place, if the audit's is there.
 *
 * Runs as the user.
 *
 * @return false: something of the audit's is left
 */
bool forward_restore(const struct audit_context *context);

#endif

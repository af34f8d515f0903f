/* SPDX-License-Identifier: MIT */
#include "forward.h"

#include "common/syscalls.h"
#include "user_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void forward_paths(
	const struct audit_context *context, char forward[FORWARD_MAX], char other[FORWARD_MAX])
{
	(void)snprintf(forward, FORWARD_MAX, "%s/.forward", context->home);
	(void)snprintf(other, FORWARD_MAX, "%s/.forward.pam-unshare-audit-%s", context->home,
		context_id(context));
}

bool forward_restore(const struct audit_context *context)
{
	char forward[FORWARD_MAX], other[FORWARD_MAX];
	struct stat st;

	forward_paths(context, forward, other);
	if (user_file_contains(
		    AT_FDCWD, other, context->directory)) /* it has not come to its place */
		return unlink(other) == 0;
	if (!user_file_contains(AT_FDCWD, forward, context->directory))
		return lstat(other, &st) < 0; /* or somebody has written another one meanwhile */
	return rename(other, forward) == 0 || (errno == ENOENT && unlink(forward) == 0);
}

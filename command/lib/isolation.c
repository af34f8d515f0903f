/* SPDX-License-Identifier: MIT */
#include "isolation.h"

#include <stddef.h>

enum isolation isolation_of(pam_handle_t *pamh, const struct passwd *user, struct options *opts)
{
	if (!options_parse(pamh, 0, NULL, opts))
		return user->pw_uid == 0 ? ISOLATION_NONE : ISOLATION_UNKNOWN;
	/* without the handle: for an application libpam keeps nothing, and pam_modutil_getpwnam(3)
	   looks for a free place two thousand million times */
	return opts->per_user && options_isolate(NULL, opts, user) ? ISOLATION_SHARED
								   : ISOLATION_NONE;
}

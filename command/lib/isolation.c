/* SPDX-License-Identifier: MIT */
#include "isolation.h"

#include <stddef.h>

enum isolation isolation_of(pam_handle_t *pamh, const struct passwd *user, struct options *opts)
{
	if (!options_parse(pamh, 0, NULL, opts))
		return user->pw_uid == 0 ? ISOLATION_NONE : ISOLATION_UNKNOWN;
	return opts->per_user && options_isolate(pamh, opts, user) ? ISOLATION_SHARED
								   : ISOLATION_NONE;
}

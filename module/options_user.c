/* SPDX-License-Identifier: MIT */
/* Who is isolated. */
#include "list.h"
#include "options.h"

static bool is_exempt(pam_handle_t *pamh, const struct options *opts, const struct passwd *user)
{
	return opts->exempt && list_has_user(pamh, opts->exempt, user) == ON_LIST;
}

bool options_isolate(pam_handle_t *pamh, const struct options *opts, const struct passwd *user)
{
	if (user->pw_uid == 0 && !opts->include_root)
		return false;
	if (is_exempt(pamh, opts, user))
		return false;
	return !opts->only || list_has_user(pamh, opts->only, user) != NOT_ON_LIST;
}

bool options_admit(pam_handle_t *pamh, const struct options *opts, const struct passwd *user)
{
	if (user->pw_uid == 0)
		return true;
	return opts->exempt_stands && is_exempt(pamh, opts, user);
}

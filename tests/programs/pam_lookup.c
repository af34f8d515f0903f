/* SPDX-License-Identifier: MIT */
/*
 * A PAM module that looks up the user who is its argument, by the function whose result is one for
 * the whole process: what the application has looked up before is overwritten.
 */
#include <pwd.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	const struct passwd *found;
	const void *user = NULL;
	char before[64];

	(void)flags;
	if (argc != 1 || pam_get_item(pamh, PAM_USER, &user) != PAM_SUCCESS || !user)
		return PAM_SESSION_ERR;
	found = getpwnam(user);
	(void)snprintf(before, sizeof(before), "%s", found ? found->pw_name : "nobody");
	(void)getpwnam(argv[0]);
	if (found) /* the same place */
		pam_syslog(pamh, LOG_NOTICE, "looked up %s in place of %s", found->pw_name, before);
	return PAM_SUCCESS;
}

int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh, (void)flags, (void)argc, (void)argv;
	return PAM_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/*
 * A session module that says, when the session is closed, which value the variable that is its
 * argument has: in the application's environment, and in PAM's.
 */
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdlib.h>
#include <syslog.h>

int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh, (void)flags, (void)argc, (void)argv;
	return PAM_SUCCESS;
}

int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	const char *own, *of_pam;

	(void)flags;
	if (argc != 1)
		return PAM_SESSION_ERR;
	own = getenv(argv[0]);
	of_pam = pam_getenv(pamh, argv[0]);
	pam_syslog(pamh, LOG_NOTICE, "%s: own '%s', of PAM '%s'", argv[0], own ? own : "",
		of_pam ? of_pam : "");
	return PAM_SUCCESS;
}

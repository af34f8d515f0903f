/* SPDX-License-Identifier: MIT */
/* The floor as a PAM module, "close" and "open" as pam_unshare(8) has them: what su takes with the
   least that any implementation must do. */
#include "floor.h"

#include <security/pam_modules.h>
#include <string.h>

static struct floor floor_session;

static int is(int argc, const char **argv, const char *word)
{
	return argc > 0 && strcmp(argv[0], word) == 0;
}

int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh, (void)flags;
	if (!is(argc, argv, "close"))
		floor_open(&floor_session);
	return PAM_SUCCESS;
}

int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh, (void)flags;
	if (!is(argc, argv, "open"))
		floor_close(&floor_session);
	return PAM_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/*
 * A session module that takes the capabilities named by its arguments from the application. sshd
 * cannot be started without CAP_SYS_CHROOT: it needs that before a user is known.
 */
#include <security/pam_modules.h>
#include <sys/capability.h>

int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	cap_t caps = cap_get_proc();
	cap_value_t cap;
	int failed = caps ? 0 : 1;

	(void)pamh, (void)flags;
	for (int i = 0; i < argc && !failed; i++)
		failed = cap_from_name(argv[i], &cap) < 0 ||
			 cap_set_flag(caps, CAP_EFFECTIVE, 1, &cap, CAP_CLEAR) < 0 ||
			 cap_set_flag(caps, CAP_PERMITTED, 1, &cap, CAP_CLEAR) < 0;
	if (!failed)
		failed = cap_set_proc(caps) < 0;
	(void)cap_free(caps);
	return failed ? PAM_SYSTEM_ERR : PAM_SUCCESS;
}

int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh, (void)flags, (void)argc, (void)argv;
	return PAM_SUCCESS;
}

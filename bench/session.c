/* SPDX-License-Identifier: MIT */
#include "session.h"

#include "measure.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#define CONFDIR "/run/pam.d"
#define USER "alice"

static int converse(int n, const struct pam_message **msg, struct pam_response **resp, void *data)
{
	(void)n, (void)msg, (void)resp, (void)data;
	return PAM_CONV_ERR;
}

void look_user_up(void)
{
	if (!getpwnam(USER))
		die(USER);
}

void write_to_log(void)
{
	syslog(LOG_AUTHPRIV | LOG_INFO, "session of %s opened: PID namespace 4026532251", USER);
}

void start(struct session *session, const char *variant)
{
	static const struct pam_conv conv = {converse, NULL};
	const bool floor = strcmp(variant, "floor") == 0;
	char service[32] = "module", *user;

	if (!floor)
		(void)strncpy(service, variant, sizeof(service) - 1);
	user = strchr(service, ':');
	if (user)
		*user++ = '\0';
	/* an application has done that long before */
	look_user_up();
	write_to_log();
	if (pam_start_confdir(service, user ? user : USER, &conv, CONFDIR, &session->pamh) !=
		PAM_SUCCESS)
		die("pam_start");
	/* PAM loads the modules at its first call, and a fork of a process with more libraries
	   takes longer: the floor has the same ones. Without a session that is open this does
	   nothing. */
	if (floor && pam_close_session(session->pamh, 0) != PAM_SUCCESS)
		die("pam_close_session");
	session->is_floor = floor;
}

void session_open(struct session *session)
{
	if (session->is_floor)
		floor_open(&session->floor);
	else if (pam_open_session(session->pamh, 0) != PAM_SUCCESS)
		die("pam_open_session");
}

void session_close(struct session *session)
{
	if (session->is_floor)
		floor_close(&session->floor);
	else if (pam_close_session(session->pamh, 0) != PAM_SUCCESS)
		die("pam_close_session");
}

void end(struct session *session)
{
	if (pam_end(session->pamh, PAM_SUCCESS) != PAM_SUCCESS)
		die("pam_end");
}

void wait_for_inits(void)
{
	while (waitpid(-1, NULL, (int)__WCLONE) > 0 || errno == EINTR)
		;
}

void fork_once(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	must_succeed(child, "the first child");
}

/* SPDX-License-Identifier: MIT */
#include "session.h"

#include "common/privacy.h"
#include "common/user_protocol.h"
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

const char *item(const pam_handle_t *pamh, int type)
{
	const void *text = NULL;

	if (pam_get_item(pamh, type, &text) != PAM_SUCCESS || !text)
		return "?";
	return text;
}

void log_message(
	const pam_handle_t *pamh, const struct session *session, int priority, const char *fmt, ...)
{
	char text[sizeof(((struct failure *)NULL)->text) + 1024];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (session->ending)
		syslog(LOG_AUTHPRIV | priority, "pam_unshare(%s:session): %s",
			item(pamh, PAM_SERVICE), text);
	else
		pam_syslog(pamh, priority, "%s", text);
}

void log_leave(const pam_handle_t *pamh, const struct session *session, const struct failure *why)
{
	errno = why->leave_errno;
	if (why->leave_errno)
		log_message(pamh, session, LOG_WARNING,
			"init %d was not told that the session of %s has ended, and goes on until the application ends: %m",
			(int)session->ns.init_pid, item(pamh, PAM_USER));
}

void log_cwd(const pam_handle_t *pamh, const struct session *session, const struct failure *why)
{
	errno = why->cwd_errno;
	if (why->cwd_errno)
		log_message(pamh, session, LOG_WARNING,
			"the application cannot return to its working directory and stays in /: %m");
}

void log_failure(const pam_handle_t *pamh, const struct session *session, const struct failure *why,
	const char *what)
{
	const char *user = item(pamh, PAM_USER);

	errno = why->err;
	log_message(pamh, session, LOG_ERR, "%s of %s: %s: %m", what, user, why->text);
	if (why->return_failed)
		log_message(pamh, session, LOG_CRIT,
			"the application could not be brought back and stays in the namespaces of the session of %s",
			user);
	log_cwd(pamh, session, why);
}

void log_lacks_capabilities(const pam_handle_t *pamh, const struct session *session,
	const struct failure *why, bool end_err)
{
	log_message(pamh, session, LOG_WARNING,
		end_err ? "session of %s closed: PID namespace %llu, init %d; %s by now and stays inside until it ends"
			: "session of %s goes on until the application ends: PID namespace %llu, init %d; %s by now",
		item(pamh, PAM_USER), (unsigned long long)session->ns.pid_namespace,
		(int)session->ns.init_pid, why->text);
}

void log_at_fork(const pam_handle_t *pamh, const struct session *session,
	const struct at_fork_report *report)
{
	const char *user = item(pamh, PAM_USER);

	errno = report->err;
	if (report->ended > 0)
		log_message(pamh, session, LOG_ERR,
			"children of the application could not enter the session of %s and were ended, %u of them: %s: %m",
			user, report->ended, at_fork_step_name(report->step));
	else if (report->entered == 0)
		log_message(pamh, session, LOG_WARNING,
			"no child of the application has entered the session of %s: what it starts without fork(3) cannot execute a program as the user (EAGAIN)",
			user);
	errno = report->limit_err;
	if (report->limit_err)
		log_message(pamh, session, LOG_ERR,
			"the application keeps the limit RLIMIT_NPROC of the session of %s: %m",
			user);
	if (report->unguarded)
		log_message(pamh, session, LOG_CRIT,
			"the application or another PAM module has changed the limit RLIMIT_NPROC in the session of %s: what was started without fork(3) may run outside of it",
			user);
	if (report->uncounted)
		log_message(pamh, session, LOG_WARNING,
			"the application has waited for a child of the module's in the session of %s: what was started without fork(3) may run outside of it if the user had no other process",
			user);
	if (report->stayed)
		log_message(pamh, session, LOG_CRIT,
			"a thread of the application could not be brought back after a fork and stays in the session of %s",
			user);
}

/* Of enum full_place. */
static const char *places_in_words(unsigned int bits)
{
	static const char *const words[] = {"?", "/tmp", "/var/tmp", "/tmp, /var/tmp", "/dev/shm",
		"/tmp, /dev/shm", "/var/tmp, /dev/shm", "/tmp, /var/tmp, /dev/shm"};

	return words[bits < sizeof(words) / sizeof(*words) ? bits : 0];
}

void log_opened(const pam_handle_t *pamh, const struct session *session)
{
	const struct namespaces *ns = &session->ns;

	pam_syslog(pamh, LOG_INFO, "session of %s opened: PID namespace %llu, init %d%s%s",
		item(pamh, PAM_USER), (unsigned long long)ns->pid_namespace, (int)ns->init_pid,
		ns->at_fork ? ", entered at fork" : "",
		!ns->shared  ? ""
		: ns->joined ? ", the user's, joined"
			     : ", the user's, made");
	if (ns->lacks_ipc)
		pam_syslog(pamh, LOG_WARNING,
			"session of %s has the host's IPC namespace: the session that made the user's namespace was opened without 'ipc'",
			item(pamh, PAM_USER));
	if (ns->lacks_privacy)
		pam_syslog(pamh, LOG_WARNING,
			"session of %s sees more than 'private=' and 'hide=' say: the session that made the user's namespace was opened without them",
			item(pamh, PAM_USER));
	if (ns->full_places)
		pam_syslog(pamh, LOG_WARNING,
			"session of %s has a small tmpfs, which ends with its namespace, on %s: there is no room for a directory of the user's, or it could not lock " USER_DIRECTORY,
			item(pamh, PAM_USER), places_in_words(ns->full_places));
}

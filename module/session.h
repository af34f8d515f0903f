/* SPDX-License-Identifier: MIT */
/*
 * The state of a PAM transaction's session, and what is logged of it. Runs in the application.
 */
#ifndef PAM_UNSHARE_SESSION_H
#define PAM_UNSHARE_SESSION_H

#include "at_fork.h"
#include "failure.h"
#include "namespaces.h"

#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <syslog.h>

/*
 * The state of a PAM transaction's session. Applications call pam_end(3) in forked children too
 * (login, su), where nothing may be touched. So the state is in pages that the kernel clears in a
 * child (MADV_WIPEONFORK): there no session is open. Pids cannot tell parent and child apart, since
 * they may be equal in two namespaces.
 */
struct session {
	unsigned int opened; /* how often, since the module may be listed twice; 0: not open */
	bool in_foreground;  /* the application was in its terminal's foreground at the open */
	bool ending;	     /* pam_end(3) runs */
	bool debug;	     /* as at the open: the close does not read the configuration file */
	struct namespaces ns;
};

/* LOG_DEBUG, with the argument debug. */
#define DEBUG(pamh, opts, ...)                                    \
	do {                                                      \
		if ((opts)->debug)                                \
			pam_syslog(pamh, LOG_DEBUG, __VA_ARGS__); \
	} while (0)

/** A PAM item that is a string; "?" if it is not set. */
const char *item(const pam_handle_t *pamh, int type);

/**
 * As pam_syslog(3). In pam_end(3) libpam has no name of a module and would write "PAM" in its
 * place.
 */
void log_message(const pam_handle_t *pamh, const struct session *session, int priority,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/** Log that the user's namespace was not told that the session has ended, if so. */
void log_leave(const pam_handle_t *pamh, const struct session *session, const struct failure *why);

/** Log that the application could not return to its working directory, if so. */
void log_cwd(const pam_handle_t *pamh, const struct session *session, const struct failure *why);

/** Log a step that has failed, and whether the application is back on the host. */
void log_failure(const pam_handle_t *pamh, const struct session *session, const struct failure *why,
	const char *what);

/**
 * Log that the application serves in the process that has opened the session, and has dropped its
 * privileges, as proftpd does. It ends with the session, or soon after.
 */
void log_lacks_capabilities(const pam_handle_t *pamh, const struct session *session,
	const struct failure *why, bool end_err);

/** Log what has become of the application's children, if there is something to say. */
void log_at_fork(const pam_handle_t *pamh, const struct session *session,
	const struct at_fork_report *report);

/** Log that a session is open. */
void log_opened(const pam_handle_t *pamh, const struct session *session);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * pam_unshare: a session module that gives everyone who logs in a PID namespace and a mount
 * namespace of their own.
 *
 *     open_session                                     who runs it
 *       who is isolated, by the arguments              the application: root, on the host
 *       namespace_create()                             the application
 *         remember the way back
 *         unshare(CLONE_NEWPID | CLONE_NEWNS)
 *         make every mount a slave
 *         fork the namespace's init ──────────────►  PID 1: replace every procfs, drop everything,
 *         wait until it is ready    ◄──────────────         say "ready"; then reap, and wait for
 *       keep the way back with pam_set_data()               the end of the session
 *     (the application forks: PID 2, the user's session)
 *     close_session
 *       namespace_end(): tell the init ───────────►  ask what is left to end, exit
 *       namespace_leave(): back to the host's namespaces; nobody waits for the init
 *
 * options.c parses the arguments, namespace.c is the application's side, init.c is PID 1, procfs.c
 * replaces the procfs instances, terminal.c gives the terminal back. Only this file logs.
 */
#include "failure.h"
#include "namespace.h"
#include "options.h"
#include "terminal.h"

#include <errno.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <syslog.h>

#define DATA_NAME "pam_unshare"

/*
 * The state of a PAM transaction's session. Applications call pam_end(3) in forked children too
 * (login, su), where nothing may be touched; the state is in pages that the kernel empties in a
 * child, so that there no session is open: pids cannot tell, they may be equal across namespaces.
 */
struct session {
	unsigned int opened; /* how often: the module may be listed twice; 0: not open */
	bool in_foreground;  /* of its terminal, when it opened */
	struct namespace ns;
};

/* ---- logging ----------------------------------------------------------------------------------
 */

static const char *item(const pam_handle_t *pamh, int type)
{
	const void *text = NULL;

	if (pam_get_item(pamh, type, &text) != PAM_SUCCESS || !text)
		return "?";
	return text;
}

static void log_astray(const pam_handle_t *pamh, const struct failure *why)
{
	errno = why->astray;
	if (why->astray)
		pam_syslog(pamh, LOG_WARNING,
			"the application cannot return to its working directory and stays in /: "
			"%m");
}

static void log_failure(const pam_handle_t *pamh, const struct failure *why, const char *what)
{
	const char *user = item(pamh, PAM_USER);

	errno = why->err;
	pam_syslog(pamh, LOG_ERR, "%s of %s: %s: %m", what, user, why->text);
	if (why->stranded)
		pam_syslog(pamh, LOG_CRIT,
			"the application could not be brought back and stays in the namespaces of "
			"the session of %s",
			user);
	log_astray(pamh, why);
}

#define DEBUG(pamh, opts, ...)                                    \
	do {                                                      \
		if ((opts)->debug)                                \
			pam_syslog(pamh, LOG_DEBUG, __VA_ARGS__); \
	} while (0)

/* ---- the state --------------------------------------------------------------------------------
 */

static struct session *find_session(const pam_handle_t *pamh)
{
	union {
		const void *stored;
		struct session *session;
	} data = {NULL};

	return pam_get_data(pamh, DATA_NAME, &data.stored) == PAM_SUCCESS ? data.session : NULL;
}

/* End the session and return to the host. */
static int leave_session(pam_handle_t *pamh, struct session *session)
{
	const char *user = item(pamh, PAM_USER);
	struct failure why = {0};
	int err;

	session->opened = 0;
	err = namespace_end(&session->ns);
	if (err < 0) {
		errno = -err;
		pam_syslog(pamh, LOG_ERR,
			"init %d cannot be told that the session of %s has ended: %m",
			(int)session->ns.init_pid, user);
	}
	err = namespace_leave(&session->ns, &why);
	if (err < 0) {
		log_failure(pamh, &why, "cannot leave the session");
		return PAM_SYSTEM_ERR;
	}
	log_astray(pamh, &why);
	if (session->in_foreground)
		terminal_take_back(session->ns.inode);
	namespace_reap();
	pam_syslog(pamh, LOG_INFO, "session of %s closed: PID namespace %llu, init %d", user,
		(unsigned long long)session->ns.inode, (int)session->ns.init_pid);
	return PAM_SUCCESS;
}

/* pam_end(3) has come: a session that was never closed (a later module has refused it) is left. */
static void cleanup(pam_handle_t *pamh, void *data, int error_status)
{
	struct session *session = data;

	(void)error_status;
	if (session->opened > 0)
		(void)leave_session(pamh, session);
	(void)munmap(session, sizeof(*session));
}

static struct session *new_session(pam_handle_t *pamh)
{
	struct session *session = mmap(
		NULL, sizeof(*session), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (session == MAP_FAILED) {
		pam_syslog(pamh, LOG_ERR, "cannot allocate the state of the session: %m");
		return NULL;
	}
	if (madvise(session, sizeof(*session), MADV_WIPEONFORK) < 0) {
		pam_syslog(pamh, LOG_ERR, "cannot hide the state from forked children: %m");
		(void)munmap(session, sizeof(*session));
		return NULL;
	}
	return session;
}

/* ---- open -------------------------------------------------------------------------------------
 */

static int enter_session(pam_handle_t *pamh, const struct options *opts, struct session *session)
{
	struct failure why = {0};
	char title[320];
	const struct namespace_request request = {.title = title,
		.proc_options = opts->proc_options,
		.grace = opts->grace,
		.ipc = opts->ipc};

	(void)snprintf(title, sizeof(title), "pam_unshare: init of %.128s (%.128s)",
		item(pamh, PAM_USER), item(pamh, PAM_SERVICE));
	session->in_foreground = terminal_is_ours();
	DEBUG(pamh, opts, "isolating %s: grace %u s, /proc with %s%s%s", item(pamh, PAM_USER),
		opts->grace, opts->proc_options ? opts->proc_options : "the options that it has",
		opts->ipc ? ", with an IPC namespace" : "",
		session->in_foreground ? ", in the terminal's foreground" : "");
	if (namespace_create(&request, &session->ns, &why) < 0) {
		log_failure(pamh, &why, "cannot isolate the session");
		return PAM_SYSTEM_ERR;
	}
	if (session->ns.moved)
		DEBUG(pamh, opts, "left the working directory %s of the host",
			session->ns.cwd.path);
	session->opened = 1;
	return PAM_SUCCESS;
}

/* Make the state, enter, and only then let PAM have it: its cleanup finds the session open. */
static int open_first(pam_handle_t *pamh, const struct options *opts)
{
	struct session *session = new_session(pamh);
	int result;

	if (!session)
		return PAM_SYSTEM_ERR;
	result = enter_session(pamh, opts, session);
	if (result == PAM_SUCCESS) {
		result = pam_set_data(pamh, DATA_NAME, session, cleanup);
		if (result == PAM_SUCCESS)
			return PAM_SUCCESS;
		pam_syslog(pamh, LOG_ERR, "cannot keep the state of the session of %s: %s",
			item(pamh, PAM_USER), pam_strerror(pamh, result));
	}
	cleanup(pamh, session, 0);
	return PAM_SYSTEM_ERR;
}

/* Decide whether this call is to isolate. PAM_IGNORE: it is not. */
static int decide(pam_handle_t *pamh, int argc, const char **argv, struct options *opts)
{
	const char *name = item(pamh, PAM_USER);
	bool understood = options_parse(pamh, argc, argv, opts);
	const struct passwd *user;

	if (strcmp(item(pamh, PAM_SERVICE), "systemd-user") == 0)
		return PAM_IGNORE; /* the user manager: its units are born outside of any session */
	user = pam_modutil_getpwnam(pamh, name);
	if (!user) {
		pam_syslog(pamh, LOG_ERR,
			"session refused: user %s is unknown, or cannot be looked up", name);
		return PAM_SYSTEM_ERR;
	}
	if (!understood && user->pw_uid == 0)
		return PAM_IGNORE; /* who else should mend the arguments? */
	if (!understood) {
		pam_syslog(pamh, LOG_ERR, "session of %s refused: correct the arguments", name);
		return PAM_SYSTEM_ERR;
	}
	return opts->on_open && options_isolate(pamh, opts, user) ? PAM_SUCCESS : PAM_IGNORE;
}

int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct session *session = find_session(pamh);
	struct options opts;
	int result;

	(void)flags;
	namespace_reap();
	result = decide(pamh, argc, argv, &opts);
	if (result == PAM_IGNORE) {
		if (opts.on_open)
			DEBUG(pamh, &opts, "session of %s is left alone", item(pamh, PAM_USER));
		if (opts.on_open && !namespace_is_host())
			pam_syslog(pamh, LOG_WARNING,
				"session of %s is left alone, but not on the host: this process "
				"has another session open",
				item(pamh, PAM_USER));
		return PAM_SUCCESS;
	}
	if (result != PAM_SUCCESS)
		return result;
	if (session && session->opened > 0) {
		session->opened++;
		DEBUG(pamh, &opts, "session of %s is open already, now %u times",
			item(pamh, PAM_USER), session->opened);
		return PAM_SUCCESS;
	}
	result = open_first(pamh, &opts);
	if (result != PAM_SUCCESS)
		return result;
	session = find_session(pamh);
	pam_syslog(pamh, LOG_INFO, "session of %s opened: PID namespace %llu, init %d",
		item(pamh, PAM_USER), (unsigned long long)session->ns.inode,
		(int)session->ns.init_pid);
	return PAM_SUCCESS;
}

/* ---- close ------------------------------------------------------------------------------------
 */

int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct session *session = find_session(pamh);
	struct options opts;

	(void)flags;
	(void)options_parse(NULL, argc, argv, &opts); /* open has complained */
	if (!opts.on_close)
		return PAM_SUCCESS;
	if (!session || session->opened == 0) {
		DEBUG(pamh, &opts, "no session of %s is open in this process",
			item(pamh, PAM_USER));
		return PAM_SUCCESS;
	}
	if (--session->opened > 0) {
		DEBUG(pamh, &opts, "session of %s stays open, %u closes are to come",
			item(pamh, PAM_USER), session->opened);
		return PAM_SUCCESS;
	}
	return leave_session(pamh, session);
}

/* SPDX-License-Identifier: MIT */
/*
 * pam_unshare: a session module that gives everyone who logs in a PID namespace and a mount
 * namespace of their own.
 *
 *     open_session                                     who runs it
 *       decide by the arguments whom to isolate        the application: root, on the host
 *       namespaces_create()                            the application
 *         preflight checks; save the host context
 *         unshare(CLONE_NEWPID | CLONE_NEWNS)
 *         make every mount a slave
 *         fork the namespace's init ──────────────►  PID 1: replace every procfs, drop everything,
 *         wait until it is ready    ◄──────────────         report "ready"; then reap, and wait for
 *       keep the host's namespaces with pam_set_data()      the end of the session
 *     (the application forks: PID 2, the user's session)
 *     close_session
 *       namespaces_end(): tell the init ──────────►  ask the processes that are left to end; exit
 *       namespaces_leave(): return to the host's namespaces; nobody waits for the init
 *
 * With scope=user namespaces_share() joins the namespaces of the user's other sessions, and makes
 * them if there are none (module/user_make.h); namespaces_leave() then ends the membership.
 *
 * With enter=fork the application stays on the host, and its children enter (module/at_fork.h).
 *
 * module/ is the application's side, init/ is PID 1, common/ is what both use. This file logs, by
 * module/session_log.c, and module/options.c and module/list.c what is wrong with the
 * configuration.
 */
#include "config.h"
#include "init/init.h"
#include "module/at_fork.h"
#include "module/failure.h"
#include "module/init_start.h"
#include "module/namespaces.h"
#include "module/options.h"
#include "module/session.h"
#include "module/terminal.h"

#include <errno.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <syslog.h>

#define DATA_NAME "pam_unshare"

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

/* Later children stay on the host. Descriptors that a thread uses just now are not closed. */
static void end_at_fork(const pam_handle_t *pamh, struct session *session)
{
	struct at_fork_report report;

	if (at_fork_end(&report) < 0)
		session->ns.host = session->ns.inside = HOST_NAMESPACES_NONE;
	log_at_fork(pamh, session, &report);
}

/* End the session and bring the application back to the host. */
static int leave_session(pam_handle_t *pamh, struct session *session)
{
	const char *user = item(pamh, PAM_USER);
	struct failure why = {0};
	int end_err, err;

	session->opened = 0;
	if (session->ns.at_fork)
		end_at_fork(pamh, session);
	end_err = namespaces_end(&session->ns);
	err = namespaces_leave(&session->ns, &why);
	if (why.lacks_capabilities && (end_err == 0 || end_err == -EPERM)) {
		/* of a user's namespace the application stays a member */
		log_lacks_capabilities(pamh, session, &why, end_err == 0 && !session->ns.shared);
		return PAM_SYSTEM_ERR;
	}
	errno = -end_err;
	if (end_err < 0)
		log_message(pamh, session, LOG_ERR,
			"cannot signal init %d to end the session of %s: %m",
			(int)session->ns.init_pid, user);
	if (err < 0) {
		log_failure(pamh, session, &why, "cannot leave the session");
		return PAM_SYSTEM_ERR;
	}
	log_cwd(pamh, session, &why);
	log_leave(pamh, session, &why);
	if (session->in_foreground)
		terminal_take_back(session->ns.pid_namespace);
	init_reap();
	log_message(pamh, session, LOG_INFO, "session of %s closed: PID namespace %llu, init %d",
		user, (unsigned long long)session->ns.pid_namespace, (int)session->ns.init_pid);
	return PAM_SUCCESS;
}

static void discard_session(pam_handle_t *pamh, struct session *session)
{
	if (session->opened > 0)
		(void)leave_session(pamh, session);
	(void)munmap(session, sizeof(*session));
}

/* pam_end(3): leave a session that was never closed, since a later module has refused it. */
static void cleanup(pam_handle_t *pamh, void *data, int error_status)
{
	struct session *session = data;

	(void)error_status;
	session->ending = true;
	discard_session(pamh, session);
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

struct user {
	pam_handle_t *pamh;
	uid_t uid;
};

static bool is_same_user(void *context, const char *name)
{
	const struct user *user = context;
	const struct passwd *found = pam_modutil_getpwnam(user->pamh, name);

	return found && found->pw_uid == user->uid;
}

enum entry {
	ENTERED,
	INSIDE, /* the application is inside already: there is nothing to do, nor to undo */
	NOT_SHARED,
	FAILED,
};

/* Where the user's namespace cannot be shared, the session gets one of its own: it is isolated, but
   the user's other sessions do not see it. */
static enum entry share(
	pam_handle_t *pamh, const struct namespaces_request *request, struct session *session)
{
	struct failure why = {0};
	int err = namespaces_share(request, &session->ns, &why);

	if (err == 0) {
		log_cwd(pamh, session, &why); /* making the namespaces has changed it */
		return ENTERED;
	}
	if (err == -EALREADY)
		return INSIDE;
	if (why.return_failed) {
		log_failure(pamh, session, &why, "cannot isolate the session");
		return FAILED;
	}
	errno = why.err;
	log_message(pamh, session, err == -EXDEV ? LOG_INFO : LOG_WARNING,
		"session of %s gets a namespace of its own, which the user's other sessions do not share: %s: %m",
		request->name, why.text);
	log_cwd(pamh, session, &why);
	return NOT_SHARED;
}

static enum entry create(
	pam_handle_t *pamh, const struct namespaces_request *request, struct session *session)
{
	struct failure why = {0};

	if (namespaces_create(request, &session->ns, &why) == 0) {
		log_cwd(pamh, session, &why); /* with enter=fork the application is back already */
		return ENTERED;
	}
	log_failure(pamh, session, &why, "cannot isolate the session");
	return FAILED;
}

static enum entry enter_session(
	pam_handle_t *pamh, const struct options *opts, uid_t uid, struct session *session)
{
	const char *name = item(pamh, PAM_USER), *service = item(pamh, PAM_SERVICE);
	struct user user = {.pamh = pamh, .uid = uid};
	char title[320];
	const struct namespaces_request request = {.title = title,
		.proc_options = opts->proc_options,
		.user = uid,
		.grace = opts->grace,
		.ipc = opts->ipc,
		.privacy = opts->private_places | opts->hidden,
		.at_fork = opts->at_fork,
		.has_desktop = opts->at_fork || strcmp(item(pamh, PAM_XDISPLAY), "?") != 0,
		.name = name,
		.service = service,
		.linger = opts->linger,
		.is_same_user = is_same_user,
		.context = &user};
	enum entry entry = NOT_SHARED;

	session->in_foreground = terminal_is_ours();
	session->debug = opts->debug;
	DEBUG(pamh, opts, "isolating %s: grace %u s, /proc with %s%s%s%s%s%s; pam_unshare " VERSION,
		name, opts->grace,
		opts->proc_options ? opts->proc_options : "the options that it has",
		opts->ipc ? ", with an IPC namespace" : "",
		opts->private_places | opts->hidden ? ", with private= and hide=" : "",
		opts->per_user ? ", shared by the user's sessions" : "",
		opts->at_fork ? ", entered at fork" : "",
		session->in_foreground ? ", in the terminal's foreground" : "");
	(void)snprintf(title, sizeof(title), INIT_TITLE "%.128s", name);
	if (opts->per_user)
		entry = share(pamh, &request, session);
	(void)snprintf(title, sizeof(title), INIT_TITLE "%.128s (%.128s)", name, service);
	if (entry == NOT_SHARED)
		entry = create(pamh, &request, session);
	if (entry == ENTERED && session->ns.tries > 1)
		DEBUG(pamh, opts,
			"the user's namespace was found at try %u: others were making it, or it was ending",
			session->ns.tries);
	if (entry == ENTERED && session->ns.cwd_is_root)
		DEBUG(pamh, opts, "left the working directory %s of the host",
			session->ns.cwd.path);
	session->opened = entry == ENTERED;
	return entry;
}

/* The children that the application forks from now on enter. */
static enum entry enter_at_fork(
	pam_handle_t *pamh, const struct options *opts, uid_t uid, struct session *session)
{
	struct failure why = {0};
	enum entry entry;

	if (at_fork_prepare(uid, &why) < 0) {
		log_failure(pamh, session, &why, "cannot isolate the session");
		return FAILED;
	}
	entry = enter_session(pamh, opts, uid, session);
	if (entry == ENTERED)
		at_fork_begin(&session->ns);
	else
		at_fork_cancel();
	return entry;
}

/* Hand the state to PAM only after the namespaces are made: cleanup() then finds the session open.
 */
static enum entry open_first(pam_handle_t *pamh, const struct options *opts, uid_t user)
{
	struct session *session;
	enum entry entry;
	int result;

	if (at_fork_is_taken()) {
		pam_syslog(pamh, LOG_ERR,
			"session of %s refused: this process has another session with 'enter=fork' open",
			item(pamh, PAM_USER));
		return FAILED;
	}
	session = new_session(pamh);
	if (!session)
		return FAILED;
	entry = opts->at_fork ? enter_at_fork(pamh, opts, user, session)
			      : enter_session(pamh, opts, user, session);
	if (entry == ENTERED) {
		result = pam_set_data(pamh, DATA_NAME, session, cleanup);
		if (result == PAM_SUCCESS)
			return ENTERED;
		pam_syslog(pamh, LOG_ERR, "cannot keep the state of the session of %s: %s",
			item(pamh, PAM_USER), pam_strerror(pamh, result));
		entry = FAILED;
	}
	discard_session(pamh, session);
	return entry;
}

enum decision {
	FOUND, /* the user; what to do is still to be decided */
	ISOLATE,
	LEAVE_ALONE,
	REFUSE,
	ASK_AGAIN, /* the application has no answer yet for a module that asked for the user */
};

/* Find out whose session it is. The application may leave it to the modules to ask. */
static enum decision find_user(pam_handle_t *pamh, const struct passwd **user)
{
	const char *name = NULL;
	int result = pam_get_user(pamh, &name, NULL);

	if (result == PAM_CONV_AGAIN)
		return ASK_AGAIN;
	if (result != PAM_SUCCESS || !name) {
		pam_syslog(pamh, LOG_ERR, "session refused: the application has set no user: %s",
			pam_strerror(pamh, result));
		return REFUSE;
	}
	*user = pam_modutil_getpwnam(pamh, name);
	if (*user)
		return FOUND;
	pam_syslog(
		pamh, LOG_ERR, "session refused: user %s is unknown, or cannot be looked up", name);
	return REFUSE;
}

/* Decide whether this call isolates, and whom. opts is the caller's to free. */
static enum decision decide(
	pam_handle_t *pamh, int argc, const char **argv, struct options *opts, uid_t *uid)
{
	const bool understood = options_parse(pamh, argc, argv, opts);
	const struct passwd *user;
	enum decision decision;

	if (strcmp(item(pamh, PAM_SERVICE), "systemd-user") == 0)
		return LEAVE_ALONE; /* the user manager: its units start outside of any session */
	if (understood && !opts->on_open)
		return LEAVE_ALONE; /* whoever it is */
	decision = find_user(pamh, &user);
	if (decision != FOUND)
		return decision;
	*uid = user->pw_uid;
	if (!understood && options_admit(pamh, opts, user))
		return LEAVE_ALONE;
	if (!understood) {
		pam_syslog(pamh, LOG_ERR, "session of %s refused: correct the configuration",
			item(pamh, PAM_USER));
		return REFUSE;
	}
	return options_isolate(pamh, opts, user) ? ISOLATE : LEAVE_ALONE;
}

static void log_left_alone(pam_handle_t *pamh, const struct options *opts)
{
	if (!opts->on_open)
		return;
	DEBUG(pamh, opts, "session of %s is left alone", item(pamh, PAM_USER));
	if (!is_on_host())
		pam_syslog(pamh, LOG_WARNING,
			"session of %s is left alone, but not on the host: this process has another session open",
			item(pamh, PAM_USER));
}

static int open_session(pam_handle_t *pamh, const struct options *opts, uid_t user)
{
	struct session *session = find_session(pamh);

	if (session && session->opened > 0) {
		session->opened++;
		DEBUG(pamh, opts, "session of %s is open already, now %u times",
			item(pamh, PAM_USER), session->opened);
		return PAM_SUCCESS;
	}
	switch (open_first(pamh, opts, user)) {
	case ENTERED:
		log_opened(pamh, find_session(pamh));
		return PAM_SUCCESS;
	case INSIDE:
		pam_syslog(pamh, LOG_INFO,
			"session of %s opened: the application is in the user's namespace already",
			item(pamh, PAM_USER));
		return PAM_SUCCESS;
	default:
		return PAM_SYSTEM_ERR;
	}
}

int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct options opts;
	uid_t user = 0;
	int result = PAM_SYSTEM_ERR;

	(void)flags;
	init_reap();
	switch (decide(pamh, argc, argv, &opts, &user)) {
	case ISOLATE:
		result = open_session(pamh, &opts, user);
		break;
	case LEAVE_ALONE:
		log_left_alone(pamh, &opts);
		result = PAM_SUCCESS;
		break;
	case ASK_AGAIN:
		result = PAM_INCOMPLETE;
		break;
	default:
		break;
	}
	options_free(&opts);
	return result;
}

/* ---- close ------------------------------------------------------------------------------------
 */

int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct session *session = find_session(pamh);
	struct options opts;

	(void)flags;
	(void)options_parse_arguments(NULL, argc, argv, &opts); /* open has complained */
	opts.debug = opts.debug || (session && session->debug);
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

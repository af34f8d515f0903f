/* SPDX-License-Identifier: MIT */
#include "launch.h"

#include "cgroup.h"
#include "child.h"
#include "command/lib/isolation.h"
#include "command/lib/log_capture.h"
#include "common/syscalls.h"
#include "init/init.h"
#include "module/namespaces.h"

#include <ctype.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define SERVICE "systemd-user"

struct launch {
	struct passwd user;
	char text[16384]; /* its strings */
	pam_handle_t *pamh;
	struct namespaces ns;
	bool shared; /* the program runs in the user's namespace */
	bool inside; /* the launcher is there */
	bool scopes;
};

/* Returns the status. */
__attribute__((format(printf, 2, 3))) static int report(
	enum launch_status status, const char *format, ...)
{
	va_list args;

	(void)fprintf(stderr, "pam-unshare: ");
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fprintf(stderr, "\n");
	return (int)status;
}

static int report_failure(enum launch_status status, const char *what, const struct failure *why)
{
	return report(status, "%s: %s: %s", what, why->text, strerror(why->err));
}

/* ---- the user ---------------------------------------------------------------------------------
 */

static int find_user(const char *text, struct launch *launch)
{
	struct passwd *found = NULL;
	char *end;
	unsigned long uid = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end != '\0' || uid >= (uid_t)-1)
		return report(LAUNCH_USER, "'%s' is no uid", text);
	(void)getpwuid_r((uid_t)uid, &launch->user, launch->text, sizeof(launch->text), &found);
	return found ? 0 : report(LAUNCH_USER, "there is no user with the uid %s", text);
}

static bool is_same_user(void *context, const char *name)
{
	const struct launch *launch = context;
	const struct passwd *found = getpwnam(name);

	return found && found->pw_uid == launch->user.pw_uid;
}

/* ---- PAM --------------------------------------------------------------------------------------
 */

/* Nobody can answer. */
static int converse(
	int n, const struct pam_message **messages, struct pam_response **responses, void *data)
{
	(void)n;
	(void)messages;
	(void)responses;
	(void)data;
	return PAM_CONV_ERR;
}

/* As systemd does it, which gives root's group no others. The groups are set before: pam_setcred(3)
   may add some. That it fails is no reason to stop: where the service has no lines for it, it is
   the service "other" that answers, which often is there to refuse. */
static int open_pam_session(struct launch *launch)
{
	static const struct pam_conv conversation = {.conv = converse};
	const struct passwd *user = &launch->user;
	int result = pam_start(SERVICE, user->pw_name, &conversation, &launch->pamh);

	if (result != PAM_SUCCESS)
		return report(LAUNCH_PAM, "pam_start: %s", pam_strerror(NULL, result));
	if (user->pw_gid != 0 && initgroups(user->pw_name, user->pw_gid) < 0)
		return report(LAUNCH_GROUP, "cannot set the groups of %s: %s", user->pw_name,
			strerror(errno));
	result = pam_acct_mgmt(launch->pamh, PAM_SILENT);
	if (result == PAM_SUCCESS) {
		(void)pam_setcred(launch->pamh, PAM_ESTABLISH_CRED | PAM_SILENT);
		result = pam_open_session(launch->pamh, PAM_SILENT);
	}
	return result == PAM_SUCCESS ? 0
				     : report(LAUNCH_PAM, "no session of %s for %s: %s", SERVICE,
					       user->pw_name, pam_strerror(launch->pamh, result));
}

static void close_pam_session(struct launch *launch, bool opened)
{
	if (opened) {
		(void)pam_close_session(launch->pamh, PAM_SILENT);
		(void)pam_setcred(launch->pamh, PAM_DELETE_CRED | PAM_SILENT);
	}
	if (launch->pamh)
		(void)pam_end(launch->pamh, PAM_SUCCESS);
}

/* ---- the namespace ----------------------------------------------------------------------------
 */

static int enter(struct launch *launch, const struct options *opts)
{
	char title[320];
	const struct namespaces_request request = {.title = title,
		.proc_options = opts->proc_options,
		.user = launch->user.pw_uid,
		.grace = opts->grace,
		.ipc = opts->ipc,
		.privacy = opts->private_places | opts->hidden,
		.name = launch->user.pw_name,
		.service = SERVICE,
		.linger = opts->linger,
		.maker = MAKER_UNIT,
		.is_same_user = is_same_user,
		.context = launch};
	struct failure why = {0};

	(void)snprintf(title, sizeof(title), INIT_TITLE "%.128s", launch->user.pw_name);
	if (namespaces_share(&request, &launch->ns, &why) < 0)
		return report_failure(LAUNCH_NAMESPACE, "cannot enter the user's namespace", &why);
	launch->inside = true;
	return 0;
}

static int decide(struct launch *launch, struct options *opts)
{
	const enum isolation isolation = isolation_of(launch->pamh, &launch->user, opts);

	launch->shared = isolation == ISOLATION_SHARED;
	return isolation != ISOLATION_UNKNOWN
		       ? 0
		       : report(LAUNCH_NAMESPACE,
				 "%s is not understood: whether %s is isolated is not known",
				 opts->conf, launch->user.pw_name);
}

static void leave(struct launch *launch)
{
	struct failure why = {0};

	if (launch->inside && namespaces_leave(&launch->ns, &why) < 0)
		(void)report_failure(LAUNCH_NAMESPACE, "cannot leave the user's namespace", &why);
}

/* ---- the control groups -----------------------------------------------------------------------
 */

/* Who is not isolated has what systemd gives to everybody, also if that was different before. */
static int set_cgroups(const struct launch *launch)
{
	const struct passwd *user = &launch->user;
	struct failure why = {0};
	struct cgroup own;
	int err = cgroup_find_own(&own, &why);

	if (err == 0)
		err = cgroup_enter_leaf(&own, user->pw_uid, user->pw_gid, &why);
	if (err == 0)
		err = cgroup_set_slice_owner(&own, user->pw_uid,
			launch->scopes && launch->shared ? user->pw_uid : 0, &why);
	return err == 0 ? 0 : report_failure(LAUNCH_CGROUP, "cannot set the control groups", &why);
}

/* ---- the program ------------------------------------------------------------------------------
 */

/* Its end is the unit's, which the manager sees at once. */
static void wait_until_ended(int pidfd)
{
	struct pollfd ended = {.fd = pidfd, .events = POLLIN};

	while (poll(&ended, 1, -1) < 0 && errno == EINTR)
		;
}

static int run(struct launch *launch, char *const program[])
{
	struct child child = {.user = &launch->user, .program = program};
	struct failure why = {0};

	if (child_prepare(&child, launch->pamh, &why) < 0 || child_start(&child, &why) < 0)
		return report_failure(LAUNCH_EXEC, "cannot start the program", &why);
	if (sd_notifyf(0, "MAINPID=%d", (int)child.pid) <= 0) {
		child_discard(&child);
		return report(LAUNCH_EXEC, "no service manager waits for the program");
	}
	if (child_release(&child, &why) < 0)
		return report_failure(LAUNCH_EXEC, "cannot start the program", &why);
	wait_until_ended(child.pidfd);
	return 0;
}

/* With the PAM session open. The control groups first: inside, /proc does not show the launcher. */
static int run_in_session(struct launch *launch, char *const program[])
{
	struct options opts = {.text = NULL};
	int status = decide(launch, &opts);

	if (status == 0)
		status = set_cgroups(launch);
	if (status == 0 && launch->shared)
		status = enter(launch, &opts);
	options_free(&opts);
	if (status == 0)
		status = run(launch, program);
	leave(launch);
	return status;
}

int launch(const char *uid, bool scopes, char *const program[])
{
	struct launch launch = {.scopes = scopes};
	bool opened = false;
	int status = find_user(uid, &launch);

	if (status != 0)
		return status;
	log_capture_set_mode(LOG_CAPTURE_FORWARD);
	status = open_pam_session(&launch);
	opened = status == 0;
	if (opened)
		status = run_in_session(&launch, program);
	close_pam_session(&launch, opened);
	return status;
}

/* SPDX-License-Identifier: MIT */
/* pam-unshare check --conf: a configuration file, before it is put in place. No session is opened.
 */
#include "check.h"
#include "checks.h"
#include "command/lib/isolation.h"
#include "command/lib/log_capture.h"
#include "command/lib/pam_session.h"

#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the module's parser has logged about the file. */
static void add_mistakes(
	struct findings *findings, const char *path, const struct options *opts, size_t from)
{
	const char *message;

	for (size_t i = from; (message = log_capture_message(i)); i++)
		findings_add_at(findings, FINDING_PROBLEM, path, mistake_line(message, path),
			"%s. Correct it first: with this file in place everybody but %s would be refused.",
			message, isolation_let_in(opts));
}

/* A name on a list that nobody has is logged, and decides for isolation. libpam looks up no names
   for a transaction of an application, only for none. */
static void add_user(
	struct findings *findings, const struct options *opts, const struct passwd *user)
{
	const char *message, *how = "is left alone";
	size_t seen = 0;

	while (log_capture_message(seen))
		seen++;
	if (options_isolate(NULL, opts, user))
		how = opts->per_user ? "is isolated, in one namespace for all sessions"
				     : "is isolated, in a namespace for each session";
	for (; (message = log_capture_message(seen)); seen++)
		findings_add(findings, FINDING_LOG, "%s", message);
	findings_add(findings, FINDING_NOTE, "with this file %s %s.", user->pw_name, how);
}

/* Returns whether they are all there. */
static bool add_users(
	struct findings *findings, const struct options *opts, char *const users[], int n)
{
	bool known = true;

	for (int i = 0; i < n; i++) {
		const struct passwd *user = getpwnam(users[i]);

		if (user)
			add_user(findings, opts, user);
		else
			(void)fprintf(stderr, "pam-unshare: there is no user '%s'\n", users[i]);
		known = known && user;
	}
	return known;
}

/* The parser logs by way of a transaction, of which nothing else is used. */
static int judge(
	struct findings *findings, pam_handle_t *pamh, const char *path, char *const users[], int n)
{
	char argument[4096];
	const char *arguments[] = {argument};
	struct options opts;
	bool known = true;
	size_t seen = 0;

	while (log_capture_message(seen))
		seen++;
	(void)snprintf(argument, sizeof(argument), "conf=%s", path);
	if (options_parse(pamh, 1, arguments, &opts))
		known = add_users(findings, &opts, users, n);
	else
		add_mistakes(findings, path, &opts, seen);
	options_free(&opts);
	findings_add(findings, FINDING_RESULT, "%s is %s; %u problem%s", path,
		findings->problems == 0 ? "understood" : "NOT UNDERSTOOD", findings->problems,
		findings->problems == 1 ? "" : "s");
	if (!known)
		return 2;
	return findings->problems == 0 ? 0 : 1;
}

int check_conf(const char *path, char *const users[], int n, const struct table_options *options)
{
	struct findings findings;
	pam_handle_t *pamh = NULL;
	int result, status = 2;

	if (findings_begin(&findings, options) < 0)
		return 2;
	result = start_transaction("other", "root", NULL, &pamh);
	if (result == PAM_SUCCESS)
		status = judge(&findings, pamh, path, users, n);
	else
		(void)fprintf(stderr, "pam-unshare: cannot start a PAM transaction: %s\n",
			pam_strerror(pamh, result));
	if (pamh)
		(void)pam_end(pamh, PAM_SUCCESS);
	return findings_end(&findings) == 0 ? status : 2;
}

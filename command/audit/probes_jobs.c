/* SPDX-License-Identifier: MIT */
/*
 * Probes of jobs that a daemon runs for the user: cron and at. fixture_cleanup.c takes away what
 * they leave.
 */
#include "probes.h"

#include "outside_scan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Give the user a crontab with one more line. Tells whether that was done; else the result says why
   not. */
static bool add_to_crontab(
	const struct audit_context *context, const char *line, struct result *result)
{
	const char *const list[] = {"crontab", "-l", NULL};
	const char *const replace[] = {"crontab", "-", NULL};
	char input[16384];
	struct subprocess old = {.limit_s = PROGRAM_LIMIT_S,
				  .user = context->user,
				  .home = context->home},
			  program = {.limit_s = PROGRAM_LIMIT_S,
				  .user = context->user,
				  .home = context->home,
				  .input = input};
	bool done = false;

	if (subprocess_run(&old, list) < 0) {
		result_set(result, NOT_TESTED, "crontab is not installed");
		return false;
	}
	/* a last line without a newline stays a line of its own */
	(void)snprintf(input, sizeof(input), "%.12000s%s* * * * * %s\n",
		old.status == 0 ? old.text : "",
		old.status == 0 && old.n > 0 && old.text[old.n - 1] != '\n' ? "\n" : "", line);
	if (old.status == 0 && old.n > 12000)
		result_set(result, NOT_TESTED, "the user's crontab is too long to add a line");
	else if (subprocess_run(&program, replace) < 0 || program.status != 0)
		result_set(result, NOT_TESTED, "crontab: %s", subprocess_first_line(&program));
	else
		done = true;
	subprocess_free(&old);
	subprocess_free(&program);
	return done;
}

void probe_cron(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	char path[128], line[1024];
	bool added;

	(void)probe;
	if (context->cron_reason[0] != '\0') {
		result_set(result, NOT_TESTED, "%s", context->cron_reason);
		return;
	}
	scan_path(context, "from-cron", path, sizeof(path));
	scan_line(context, path, line, sizeof(line));
	added = add_to_crontab(context, line, result);
	probe_started();
	if (added)
		scan_await(context, "a cron job", path, 150, "is cron running?", result);
}

void probe_at(const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *const argv[] = {"at", "now", NULL};
	char path[128], line[1024], input[1100];
	struct subprocess program = {
		.limit_s = PROGRAM_LIMIT_S, .user = context->user, .home = context->home};
	int err;

	(void)probe;
	scan_path(context, "from-at", path, sizeof(path));
	scan_line(context, path, line, sizeof(line));
	(void)snprintf(input, sizeof(input), "exec %s\n", line);
	program.input = input;
	err = chdir("/") < 0 ? -errno : subprocess_run(&program, argv); /* the job begins there */
	probe_started();
	if (err < 0)
		result_set(result, NOT_TESTED, "at: %s", strerror(-err));
	else if (program.status != 0)
		result_set(result, NOT_TESTED, "at: %s", subprocess_first_line(&program));
	else
		scan_await(context, "an at job (a batch job is the same daemon's)", path, 120,
			"is atd running?", result);
	subprocess_free(&program);
}

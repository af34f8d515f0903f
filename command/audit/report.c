/* SPDX-License-Identifier: MIT */
#include "report.h"
#include "config.h"

#include "command/lib/printable.h"
#include "common/user_protocol.h"

#include <stdio.h>
#include <string.h>

static const struct table_column columns[] = {
	{.name = "PROBE", .about = "its name, as for --only"},
	{.name = "RESULT", .about = "closed, open, not tested, or not promised"},
	{.name = "SEEN", .about = "what the probe saw, or why it could not be run", .wrap = true},
	{.name = "CLOSED_BY", .about = "what closes it, where it is open", .wrap = true},
	{.name = "NEVER_OPEN", .about = "why it is open on no stock machine", .wrap = true},
	{.name = "SERVICE", .about = "the PAM service that was audited"},
	{.name = "USER", .about = "the user whose session was audited"},
	{.name = "SESSION",
		.about = "whether a session was opened: not with --no-session",
		.type = TABLE_BOOLEAN},
};

const struct table_layout audit_table = {
	.name = "probes", .columns = columns, .n_columns = sizeof(columns) / sizeof(*columns)};

/* The columns of a table that is not JSON, unless others are asked for: the longest is the last. */
#define TEXT_COLUMNS "PROBE,RESULT,CLOSED_BY,SEEN"

static const char *const verdicts[] = {[NOT_TESTED] = "not tested",
	[CLOSED] = "closed",
	[OPEN] = "OPEN",
	[NOT_PROMISED] = "not promised"};

static const char *const part_names[] = {[BY_BUS] = "bus",
	[BY_UNITS] = "units",
	[BY_MANAGER] = "user-manager",
	[BY_CRON] = "cron",
	[BY_ATD] = "atd",
	[BY_MAIL] = "mail",
	[BY_PROCESS_EVENTS] = "process-events",
	[BY_LOGINS] = "logins"};

_Static_assert(sizeof(part_names) / sizeof(*part_names) == CLOSERS, "each part has a name");

/* What closes a probe, as the reader can check or do it. */
static void describe_remedy(const struct audit_context *context, const struct probe *probe,
	enum verdict verdict, char *text, size_t size)
{
	/* the fixture's sshd belongs to the service sshd, like every other */
	const char *service = strcmp(probe->name, "ssh") == 0 ? "sshd" : context->service;

	text[0] = '\0';
	if (probe->closed_by == BY_MODULE)
		(void)snprintf(text, size,
			"pam_unshare.so in /etc/pam.d/%s: pam-unshare check %s %s", service,
			service, context->user);
	else if (probe->closed_by == BY_MODE)
		(void)snprintf(text, size, "chmod 700 " USER_DIRECTORY);
	else if (probe->closed_by == BY_WORDS)
		(void)snprintf(text, size, "private= and hide=, unshare.conf(5)");
	else if (probe->closed_by != BY_NOBODY)
		(void)snprintf(
			text, size, "pam-unshare harden enable %s", part_names[probe->closed_by]);
	else if (verdict == OPEN || verdict == NOT_PROMISED)
		(void)snprintf(text, size, "nothing known");
}

/* Copy a result from where the user could write: it becomes one of the verdicts, and printable. */
static struct result read_result(const struct audit *audit, size_t i)
{
	struct result result = audit->shared->results[i];

	if (result.verdict < NOT_TESTED || result.verdict > NOT_PROMISED)
		result.verdict = NOT_TESTED;
	result.seen[sizeof(result.seen) - 1] = '\0';
	printable(result.seen, sizeof(result.seen), result.seen, strlen(result.seen));
	return result;
}

static void add_row(const struct report *report, const struct audit_context *context,
	const struct probe *probe, const struct result *result)
{
	const char *verdict = verdicts[result->verdict];
	char remedy[256], seen[640];

	describe_remedy(context, probe, result->verdict, remedy, sizeof(remedy));
	(void)snprintf(seen, sizeof(seen), "%s", result->seen);
	/* the default table has no column of its own for it */
	if (report->as_text && result->verdict == CLOSED && probe->never_open)
		(void)snprintf(
			seen, sizeof(seen), "%s (never open: %s)", result->seen, probe->never_open);
	if (report->as_json && result->verdict == OPEN)
		verdict = "open";
	table_add(report->table,
		(const char *const[]){probe->name, verdict, seen, remedy, probe->never_open,
			context->service, context->user, context->no_session ? "0" : "1"});
}

bool report_begin(struct report *report, const struct table_options *options)
{
	struct table_options chosen = *options;

	report->as_json = options->json;
	report->as_text = !options->json && !options->columns;
	report->counts = !options->json && !options->noheadings;
	if (report->as_text)
		chosen.columns = TEXT_COLUMNS;
	report->table = table_new(&audit_table, &chosen);
	return report->table != NULL;
}

static void print_counts(const struct audit_context *context, const unsigned int count[])
{
	char service[sizeof(context->service)], user[sizeof(context->user)];

	printable(service, sizeof(service), context->service, strlen(context->service));
	printable(user, sizeof(user), context->user, strlen(context->user));
	printf("result: %s%s, for %s: %u OPEN, %u closed, %u not tested, %u not promised\n",
		context->no_session ? "without a session of " : "with ", service, user, count[OPEN],
		count[CLOSED], count[NOT_TESTED], count[NOT_PROMISED]);
}

int report_print(struct report *report, const struct audit *audit)
{
	unsigned int count[NOT_PROMISED + 1] = {0};
	int err;

	for (size_t i = 0; i < probes_count(); i++) {
		struct result result;

		if (!audit->context.wanted[i])
			continue;
		result = read_result(audit, i);
		count[result.verdict]++;
		add_row(report, &audit->context, &probes[i], &result);
	}
	err = table_print(report->table);
	report->table = NULL;
	if (err < 0)
		return 2;
	if (report->counts)
		print_counts(&audit->context, count);
	if (fflush(stdout) != 0)
		return 2;
	if (count[OPEN] > 0)
		return 1;
	return count[NOT_TESTED] > 0 ? 3 : 0;
}

void report_drop(struct report *report)
{
	table_free(report->table);
	report->table = NULL;
}

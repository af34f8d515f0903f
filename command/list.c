/* SPDX-License-Identifier: MIT */
#include "list.h"

#include "command/lib/printable.h"
#include "command/lib/sessions.h"

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-login.h>

static const struct table_column columns[] = {
	{.name = "USER", .about = "whose namespace or session it is", .tree = true},
	{.name = "SERVICE", .about = "PAM service that opened the session"},
	{.name = "SINCE", .about = "when the namespace was made, the session opened; in JSON, UTC"},
	{.name = "NPROCS",
		.about = "number of processes in the namespace, without the init",
		.type = TABLE_NUMBER},
	{.name = "NS",
		.about = "inode number of the PID namespace, as in lsns(8)",
		.type = TABLE_NUMBER},
	{.name = "PID", .about = "of the init, on the host", .type = TABLE_NUMBER},
	{.name = "OPENER",
		.about = "pid of the application that opened the session",
		.type = TABLE_NUMBER},
	{.name = "STAYS", .about = "what keeps it without sessions: pinned, linger"},
	{.name = "SCOPE", .about = "whose it is: of one session, or of a user's sessions"},
	{.name = "UNIT", .about = "unit of systemd that the init is in, or the session's opener"},
};

const struct table_layout list_table = {
	.name = "namespaces", .columns = columns, .n_columns = sizeof(columns) / sizeof(*columns)};

/* The columns of a table that is not JSON, unless others are asked for. */
#define TEXT_COLUMNS "USER,SERVICE,SINCE,NPROCS,NS,PID,OPENER,STAYS"

/* People read the time of their zone, programs UTC. */
static void format_time(char *to, size_t size, time_t when, bool utc)
{
	struct tm parts;
	size_t n = 0;

	if (utc && gmtime_r(&when, &parts))
		n = strftime(to, size, "%Y-%m-%dT%H:%M:%SZ", &parts);
	else if (!utc && localtime_r(&when, &parts))
		n = strftime(to, size, "%Y-%m-%d %H:%M:%S", &parts);
	if (n == 0)
		(void)snprintf(to, size, "%s", utc ? "" : "?");
}

/* The cells of a row; "" is none. */
struct row {
	char since[32], nprocs[16], ns[24], pid[16], opener[16], unit[256];
	const char *user, *service, *stays, *scope;
};

/* A user's own unit has the name that the user has given it. */
static void set_unit(struct row *row, pid_t pid)
{
	char *unit;

	row->unit[0] = '\0';
	if (pid <= 0 || sd_pid_get_unit(pid, &unit) < 0)
		return;
	printable(row->unit, sizeof(row->unit), unit, strlen(unit));
	free(unit);
}

static void set_namespace(struct row *row, const struct namespace_info *found, bool json)
{
	static const char *const reasons[] = {"", "linger", "pinned", "pinned,linger"};

	format_time(row->since, sizeof(row->since), found->since, json);
	(void)snprintf(row->nprocs, sizeof(row->nprocs), "%u", found->processes);
	(void)snprintf(row->ns, sizeof(row->ns), "%llu", (unsigned long long)found->pid_namespace);
	(void)snprintf(row->pid, sizeof(row->pid), "%d", (int)found->init);
	set_unit(row, found->init);
	row->opener[0] = '\0';
	row->user = found->user;
	row->service = "";
	row->stays = reasons[found->pinned * 2 + found->linger];
	row->scope = found->shared == NOT_SHARED ? "session" : "user";
	if (found->shared == UNKNOWN)
		row->stays = row->service = "?";
}

static void set_session(struct row *row, const struct session_info *session, bool json)
{
	format_time(row->since, sizeof(row->since), session->since, json);
	set_unit(row, session->opener);
	row->service = session->service;
	row->opener[0] = '\0';
	if (session->opener > 0)
		(void)snprintf(row->opener, sizeof(row->opener), "%d", (int)session->opener);
}

typedef void add_function(struct table *table, const char *const cells[]);

static void add_row(struct table *table, add_function *add, const struct row *row)
{
	add(table, (const char *const[]){row->user, row->service, row->since, row->nprocs, row->ns,
			   row->pid, row->opener, row->stays, row->scope, row->unit});
}

/* One row for the namespace, and one below it for each session. Where both are the same, people
   read one row; programs find all sessions at the same place. */
static void add_namespace(struct table *table, const struct namespace_info *found, bool json)
{
	struct row row;

	set_namespace(&row, found, json);
	if (found->shared == NOT_SHARED && !json)
		set_session(&row, &found->sessions[0], json);
	add_row(table, table_add, &row);
	if (found->shared == NOT_SHARED && !json)
		return;
	row.nprocs[0] = '\0'; /* they count once */
	row.stays = "";
	for (size_t i = 0; i < found->n_sessions; i++) {
		set_session(&row, &found->sessions[i], json);
		add_row(table, table_add_below, &row);
	}
}

int list_sessions(const struct table_options *options)
{
	struct table_options chosen = *options;
	struct namespace_info *found = NULL;
	struct table *table;
	size_t n;
	int err;

	if (!options->json && !options->columns)
		chosen.columns = TEXT_COLUMNS;
	table = table_new(&list_table, &chosen);
	if (!table)
		return 2;
	err = namespaces_find(&found, &n);
	for (size_t i = 0; i < n && err == 0; i++)
		add_namespace(table, &found[i], options->json);
	namespaces_free(found, n);
	if (err == 0)
		return table_print(table) == 0 ? 0 : 2;
	table_free(table);
	(void)fprintf(
		stderr, "pam-unshare: cannot list the processes in /proc: %s\n", strerror(-err));
	return 2;
}

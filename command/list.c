/* SPDX-License-Identifier: MIT */
#include "list.h"

#include "command/lib/sessions.h"

#include <stdlib.h>
#include <string.h>

static const struct table_column columns[] = {
	{.name = "USER", .about = "whose session it is"},
	{.name = "SERVICE", .about = "PAM service that opened it"},
	{.name = "SINCE", .about = "when it was opened; in JSON, UTC"},
	{.name = "NPROCS", .about = "number of processes, without the init", .type = TABLE_NUMBER},
	{.name = "NS",
		.about = "inode number of the PID namespace, as in lsns(8)",
		.type = TABLE_NUMBER},
	{.name = "PID", .about = "of the init, on the host", .type = TABLE_NUMBER},
};

const struct table_layout list_table = {
	.name = "sessions", .columns = columns, .n_columns = sizeof(columns) / sizeof(*columns)};

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

static void add_session(struct table *table, const struct session_info *session, bool utc)
{
	char since[32], nprocs[16], ns[24], pid[16];

	format_time(since, sizeof(since), session->since, utc);
	(void)snprintf(nprocs, sizeof(nprocs), "%u", session->processes);
	(void)snprintf(ns, sizeof(ns), "%llu", (unsigned long long)session->pid_namespace);
	(void)snprintf(pid, sizeof(pid), "%d", (int)session->init);
	table_add(table,
		(const char *const[]){session->user, session->service, since, nprocs, ns, pid});
}

int list_sessions(const struct table_options *options)
{
	struct table *table = table_new(&list_table, options);
	struct session_info *sessions = NULL;
	size_t n;
	int err;

	if (!table)
		return 2;
	err = sessions_find(&sessions, &n);
	for (size_t i = 0; i < n && err == 0; i++)
		add_session(table, &sessions[i], options->json);
	free(sessions);
	if (err == 0)
		return table_print(table) == 0 ? 0 : 2;
	table_free(table);
	(void)fprintf(
		stderr, "pam-unshare: cannot list the processes in /proc: %s\n", strerror(-err));
	return 2;
}

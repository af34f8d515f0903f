/* SPDX-License-Identifier: MIT */
/*
 * Probes of what the module does not promise to hide: who is logged in, names, counters.
 */
#include "probes.h"

#include "bus_call.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>
#include <utmp.h>

void probe_utmp(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	unsigned int n = 0, files = 0;
	const struct dirent *entry;
	const struct utmp *record;
	DIR *list = opendir("/run/systemd/sessions");

	(void)context;
	(void)probe;
	setutent();
	while ((record = getutent()))
		n += record->ut_type == USER_PROCESS;
	endutent();
	while (list && (entry = readdir(list)))
		files += entry->d_name[0] != '.' && !strchr(entry->d_name, '.');
	if (list)
		(void)closedir(list);
	result_set(result, NOT_PROMISED,
		"who is logged in, with the pid that opened the session: %u in utmp, %u in /run/systemd/sessions",
		n, files);
}

void probe_logind_sessions(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *const words[] = {
		LOGIND, "/org/freedesktop/login1", LOGIND_MANAGER, "ListSessions", NULL};
	struct subprocess program;

	(void)probe;
	if (!bus_call(context, &program, result, words))
		return;
	result_set(result, NOT_PROMISED,
		"logind tells who is logged in, and the pid that opened each session: %.120s",
		subprocess_first_line(&program));
	subprocess_free(&program);
}

/* arguments: a path, and what it shows. */
void probe_counters(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	(void)context;
	result_set(result, NOT_PROMISED, "%s%s", probe->arguments[1],
		access(probe->arguments[0], R_OK) == 0 ? "" : " (not here)");
}

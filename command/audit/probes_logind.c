/* SPDX-License-Identifier: MIT */
/*
 * Probes of logind: sessions by pid, and inhibitors, whose command lines it shows.
 */
#include "probes.h"

#include "bus_call.h"
#include "command/lib/file.h"
#include "common/syscalls.h"
#include "proc_scan.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define INHIBITORS "/run/systemd/inhibit"

/* arguments: the method. It tells whose session a pid is in. */
void probe_logind_by_pid(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	char pid[16];
	const char *const words[] = {LOGIND, "/org/freedesktop/login1", LOGIND_MANAGER,
		probe->arguments[0], "u", pid, NULL};
	struct subprocess program;

	for (size_t i = 0; i < context->n_decoys && result->verdict != OPEN; i++) {
		(void)snprintf(pid, sizeof(pid), "%d", (int)context->decoys[i].pid);
		if (!bus_call(context, &program, result, words))
			return;
		if (program.status == 0)
			result_set(result, OPEN, "%s tells whose process a decoy is: %s",
				probe->arguments[0], subprocess_first_line(&program));
		else
			result_set(result, NOT_TESTED,
				"%s is not denied, but no decoy is in a session: %s",
				probe->arguments[0], subprocess_first_line(&program));
		subprocess_free(&program);
	}
}

static bool has_inhibitor(const struct audit_context *context, struct result *result)
{
	if (!context->inhibitor)
		result_set(result, NOT_TESTED, "%s",
			context->systemd ? "systemd-inhibit could not be started with a decoy"
					 : "systemd does not run this machine");
	return context->inhibitor;
}

void probe_inhibitors(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *const words[] = {
		LOGIND, "/org/freedesktop/login1", LOGIND_MANAGER, "ListInhibitors", NULL};
	struct subprocess program;

	(void)probe;
	if (!has_inhibitor(context, result) || !bus_call(context, &program, result, words))
		return;
	if (find_secret(context, program.text, program.n))
		result_set(result, OPEN, "ListInhibitors shows the command line of an inhibitor");
	else
		result_set(result, NOT_TESTED,
			"ListInhibitors is not denied, but lists no decoy: %s",
			subprocess_first_line(&program));
	subprocess_free(&program);
}

/* Tells whether the file of an inhibitor contains a secret. */
static bool shows_inhibitor(const struct audit_context *context, int directory, const char *name)
{
	char text[4096];

	return find_secret(context, text, file_read_start(directory, name, text, sizeof(text)));
}

void probe_inhibitor_files(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const struct dirent *entry;
	DIR *list;

	(void)probe;
	if (!has_inhibitor(context, result))
		return;
	list = opendir(INHIBITORS);
	if (!list) {
		result_set(result, errno == EACCES ? CLOSED : NOT_TESTED, INHIBITORS ": %s",
			strerror(errno));
		return;
	}
	result_set(result, NOT_TESTED, INHIBITORS " can be listed, but has no decoy");
	while ((entry = readdir(list)))
		if (shows_inhibitor(context, dirfd(list), entry->d_name))
			result_set(result, OPEN,
				INHIBITORS "/%s has the command line of an inhibitor",
				entry->d_name);
	(void)closedir(list);
}

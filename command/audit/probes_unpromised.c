/* SPDX-License-Identifier: MIT */
/*
 * Probes of what the module does not promise to hide: who is logged in, names, counters.
 */
#include "probes.h"

#include "bus_call.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* arguments: files and directories. */
void probe_login_records(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	unsigned int denied = 0;
	const char *const *path;
	int fd;

	(void)context;
	for (path = probe->arguments; *path; path++) {
		fd = open(*path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd >= 0) {
			(void)close(fd);
			result_set(result, NOT_PROMISED,
				"who is logged in, with the pid that opened the session: %s can be read",
				*path);
			return;
		}
		denied += errno == EACCES;
	}
	if (denied > 0)
		result_set(result, CLOSED, "no record of who is logged in can be read");
	else
		result_set(result, NOT_PROMISED, "who is logged in (no record of it here)");
}

/* arguments: methods of logind. */
void probe_logind_sessions(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	struct subprocess program;

	for (const char *const *method = probe->arguments; *method; method++) {
		const char *const words[] = {
			LOGIND, "/org/freedesktop/login1", LOGIND_MANAGER, *method, NULL};

		if (!bus_call(context, &program, result, words))
			continue;
		result_set(result, NOT_PROMISED, "logind tells who is logged in: %s says %.120s",
			*method, subprocess_first_line(&program));
		subprocess_free(&program);
		return;
	}
}

/* Tell whether a directory is not the one that it is on the host. */
static bool is_own(const struct audit_context *context, const char *path)
{
	struct stat st;

	for (size_t i = 0; i < SHARED_PLACES_MAX; i++)
		if (context->shared[i].there && strcmp(shared_places[i], path) == 0)
			return stat(path, &st) == 0 &&
			       (st.st_dev != context->shared[i].device ||
				       st.st_ino != context->shared[i].inode);
	return false;
}

/* arguments: directories that all users share, unless private= covers them. */
void probe_places(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	for (size_t i = 0; probe->arguments[i]; i++)
		if (!is_own(context, probe->arguments[i])) {
			result_set(result, NOT_PROMISED, "names in %s, which all users share%s",
				probe->arguments[i],
				access(probe->arguments[i], F_OK) == 0 ? "" : " (not here)");
			return;
		}
	result_set(result, CLOSED, "%s is the user's own", probe->arguments[0]);
}

void probe_cgroup_names(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const struct dirent *entry;
	DIR *list = opendir("/sys/fs/cgroup");
	unsigned int others = 0;

	(void)context;
	(void)probe;
	while (list && (entry = readdir(list)))
		others += entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
			  strcmp(entry->d_name, "user.slice") != 0;
	if (list && others == 0 && access("/sys/fs/cgroup/user.slice", F_OK) == 0)
		result_set(result, CLOSED, "of cgroups there is user.slice alone");
	else
		result_set(result, NOT_PROMISED,
			"names of cgroups, which are those of units and users: %u at the top%s",
			others, list ? "" : " (not here)");
	if (list)
		(void)closedir(list);
}

/* arguments: a path, and what it shows. */
void probe_counters(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	(void)context;
	result_set(result, NOT_PROMISED, "%s%s", probe->arguments[1],
		access(probe->arguments[0], R_OK) == 0 ? "" : " (not here)");
}

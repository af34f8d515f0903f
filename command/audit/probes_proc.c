/* SPDX-License-Identifier: MIT */
/*
 * Probes of /proc itself: its list of processes, and the paths below a decoy's pid.
 */
#include "probes.h"

#include "common/syscalls.h"
#include "proc_scan.h"

#include <stdio.h>
#include <string.h>

void probe_proc(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	struct proc_scan scan;

	(void)probe;
	proc_scan_run(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), context->uid, &scan);
	proc_scan_judge(context, "/proc", &scan, result);
}

/* Count the paths by which a process is found in /proc. */
static unsigned int paths_of(pid_t pid)
{
	static const char *const paths[] = {"/proc/%d", "/proc/%d/cmdline", "/proc/%d/stat",
		"/proc/%d/status", "/proc/%d/comm", "/proc/%d/cgroup", "/proc/%d/task/%d/stat",
		"/proc/%d/ns/pid", "/proc/self/task/../../%d/stat", "/proc/self/root/proc/%d/stat",
		"/proc/self/cwd/proc/%d/stat", "/proc/%d/fdinfo", "/proc/%d/net/dev"};
	char path[128];
	struct stat st;
	unsigned int n = 0;

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		const char *first = strstr(paths[i], "%d"), *second = strstr(first + 2, "%d");

		(void)snprintf(path, sizeof(path), "%.*s%d%.*s", (int)(first - paths[i]), paths[i],
			(int)pid, second ? (int)(second - first - 2) : (int)strlen(first + 2),
			first + 2);
		if (second)
			(void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "%d%s",
				(int)pid, second + 2);
		n += lstat(path, &st) == 0 || (errno != ENOENT && errno != ESRCH);
	}
	return n;
}

void probe_proc_pid(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	unsigned int found = 0, most = 0;

	(void)probe;
	if (chdir("/") < 0)
		return;
	for (size_t i = 0; i < context->n_decoys; i++) {
		unsigned int n = paths_of(context->decoys[i].pid);

		found += n > 0;
		most = n > most ? n : most;
	}
	if (found > 0)
		result_set(result, OPEN,
			"%u of %zu decoys are found in /proc, each by up to %u paths", found,
			context->n_decoys, most);
	else if (paths_of(getpid()) < 10)
		result_set(result, NOT_TESTED, "the probe's own process is not found in /proc");
	else
		result_set(result, CLOSED, "no decoy is found in /proc, by any of 13 paths");
}

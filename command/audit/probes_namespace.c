/* SPDX-License-Identifier: MIT */
/*
 * The probe of user_namespaces(7): whoever makes one may mount and unmount in it.
 */
#include "probes.h"

#include "common/syscalls.h"
#include "proc_scan.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>

static bool map_user(uid_t uid)
{
	char text[64];
	int fd AUTO_CLOSE = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	int n = snprintf(text, sizeof(text), "%u %u 1", uid, uid);

	return fd >= 0 && write(fd, text, (size_t)n) == n;
}

/* In the new namespaces, look at /proc as it is, at what it covers, and at a fresh procfs. */
static void scan_in_namespace(
	const struct audit_context *context, bool own_pids, struct result *result)
{
	struct proc_scan scan;

	if (!own_pids) {
		proc_scan_run(
			open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), context->uid, &scan);
		proc_scan_judge(context, "/proc in a user namespace", &scan, result);
	}
	if (result->verdict != OPEN && umount2("/proc", MNT_DETACH) == 0) {
		proc_scan_run(
			open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), context->uid, &scan);
		if (scan.others > 0 || scan.n_secrets > 0)
			proc_scan_judge(context, "what /proc covers", &scan, result);
	}
	if (result->verdict != OPEN &&
		mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0) {
		proc_scan_run(
			open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), context->uid, &scan);
		proc_scan_judge(context, "a procfs of one's own", &scan, result);
	}
}

/* Wait for a child. Tells whether it has exited with 0. */
static bool has_done(pid_t child)
{
	int status;

	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static void enter_namespaces(
	const struct audit_context *context, bool own_pids, struct result *result)
{
	pid_t child;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | (own_pids ? CLONE_NEWPID : 0)) < 0 ||
		!map_user(context->uid)) {
		if (result->verdict == NOT_TESTED)
			result_set(result, NOT_TESTED, "a user namespace cannot be created: %s",
				strerror(errno));
		return;
	}
	child = own_pids ? fork() : 0;
	if (child == 0)
		scan_in_namespace(context, own_pids, result);
	else if (!has_done(child))
		_exit(1);
}

void probe_user_namespace(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	(void)probe;
	for (int own_pids = 0; own_pids < 2 && result->verdict != OPEN; own_pids++) {
		pid_t child = fork();

		if (child == 0) {
			enter_namespaces(context, own_pids, result);
			_exit(0);
		}
		if (has_done(child) || result->verdict == OPEN)
			continue;
		result_set(result, NOT_TESTED, "the process in the namespace died");
		return;
	}
}

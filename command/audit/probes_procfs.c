/* SPDX-License-Identifier: MIT */
/*
 * Probes of procfs instances other than the one at /proc: mounted elsewhere, or reached through a
 * descriptor that was inherited or taken from another process.
 */
#include "probes.h"

#include "common/mountinfo.h"
#include "common/syscalls.h"
#include "decoy.h"
#include "proc_scan.h"
#include "socket_peer.h"

#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/vfs.h>

static bool is_procfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* The procfs instances that are mounted besides the one at /proc. */
struct instances {
	char own[80]; /* where the audit has mounted one */
	bool own_seen;
	unsigned int n;
};

/* Scan the file system at a line of mountinfo, if it is another procfs. */
static void scan_mount(const struct audit_context *context, char *line, struct instances *instances,
	struct result *result)
{
	struct proc_scan scan;
	struct mount mount;
	int fd;

	line[strcspn(line, "\n")] = '\0';
	if (mountinfo_parse(line, &mount) < 0 || strcmp(mount.fs_type, "proc") != 0 ||
		strcmp(mount.mount_point, "/proc") == 0)
		return;
	fd = open(mount.mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || !is_procfs(fd)) {
		close_fd(&fd);
		return;
	}
	instances->n++;
	instances->own_seen |= strcmp(mount.mount_point, instances->own) == 0;
	proc_scan_run(fd, context->uid, &scan);
	proc_scan_judge(context, mount.mount_point, &scan, result);
}

void probe_other_procfs(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	struct instances instances = {.n = 0};
	char *line = NULL;
	size_t size = 0;

	(void)probe;
	(void)snprintf(instances.own, sizeof(instances.own), "%s/proc", context->directory);
	while (mounts && result->verdict != OPEN && getline(&line, &size, mounts) > 0)
		scan_mount(context, line, &instances, result);
	free(line);
	if (mounts)
		(void)fclose(mounts);
	if (!instances.own_seen && result->verdict != OPEN)
		result_set(result, NOT_TESTED, "the procfs that the audit mounted at %s is missing",
			instances.own);
	else if (result->verdict == CLOSED)
		result_set(result, CLOSED,
			"%u procfs mounts besides /proc show no process of another user",
			instances.n);
}

/* Where a descriptor leads to: itself a procfs, or a directory from which a path leads to one.
   other: it was taken from another process of the user's. */
static void follow(const struct audit_context *context, bool other, int fd, struct result *result)
{
	static const char *const paths[] = {".", "proc", "../proc", "../../proc", "../../../proc",
		"../../../../../../../../../../../../../../../../proc"};
	struct proc_scan scan;
	char name[64];

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		int next = openat(fd, paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (next < 0 || !is_procfs(next)) {
			close_fd(&next);
			continue;
		}
		proc_scan_run(next, context->uid, &scan);
		(void)snprintf(name, sizeof(name), "%s descriptor %d, by %.14s",
			other ? "another process's" : "the application's", fd, paths[i]);
		/* another session of the user's has an init and an application, which are root's */
		if (scan.n_secrets > 0 || (scan.others > 0 && !other))
			proc_scan_judge(context, name, &scan, result);
	}
}

void probe_descriptors(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	unsigned int n = 0;

	(void)probe;
	if (!context->descriptors) {
		result_set(result, NOT_TESTED, "the application could not open / and /proc");
		return;
	}
	for (int fd = 0; fd < 1024; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			continue;
		n++;
		follow(context, false, fd, result);
		if (result->verdict == OPEN)
			return;
	}
	/* one of them is what this process reports through: so descriptors are inherited */
	result_set(result, CLOSED,
		"%u descriptors are inherited; the application's for / and /proc are not among them",
		n);
}

/* ---- descriptors of another process -----------------------------------------------------------
 */

/* Take the descriptors of another process of the user's, by pidfd_getfd(2): from a directory among
   them a path may lead to the /proc that the process sees. Returns how many could be taken. */
static unsigned int take_descriptors(
	const struct audit_context *context, int pidfd, struct result *result)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 256 && result->verdict != OPEN; fd++) {
		int taken AUTO_CLOSE = (int)syscall(__NR_pidfd_getfd, pidfd, fd, 0U);

		n += taken >= 0;
		if (taken >= 0)
			follow(context, true, taken, result);
	}
	return n;
}

/* Returns a connection to the socket at a path if the user owns it, or -1. */
static int connect_to_own(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (fd >= 0 && strlen(path) < sizeof(address.sun_path) && lstat(path, &st) == 0 &&
		st.st_uid == getuid() && S_ISSOCK(st.st_mode)) {
		memcpy(address.sun_path, path, strlen(path));
		if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
			return fd;
	}
	close_fd(&fd);
	return -1;
}

/* /proc/net/unix has a line for every socket of the network namespace. What counts are those of
   processes in another session, or in none. */
void probe_own_descriptors(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	FILE *sockets = fopen("/proc/net/unix", "re");
	unsigned int processes = 0, taken = 0;
	char line[512], own_process[96];
	bool held = false;

	(void)probe;
	(void)snprintf(own_process, sizeof(own_process), "%s/user/" OWN_PROCESS_SOCKET,
		context->directory);
	while (sockets && result->verdict != OPEN && fgets(line, sizeof(line), sockets)) {
		const char *path = strchr(line, '/');
		int fd AUTO_CLOSE = -1, pidfd AUTO_CLOSE = -1;
		unsigned int n;

		line[strcspn(line, "\n")] = '\0';
		fd = path ? connect_to_own(path) : -1;
		pidfd = fd < 0 ? -1 : peer_pidfd(fd);
		if (pidfd < 0)
			continue;
		processes++;
		n = take_descriptors(context, pidfd, result);
		taken += n;
		held |= n > 0 && strcmp(path, own_process) == 0;
	}
	if (sockets)
		(void)fclose(sockets);
	if (result->verdict == OPEN)
		return;
	if (!held && access(own_process, F_OK) < 0)
		result_set(result, NOT_TESTED, "no process listens in another session of %s",
			context->user);
	else
		result_set(result, CLOSED,
			"of %u other processes %u descriptors can be had; none leads to the host's /proc",
			processes, taken);
}

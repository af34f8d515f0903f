/* SPDX-License-Identifier: MIT */
/*
 * The probes that lead through the kernel: procfs, system calls that take a pid, cgroups, sockets.
 * Each asks the same of a process of its own and of a number that nobody has: only then does an
 * answer about a decoy, or none, mean something.
 */
#include "probes.h"

#include "command/lib/subprocess.h"
#include "common/syscalls.h"
#include "connector.h"
#include "fixture.h"
#include "proc_scan.h"

#include <dirent.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <utmp.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* ---- procfs -----------------------------------------------------------------------------------
 */

void probe_proc(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	struct proc_scan scan;

	(void)probe;
	proc_scan_run(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), context->uid, &scan);
	proc_scan_judge(context, "/proc", &scan, result);
}

/* How many of a process's files and directories are there, by whatever path. */
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
		result_set(result, OPEN, "%u of %zu decoys are in /proc, each by up to %u paths",
			found, context->n_decoys, most);
	else if (paths_of(getpid()) < 10)
		result_set(result, NOT_TESTED, "the process that looks is not in /proc itself");
	else
		result_set(result, CLOSED, "/proc has no decoy, by any of 13 paths");
}

/* Undo the escapes of mountinfo, in place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++, to++) {
		*to = *s;
		if (s[0] == '\\' && s[1] && s[2] && s[3]) {
			*to = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 3;
		}
	}
	*to = '\0';
}

static bool is_procfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

void probe_other_procfs(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char line[4096], where[4096], own[80];
	struct proc_scan scan;
	unsigned int n = 0;
	bool own_seen = false;

	(void)probe;
	(void)snprintf(own, sizeof(own), "%s/proc", context->directory);
	while (mounts && fgets(line, sizeof(line), mounts)) {
		int fd;

		if (!strstr(line, " - proc ") ||
			sscanf(line, "%*s %*s %*s %*s %4000s", where) != 1 ||
			strcmp(where, "/proc") == 0)
			continue;
		unescape(where);
		fd = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || !is_procfs(fd)) {
			close_fd(&fd);
			continue;
		}
		n++;
		own_seen |= strcmp(where, own) == 0;
		proc_scan_run(fd, context->uid, &scan);
		proc_scan_judge(context, where, &scan, result);
		if (result->verdict == OPEN)
			break;
	}
	if (mounts)
		(void)fclose(mounts);
	if (!own_seen && result->verdict != OPEN)
		result_set(result, NOT_TESTED,
			"the procfs that the audit mounts at %s is not there", own);
	else if (result->verdict == CLOSED)
		result_set(
			result, CLOSED, "%u besides /proc, which show nobody else's processes", n);
}

/* Where a descriptor leads to: itself a procfs, or a directory below which there is one. */
static void follow(const struct audit_context *context, bool other, int fd, struct result *result)
{
	static const char *const steps[] = {".", "proc", "../proc", "../../proc", "../../../proc",
		"../../../../../../../../../../../../../../../../proc"};
	struct proc_scan scan;
	char name[64];

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		int next = openat(fd, steps[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (next < 0 || !is_procfs(next)) {
			close_fd(&next);
			continue;
		}
		proc_scan_run(next, context->uid, &scan);
		(void)snprintf(name, sizeof(name), "%s descriptor %d, by %.14s",
			other ? "another process's" : "the application's", fd, steps[i]);
		/* another session of the user's has an init and an opener, which are root's */
		if (scan.n_secrets > 0 || (scan.foreign > 0 && !other))
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
		"%u are inherited; those of the application for / and /proc are not among them", n);
}

/* The word of a line in a column, from 1; "" if there is none. */
static void column_of(const char *line, int column, char *word, size_t size)
{
	word[0] = '\0';
	for (int i = 1; *line != '\0'; i++) {
		size_t n;

		line += strspn(line, " \t");
		n = strcspn(line, " \t\n");
		if (i == column && n < size) {
			memcpy(word, line, n);
			word[n] = '\0';
			return;
		}
		line += n;
		if (*line == '\n' || *line == '\0')
			return;
	}
}

static const struct decoy *decoy_of(const struct audit_context *context, long pid)
{
	for (size_t i = 0; i < context->n_decoys; i++)
		if (context->decoys[i].pid == pid)
			return &context->decoys[i];
	return NULL;
}

/* A file with a pid in a column of each line, or one that is searched for the secrets. "lock" and
 * "segment" are what the decoy must have; of locks this process must find its own there. */
void probe_proc_file(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *path = probe->what[0];
	const int column = probe->what[1] ? (int)strtol(probe->what[1], NULL, 10) : 0;
	const bool locks = probe->what[2] && strcmp(probe->what[2], "lock") == 0;
	FILE *file = fopen(path, "re"), *lock = file && locks ? tmpfile() : NULL;
	struct flock whole = {.l_type = F_WRLCK};
	char line[4096], word[32];
	bool own = !locks;
	unsigned int lines = 0;

	if (!file) {
		result_set(result,
			errno == EACCES || errno == EPERM || errno == ENOENT ? CLOSED : NOT_TESTED,
			"%s: %s", path, strerror(errno));
		return;
	}
	if (lock)
		(void)fcntl(fileno(lock), F_SETLK, &whole);
	while (fgets(line, sizeof(line), file)) {
		long pid;

		lines++;
		column_of(line, column, word, sizeof(word));
		pid = strtol(word, NULL, 10);
		own |= pid == getpid();
		if (!decoy_of(context, pid) && !find_secret(context, line, strlen(line)))
			continue;
		result_set(result, OPEN, "%s names a decoy: %.100s", path, line);
		break;
	}
	(void)fclose(file);
	if (lock)
		(void)fclose(lock);
	if (result->verdict == OPEN)
		return;
	if (!own)
		result_set(result, NOT_TESTED,
			"%s does not have the lock of the process that looks", path);
	else if (probe->what[2] && !(locks ? context->lock : context->segment))
		result_set(result, NOT_TESTED, "the decoy could not get a %s", probe->what[2]);
	else
		result_set(
			result, CLOSED, "%s has %u lines, of others' processes none", path, lines);
}

/* ---- system calls that take a pid -------------------------------------------------------------
 */

static long call_pidfd_open(pid_t pid)
{
	int fd AUTO_CLOSE = sys_pidfd_open(pid);

	return fd;
}

static long call_getpriority(pid_t pid)
{
	return syscall(SYS_getpriority, PRIO_PROCESS, pid);
}

static long call_ioprio_get(pid_t pid)
{
	return syscall(SYS_ioprio_get, 1, pid);
}

static long call_capget(pid_t pid)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, pid};
	struct __user_cap_data_struct data[2];

	return syscall(SYS_capget, &header, data);
}

static long call_sched_getaffinity(pid_t pid)
{
	cpu_set_t set;

	return sched_getaffinity(pid, sizeof(set), &set);
}

static long call_prlimit(pid_t pid)
{
	struct rlimit limit;

	return prlimit(pid, RLIMIT_NOFILE, NULL, &limit);
}

static long call_ptrace(pid_t pid)
{
	return ptrace(PTRACE_SEIZE, pid, NULL, NULL);
}

static long call_process_vm_readv(pid_t pid)
{
	static char from[8]; /* at the same address in a child */
	char to[8];
	struct iovec local = {to, sizeof(to)}, remote = {from, sizeof(from)};

	return process_vm_readv(pid, &local, 1, &remote, 1, 0);
}

static long call_getsid(pid_t pid)
{
	return getsid(pid);
}

static long call_getpgid(pid_t pid)
{
	return getpgid(pid);
}

static long call_sched_getscheduler(pid_t pid)
{
	return sched_getscheduler(pid);
}

static const struct {
	const char *name;
	long (*function)(pid_t pid);
} calls[] = {
	{"pidfd_open", call_pidfd_open},
	{"getsid", call_getsid},
	{"getpgid", call_getpgid},
	{"getpriority", call_getpriority},
	{"ioprio_get", call_ioprio_get},
	{"capget", call_capget},
	{"sched_getaffinity", call_sched_getaffinity},
	{"sched_getscheduler", call_sched_getscheduler},
	{"prlimit", call_prlimit},
	{"ptrace", call_ptrace},
	{"process_vm_readv", call_process_vm_readv},
};

/* A number that no process has. */
static pid_t free_pid(void)
{
	for (pid_t pid = 30011; pid > 20000; pid--)
		if (kill(pid, 0) < 0 && errno == ESRCH)
			return pid;
	return 0;
}

/* A child that waits; ended with a signal. */
static pid_t waiting_child(void)
{
	pid_t child = fork();

	if (child != 0)
		return child;
	for (;;)
		(void)pause();
}

static int error_of(long (*function)(pid_t pid), pid_t pid)
{
	errno = 0;
	return function(pid) < 0 ? errno : 0;
}

void probe_call(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *name = probe->what[0];
	long (*function)(pid_t pid) = NULL;
	pid_t child = waiting_child(), nobody = free_pid();
	int own, none, err, told = 0;
	unsigned int found = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (strcmp(calls[i].name, name) == 0)
			function = calls[i].function;
	if (!function || child < 0)
		return;
	own = error_of(function, child);
	none = error_of(function, nobody);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	for (size_t i = 0; i < context->n_decoys; i++) {
		err = error_of(function, context->decoys[i].pid);
		if (err == none)
			continue;
		told = err;
		found++;
	}
	if (own != 0 || none == 0)
		result_set(result, NOT_TESTED, "%s of a child of one's own: %s; of nobody: %s",
			name, strerror(own), strerror(none));
	else if (found > 0)
		result_set(result, OPEN,
			"%s tells that %u of %zu decoys are there: '%s' of one, '%s' of nobody",
			name, found, context->n_decoys, strerror(told), strerror(none));
	else
		result_set(result, CLOSED, "%s: '%s' of every decoy, as of nobody", name,
			strerror(none));
}

void probe_kill_range(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	pid_t last = getpid();
	unsigned int foreign = 0, own = 0;

	(void)probe;
	for (size_t i = 0; i < context->n_decoys; i++)
		if (context->decoys[i].pid > last)
			last = context->decoys[i].pid;
	for (pid_t pid = 1; pid <= last; pid++) {
		if (kill(pid, 0) == 0)
			own++;
		else if (errno == EPERM && !proc_scan_is_kin(pid))
			foreign++;
	}
	if (foreign > 0)
		result_set(result, OPEN,
			"kill(2) with signal 0 finds %u processes of others up to pid %d", foreign,
			(int)last);
	else if (own == 0)
		result_set(result, NOT_TESTED, "kill(2) does not find the process that asks");
	else
		result_set(result, CLOSED,
			"kill(2) with signal 0 finds %u processes up to pid %d, of others none",
			own, (int)last);
}

#define ROUNDS 2001

static int compare_times(const void *a, const void *b)
{
	const long long one = *(const long long *)a, other = *(const long long *)b;

	return (one > other) - (one < other);
}

static long long time_kill(pid_t pid)
{
	struct timespec before, after;

	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	(void)kill(pid, 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	return (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec;
}

/* The answer decides. The times are told for whoever reads them: a difference of noise is none, and
 * equal medians prove nothing. */
void probe_kill_timing(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	static long long there[ROUNDS], nowhere[ROUNDS];
	const pid_t decoy = context->decoys[0].pid, nobody = free_pid();
	int one, other;

	(void)probe;
	for (size_t i = 0; i < ROUNDS; i++) {
		there[i] = time_kill(decoy);
		nowhere[i] = time_kill(nobody);
	}
	one = kill(decoy, 0) == 0 ? 0 : errno;
	other = kill(nobody, 0) == 0 ? 0 : errno;
	qsort(there, ROUNDS, sizeof(*there), compare_times);
	qsort(nowhere, ROUNDS, sizeof(*nowhere), compare_times);
	result_set(result, one == other ? CLOSED : OPEN,
		"'%s' of a decoy, '%s' of nobody; median times %lld and %lld ns", strerror(one),
		strerror(other), there[ROUNDS / 2], nowhere[ROUNDS / 2]);
}

/* ---- cgroups ----------------------------------------------------------------------------------
 */

struct cgroups {
	unsigned int files, decoys, zeroes;
	bool own;
};

static void read_cgroup(
	const struct audit_context *context, int dir, const char *name, struct cgroups *all)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char line[64];

	if (!file) {
		close_fd(&fd);
		return;
	}
	all->files++;
	while (fgets(line, sizeof(line), file)) {
		long pid = strtol(line, NULL, 10);

		all->own |= pid == getpid();
		all->zeroes += pid == 0;
		all->decoys += decoy_of(context, pid) != NULL;
	}
	(void)fclose(file);
}

/* NOLINTNEXTLINE(misc-no-recursion): to a depth of 12 */
static void walk_cgroups(
	const struct audit_context *context, int dir, int depth, struct cgroups *all)
{
	DIR *list = fdopendir(dir);
	const struct dirent *entry;

	if (!list) {
		close_fd(&dir);
		return;
	}
	read_cgroup(context, dirfd(list), "cgroup.procs", all);
	while (depth < 12 && (entry = readdir(list))) {
		int next;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		next = openat(dirfd(list), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (next >= 0)
			walk_cgroups(context, next, depth + 1, all);
	}
	(void)closedir(list);
}

void probe_cgroup(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	struct cgroups all = {0};
	int dir = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)probe;
	if (dir >= 0)
		walk_cgroups(context, dir, 0, &all);
	if (all.decoys > 0)
		result_set(result, OPEN, "cgroup.procs has the pids of %zu decoys, in %u files",
			context->n_decoys, all.files);
	else if (!all.own)
		result_set(result, NOT_TESTED, "no cgroup.procs has the process that looks, of %u",
			all.files);
	else
		result_set(result, CLOSED,
			"%u files cgroup.procs; %u processes of others have no number there",
			all.files, all.zeroes);
}

/* ---- sockets ----------------------------------------------------------------------------------
 */

/* Connect to the first decoy, which answers a byte: "p" at once, others when it has done
 * something. */
static int connect_decoy(const struct audit_context *context, char question)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", context->directory);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
		connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		write(fd, &question, 1) != 1) {
		close_fd(&fd);
		return -1;
	}
	return fd;
}

bool ask_decoy(const struct audit_context *context, char question)
{
	int fd AUTO_CLOSE = connect_decoy(context, question);
	char answer = 'n';

	return fd >= 0 && read(fd, &answer, 1) == 1 && answer == 'y';
}

/* Receive a byte, with who has sent it. */
static pid_t sender_of(int fd)
{
	union {
		char buffer[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.buffer,
		.msg_controllen = sizeof(control.buffer)};
	struct ucred sender = {0};

	if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
		if (c->cmsg_type == SCM_CREDENTIALS)
			memcpy(&sender, CMSG_DATA(c), sizeof(sender));
	return sender.pid;
}

static pid_t peer_of(int fd)
{
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : -1;
}

static int pidfd_of_peer(int fd)
{
	int pidfd = -1;
	socklen_t size = sizeof(pidfd);

	return getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0 ? pidfd : -1;
}

/* The pid behind a pidfd of the peer; 0: none that is told here. */
static pid_t pidfd_peer_of(int fd)
{
	char path[64], line[128];
	const int pidfd = pidfd_of_peer(fd);
	FILE *info;
	long pid = 0;

	if (pidfd < 0)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	info = fopen(path, "re");
	while (info && fgets(line, sizeof(line), info))
		if (strncmp(line, "Pid:", 4) == 0)
			pid = strtol(line + 4, NULL, 10);
	if (info)
		(void)fclose(info);
	(void)close(pidfd);
	return pid > 0 ? (pid_t)pid : 0;
}

void probe_socket(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	int fd AUTO_CLOSE = connect_decoy(context, 'p'), pair[2];
	pid_t peer, sender, pidfd;

	(void)probe;
	if (fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
		peer_of(pair[0]) != getpid()) {
		result_set(result, NOT_TESTED, "no connection to the decoy's socket: %s",
			strerror(errno));
		return;
	}
	peer = peer_of(fd);
	sender = sender_of(fd);
	pidfd = pidfd_peer_of(fd);
	if (peer < 0 || sender < 0)
		result_set(result, NOT_TESTED, "the decoy's socket does not answer");
	else if (peer > 0 || sender > 0 || pidfd > 0)
		result_set(result, OPEN,
			"the peer's pid is told: SO_PEERCRED %d, SCM_CREDENTIALS %d, its pidfd %d",
			(int)peer, (int)sender, (int)pidfd);
	else
		result_set(result, CLOSED,
			"a peer on the host has the pid 0, by SO_PEERCRED and SCM_CREDENTIALS");
}

/* What another process of the user's has open, by a pidfd that its socket gives: from a directory a
   path leads to the /proc that it sees. Returns how many descriptors could be had. */
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

/* Returns a connection to whoever listens at a path, if the user's, or -1. */
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

/* All sockets of the machine have a line; what counts is in another session, or in none. */
void probe_own_descriptors(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	FILE *sockets = fopen("/proc/net/unix", "re");
	unsigned int processes = 0, taken = 0;
	char line[512], holder[96];
	bool held = false;

	(void)probe;
	(void)snprintf(holder, sizeof(holder), "%s/user/" HOLDER, context->directory);
	while (sockets && result->verdict != OPEN && fgets(line, sizeof(line), sockets)) {
		const char *path = strchr(line, '/');
		int fd AUTO_CLOSE = -1, pidfd AUTO_CLOSE = -1;
		unsigned int n;

		line[strcspn(line, "\n")] = '\0';
		fd = path ? connect_to_own(path) : -1;
		pidfd = fd < 0 ? -1 : pidfd_of_peer(fd);
		if (pidfd < 0)
			continue;
		processes++;
		n = take_descriptors(context, pidfd, result);
		taken += n;
		held |= n > 0 && strcmp(path, holder) == 0;
	}
	if (sockets)
		(void)fclose(sockets);
	if (result->verdict == OPEN)
		return;
	if (!held && access(holder, F_OK) < 0)
		result_set(result, NOT_TESTED, "no process listens in another session of %s",
			context->user);
	else
		result_set(result, CLOSED,
			"of %u other processes %u descriptors can be had; none leads to the host's /proc",
			processes, taken);
}

/* ---- namespaces of one's own ------------------------------------------------------------------
 */

static bool map_user(uid_t uid)
{
	char text[64];
	int fd AUTO_CLOSE = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	int n = snprintf(text, sizeof(text), "%u %u 1", uid, uid);

	return fd >= 0 && write(fd, text, (size_t)n) == n;
}

/* In the new namespaces: /proc as it is, what is below it, a fresh one. */
static void look_in_namespace(
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
		if (scan.foreign > 0 || scan.n_secrets > 0)
			proc_scan_judge(context, "what /proc covers", &scan, result);
	}
	if (result->verdict != OPEN &&
		mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0) {
		proc_scan_run(
			open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), context->uid, &scan);
		proc_scan_judge(context, "a procfs of one's own", &scan, result);
	}
}

/* Whether the child has done what it was to do. */
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
			result_set(result, NOT_TESTED, "no user namespace can be made: %s",
				strerror(errno));
		return;
	}
	child = own_pids ? fork() : 0;
	if (child == 0)
		look_in_namespace(context, own_pids, result);
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
		result_set(result, NOT_TESTED, "the process in the namespace has died");
		return;
	}
}

/* ---- process events ---------------------------------------------------------------------------
 */

/* Whether an event comes that names the decoy. */
static bool event_of(int fd, pid_t decoy, int limit_ms)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	char buffer[4096] __attribute__((aligned(8)));

	while (poll(&readable, 1, limit_ms) > 0) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
		struct proc_event event = {0};
		const size_t at = NLMSG_HDRLEN + sizeof(struct cn_msg);

		if (n <= (ssize_t)at)
			continue;
		memcpy(&event, buffer + at,
			(size_t)n - at < sizeof(event) ? (size_t)n - at : sizeof(event));
		if ((unsigned int)event.what == (unsigned int)PROC_EVENT_NONE)
			continue;
		/* of every event the first is the process that it is about, or its parent */
		if (event.event_data.fork.parent_pid == decoy ||
			event.event_data.fork.parent_tgid == decoy)
			return true;
	}
	return false;
}

void probe_connector(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	int fd AUTO_CLOSE = connector_join();
	int asked AUTO_CLOSE = -1;
	char answer;

	(void)probe;
	if (fd < 0) {
		result_set(result,
			errno == EPERM || errno == EACCES || errno == EPROTONOSUPPORT ? CLOSED
										      : NOT_TESTED,
			"the kernel tells process events to nobody but root: %s", strerror(errno));
		return;
	}
	(void)connector_ask(fd, PROC_CN_MCAST_LISTEN);
	/* root listens too, as an audit tool might: who has joined gets what anybody listens to.
	   When the decoy answers, its events are there */
	asked = connect_decoy(context, 'c');
	if (asked < 0 || read(asked, &answer, 1) != 1)
		result_set(result, NOT_TESTED, "the decoy causes no process events");
	else if (event_of(fd, context->decoys[0].pid, 500))
		result_set(result, OPEN,
			"the kernel tells of what the decoy does, its pid and its name (netlink)");
	else
		result_set(result, CLOSED, "no process event comes, %s",
			answer == 'y' ? "root gets them" : "not even to root");
	(void)connector_ask(fd, PROC_CN_MCAST_IGNORE);
}

/* ---- what is not promised ---------------------------------------------------------------------
 */

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

void probe_counters(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	(void)context;
	result_set(result, NOT_PROMISED, "%s%s", probe->what[1],
		access(probe->what[0], R_OK) == 0 ? "" : " (not here)");
}

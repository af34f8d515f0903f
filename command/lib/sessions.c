/* SPDX-License-Identifier: MIT */
#include "sessions.h"

#include "common/syscalls.h"
#include "file.h"
#include "init/init.h"
#include "init/watch.h"
#include "printable.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Read a file of a process. What ends meanwhile reads as empty. */
static size_t read_text(int proc, pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%d/%s", (int)pid, name);
	return file_read_start(proc, path, text, size);
}

/* The inode number of a process's PID namespace; 0 when the process has ended. */
static uint64_t namespace_of(int proc, pid_t pid)
{
	struct stat st;
	char path[64];

	(void)snprintf(path, sizeof(path), "%d/ns/pid", (int)pid);
	return fstatat(proc, path, &st, 0) == 0 ? st.st_ino : 0;
}

/* The init of a session is a process of root's with the init's name that is PID 1 of its namespace.
 */
static bool is_init(int proc, pid_t pid)
{
	char text[4096];
	const char *s;

	if (read_text(proc, pid, "comm", text, sizeof(text)) == 0 ||
		strcmp(text, INIT_NAME "\n") != 0)
		return false;
	(void)read_text(proc, pid, "status", text, sizeof(text));
	s = strstr(text, "\nUid:\t0\t");
	s = s ? strstr(s, "\nNSpid:\t") : NULL;
	s = s ? strchr(s + 1, '\n') : NULL;
	return s && s[-1] == '1' && s[-2] == '\t'; /* the innermost of its pids is the last */
}

/* When the machine was booted, in seconds since the epoch, proc_stat(5). */
static time_t boot_time(int proc)
{
	char line[256];
	long long seconds = 0;
	int fd = openat(proc, "stat", O_RDONLY | O_CLOEXEC);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "btime ", 6) == 0)
			seconds = strtoll(line + 6, NULL, 10);
	if (file)
		(void)fclose(file);
	else if (fd >= 0)
		(void)close(fd);
	return (time_t)seconds;
}

/* Seconds from boot to the start of a process: field 22 of its stat, proc_pid_stat(5). */
static time_t started(int proc, pid_t pid)
{
	char text[1024];
	const char *s;

	(void)read_text(proc, pid, "stat", text, sizeof(text));
	s = strrchr(text, ')'); /* the name may contain anything */
	for (int field = 2; s && field < 22; field++)
		s = strchr(s + 1, ' ');
	return s ? (time_t)(strtoull(s, NULL, 10) / (unsigned long long)sysconf(_SC_CLK_TCK)) : 0;
}

/* "pam_unshare: init of USER (SERVICE)", of a user's namespace without the service. Where the
   kernel did not let the init set that, the text is another, or lacks its end. */
static void read_title(int proc, struct namespace_info *found, struct session_info *session)
{
	char title[512];
	size_t n = read_text(proc, found->init, "cmdline", title, sizeof(title)), user;
	const char *name = title + strlen(INIT_TITLE), *service = NULL;

	(void)strcpy(found->user, "?");
	(void)strcpy(session->service, "?");
	if (n == 0 || strncmp(title, INIT_TITLE, strlen(INIT_TITLE)) != 0)
		return;
	n = strlen(title);
	for (const char *s = name; (s = strstr(s, " (")); s++)
		service = s;
	user = service ? (size_t)(service - name) : strlen(name);
	printable(found->user, sizeof(found->user), name, user);
	found->shared = service ? NOT_SHARED : UNKNOWN;
	if (service && title[n - 1] == ')')
		printable(session->service, sizeof(session->service), service + 2,
			(size_t)(title + n - 1 - (service + 2)));
}

pid_t pid_of_pidfd(const char *process, int fd)
{
	char path[64], text[512];
	const char *s;
	long pid;

	(void)snprintf(path, sizeof(path), "/proc/%s/fdinfo/%d", process, fd);
	(void)file_read_start(AT_FDCWD, path, text, sizeof(text));
	s = strstr(text, "\nPid:\t");
	pid = s ? strtol(s + strlen("\nPid:\t"), NULL, 10) : 0;
	return pid > 0 ? (pid_t)pid : 0; /* -1: it has died */
}

struct process {
	pid_t pid;
	uint64_t pid_namespace;
};

static int by_pid(const void *a, const void *b)
{
	const struct process *left = a, *right = b;

	return (left->pid > right->pid) - (left->pid < right->pid);
}

/* List all processes, sorted by pid. */
static int read_processes(int proc, struct process **all, size_t *n)
{
	DIR *dir = fdopendir(fcntl(proc, F_DUPFD_CLOEXEC, 0));
	struct process *grown;
	struct dirent *entry;
	pid_t pid;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		if (*n % 256 == 0) {
			grown = reallocarray(*all, *n + 256, sizeof(**all));
			if (!grown) {
				(void)closedir(dir);
				return -ENOMEM;
			}
			*all = grown;
		}
		pid = (pid_t)strtol(entry->d_name, NULL, 10);
		(*all)[(*n)++] =
			(struct process){.pid = pid, .pid_namespace = namespace_of(proc, pid)};
	}
	(void)closedir(dir);
	if (*n > 0)
		qsort(*all, *n, sizeof(**all), by_pid);
	return 0;
}

/* The session that a namespace was made for: the one that there is, unless it is shared. */
static int describe(int proc, time_t boot, struct namespace_info *found)
{
	struct session_info *session = calloc(1, sizeof(*session));
	char init[16];

	if (!session)
		return -ENOMEM;
	found->since = session->since = boot + started(proc, found->init);
	read_title(proc, found, session);
	if (found->shared != NOT_SHARED) {
		free(session);
		return 0;
	}
	(void)snprintf(init, sizeof(init), "%d", (int)found->init);
	session->opener = pid_of_pidfd(init, FD_OPENER);
	found->sessions = session;
	found->n_sessions = 1;
	return 0;
}

static int find_inits(
	int proc, const struct process *all, size_t n_all, struct namespace_info **found, size_t *n)
{
	const time_t boot = boot_time(proc);
	struct namespace_info *one, *grown;
	int err = 0;

	for (size_t i = 0; i < n_all && err == 0; i++) {
		if (all[i].pid_namespace == 0 || !is_init(proc, all[i].pid))
			continue;
		grown = reallocarray(*found, *n + 1, sizeof(**found));
		if (!grown)
			return -ENOMEM;
		*found = grown;
		one = &grown[(*n)++];
		*one = (struct namespace_info){
			.init = all[i].pid, .pid_namespace = all[i].pid_namespace};
		err = describe(proc, boot, one);
		for (size_t k = 0; k < n_all; k++)
			one->processes += k != i && all[k].pid_namespace == one->pid_namespace;
	}
	return err;
}

int namespaces_find(struct namespace_info **found, size_t *n)
{
	int proc AUTO_CLOSE = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct process *all = NULL;
	size_t n_all = 0;
	int err;

	*found = NULL;
	*n = 0;
	if (proc < 0)
		return -errno;
	err = read_processes(proc, &all, &n_all);
	if (err == 0)
		err = find_inits(proc, all, n_all, found, n);
	free(all);
	return err == 0 ? members_find(*found, *n) : err;
}

struct session_info *session_new(struct namespace_info *shared)
{
	struct session_info *grown =
		reallocarray(shared->sessions, shared->n_sessions + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	shared->sessions = grown;
	return &grown[shared->n_sessions++];
}

void namespaces_free(struct namespace_info *found, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(found[i].sessions);
	free(found);
}

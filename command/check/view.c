/* SPDX-License-Identifier: MIT */
/* What the user sees in the session: the processes in /proc. */
#include "checks.h"
#include "command/lib/file.h"
#include "command/lib/pam_session.h"
#include "command/lib/printable.h"
#include "common/syscalls.h"
#include "init/init.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The command line of a process, printable, with spaces between the arguments. */
static void read_command(int proc, const char *pid, char *command, size_t size)
{
	char path[300];
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/cmdline", pid);
	n = file_read_start(proc, path, command, size);
	while (n > 0 && command[n - 1] == '\0')
		n--;
	for (size_t i = 0; i < n; i++)
		if (command[i] == '\0')
			command[i] = ' ';
	printable(command, size, command, n);
}

static void report_process(struct findings *findings, int proc, const char *pid)
{
	char command[4096], owner[33];
	const struct passwd *user;
	struct stat st;

	if (fstatat(proc, pid, &st, 0) < 0)
		return;
	read_command(proc, pid, command, sizeof(command));
	user = getpwuid(st.st_uid);
	if (user)
		printable(owner, sizeof(owner), user->pw_name, strlen(user->pw_name));
	else
		(void)snprintf(owner, sizeof(owner), "%u", st.st_uid);
	findings_add(findings, FINDING_PROCESS,
		findings->table ? "%s %s %.100s" : "%7s %-12s %.100s", pid, owner, command);
}

/* The init of the module is PID 1, and /proc is the one of this PID namespace. */
static bool is_isolated(void)
{
	char self[32] = "", own[32], name[32];

	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	(void)file_read_start(AT_FDCWD, "/proc/1/comm", name, sizeof(name));
	return readlink("/proc/self", self, sizeof(self) - 1) > 0 && strcmp(self, own) == 0 &&
	       strcmp(name, INIT_NAME "\n") == 0;
}

/* As the user, in the session. */
static bool report_view(struct findings *findings)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;

	if (!proc)
		return false;
	findings_text(findings, "    PID USER         COMMAND");
	while ((entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			report_process(findings, dirfd(proc), entry->d_name);
	(void)closedir(proc);
	return is_isolated();
}

uint64_t namespace_number(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

bool check_view(struct check *check, struct outcome *outcome)
{
	int status = -1;
	pid_t child;

	(void)fflush(stdout);
	child = fork();
	if (child == 0) {
		bool good = become_user(&check->account) && report_view(&check->findings);

		outcome->pid_namespace = namespace_number("/proc/self/ns/pid");
		(void)fflush(stdout);
		_exit(good ? 0 : 1);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * What a session can see, one fact a line: probe [SECRET]
 *
 * A process is foreign if it belongs to another user and is not the PID 1 of this namespace.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <unistd.h>

static void print_link(const char *name, const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	target[n > 0 ? n : 0] = '\0';
	printf("%s=%s\n", name, target);
}

static bool has_secret(const char *pid, const char *secret)
{
	char path[PATH_MAX], text[8192];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text));
	if (fd >= 0)
		(void)close(fd);
	return n > 0 && memmem(text, (size_t)n, secret, strlen(secret)) &&
	       strtol(pid, NULL, 10) != getpid();
}

static void print_processes(const char *secret)
{
	DIR *dir = opendir("/proc");
	int all = 0, foreign = 0;
	bool found = false;
	const struct dirent *e;
	struct stat st;

	while (dir && (e = readdir(dir))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		all++;
		if (fstatat(dirfd(dir), e->d_name, &st, 0) == 0 && st.st_uid != getuid() &&
			strcmp(e->d_name, "1") != 0)
			foreign++;
		found = found || has_secret(e->d_name, secret);
	}
	if (dir)
		(void)closedir(dir);
	printf("processes=%d\nforeign=%d\nsecret=%s\n", all, foreign, found ? "found" : "hidden");
}

static void print_denied(const char *name, long result)
{
	printf("%s=%s\n", name, result < 0 ? "denied" : "allowed");
}

int main(int argc, char **argv)
{
	char self[32] = "", pid[32];

	print_link("pid_namespace", "/proc/self/ns/pid");
	print_link("mount_namespace", "/proc/self/ns/mnt");
	print_link("ipc_namespace", "/proc/self/ns/ipc");
	print_processes(argc > 1 ? argv[1] : "\n");
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (readlink("/proc/self", self, sizeof(self) - 1) < 0)
		self[0] = '\0';
	printf("self=%s\n", strcmp(self, pid) == 0 ? "resolves" : "broken");
	print_denied("signal_init", kill(1, SIGUSR1));
	print_denied("trace_init", ptrace(PTRACE_SEIZE, 1, NULL, NULL));
	print_denied("read_init_memory", open("/proc/1/mem", O_RDONLY | O_CLOEXEC));
	print_denied("read_init_environment", open("/proc/1/environ", O_RDONLY | O_CLOEXEC));
	print_link("init_root", "/proc/1/root");
	return 0;
}

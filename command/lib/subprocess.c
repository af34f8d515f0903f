/* SPDX-License-Identifier: MIT */
#include "subprocess.h"

#include "common/syscalls.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define OUTPUT_MAX (1 << 24)
#define LIMIT_S 60

const char *tool_find(const char *name)
{
	static const char *const directories[] = {"/usr/bin", "/usr/sbin", "/bin", "/sbin"};
	static char path[128];

	if (name[0] == '/')
		return access(name, X_OK) == 0 ? name : NULL;
	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", directories[i], name);
		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

void tool_become(const struct tool *tool, const char *const argv[])
{
	char home[300], user[100], logname[100], runtime[64], bus[100];
	const char *environment[12];
	size_t n = 0;

	(void)snprintf(home, sizeof(home), "HOME=%s", tool->home ? tool->home : "/");
	environment[n++] = home;
	environment[n++] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	environment[n++] = "LC_ALL=C";
	environment[n++] = "TERM=dumb";
	environment[n++] = "SYSTEMD_COLORS=0";
	environment[n++] = "SHELL=/bin/sh";
	if (tool->more)
		environment[n++] = tool->more;
	if (tool->user) {
		(void)snprintf(user, sizeof(user), "USER=%s", tool->user);
		(void)snprintf(logname, sizeof(logname), "LOGNAME=%s", tool->user);
		environment[n++] = user;
		environment[n++] = logname;
	}
	if (tool->bus_of > 0) {
		(void)snprintf(
			runtime, sizeof(runtime), "XDG_RUNTIME_DIR=/run/user/%u", tool->bus_of);
		(void)snprintf(bus, sizeof(bus),
			"DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/%u/bus", tool->bus_of);
		environment[n++] = runtime;
		environment[n++] = bus;
	}
	environment[n] = NULL;
	(void)execve(argv[0], (char *const *)(const void *)argv,
		(char *const *)(const void *)environment);
	_exit(127);
}

/* In the child: standard input from a pipe or nowhere, output and error into one. */
__attribute__((noreturn)) static void run_child(
	const struct tool *tool, const char *const argv[], const int in[2], const int out[2])
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)dup2(tool->input ? in[0] : nothing, STDIN_FILENO);
	(void)dup2(out[1], STDOUT_FILENO);
	(void)dup2(out[1], STDERR_FILENO);
	tool_become(tool, argv);
}

static int milliseconds_left(const struct timespec *until)
{
	struct timespec now;
	long long left;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	left = (until->tv_sec - now.tv_sec) * 1000LL + (until->tv_nsec - now.tv_nsec) / 1000000;
	return left > 0 ? (int)left : 0;
}

/* Read until the program has ended. What it leaves behind may hold the pipe. */
static void read_output(struct tool *tool, int out, int pidfd, const struct timespec *until)
{
	struct pollfd fds[2] = {{.fd = out, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
	ssize_t n;

	while (tool->n < OUTPUT_MAX && poll(fds, 2, milliseconds_left(until)) > 0) {
		if (!(fds[0].revents & (POLLIN | POLLHUP))) /* it has ended, and nothing is left */
			return;
		n = read(out, tool->text + tool->n, OUTPUT_MAX - tool->n);
		if (n <= 0)
			fds[0].fd = -1;
		else
			tool->n += (size_t)n;
		if (fds[0].fd < 0 && (fds[1].revents & POLLIN))
			return;
	}
	tool->too_long = true;
}

static int attend(struct tool *tool, pid_t child, const int in[2], const int out[2])
{
	struct timespec until;
	int status = 0, pidfd AUTO_CLOSE = sys_pidfd_open(child);

	(void)close(in[0]);
	(void)close(out[1]);
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += tool->limit_s > 0 ? tool->limit_s : LIMIT_S;
	/* shorter than what a pipe takes at once */
	if (tool->input && write(in[1], tool->input, strlen(tool->input)) < 0)
		tool->n = 0; /* it does not read: it will say why */
	(void)close(in[1]);
	read_output(tool, out[0], pidfd, &until);
	(void)close(out[0]);
	if (tool->too_long)
		(void)kill(-child, SIGKILL);
	(void)waitpid(child, &status, 0);
	tool->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	tool->text[tool->n] = '\0';
	return 0;
}

int tool_run(struct tool *tool, const char *const argv[])
{
	const char *path = tool_find(argv[0]);
	const char *arguments[32];
	int in[2], out[2];
	pid_t child;

	tool->text = NULL;
	tool->n = 0;
	tool->too_long = false;
	if (!path)
		return -ENOENT;
	tool->text = malloc(OUTPUT_MAX + 1);
	if (!tool->text)
		return -ENOMEM;
	tool->text[0] = '\0';
	if (pipe2(in, O_CLOEXEC) < 0)
		return -EMFILE;
	if (pipe2(out, O_CLOEXEC) < 0) {
		(void)close(in[0]);
		(void)close(in[1]);
		return -EMFILE;
	}
	arguments[0] = path;
	for (size_t i = 1; i < sizeof(arguments) / sizeof(*arguments); i++) {
		arguments[i] = argv[i];
		if (!argv[i])
			break;
	}
	child = fork();
	if (child == 0)
		run_child(tool, arguments, in, out);
	if (child > 0)
		return attend(tool, child, in, out);
	for (int i = 0; i < 2; i++) {
		(void)close(in[i]);
		(void)close(out[i]);
	}
	return -EAGAIN;
}

const char *tool_first_line(struct tool *tool)
{
	if (tool->text)
		tool->text[strcspn(tool->text, "\n")] = '\0';
	return tool->text ? tool->text : "";
}

void tool_free(struct tool *tool)
{
	free(tool->text);
	tool->text = NULL;
}

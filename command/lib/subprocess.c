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
#define ARGUMENTS_MAX 31

const char *subprocess_find(const char *name)
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

/* The variables of the program, and where their values are. */
struct environment {
	char home[300], user[100], logname[100], runtime[64], bus[100];
	const char *variables[12];
	size_t n;
};

static void add_variable(struct environment *environment, const char *variable)
{
	environment->variables[environment->n++] = variable;
}

static void add_user(struct environment *environment, const char *user)
{
	(void)snprintf(environment->user, sizeof(environment->user), "USER=%s", user);
	(void)snprintf(environment->logname, sizeof(environment->logname), "LOGNAME=%s", user);
	add_variable(environment, environment->user);
	add_variable(environment, environment->logname);
}

static void add_session_bus(struct environment *environment, uid_t uid)
{
	(void)snprintf(environment->runtime, sizeof(environment->runtime),
		"XDG_RUNTIME_DIR=/run/user/%u", uid);
	(void)snprintf(environment->bus, sizeof(environment->bus),
		"DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/%u/bus", uid);
	add_variable(environment, environment->runtime);
	add_variable(environment, environment->bus);
}

void subprocess_exec(const struct subprocess *program, const char *const argv[])
{
	struct environment environment = {
		.variables = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "TERM=dumb",
			"SYSTEMD_COLORS=0", "SHELL=/bin/sh"},
		.n = 5};

	(void)snprintf(environment.home, sizeof(environment.home), "HOME=%s",
		program->home ? program->home : "/");
	add_variable(&environment, environment.home);
	if (program->more)
		add_variable(&environment, program->more);
	if (program->user)
		add_user(&environment, program->user);
	if (program->bus_of > 0)
		add_session_bus(&environment, program->bus_of);
	(void)execve(argv[0], (char *const *)(const void *)argv,
		(char *const *)(const void *)environment.variables);
	_exit(127);
}

/* Standard input, and standard output with standard error, of the program. */
struct pipes {
	int in[2], out[2];
};

static void close_pipe(const int ends[2])
{
	close_fd(&ends[0]);
	close_fd(&ends[1]);
}

static int open_pipes(struct pipes *pipes)
{
	int err;

	if (pipe2(pipes->in, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(pipes->out, O_CLOEXEC) == 0)
		return 0;
	err = -errno;
	close_pipe(pipes->in);
	return err;
}

/* In the child: replace it by the program at the path. */
__attribute__((noreturn)) static void run_child(const struct subprocess *program, const char *path,
	const char *const argv[], const struct pipes *pipes)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const char *arguments[ARGUMENTS_MAX + 1] = {path};

	for (size_t i = 1; i < ARGUMENTS_MAX && argv[i]; i++)
		arguments[i] = argv[i];
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)dup2(program->input ? pipes->in[0] : null, STDIN_FILENO);
	(void)dup2(pipes->out[1], STDOUT_FILENO);
	(void)dup2(pipes->out[1], STDERR_FILENO);
	subprocess_exec(program, arguments);
}

static int milliseconds_left(const struct timespec *until)
{
	struct timespec now;
	long long left;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	left = (until->tv_sec - now.tv_sec) * 1000LL + (until->tv_nsec - now.tv_nsec) / 1000000;
	return left > 0 ? (int)left : 0;
}

/* Read until the program has ended. A process that it leaves behind may keep the pipe open. */
static void read_output(
	struct subprocess *program, int out, int pidfd, const struct timespec *until)
{
	struct pollfd fds[2] = {{.fd = out, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
	ssize_t n;

	while (program->n < OUTPUT_MAX && poll(fds, 2, milliseconds_left(until)) > 0) {
		if (!(fds[0].revents & (POLLIN | POLLHUP))) /* it has ended, and nothing is left */
			return;
		n = read(out, program->text + program->n, OUTPUT_MAX - program->n);
		if (n <= 0)
			fds[0].fd = -1;
		else
			program->n += (size_t)n;
		if (fds[0].fd < 0 && (fds[1].revents & POLLIN))
			return;
	}
	program->too_long = true;
}

/* In the parent: give the program its input, take its output, wait for its end. */
static void attend(struct subprocess *program, pid_t child, const struct pipes *pipes)
{
	struct timespec until;
	int status = 0, pidfd AUTO_CLOSE = sys_pidfd_open(child);

	(void)close(pipes->in[0]);
	(void)close(pipes->out[1]);
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += program->limit_s > 0 ? program->limit_s : LIMIT_S;
	/* shorter than a pipe holds; a program that does not read it says why */
	if (program->input && write(pipes->in[1], program->input, strlen(program->input)) < 0)
		program->n = 0;
	(void)close(pipes->in[1]);
	read_output(program, pipes->out[0], pidfd, &until);
	(void)close(pipes->out[0]);
	if (program->too_long)
		(void)kill(-child, SIGKILL);
	(void)waitpid(child, &status, 0);
	program->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	program->text[program->n] = '\0';
}

int subprocess_run(struct subprocess *program, const char *const argv[])
{
	const char *path = subprocess_find(argv[0]);
	struct pipes pipes;
	pid_t child;
	int err;

	program->text = NULL;
	program->n = 0;
	program->too_long = false;
	if (!path)
		return -ENOENT;
	program->text = calloc(OUTPUT_MAX + 1, 1);
	if (!program->text)
		return -ENOMEM;
	err = open_pipes(&pipes);
	if (err < 0)
		return err;
	child = fork();
	if (child == 0)
		run_child(program, path, argv, &pipes);
	if (child > 0) {
		attend(program, child, &pipes);
		return 0;
	}
	err = -errno;
	close_pipe(pipes.in);
	close_pipe(pipes.out);
	return err;
}

const char *subprocess_first_line(struct subprocess *program)
{
	if (program->text)
		program->text[strcspn(program->text, "\n")] = '\0';
	return program->text ? program->text : "";
}

void subprocess_free(struct subprocess *program)
{
	free(program->text);
	program->text = NULL;
}

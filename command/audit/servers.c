/* SPDX-License-Identifier: MIT */
#include "servers.h"

#include "command/lib/pam_session.h"
#include "command/lib/subprocess.h"
#include "common/syscalls.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define SESSION_LIMIT_MS 1800000
#define READY_LIMIT_MS 60000

/* Start a server in the foreground, so that its pid is known. A set-group-id program, as screen is,
   does not die with its parent. */
static pid_t start_server(const struct subprocess *program, const char *const argv[])
{
	const char *path = subprocess_find(argv[0]);
	const char *arguments[8] = {path};
	pid_t child = path ? fork() : -1;

	if (child != 0)
		return child;
	for (size_t i = 1; i < 7 && argv[i]; i++)
		arguments[i] = argv[i];
	subprocess_exec(program, arguments);
}

static bool audit_has_ended(int socket)
{
	char byte;

	return recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void pause_briefly(void)
{
	const struct timespec fifth = {.tv_nsec = 200000000};

	(void)nanosleep(&fifth, NULL);
}

/* Start a tmux server with a session, and wait for its socket. Returns its pid, or -1. */
static pid_t start_tmux(const struct audit *audit, int audit_socket)
{
	char socket[96];
	const char *const server[] = {"tmux", "-D", "-S", socket, "-f", "/dev/null", NULL};
	const char *const session[] = {"tmux", "-S", socket, "new-session", "-d", NULL};
	struct subprocess program = {.user = audit->user.pw_name, .home = audit->user.pw_dir};
	pid_t child;

	(void)snprintf(socket, sizeof(socket), "%s/user/tmux-socket", audit->context.directory);
	child = start_server(&program, server);
	for (int i = 0; i < 100 && child > 0 && access(socket, F_OK) < 0; i++) {
		if (audit_has_ended(audit_socket))
			return child;
		pause_briefly();
	}
	if (child > 0 && access(socket, F_OK) == 0) {
		(void)subprocess_run(&program, session);
		subprocess_free(&program);
	}
	return child;
}

/* Start a screen server, and wait until its socket is in its directory. Returns its pid, or -1. */
static pid_t start_screen(const struct audit *audit)
{
	char directory[96], environment[128];
	const char *const server[] = {"screen", "-D", "-m", "-S", "audit", NULL};
	const struct subprocess program = {
		.user = audit->user.pw_name, .home = audit->user.pw_dir, .more = environment};
	pid_t child;

	(void)snprintf(directory, sizeof(directory), "%s/user/screen", audit->context.directory);
	(void)snprintf(environment, sizeof(environment), "SCREENDIR=%s", directory);
	(void)mkdir(directory, 0700);
	child = start_server(&program, server);
	for (int i = 0; i < 50 && child > 0 && rmdir(directory) == 0; i++) {
		(void)mkdir(directory, 0700); /* it was empty still */
		pause_briefly();
	}
	return child;
}

static pid_t start_own_process(const struct audit *audit)
{
	char directory[96];
	const char *const argv[] = {audit->context.command, "audit-own-process", directory, NULL};
	const struct subprocess program = {.user = audit->user.pw_name, .home = audit->user.pw_dir};

	(void)snprintf(directory, sizeof(directory), "%s/user", audit->context.directory);
	return start_server(&program, argv);
}

/* As the user: start the servers, and kill them when the audit has ended. */
static void run_servers(const struct audit *audit, int audit_socket)
{
	pid_t started[3];
	char byte = 'r';

	started[0] = start_own_process(audit);
	started[1] = start_tmux(audit, audit_socket);
	started[2] = audit_has_ended(audit_socket) ? -1 : start_screen(audit);
	if (send(audit_socket, &byte, 1, MSG_NOSIGNAL) == 1)
		(void)recv(audit_socket, &byte, 1, 0); /* returns when the audit has ended */
	for (size_t i = 0; i < sizeof(started) / sizeof(*started); i++)
		if (started[i] > 0)
			(void)kill(started[i], SIGKILL);
}

/* The body of the session. */
static void run_as_user(const struct audit *audit, void *audit_socket)
{
	pid_t child = fork();

	if (child > 0)
		(void)waitpid(child, NULL, 0);
	if (child != 0)
		return;
	/* It outlives a killed audit to kill the servers: the cleaner must not wait for it. */
	(void)close(audit->cleaner_pipe);
	if (!detach_terminal() || !become_user(&audit->user))
		_exit(1);
	run_servers(audit, *(const int *)audit_socket);
	_exit(0);
}

struct opening {
	struct audit *audit;
	int socket;
};

static void open_session(void *data)
{
	struct opening *opening = data;

	session_run(opening->audit, run_as_user, &opening->socket);
}

struct servers servers_start(struct audit *audit)
{
	struct servers servers = {.application = -1};
	struct pollfd ready = {.events = POLLIN};
	int sockets[2];
	char byte;

	if (!probe_is_wanted(&audit->context, "tmux") &&
		!probe_is_wanted(&audit->context, "screen") &&
		!probe_is_wanted(&audit->context, "own-descriptors"))
		return servers;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
		return servers;
	servers.application = fork();
	if (servers.application == 0) {
		struct opening opening = {.audit = audit, .socket = sockets[1]};

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close(sockets[0]);
		(void)run_in_child(open_session, &opening, SESSION_LIMIT_MS);
		_exit(0);
	}
	(void)close(sockets[1]);
	servers.socket = sockets[0];
	ready.fd = sockets[0];
	if (poll(&ready, 1, READY_LIMIT_MS) > 0) /* else the probes report that no server answers */
		(void)recv(sockets[0], &byte, 1, 0);
	return servers;
}

void servers_stop(const struct servers *servers)
{
	if (servers->application <= 0)
		return;
	(void)close(servers->socket);
	(void)waitpid(servers->application, NULL, 0);
}

/* SPDX-License-Identifier: MIT */
/*
 * Probes that reach another session of the user's, or become another user: su, sudo, ssh, and the
 * terminal servers tmux and screen.
 */
#include "probes.h"

#include "outside_scan.h"

#include <stdio.h>
#include <string.h>

/* arguments: su or sudo. Runs as root in the session, and becomes nobody. */
void probe_su(const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *su[16] = {"su", "nobody", "-s", context->command, "--", NULL};
	const char *sudo[16] = {"sudo", "-n", "-u", "nobody", "--", context->command, NULL};
	const char **argv = strcmp(probe->arguments[0], "su") == 0 ? su : sudo;
	struct scan_command command;
	char where[64];
	struct subprocess program = {.limit_s = PROGRAM_LIMIT_S};
	int err;

	scan_command(context, "-", &command);
	append(argv, 16, command.argv + 1);
	(void)snprintf(where, sizeof(where), "%s to nobody", probe->arguments[0]);
	err = subprocess_run(&program, argv);
	if (err < 0)
		result_set(result, NOT_TESTED, "%s: %s", probe->arguments[0], strerror(-err));
	else
		scan_judge_output(context, where, &program, result);
}

void probe_ssh(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	char port[16], key[96], known[128], address[300];
	const char *argv[28] = {"ssh", "-F", "/dev/null", "-p", port, "-i", key, "-o",
		"BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", known, "-o",
		"LogLevel=ERROR", "-o", "IdentitiesOnly=yes", address, NULL};
	struct scan_command command;
	struct subprocess program = {.limit_s = PROGRAM_LIMIT_S};
	int err;

	(void)probe;
	if (context->ssh_port == 0) {
		result_set(result, NOT_TESTED, "%s", context->ssh_reason);
		return;
	}
	(void)snprintf(port, sizeof(port), "%u", context->ssh_port);
	(void)snprintf(key, sizeof(key), "%s/user/key", context->directory);
	(void)snprintf(
		known, sizeof(known), "UserKnownHostsFile=%s/known_hosts", context->directory);
	(void)snprintf(address, sizeof(address), "%s@127.0.0.1", context->user);
	scan_command(context, "-", &command);
	append(argv, 28, command.argv);
	err = subprocess_run(&program, argv);
	if (err < 0)
		result_set(result, NOT_TESTED, "ssh: %s", strerror(-err));
	else
		scan_judge_output(context, "a second ssh login", &program, result);
}

/* arguments: tmux or screen. The user has started the server in another session of the same
   service: servers.c. */
void probe_server(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const bool tmux = strcmp(probe->arguments[0], "tmux") == 0;
	char socket[96], path[128], directory[128];
	const char *with_tmux[20] = {
		"tmux", "-S", socket, "-f", "/dev/null", "new-window", "-d", NULL};
	const char *with_screen[20] = {"screen", "-S", "audit", "-X", "screen", NULL};
	const char **argv = tmux ? with_tmux : with_screen;
	struct scan_command command;
	struct subprocess program = {
		.limit_s = PROGRAM_LIMIT_S, .home = context->home, .user = context->user};
	int err;

	scan_path(context, tmux ? "tmux-socket" : "screen", socket, sizeof(socket));
	scan_path(context, tmux ? "from-tmux" : "from-screen", path, sizeof(path));
	scan_command(context, path, &command);
	append(argv, 20, command.argv);
	(void)snprintf(directory, sizeof(directory), "SCREENDIR=%s", socket);
	program.more = tmux ? NULL : directory;
	err = subprocess_run(&program, argv);
	if (err < 0)
		result_set(result, NOT_TESTED, "%s: %s", probe->arguments[0], strerror(-err));
	else if (program.status != 0)
		result_set(result, NOT_TESTED, "%s: %s", probe->arguments[0],
			subprocess_first_line(&program));
	else
		scan_await(context,
			tmux ? "a tmux server of another session" : "a screen of another session",
			path, 30, subprocess_first_line(&program), result);
	subprocess_free(&program);
}

/* SPDX-License-Identifier: MIT */
/*
 * Starts the decoys (decoy.h): as children of the audit, under systemd-inhibit, and in a system
 * unit.
 */
#include "fixture_parts.h"

#include "command/lib/pam_session.h"
#include "command/lib/subprocess.h"
#include "common/syscalls.h"
#include "decoy.h"
#include "proc_scan.h"
#include "system_bus.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>

static bool make_secret(char secret[33])
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(secret + 2 * i, 3, "%02x", bytes[i]);
	return true;
}

__attribute__((noreturn)) static void become_decoy(const struct audit_context *context,
	const char *secret, uid_t uid, gid_t gid, int out, pid_t parent)
{
	const struct subprocess nothing = {0};
	const char *const argv[] = {
		context->command, DECOY_WORD, secret, uid == 0 ? context->directory : "-", NULL};

	if (!detach_terminal() || dup2(out, STDOUT_FILENO) < 0)
		_exit(1);
	if (uid != 0 && (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
				setresuid(uid, uid, uid) < 0))
		_exit(1);
	die_with_parent(parent);
	subprocess_exec(&nothing, argv);
}

/* logind lists who inhibits something, with the command line. */
__attribute__((noreturn)) static void become_inhibitor(
	const struct audit_context *context, const char *secret, int out, pid_t parent)
{
	const struct subprocess nothing = {0};
	const char *const argv[] = {subprocess_find("systemd-inhibit"), "--what=idle",
		"--mode=block", "--why=audit", context->command, DECOY_WORD, secret, "-", NULL};

	if (!argv[0] || !detach_terminal() || dup2(out, STDOUT_FILENO) < 0)
		_exit(1);
	die_with_parent(parent);
	subprocess_exec(&nothing, argv);
}

#define HIGH 1500

/* Fork a child with a pid that the processes of a fresh PID namespace will hardly reach. */
static pid_t fork_high(void)
{
	for (;;) {
		pid_t child = fork();

		if (child == 0 && getpid() <= HIGH)
			_exit(0);
		if (child <= 0 || child > HIGH)
			return child;
		(void)waitpid(child, NULL, 0);
	}
}

/* Start a decoy as a child, and wait until it is ready. */
static const char *start_decoy(struct audit_context *context, uid_t uid, gid_t gid, bool inhibitor)
{
	struct decoy *decoy = &context->decoys[context->n_decoys];
	const pid_t parent = getpid();
	int fds[2];
	char has = '\0';

	if (!make_secret(decoy->secret) || pipe2(fds, O_CLOEXEC) < 0)
		return "make a secret";
	decoy->pid = fork_high();
	if (decoy->pid == 0 && inhibitor)
		become_inhibitor(context, decoy->secret, fds[1], parent);
	if (decoy->pid == 0)
		become_decoy(context, decoy->secret, uid, gid, fds[1], parent);
	(void)close(fds[1]);
	if (read(fds[0], &has, 1) != 1) {
		(void)close(fds[0]);
		return "start a decoy";
	}
	(void)close(fds[0]);
	context->lock |= (has & DECOY_LOCK) != 0;
	context->segment |= (has & DECOY_SEGMENT) != 0;
	context->n_decoys++;
	return NULL;
}

const char *decoy_start(struct audit_context *context, uid_t uid, gid_t gid)
{
	return start_decoy(context, uid, gid, false);
}

const char *decoy_start_inhibitor(struct audit_context *context)
{
	return start_decoy(context, 0, 0, true);
}

void decoy_start_unit(struct audit_context *context)
{
	struct decoy *decoy = &context->decoys[context->n_decoys];
	char name[64];
	const char *const argv[] = {context->command, DECOY_WORD, decoy->secret, NULL};
	const struct transient_unit unit = {
		.name = name, .type = "notify", .argv = argv, .limit_s = 1800};

	(void)snprintf(name, sizeof(name), "pamunshareaudit%s.service", context_id(context));
	if (!make_secret(decoy->secret) || !unit_run(&unit))
		return;
	decoy->pid = unit_main_pid(name);
	if (decoy->pid <= 0)
		return;
	memcpy(context->unit, name, sizeof(name));
	context->n_decoys++;
}

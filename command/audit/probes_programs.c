/* SPDX-License-Identifier: MIT */
/*
 * Probes that run a program of the distribution in the session and read what it prints.
 */
#include "probes.h"

#include "command/lib/subprocess.h"
#include "common/syscalls.h"
#include "decoy.h"
#include "proc_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

/* Tells whether a line begins with the pid. */
static bool lists(const char *text, pid_t pid)
{
	for (; text; text = strchr(text, '\n'), text = text ? text + 1 : NULL)
		if (strtol(text, NULL, 10) == pid)
			return true;
	return false;
}

/* arguments: the program and its arguments. */
void probe_program(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *argv[9] = {NULL};
	struct subprocess program = {.limit_s = PROGRAM_LIMIT_S};
	int err;

	for (size_t i = 0; i < 8; i++)
		argv[i] = probe->arguments[i];
	err = subprocess_run(&program, argv);
	if (err < 0)
		result_set(result, NOT_TESTED, "%s: %s", argv[0], strerror(-err));
	else if (find_secret(context, program.text, program.n))
		result_set(result, OPEN, "%s prints the command line of a decoy", argv[0]);
	else if (program.status != 0 || !lists(program.text, getpid()))
		result_set(result, NOT_TESTED, "%s does not print the process that runs it: %s",
			argv[0], subprocess_first_line(&program));
	else
		result_set(result, CLOSED, "%s prints the process that runs it, and no decoy",
			argv[0]);
	subprocess_free(&program);
}

/* The setuid and setgid programs of Debian that print something without a password. */
static const char *const setuid_programs[][6] = {
	{"crontab", "-l"},
	{"at", "-l"},
	{"mount"},
	{"screen", "-ls"},
	{"sudo", "-n", "-l"},
	{"fusermount3", "-V"},
	{"pkexec", "--version"},
	{"newgrp", "--help"},
	{"chage", "-l", "root"},
};

static bool is_setuid(const char *name)
{
	const char *path = subprocess_find(name);
	struct stat st;

	return path && stat(path, &st) == 0 && (st.st_mode & (S_ISUID | S_ISGID)) != 0;
}

/* Run one of them. The result says if it is OPEN. Tells whether the program has exited. */
static bool run_setuid(
	const struct audit_context *context, const char *const argv[], struct result *result)
{
	struct subprocess program = {
		.limit_s = PROGRAM_LIMIT_S, .user = context->user, .home = context->home};
	bool exited = subprocess_run(&program, argv) == 0 && program.status >= 0;

	if (program.text && find_secret(context, program.text, program.n))
		result_set(result, OPEN, "%s prints the command line of a decoy", argv[0]);
	subprocess_free(&program);
	return exited;
}

void probe_setuid(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	char exited[256] = "";
	unsigned int n = 0;

	(void)probe;
	for (size_t i = 0;
		i < sizeof(setuid_programs) / sizeof(*setuid_programs) && result->verdict != OPEN;
		i++) {
		const char *const *argv = setuid_programs[i];

		if (!is_setuid(argv[0]) || !run_setuid(context, argv, result))
			continue;
		n++;
		(void)snprintf(
			exited + strlen(exited), sizeof(exited) - strlen(exited), " %s", argv[0]);
	}
	if (result->verdict == OPEN)
		return;
	if (n == 0)
		result_set(result, NOT_TESTED, "no known setuid program is installed");
	else
		result_set(result, CLOSED, "%u setuid programs print no decoy:%s", n, exited);
}

void probe_journal(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *const argv[] = {
		"journalctl", "--no-pager", "-o", "cat", "-b", "-t", DECOY_LOG, NULL};
	struct subprocess program = {.limit_s = PROGRAM_LIMIT_S};
	char own[128];
	int err;

	(void)probe;
	if (!context->systemd) {
		result_set(result, NOT_TESTED, "systemd does not run this machine");
		return;
	}
	(void)snprintf(own, sizeof(own), "pam-unshare audit of %s: journal", context->directory);
	openlog(DECOY_LOG, 0, LOG_USER);
	syslog(LOG_INFO, "%s", own);
	err = subprocess_run(&program, argv);
	if (err < 0)
		result_set(result, NOT_TESTED, "journalctl: %s", strerror(-err));
	else if (find_secret(context, program.text, program.n))
		result_set(result, OPEN, "journalctl shows what a process of root has logged");
	else if (program.status == 0 && strstr(program.text, own))
		result_set(result, CLOSED,
			"journalctl shows the user's own messages, but not the decoy's");
	else if (strstr(program.text, "insufficient permissions") ||
		 strstr(program.text, "not seeing messages"))
		result_set(result, CLOSED, "journalctl: %s", subprocess_first_line(&program));
	else
		result_set(result, NOT_TESTED, "journalctl shows nothing: %s",
			subprocess_first_line(&program));
	subprocess_free(&program);
}

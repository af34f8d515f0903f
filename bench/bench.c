/* SPDX-License-Identifier: MIT */
/*
 * What a session costs. Runs in tests/sandbox, as root, see bench/run; prints one measurement in a
 * line:
 *
 *     EXPERIMENT X VARIANT METRIC ROUND VALUE
 *
 * in microseconds or kilobytes. The variants of a session (session.h) take turns, so that what else
 * the machine does falls on all of them alike.
 */
#include "crowd.h"
#include "experiments.h"
#include "measure.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int usage(void)
{
	(void)fputs("bench EXPERIMENT latency ROUNDS VARIANT...\n"
		    "                 fresh ROUNDS VARIANT...\n"
		    "                 parts ROUNDS MOUNTS\n"
		    "                 growth mounts|memory|processes|sessions N ROUNDS VARIANT...\n"
		    "                 memory SESSIONS PASSES VARIANT...\n"
		    "                 inits SESSIONS VARIANT: those that are held\n"
		    "                 idle SESSIONS SECONDS\n"
		    "                 commands ROUNDS NAME COMMAND... , NAME COMMAND...\n"
		    "                 whole ROUNDS FILE NAME=CONTENT... -- COMMAND...\n"
		    "                 parallel WORKERS SESSIONS ROUND VARIANT\n"
		    "                 ending PROCESSES ROUND VARIANT\n"
		    "                 once VARIANT COMMAND...\n"
		    "                 holding N VARIANT any of these: while N sessions are open\n",
		stderr);
	return 2;
}

static int run(int argc, char **argv);

/* The experiment is a process of its own, which may wait for all its children. */
static void holding(long n, const char *variant, int argc, char **argv)
{
	const struct crowd crowd = gather(n, variant);
	pid_t child = fork();

	if (child == 0) {
		must("die with the parent", prctl(PR_SET_PDEATHSIG, SIGKILL));
		_exit(run(argc, argv));
	}
	must_succeed(child, argv[0]);
	dismiss(&crowd);
}

/* argv[0] is the experiment's kind. */
static int run(int argc, char **argv)
{
	const char *what = argv[0];
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	long m = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	long round = argc > 3 ? strtol(argv[3], NULL, 10) : 0;

	if (strcmp(what, "holding") == 0 && argc > 3) {
		holding(n, argv[2], argc - 3, argv + 3);
		return 0;
	}
	if (strcmp(what, "latency") == 0 && argc > 2)
		latency(n, argv + 2, argc - 2);
	else if (strcmp(what, "fresh") == 0 && argc > 2)
		fresh(n, argv + 2, argc - 2);
	else if (strncmp(what, "fresh-", 6) == 0 && argc > 3)
		fresh_one(n, m, argv[3], strcmp(what, "fresh-session") == 0);
	else if (strcmp(what, "growth") == 0 && argc > 4)
		growth(argv[1], m, round, argv + 4, argc - 4);
	else if (strcmp(what, "parts") == 0 && argc > 2)
		parts(n, m);
	else if (strcmp(what, "memory") == 0 && argc > 3)
		memory(n, m, argv + 3, argc - 3);
	else if (strcmp(what, "inits") == 0 && argc > 2)
		inits(n, argv[2]);
	else if (strcmp(what, "idle") == 0 && argc > 2)
		idle(n, m);
	else if (strcmp(what, "commands") == 0 && argc > 3)
		commands(n, argv + 2, argc - 2);
	else if (strcmp(what, "whole") == 0 && argc > 5)
		whole(n, argv + 2, argc - 2);
	else if (strcmp(what, "parallel") == 0 && argc > 4)
		parallel(n, m, round, argv[4]);
	else if (strcmp(what, "ending") == 0 && argc > 3)
		ending(argv[3], n, m);
	else if (strcmp(what, "once") == 0 && argc > 2)
		once(argv[1], argv + 2);
	else
		return usage();
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return usage();
	experiment = argv[1];
	must("die with the parent", prctl(PR_SET_PDEATHSIG, SIGKILL));
	/* as sshd does: the module looks at each, and those of whoever runs this do not count */
	must("close what was inherited", close_range(STDERR_FILENO + 1, ~0U, 0));
	return run(argc - 2, argv + 2);
}

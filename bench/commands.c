/* SPDX-License-Identifier: MIT */
/* Whole commands. */
#include "experiments.h"
#include "measure.h"
#include "session.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Returns how long it took. */
static double run(char **command)
{
	const double before = now();
	pid_t child = fork();

	if (child == 0) {
		int null = open("/dev/null", O_RDWR);

		(void)dup2(null, 0);
		(void)dup2(null, 1);
		(void)execvp(command[0], command);
		_exit(127);
	}
	must_succeed(child, command[0]);
	return now() - before;
}

/* An init outlives the command a little. What it used is counted, too. */
static void adopt_orphans(void)
{
	must("adopt orphans", prctl(PR_SET_CHILD_SUBREAPER, 1));
}

/* The first time reads the programs in. */
static void run_and_print(const char *variant, long round, char **command)
{
	const struct usage before = usage_of_all();
	const double took = run(command);
	struct usage after;

	while (wait4(-1, NULL, __WALL, NULL) > 0)
		; /* the inits, whose parent has ended */
	after = usage_of_all();

	if (round == 0)
		return;
	print(variant, "command", round, took);
	print_usage(variant, "command", round,
		(struct usage){after.cpu - before.cpu, after.faults - before.faults});
}

/* The smallest application: a session, and a command in it. */
void once(const char *variant, char **command)
{
	struct session session;

	start(&session, variant);
	session_open(&session);
	(void)run(command);
	session_close(&session);
	end(&session);
}

/* Commands that take turns: NAME COMMAND… , NAME COMMAND… */
void commands(long rounds, char **list, int n)
{
	char **begin[16];
	int count = 0;

	for (int i = 0; i < n && count < 16; i++) {
		begin[count++] = &list[i];
		while (i < n && strcmp(list[i], ",") != 0)
			i++;
		list[i] = NULL; /* of argv at the end */
	}
	adopt_orphans();
	for (long round = 0; round <= rounds; round++)
		for (int i = 0; i < count; i++) {
			char **c = begin[turn(round, i, count)];

			run_and_print(c[0], round, c + 1);
		}
}

/* One command with a file in turn replaced: FILE NAME=CONTENT NAME=CONTENT -- COMMAND… */
void whole(long rounds, char **arg, int n)
{
	const char *file = arg[0];
	int variants = 1;
	char new[256];

	(void)snprintf(new, sizeof(new), "%s.new", file);
	while (variants < n && strcmp(arg[variants], "--") != 0)
		variants++;
	variants--;
	adopt_orphans();
	for (long round = 0; round <= rounds; round++)
		for (int i = 0; i < variants; i++) {
			char *variant = strdup(arg[1 + turn(round, i, variants)]);
			char *content = strchr(variant, '=');

			if (!content)
				die("NAME=CONTENT");
			*content++ = '\0';
			must("link", symlink(content, new));
			must("rename", rename(new, file));
			run_and_print(variant, round, arg + variants + 2);
			free(variant);
		}
}

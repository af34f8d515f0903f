/* SPDX-License-Identifier: MIT */
/*
 * Programs of the distribution that the command runs: by absolute path, with a small fixed
 * environment, without a shell.
 */
#ifndef PAM_UNSHARE_TOOL_H
#define PAM_UNSHARE_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tool {
	const char *input; /* for its standard input; NULL: none */
	const char *home;  /* HOME; NULL: "/" */
	const char *user;  /* USER, LOGNAME; NULL: none */
	uid_t bus_of;	   /* the bus of this user's is named in the environment; 0: none */
	const char *more;  /* one more NAME=VALUE of the environment; NULL: none */
	int limit_s;	   /* seconds; 0: sixty */

	int status;    /* the exit status; -1: ended by a signal, or not in time */
	bool too_long; /* it was killed: it took longer, or said more than 16 megabytes */
	size_t n;      /* of the text */
	char *text;    /* what it said to standard output and error, terminated */
};

/** Find a program: a path in static memory, or NULL. */
const char *tool_find(const char *name);

/**
 * Run a program and wait for its end.
 *
 * @param argv  the first is a path, or a name for tool_find()
 * @return 0, or -errno: ENOENT when there is no such program
 */
int tool_run(struct tool *tool, const char *const argv[]);

/**
 * Become a program.
 *
 * @param argv  the first is a path
 */
__attribute__((noreturn)) void tool_become(const struct tool *tool, const char *const argv[]);

/** The first line of what it said, or ""; the rest is cut off. */
const char *tool_first_line(struct tool *tool);

void tool_free(struct tool *tool);

#endif

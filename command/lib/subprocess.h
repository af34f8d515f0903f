/* SPDX-License-Identifier: MIT */
/*
 * Runs programs of the distribution: by absolute path, with a small fixed environment, without a
 * shell. Runs in the command, as root, and in its children, as the user whose session it is.
 */
#ifndef PAM_UNSHARE_SUBPROCESS_H
#define PAM_UNSHARE_SUBPROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct subprocess {
	/* set by the caller */
	const char *input; /* for its standard input, shorter than a pipe holds; NULL: none */
	const char *home;  /* HOME; NULL: "/" */
	const char *user;  /* USER and LOGNAME; NULL: unset */
	uid_t bus_of;	   /* XDG_RUNTIME_DIR and the session bus of this user; 0: unset */
	const char *more;  /* one more NAME=VALUE of the environment; NULL: none */
	int limit_s;	   /* seconds after which it is killed; 0: 60 */

	/* set by subprocess_run() */
	int status;    /* the exit status; -1: ended by a signal, or killed */
	bool too_long; /* it was killed: it took too long, or wrote 16 MiB or more */
	size_t n;      /* length of text */
	char *text;    /* its standard output and error, terminated */
};

/**
 * Find a program in the distribution's directories.
 *
 * @return its path, which the next call overwrites; NULL: there is none
 */
const char *subprocess_find(const char *name);

/**
 * Run a program and wait until it has ended.
 *
 * @param argv  the first is a path, or a name for subprocess_find(); at most 31 words with that,
 * and NULL
 * @return 0, or -errno: -ENOENT when there is no such program. Call subprocess_free() in any case.
 */
int subprocess_run(struct subprocess *program, const char *const argv[]);

/**
 * Replace this process by a program, with the environment that subprocess_run() would give it.
 * The process exits with status 127 if that fails.
 *
 * @param argv  the first is a path
 */
__attribute__((noreturn)) void subprocess_exec(
	const struct subprocess *program, const char *const argv[]);

/** Cut the text off after its first line, and return it; "" when there is none. */
const char *subprocess_first_line(struct subprocess *program);

/** Free the text; it is NULL then. */
void subprocess_free(struct subprocess *program);

#endif

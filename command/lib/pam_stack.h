/* SPDX-License-Identifier: MIT */
/*
 * The session lines of a PAM service, as Linux-PAM reads them from its files: pam.d(5), and
 * Debian's "@include". Runs in the command, as root, on the host.
 */
#ifndef PAM_UNSHARE_PAM_STACK_H
#define PAM_UNSHARE_PAM_STACK_H

#include <stdbool.h>
#include <stddef.h>

/* Larger than any service needs. */
#define PAM_STACK_LINES 256
#define PAM_STACK_ARGUMENTS 64
#define PAM_STACK_FAULTS 16
#define PAM_STACK_FILES 128

struct pam_stack_line {
	char *text, *file_copy; /* what the strings below point into */
	const char *file;
	unsigned int number; /* of the line in the file, from 1; the last one if it is continued */
	bool silent;	     /* "-session": PAM skips a missing module without a log message */
	const char *control; /* a word, or the text between the brackets */
	bool brackets;
	const char *module; /* name or path */
	int argc;
	const char *argv[PAM_STACK_ARGUMENTS];
};

/* A fault of the files, which PAM would report to the system log only. */
struct pam_stack_fault {
	char file[256]; /* "": of the service as a whole */
	unsigned int number;
	char text[512]; /* a sentence, which begins with the place */
};

struct pam_stack {
	char file[256]; /* where the service is configured; "" when it has no file */
	struct pam_stack_line lines[PAM_STACK_LINES];
	size_t n;
	struct pam_stack_fault faults[PAM_STACK_FAULTS];
	size_t n_faults;
	size_t n_files; /* read; a file counts each time that it is included */
};

/**
 * Read the session lines of a service, in the order in which PAM runs them. A service that has no
 * file or no session line gets those of "other", as in PAM.
 *
 * @param root     a directory that stands for "/", for tests; "": the machine's own
 * @param service  as an application passes it to pam_start(3)
 * @param stack    filled in; free it with pam_stack_free(), also on failure
 * @return 0, or -ENOMEM
 */
int pam_stack_read(const char *root, const char *service, struct pam_stack *stack);

/** Free what the lines of a stack point to; the stack itself is the caller's. */
void pam_stack_free(struct pam_stack *stack);

/** Tell whether a line is one of a module, by name or by path. */
bool pam_stack_line_is_module(const struct pam_stack_line *line, const char *name);

/** Tell whether a line has a word among the arguments of its module. */
bool pam_stack_line_has_argument(const struct pam_stack_line *line, const char *word);

#endif

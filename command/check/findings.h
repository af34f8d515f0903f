/* SPDX-License-Identifier: MIT */
/*
 * What a check finds: printed as text at once, or kept as rows for a table. The process that checks
 * and those that it forks add to the same findings, one after the other.
 */
#ifndef PAM_UNSHARE_FINDINGS_H
#define PAM_UNSHARE_FINDINGS_H

#include "check.h"
#include "command/lib/pam_stack.h"

enum finding_kind {
	FINDING_LINE,	 /* a line of the configuration that names the module */
	FINDING_PROBLEM, /* what is wrong, and what to do */
	FINDING_NOTE,
	FINDING_LOG,	 /* what a module logged */
	FINDING_MESSAGE, /* what a module showed to the user */
	FINDING_SESSION, /* the session is open */
	FINDING_PROCESS, /* what the user sees in it */
	FINDING_RESULT,
};

struct findings {
	struct table *table; /* NULL: text */
	int rows; /* memory that the processes share, with the rows of the table; or -1 */
	unsigned int problems;
};

/**
 * Begin: with a table if any of its options is given.
 *
 * @return 0, or -1 when the options are wrong or memory is short; standard error has the reason
 */
int findings_begin(struct findings *findings, const struct table_options *options);

/** Add a finding; a problem is counted. The text is one line, without a newline. */
__attribute__((format(printf, 3, 4))) void findings_add(
	struct findings *findings, enum finding_kind kind, const char *format, ...);

/** The same, about a file, and a line of it unless the number is 0. */
__attribute__((format(printf, 5, 6))) void findings_add_at(struct findings *findings,
	enum finding_kind kind, const char *file, unsigned int line, const char *format, ...);

/** Add a problem of a line. The text continues "FILE line NUMBER". */
__attribute__((format(printf, 3, 4))) void findings_add_problem(
	struct findings *findings, const struct pam_stack_line *line, const char *format, ...);

/** Print a line of the text that is no row of a table, such as a heading. */
void findings_text(const struct findings *findings, const char *text);

/** Print the table, if there is one. @return 0, or -1 when something could not be written */
int findings_end(struct findings *findings);

#endif

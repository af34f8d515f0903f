/* SPDX-License-Identifier: MIT */
/*
 * A scan of processes from outside of the session: a probe makes something on the machine run this
 * program, whose report (proc_scan.h) comes back in a file or on standard output.
 *
 * Runs in the probes, in the session: as the user, or as root for AS_ROOT.
 */
#ifndef PAM_UNSHARE_OUTSIDE_SCAN_H
#define PAM_UNSHARE_OUTSIDE_SCAN_H

#include "command/lib/subprocess.h"
#include "probes.h"

/* The command that scans, and where its strings are. */
struct scan_command {
	const char *argv[6]; /* ends with NULL */
	char strings[2][64];
};

/**
 * Fill in the command.
 *
 * @param path  of the report, or "-": standard output; it must remain valid
 */
void scan_command(
	const struct audit_context *context, const char *path, struct scan_command *command);

/** The same as one line, for a file that a daemon reads. No word of it needs quotes. */
void scan_line(const struct audit_context *context, const char *path, char *line, size_t size);

/** Where a report is written to: the user's part of the audit's directory, and a name. */
void scan_path(const struct audit_context *context, const char *name, char *path, size_t size);

/** Append words to an argument list; both end with NULL. @param size  how many pointers fit */
void append(const char *argv[], size_t size, const char *const more[]);

/**
 * Wait until the report is whole, and judge it.
 *
 * @param where    what was made to run the program
 * @param limit_s  seconds
 * @param hint     why the program may not have run
 */
void scan_await(const struct audit_context *context, const char *where, const char *path,
	int limit_s, const char *hint, struct result *result);

/** Judge the output of a program that has run the scan before it ended, and free the output. */
void scan_judge_output(const struct audit_context *context, const char *where,
	struct subprocess *program, struct result *result);

/** Wait a tenth of a second. */
void nap(void);

#endif

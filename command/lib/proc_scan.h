/* SPDX-License-Identifier: MIT */
/*
 * What processes can be seen from where this process is: of other users, and the audit's decoys.
 */
#ifndef PAM_UNSHARE_LOOK_H
#define PAM_UNSHARE_LOOK_H

#include "command/audit/probes.h"

#include <stdio.h>

/* The first argument of a decoy, by which its command line is found. */
#define DECOY_WORD "audit-decoy"

struct look {
	bool self; /* this process is in the list: it is a list that works */
	unsigned int listed, foreign;
	char sample[128];	      /* one of the foreign ones */
	char secrets[DECOYS + 1][33]; /* of the decoys whose command lines are shown */
	size_t n_secrets;
};

/**
 * Look through a procfs.
 *
 * @param proc  its directory, closed by this
 * @param user  whose processes are not foreign, besides those of this process's user
 */
void look_through(int proc, uid_t user, struct look *look);

/**
 * Look through /proc, and find decoys with kill(2); write it as text, for look_judge().
 *
 * @param path  of a file that is made, or "-": standard output
 * @param uid   the user whose processes are not foreign
 * @param pids  those of the decoys, separated by commas
 * @return an exit status
 */
int look_report(const char *path, const char *uid, const char *pids);

/**
 * The arguments of the command that reports.
 *
 * @param strings  where two of the strings are
 */
void look_arguments(const struct audit_context *context, const char *path, char strings[2][64],
	const char *arguments[6]);

/** Tell whether this process descends from another one, or that is the session's init. */
bool look_is_kin(pid_t pid);

/** Judge what look_report() has written somewhere. */
void look_judge(const struct audit_context *context, const char *where, const char *text,
	struct result *result);

/** Judge what look_through() has found. */
void look_tell(const struct audit_context *context, const char *where, const struct look *look,
	struct result *result);

/** Which of the decoys has its secret in a text; NULL: none. */
const struct decoy *look_for_secret(
	const struct audit_context *context, const char *text, size_t n);

#endif

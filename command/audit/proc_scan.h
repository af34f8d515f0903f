/* SPDX-License-Identifier: MIT */
/*
 * Which processes this process can see: those of other users, and the audit's decoys.
 *
 * Runs in the session, as the user; the report also wherever a probe gets it run, as whoever runs
 * it.
 */
#ifndef PAM_UNSHARE_PROC_SCAN_H
#define PAM_UNSHARE_PROC_SCAN_H

#include "probes.h"

#include <stdio.h>

/* The first argument of a decoy, by which its command line is found. */
#define DECOY_WORD "audit-decoy"

struct proc_scan {
	bool self;		     /* this process is listed: the procfs is one that works */
	unsigned int listed, others; /* processes: all, and those of other users */
	char sample[128];	     /* one of the others' processes, a decoy if there is one */
	char secrets[DECOYS_MAX + 1][33]; /* those in the command lines that are shown */
	size_t n_secrets;
};

/**
 * Scan a procfs.
 *
 * @param proc  its directory; closed
 * @param user  whose processes do not count as others', nor do those of this process's user
 * @param scan  filled in
 */
void proc_scan_run(int proc, uid_t user, struct proc_scan *scan);

/**
 * Scan /proc, probe for the decoys with kill(2), and write the outcome as text, for
 * proc_scan_judge_report(). The command runs this as itself wherever a probe gets a program to run.
 *
 * @param path  of a file that must not exist yet, or "-": standard output
 * @param uid   the user whose processes do not count as others'
 * @param pids  of the decoys, separated by commas
 * @return an exit status
 */
int proc_scan_report(const char *path, const char *uid, const char *pids);

/**
 * Make the argument vector with which the command runs proc_scan_report().
 *
 * @param path       its argument of the same name
 * @param strings    memory for two of the arguments
 * @param arguments  filled in, terminated by NULL
 */
void proc_scan_arguments(const struct audit_context *context, const char *path, char strings[2][64],
	const char *arguments[6]);

/** Tell whether a process is an ancestor of this one, or the session's init. */
bool proc_scan_is_kin(pid_t pid);

/** Judge the text that proc_scan_report() wrote. */
void proc_scan_judge_report(const struct audit_context *context, const char *where,
	const char *text, struct result *result);

/** Judge what proc_scan_run() found. */
void proc_scan_judge(const struct audit_context *context, const char *where,
	const struct proc_scan *scan, struct result *result);

/** Return the decoy whose secret is in a text of n bytes; NULL: none. */
const struct decoy *find_secret(const struct audit_context *context, const char *text, size_t n);

#endif

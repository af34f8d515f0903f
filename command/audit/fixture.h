/* SPDX-License-Identifier: MIT */
/*
 * What an audit needs on the machine: a directory in /run, decoys, a sshd of its own, the user's
 * manager. All of it ends with the audit, however that ends: the processes by their parent's death,
 * the rest by a cleaner, a process that waits for the audit's end and clears away.
 */
#ifndef PAM_UNSHARE_FIXTURE_H
#define PAM_UNSHARE_FIXTURE_H

#include "probes.h"

#include <pwd.h>

struct fixture {
	int cleaner_pipe; /* its end is the audit's */
	pid_t cleaner;
};

/**
 * Make the directory and start the cleaner; then everything else.
 *
 * @param context  service, user and what is wanted are there; the rest is filled in
 * @param ssh    a sshd is wanted, and so on
 * @return NULL, or what failed, with errno
 */
const char *fixture_setup(struct fixture *fixture, struct audit_context *context,
	const struct passwd *user, bool ssh, bool manager, bool unit);

/* What a decoy says when it is ready: this, and what it has. */
enum { DECOY_READY = 1, DECOY_LOCK = 2, DECOY_SEGMENT = 4 };

/* Under which name it writes to the log. */
#define DECOY_LOG "pam-unshare-audit"

/**
 * Put the user's ~/.forward back, if it is the audit's: the file that was there, or none.
 *
 * Runs as the user.
 *
 * @return false: something is left
 */
bool forward_restore(const struct audit_context *context);

#define FORWARD_MAX 400

/** Where the file is, and where the other one is: the user's own while the audit's is in its place.
 */
void forward_paths(
	const struct audit_context *context, char forward[FORWARD_MAX], char other[FORWARD_MAX]);

/** Have the cleaner clear away, and wait for it. */
void fixture_teardown(struct fixture *fixture);

/**
 * Be a decoy: until the end of the audit, which is its parent.
 *
 * @param secret     what it has in its command line
 * @param directory  of the audit, for what a process can be seen by otherwise; NULL: none of that
 */
int decoy_main(const char *secret, const char *directory);

/** Be a process of the user's in another session, which has / and /proc open, and a socket in a
 * directory. */
int holder_main(const char *directory);

/* The name of its socket. */
#define HOLDER "holder"

#endif

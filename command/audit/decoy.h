/* SPDX-License-Identifier: MIT */
/*
 * The processes that the probes look for, which run this program: decoys, each another user's, with
 * a secret in its command line; and the own process, which is the user's, in another session.
 */
#ifndef PAM_UNSHARE_DECOY_H
#define PAM_UNSHARE_DECOY_H

/* A decoy that is ready writes a byte to its standard output: what it has. */
enum { DECOY_READY = 1, DECOY_LOCK = 2, DECOY_SEGMENT = 4 };

/* The name under which a decoy writes its secret to the system log. */
#define DECOY_LOG "pam-unshare-audit"

/**
 * Be a decoy, until the audit, which is its parent, ends.
 *
 * @param secret     is in the command line already
 * @param directory  the audit's: the decoy holds a lock and a System V segment, writes to the log,
 *                   and answers at a socket there; "-": none of that; NULL: it runs in a system
 *                   unit, which systemd stops
 * @return an exit status, if it cannot begin
 */
int decoy_main(const char *secret, const char *directory);

/**
 * Be the user's own process in another session: have / and /proc open, and listen at a socket.
 *
 * @param directory  of the socket
 * @return an exit status, if it cannot begin
 */
int own_process_main(const char *directory);

/* The name of its socket. */
#define OWN_PROCESS_SOCKET "own-process"

#endif

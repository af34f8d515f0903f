/* SPDX-License-Identifier: MIT */
/*
 * Finds the isolated sessions of the machine: their namespaces in /proc, and who is a member of
 * those that users share. Runs as root, on the host.
 */
#ifndef PAM_UNSHARE_SESSIONS_H
#define PAM_UNSHARE_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct session_info {
	char service[160]; /* printable; "?": the init does not show it */
	time_t since;	   /* 0: unknown */
	pid_t opener;	   /* its pid here; 0: unknown, or it has died */
};

/* What is known of a user's namespace (scope=user). */
enum known { NOT_SHARED, UNKNOWN, KNOWN };

struct namespace_info {
	char user[160]; /* printable; "?": the init does not show it */
	time_t since;
	unsigned int processes; /* without the init, and without those of nested namespaces */
	uint64_t pid_namespace; /* its inode number, as lsns(8) shows it */
	pid_t init;		/* its pid here */
	enum known shared;	/* UNKNOWN: its init has not answered, and there are no sessions */
	bool pinned, linger;	/* of a shared one */
	struct session_info *sessions;
	size_t n_sessions; /* 1 of one that is not shared */
};

/* How long inits may be asked, all together, seconds: one answers in less than a millisecond, and
   one that somebody has frozen not at all (USER_ANSWER_LIMIT). */
#define MEMBERS_LIMIT 10

/**
 * Find the namespaces of sessions that are open, or whose processes have not all ended yet, and of
 * users.
 *
 * @param found  set to an array, sorted by the pid of the init; free it with namespaces_free(),
 *               also after an error
 * @param n      set to its length
 * @return 0, or -errno
 */
int namespaces_find(struct namespace_info **found, size_t *n);

/** Free what was found. */
void namespaces_free(struct namespace_info *found, size_t n);

/**
 * Ask the inits of users' namespaces for their members.
 *
 * @param found  n namespaces; shared, pinned, linger and the sessions of those that answer are
 *               filled in, and the user if it is not known
 * @return 0, or -errno when memory is short
 */
int members_find(struct namespace_info *found, size_t n);

/** Add a session to a namespace's. @return NULL when there is no memory */
struct session_info *session_new(struct namespace_info *shared);

/** The pid that a pidfd of a process (here: /proc/PROCESS/fdinfo/FD) is of; 0: none, or it has
    died. */
pid_t pid_of_pidfd(const char *process, int fd);

#endif

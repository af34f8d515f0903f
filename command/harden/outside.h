/* SPDX-License-Identifier: MIT */
/*
 * What isolated users have that was there before "enable", and goes on as it is: sessions and user
 * managers on the host, and namespaces that no unit has made. Runs as root, on the host.
 */
#ifndef PAM_UNSHARE_OUTSIDE_H
#define PAM_UNSHARE_OUTSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A unit in which a process of such a user runs on the host, or the init of his namespace. */
struct outside {
	char *unit; /* session-N.scope, user@UID.service */
	uid_t uid;  /* its owner's */
};

/**
 * Read from the text of /proc/PID/status, proc_pid_status(5), who runs the process, and where.
 *
 * @param uid  set to its real uid
 * @return whether it is in the PID namespace of that procfs, and in none below
 */
bool outside_parse(const char *status, uid_t *uid);

/**
 * Find them, each once.
 *
 * @param found  set to an array; free it with outside_free(), also after an error
 * @param n      set to its length
 * @return 0 or -errno
 */
int outside_find(struct outside **found, size_t *n);

/** Free what was found. */
void outside_free(struct outside *found, size_t n);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The isolated sessions of the machine, as /proc shows them to root.
 */
#ifndef PAM_UNSHARE_SESSIONS_H
#define PAM_UNSHARE_SESSIONS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct session_info {
	char user[160], service[160]; /* printable; "?" when the init does not tell */
	time_t since;
	unsigned int processes; /* without the init; those of a namespace below are not counted */
	uint64_t pid_namespace; /* its number, as lsns(8) shows it */
	pid_t init;
};

/**
 * Find the sessions that are open, or have not ended yet.
 *
 * @param found  filled in, sorted by the pid of the init; free(3) it
 * @param n      how many
 * @return 0 or -errno
 */
int sessions_find(struct session_info **found, size_t *n);

#endif

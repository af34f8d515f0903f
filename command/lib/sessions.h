/* SPDX-License-Identifier: MIT */
/*
 * Finds the isolated sessions of the machine in /proc. Runs as root, on the host.
 */
#ifndef PAM_UNSHARE_SESSIONS_H
#define PAM_UNSHARE_SESSIONS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct session_info {
	char user[160], service[160]; /* printable; "?": the init does not show it */
	time_t since;
	unsigned int processes; /* without the init, and without those of nested namespaces */
	uint64_t pid_namespace; /* its inode number, as lsns(8) shows it */
	pid_t init;		/* its pid here */
};

/**
 * Find the sessions that are open, and those whose processes have not all ended yet.
 *
 * @param found  set to an array, sorted by the pid of the init; free(3) it, also after an error
 * @param n      set to its length
 * @return 0, or -errno
 */
int sessions_find(struct session_info **found, size_t *n);

#endif

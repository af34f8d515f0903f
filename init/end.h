/* SPDX-License-Identifier: MIT */
#ifndef PAM_UNSHARE_END_H
#define PAM_UNSHARE_END_H

#include <stdbool.h>

/* A procfs of the namespace: the init's descriptor of it, or what is mounted at /proc. */
#define NO_PROC (-1)

/* A process that is left in the namespace. */
struct survivor {
	int pidfd;	/* of a living process, or -1 */
	bool seen;	/* a process was seen, living or dead */
	bool unwatched; /* one could not be watched, or there were too many */
	bool hidden;	/* there may be one that was not seen */
};

/**
 * Find a process that lives, to watch it by its pidfd: those that the application forked are the
 * application's children, so no SIGCHLD tells the init of their end. hidepid may hide all of them.
 *
 * Runs in the init.
 *
 * @param hidden  hidepid= keeps the init from seeing the processes
 * @param proc    descriptor of a procfs, or NO_PROC
 */
struct survivor find_survivor(bool hidden, int proc);

/** Tell whether no process is left, except perhaps zombies of the application. Runs in the init. */
bool survivor_is_none(const struct survivor *left);

/**
 * Ask the namespace's processes to end with SIGHUP, SIGTERM and SIGCONT, and wait until none is
 * left or the grace period is over.
 *
 * Runs in the init, at the end of the session.
 *
 * @param grace   seconds
 * @param hidden  hidepid= keeps the init from seeing the processes
 * @param proc    descriptor of a procfs, or NO_PROC
 */
void end_processes(unsigned int grace, bool hidden, int proc);

#endif

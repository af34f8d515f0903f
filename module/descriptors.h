/* SPDX-License-Identifier: MIT */
/*
 * The application's file descriptors: where the module keeps its own, and which of the
 * application's would show the host's processes to the session.
 */
#ifndef PAM_UNSHARE_DESCRIPTORS_H
#define PAM_UNSHARE_DESCRIPTORS_H

#include "failure.h"

#include <stddef.h>

/* The lowest number of a descriptor that the module keeps for longer than a call. Applications
   close and replace 0 to 2. */
#define FIRST_FD 10

/* A list of descriptor numbers. */
struct descriptors {
	int *fds; /* free(3) it */
	size_t n, room;
};

/**
 * Move a descriptor to FIRST_FD or higher, close-on-exec.
 *
 * Runs in the application.
 *
 * @param fd  the descriptor, or the -1 of a call that failed; is closed if it is moved
 * @return the descriptor, or -1 with errno: that of the call that failed, or EMFILE when
 *         RLIMIT_NOFILE allows none so high
 */
int high_fd(int fd);

/** Close a descriptor unless it is -1, and set it to -1. Runs in the application. */
void close_high(int *fd);

/**
 * Find the descriptors through which the session could see the host's processes: directories,
 * which lead to the host's /proc, and whatever is on a procfs. The application may have opened
 * them, or its caller. Those that are close-on-exec already are left out.
 *
 * Runs in the application.
 *
 * @param proc_self  the application's directory in the host's /proc
 * @param found      empty; filled in, also on failure
 * @return 0 or -errno
 */
int find_host_descriptors(int proc_self, struct descriptors *found, struct failure *why);

/**
 * Set close-on-exec on all such descriptors of the caller, which may be a child of fork(2) in an
 * application with threads: makes system calls only.
 *
 * Runs in a child of the application's, on the host.
 *
 * @return 0 or -errno
 */
int hide_host_descriptors(void);

/**
 * Set close-on-exec, so that the programs of the session do not inherit them.
 *
 * Runs in the application.
 *
 * @return 0 or -errno of fcntl(2)
 */
int close_on_exec(const struct descriptors *found, struct failure *why);

#endif

/* SPDX-License-Identifier: MIT */
/* The least that any implementation must do: the system calls that nobody can do without. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <sys/types.h>

struct floor {
	int mount, pid, init;
	pid_t init_pid;
};

/** The way back, the namespaces, no mount event to the host, the old /proc away, an init, the fresh
    /proc, and a byte that says so. */
void floor_open(struct floor *floor);

void floor_close(struct floor *floor);

#endif

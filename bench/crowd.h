/* SPDX-License-Identifier: MIT */
/* What a measurement finds on the machine. */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <sys/types.h>

/* Processes that wait, each after `begin`, until the pipe's write end is closed. */
struct crowd {
	int release;
	pid_t group;
};

/** Start n processes; each opens a session of a variant, unless that is NULL. */
struct crowd gather(long n, const char *variant);

/** End them, and wait for that. */
void dismiss(const struct crowd *crowd);

/** Go to a mount namespace with n mounts more. */
void more_mounts(long n);

long count_mounts(void);

/** Use so many megabytes. */
void more_memory(long mb);

#endif

/* SPDX-License-Identifier: MIT */
/* What all measurements have in common. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <sys/types.h>

/* What all lines of this run have in common: EXPERIMENT and X. */
extern const char *experiment;
extern long x;

/** Say what failed, and errno; end this process. */
_Noreturn void die(const char *what);

/** die() if a system call has failed. Returns its result. */
long must(const char *what, long result);

/** Wait for a child, which must succeed. */
void must_succeed(pid_t child, const char *what);

/** CLOCK_MONOTONIC, microseconds. */
double now(void);

/** One line of results, in one write(2), so that those of several processes do not mix. */
void print(const char *variant, const char *metric, long round, double value);

/** A number of /proc/meminfo, /proc/PID/status and the like; -1: there is none of that name. */
long number_in(const char *path, const char *name);

/** Whose turn is the i-th of a round: each round begins with another one of n, and every second
   goes backwards, so that none has always the same one before it. */
int turn(long round, int i, int n);

/* What processes have used. */
struct usage {
	double cpu;  /* microseconds, of user and system */
	long faults; /* page faults that read nothing from a disk */
};

/** Of this process and of the children that it has waited for. */
struct usage usage_of_all(void);

/** Of this process alone. */
struct usage usage_of_self(void);

/** One line for each of the two, metrics NAME-cpu and NAME-faults. */
void print_usage(const char *variant, const char *name, long round, struct usage usage);

#endif

/* SPDX-License-Identifier: MIT */
/* The experiments of usage() (bench.c), each in a file of its kind. */
#ifndef BENCH_EXPERIMENTS_H
#define BENCH_EXPERIMENTS_H

#include <stdbool.h>

/* latency.c */
void latency(long rounds, char **variants, int n);
void growth(const char *what, long n, long rounds, char **variants, int n_variants);
void parallel(long workers, long each, long round, const char *variant);
void ending(const char *variant, long processes, long round);

/* fresh.c */
void fresh(long rounds, char **variants, int n);
void fresh_one(long number, long round, const char *variant, bool measured);

/* commands.c */
void once(const char *variant, char **command);
void commands(long rounds, char **list, int n);
void whole(long rounds, char **arg, int n);

/* parts.c */
void parts(long rounds, long mounts);

/* held.c */
void memory(long sessions, long passes, char **variants, int n);
void idle(long sessions, long seconds);
void inits(long sessions, const char *variant);

#endif

/* SPDX-License-Identifier: MIT */
/* The inits of this machine. */
#ifndef BENCH_INITS_H
#define BENCH_INITS_H

#include "measure.h"

#include <stdbool.h>

/** Tell whether a process is an init of the module's.

    @param proc  a descriptor of the host's procfs: it works in a session, too
    @param pid   a name in it */
bool is_init(int proc, const char *pid);

/** What all inits of the module's have used so far.

    @param floor   the pid of the floor's init, which counts too; 0: there is none
    @param settle  wait first until each of them sleeps */
struct usage usage_of_inits(int proc, pid_t floor, bool settle);

#endif

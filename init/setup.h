/* SPDX-License-Identifier: MIT */
/*
 * The init's steps; init.c has their order. Each that can fail returns 0 or more, or a negative
 * number with errno. All run in the init, all but empty_bounding_set() until it is ready.
 */
#ifndef PAM_UNSHARE_SETUP_H
#define PAM_UNSHARE_SETUP_H

#include "init.h"

/** Check that this is PID 1. A filter may make unshare(2) do nothing and report success. */
int require_pid_1(void);

/** Take root's ids. su and sudo open with the caller's real uid, by which he could signal us. */
int become_root(void);

/**
 * Die with the opener until the init is ready. PR_SET_PDEATHSIG reports only a later death, so
 * check whether the opener has died already.
 *
 * @param opener  pidfd of the application
 */
int die_with_opener(int opener);

/** Reset what the application does on signals, and have the kernel reap the init's children. */
int reset_signals(void);

/** Check that the application is not chrooted. @return -1 with EXDEV if it is */
int compare_root(const struct init_task *task);

/** Have the namespace's next pids follow this number, in digits. By the host's /proc. Best effort.
 */
void begin_pids(const char *last_pid);

/** Set oom_score_adj to -1000, which needs CAP_SYS_RESOURCE, or to 0. Best effort. */
void keep_from_oom_killer(void);

/** Keep FD_OPENER, FD_SIGNALS and FD_REPORT, for a user's namespace FD_LOCK, FD_LISTENER and
   FD_PROC too, and close all other descriptors. */
int keep_descriptors(struct init_task *task);

/** Keep CAP_KILL, and CAP_SETPCAP for empty_bounding_set(). */
int drop_capabilities(void);

/** Empty the bounding set and drop CAP_SETPCAP. Exits on failure, and the session ends. */
void empty_bounding_set(void);

#endif

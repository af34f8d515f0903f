/* SPDX-License-Identifier: MIT */
/*
 * enter=fork: the application stays on the host, and each child enters the session's namespaces in
 * fork(3), before fork(3) returns in it. A child that cannot is ended there. One session at a time
 * in a process.
 */
#ifndef PAM_UNSHARE_AT_FORK_H
#define PAM_UNSHARE_AT_FORK_H

#include "namespaces.h"

/* What a child does, in this order. */
enum at_fork_step {
	AT_FORK_CLOSED, /* instead of all others: the session is being closed */
	AT_FORK_BORN,
	AT_FORK_DESCRIPTORS,
	AT_FORK_ROOT,
	AT_FORK_MOUNTS,
	AT_FORK_IPC,
	AT_FORK_CHECK,
	AT_FORK_LIMIT,
	AT_FORK_STEPS
};

/* What has become of the children. */
struct at_fork_report {
	unsigned int entered;
	unsigned int ended;	/* since they could not enter */
	enum at_fork_step step; /* where the last of these failed, */
	int err;		/* and with which errno */
	int limit_err;		/* not 0: the application has no limit of its own any more */
	bool unguarded;		/* somebody has lifted the guard: fork_guard.h, */
	bool uncounted;		/* or reaped its zombie */
	bool stayed;		/* a thread could not be brought back after a fork */
};

/**
 * Do all that can fail before the namespaces are made: have what is started without fork(3) execute
 * no program as a user, and prove it.
 *
 * Runs in the application.
 *
 * @param user  whose session it is, and not root
 * @return 0 or -errno: EBUSY when another thread opens such a session, EINVAL when the caller's
 *         children are born in another PID namespace than its own
 */
int at_fork_prepare(uid_t user, struct failure *why);

/** Take that back: the session is refused. Runs in the application. */
void at_fork_cancel(void);

/**
 * From now on have each child of fork(3), of any thread, enter. Runs in the application, prepared.
 *
 * @param ns  made with at_fork; its descriptors must stay open until at_fork_end()
 */
void at_fork_begin(const struct namespaces *ns);

/** Tell whether this process has a session that is entered at fork, or opens one. Runs in the
    application. */
bool at_fork_is_taken(void);

/**
 * Have later children stay on the host. Waits until no thread is in the middle of fork(3).
 *
 * Runs in the application.
 *
 * @param report  filled in
 * @return 0, or -EBUSY: a thread still is, and the descriptors must stay open
 */
int at_fork_end(struct at_fork_report *report);

/** A step in words. Runs in the application. */
const char *at_fork_step_name(enum at_fork_step step);

#endif

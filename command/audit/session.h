/* SPDX-License-Identifier: MIT */
/*
 * An audit while it runs, and the sessions that it opens.
 */
#ifndef PAM_UNSHARE_AUDIT_SESSION_H
#define PAM_UNSHARE_AUDIT_SESSION_H

#include "probes.h"

#include <pwd.h>

/* Memory that the probes share with the process that reports. The user can write to it. */
struct shared_memory {
	struct audit_context context; /* for the probes */
	struct result results[PROBES_MAX];
};

/* What the process that opens the session tells the one that reports. Only root can write to it. */
struct session_status {
	bool opened;
	bool completed; /* the probes have come to their end */
	char refusal[256];
};

struct audit {
	struct audit_context context;
	struct passwd user; /* name, home, ids */
	struct shared_memory *shared;
	int shared_fd;
	int cleaner_pipe; /* whoever has it open keeps the cleaner waiting */
	struct session_status *status;
};

/**
 * Open a session, do something in it, close it. Without sessions, only do it. Why a session was
 * refused is in the status.
 *
 * Runs in a process of its own, which is in the session then.
 *
 * @param body  is passed the audit and data
 */
void session_run(
	struct audit *audit, void (*body)(const struct audit *audit, void *data), void *data);

/** The body that runs the probes: those that begin as root, then those of the user. */
void session_probes(const struct audit *audit, void *data);

/**
 * The program that session_probes() executes.
 *
 * @param shared_fd  number of the descriptor of the shared memory, which is closed
 * @return an exit status
 */
int session_probes_main(const char *shared_fd, bool as_root);

#endif

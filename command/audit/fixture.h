/* SPDX-License-Identifier: MIT */
/*
 * What an audit prepares on the machine: a directory in /run, decoys, a sshd, the user manager. All
 * of it ends with the audit, however the audit ends: processes are killed when their parent dies;
 * the cleaner, a process that waits for the audit's end, takes away everything else.
 *
 * Runs as root, on the host.
 */
#ifndef PAM_UNSHARE_FIXTURE_H
#define PAM_UNSHARE_FIXTURE_H

#include "context.h"

#include <pwd.h>

struct fixture {
	pid_t cleaner;
	int cleaner_pipe; /* the cleaner waits until it is closed, or a byte is written */
};

/* What the wanted probes need. */
struct fixture_needs {
	bool sshd;
	bool manager; /* the user's */
	bool shared;  /* another user's namespace, if the service has scope=user */
	bool unit;    /* a decoy in a system unit, and one that inhibits something */
};

/** Tell whether a service has scope=user, by its configuration. */
bool service_shares(const char *service);

/**
 * Make the directory, start the cleaner, then everything else.
 *
 * @param context  has the service, the user, and which probes are wanted; the rest is filled in
 * @return NULL, or what failed, with errno. Call fixture_teardown() in any case.
 */
const char *fixture_setup(struct fixture *fixture, struct audit_context *context,
	const struct passwd *user, struct fixture_needs needs);

/** Let the cleaner take everything away, and wait for it. */
void fixture_teardown(struct fixture *fixture);

#endif

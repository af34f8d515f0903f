/* SPDX-License-Identifier: MIT */
/*
 * The parts of the fixture, for fixture.c. Those that return a string return NULL, or what failed,
 * with errno; those that return nothing leave the reason in the context, or the probes find that
 * the part is missing. They run as root, on the host.
 */
#ifndef PAM_UNSHARE_FIXTURE_PARTS_H
#define PAM_UNSHARE_FIXTURE_PARTS_H

#include "fixture.h"

/* fixture_cleanup.c */

/** Fork the cleaner. manager: stop the user manager at the end, if it is not running now. */
const char *cleaner_start(struct fixture *fixture, struct audit_context *context,
	const struct passwd *user, bool manager);

/** Unmount and remove the audit's directory, and report on standard error if it remains. */
void remove_directory(const struct audit_context *context);

/* fixture_decoys.c */

/** Start a decoy as a child of this process, with these ids. */
const char *decoy_start(struct audit_context *context, uid_t uid, gid_t gid);

/** Start a decoy of root's under systemd-inhibit. */
const char *decoy_start_inhibitor(struct audit_context *context);

/** Start a decoy in a system unit. It must be the last one. */
void decoy_start_unit(struct audit_context *context);

/* fixture_sshd.c */

/** Start a sshd on the loopback address; without one, the context has the reason. */
void sshd_start(struct audit_context *context);

/* fixture_namespace.c */

/** Make a namespace that another user's sessions share; without one, the context has the reason. */
void namespace_make(struct audit_context *context);

/* fixture_manager.c */

/** Start the user manager as a login does, and note its state. */
void manager_start(struct audit_context *context);

/** Tell whether the user manager is known not to run. */
bool manager_is_off(uid_t uid);

/** Stop the user manager, unless logind knows the user: logged in, or lingering. */
void manager_stop(uid_t uid);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Calls on the system bus as a user makes them: by busctl(1).
 */
#ifndef PAM_UNSHARE_BUS_CALL_H
#define PAM_UNSHARE_BUS_CALL_H

#include "command/lib/subprocess.h"
#include "probes.h"
#include "system_bus.h"

#define LOGIND "org.freedesktop.login1"
#define LOGIND_MANAGER "org.freedesktop.login1.Manager"

/**
 * Call a method.
 *
 * @param program   has the answer, of a call that succeeded or failed; free it
 * @param words  service, path, interface, method, signature, arguments; ends with NULL
 * @return false: the bus refused the call, or nobody answered; the result says so, nothing to free
 */
bool bus_call(const struct audit_context *context, struct subprocess *program,
	struct result *result, const char *const words[]);

/** Tell whether the bus, or a service on it, denies access. */
bool is_denied(const char *text);

/** Tell whether a decoy runs in a system unit; else the result says why not. */
bool has_unit(const struct audit_context *context, struct result *result);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The user manager, user@.service: the audit starts it, and stops it if it did not run before.
 */
#include "fixture_parts.h"

#include "system_bus.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct unit_name {
	char text[64];
};

static struct unit_name manager_of(uid_t uid)
{
	struct unit_name name;

	(void)snprintf(name.text, sizeof(name.text), "user@%u.service", uid);
	return name;
}

bool manager_is_off(uid_t uid)
{
	char state[32];

	return unit_active_state(manager_of(uid).text, state, sizeof(state)) &&
	       strcmp(state, "active") != 0 && strcmp(state, "reloading") != 0;
}

void manager_start(struct audit_context *context)
{
	const struct unit_name name = manager_of(context->uid);
	const bool started = unit_start(name.text);
	const char *reason = "unknown";
	char state[32];

	if (!unit_active_state(name.text, state, sizeof(state)))
		return;
	/* A unit whose condition does not hold has not failed, and systemd forgets the result. */
	if (strcmp(state, "active") == 0)
		reason = "active";
	else if (started && strcmp(state, "inactive") == 0 && unit_has_condition(name.text))
		reason = "exec-condition";
	else if (strcmp(state, "failed") == 0)
		reason = "failed";
	(void)snprintf(context->manager, sizeof(context->manager), "%s", reason);
}

void manager_stop(uid_t uid)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/run/systemd/users/%u", uid);
	if (access(path, F_OK) < 0)
		unit_stop(manager_of(uid).text);
}

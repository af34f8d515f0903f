/* SPDX-License-Identifier: MIT */
/*
 * Probes of the system bus itself, and of other services on it.
 */
#include "probes.h"

#include "bus_call.h"

#include <stdio.h>
#include <string.h>

/* arguments: a method of the bus that tells the pid of a peer. */
void probe_bus_peers(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *const words[] = {"org.freedesktop.DBus", "/org/freedesktop/DBus",
		"org.freedesktop.DBus", probe->arguments[0], "s", "org.freedesktop.login1", NULL};
	struct subprocess program;

	if (!bus_call(context, &program, result, words))
		return;
	if (program.status == 0 && (program.text[0] == 'u' || strstr(program.text, "ProcessID")))
		result_set(result, OPEN, "the bus tells the pid of another client: %s",
			subprocess_first_line(&program));
	else
		result_set(result, NOT_TESTED, "%s: %s", probe->arguments[0],
			subprocess_first_line(&program));
	subprocess_free(&program);
}

/*
 * busctl(1) leaves out what the bus says when it refuses. It refuses this method, which systemd
 * does not have, by the policy of systemd itself; dbus-daemon describes both sides, and takes the
 * command line of the other from /proc.
 */
void probe_bus_refusal(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus *AUTO_BUS bus = NULL;
	const char *other;

	(void)probe;
	if (!context->systemd) {
		result_set(result, NOT_TESTED, "systemd does not run this machine");
		return;
	}
	if (system_bus_open(&bus) < 0 ||
		sd_bus_call_method(bus, SYSTEMD, "/org/freedesktop/systemd1", MANAGER,
			"PamUnshareAudit", &error, NULL, NULL) >= 0 ||
		!sd_bus_error_has_name(&error, SD_BUS_ERROR_ACCESS_DENIED)) {
		result_set(result, NOT_TESTED, "the bus did not refuse: %s",
			error.message ? error.message : "no answer");
	} else {
		other = strstr(error.message, "destination=");
		other = other ? strstr(other, "comm=\"") : NULL;
		if (other && other[strlen("comm=\"")] != '"')
			result_set(result, OPEN,
				"the bus tells whom it refuses the command line of the other: %.80s",
				other);
		else
			result_set(result, CLOSED, "no command line in what the bus says: %.250s",
				error.message);
	}
	sd_bus_error_free(&error);
}

void probe_machined(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *const words[] = {"org.freedesktop.machine1", "/org/freedesktop/machine1",
		"org.freedesktop.machine1.Manager", "ListMachines", NULL};
	struct subprocess program;

	(void)probe;
	if (!bus_call(context, &program, result, words))
		return;
	result_set(result, program.status == 0 ? CLOSED : NOT_TESTED, "machined: %.100s",
		subprocess_first_line(&program));
	subprocess_free(&program);
}

/* Have polkit judge a pid; its answer is the first line. False: the result says why there is none.
 */
static bool polkit_says(const struct audit_context *context, pid_t pid, char *said, size_t size,
	struct result *result)
{
	char number[16];
	const char *const words[] = {"org.freedesktop.PolicyKit1",
		"/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority",
		"CheckAuthorization", "(sa{sv})sa{ss}us", "unix-process", "2", "pid", "u", number,
		"start-time", "t", "0", "org.freedesktop.policykit.exec", "0", "0", "", NULL};
	struct subprocess program;

	(void)snprintf(number, sizeof(number), "%d", (int)pid);
	if (!bus_call(context, &program, result, words))
		return false;
	(void)snprintf(said, size, "%s", subprocess_first_line(&program));
	subprocess_free(&program);
	return true;
}

/* Take the pid out of an answer about it. */
static void without_number(char *text, pid_t pid)
{
	char number[16];
	char *at;

	(void)snprintf(number, sizeof(number), "%d", (int)pid);
	while ((at = strstr(text, number)))
		memmove(at, at + strlen(number), strlen(at + strlen(number)) + 1);
}

void probe_polkit(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const pid_t decoy = context->decoys[0].pid, nobody = 4194303;
	char one[256], other[256];

	(void)probe;
	if (!polkit_says(context, decoy, one, sizeof(one), result) ||
		!polkit_says(context, nobody, other, sizeof(other), result))
		return;
	without_number(one, decoy);
	without_number(other, nobody);
	if (strcmp(one, other) == 0)
		result_set(result, CLOSED,
			"polkit answers the same for a decoy as for a free pid: %.150s", one);
	else
		result_set(result, OPEN,
			"polkit answers '%.120s' for a decoy, '%.120s' for a free pid", one, other);
}

/* SPDX-License-Identifier: MIT */
/*
 * The probe of Varlink sockets, on which systemd and logind answer much of what they answer on the
 * bus.
 */
#include "probes.h"

#include "bus_call.h"
#include "command/lib/subprocess.h"
#include "proc_scan.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Sockets, and methods that may show processes. */
static const struct {
	const char *socket, *method;
} asked[] = {
	{.socket = "/run/systemd/io.systemd.Manager", .method = "io.systemd.Unit.List"},
	{.socket = "/run/systemd/io.systemd.Manager", .method = "io.systemd.Manager.ListUnits"},
	{.socket = "/run/systemd/io.systemd.Manager", .method = "io.systemd.Manager.Describe"},
	{.socket = "/run/systemd/io.systemd.ManagedOOM", .method = "io.systemd.Unit.List"},
	{.socket = "/run/systemd/userdb/io.systemd.DynamicUser", .method = "io.systemd.Unit.List"},
	{.socket = "/run/systemd/report/io.systemd.Manager", .method = "io.systemd.Metrics.List"},
	{.socket = "/run/systemd/io.systemd.Login", .method = "io.systemd.Login.ListInhibitors"},
};

/* How a call ended, where no decoy was in the answer. */
enum { REFUSED, UNKNOWN, ANSWERED, FAILED, N_ANSWERS };

/* Call one of them. If a decoy is in the answer the result says so. Returns what kind of answer it
   was. */
static int ask_varlink(const struct audit_context *context, size_t i, struct result *result)
{
	const char *const argv[] = {"varlinkctl", "--more", "--no-pager", "call", asked[i].socket,
		asked[i].method, "{}", NULL};
	struct subprocess program = {.limit_s = PROGRAM_LIMIT_S};
	int answer = FAILED, err = subprocess_run(&program, argv);

	if (err < 0)
		result_set(result, NOT_TESTED, "varlinkctl: %s", strerror(-err));
	else if (find_secret(context, program.text, program.n))
		result_set(result, OPEN, "%s of %s shows a command line", asked[i].method,
			asked[i].socket);
	else if (program.status == 0 && !program.too_long)
		answer = ANSWERED;
	else if (strstr(program.text, "Permission denied"))
		answer = REFUSED;
	else if (strstr(program.text, "NotFound"))
		answer = UNKNOWN;
	else
		result_set(result, NOT_TESTED, "%s of %s: %s", asked[i].method, asked[i].socket,
			subprocess_first_line(&program));
	subprocess_free(&program);
	return answer;
}

void probe_varlink(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	unsigned int count[N_ANSWERS] = {0};

	(void)probe;
	if (!has_unit(context, result))
		return;
	if (access(asked[0].socket, F_OK) < 0) {
		result_set(result, errno == ENOENT ? CLOSED : NOT_TESTED, "%s: %s", asked[0].socket,
			strerror(errno));
		return;
	}
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked) && result->verdict != OPEN; i++)
		if (access(asked[i].socket, F_OK) == 0)
			count[ask_varlink(context, i, result)]++;
	if (count[FAILED] == 0)
		result_set(result, CLOSED,
			"of the calls to systemd's sockets, %u are refused, %u are unknown, %u return no command line",
			count[REFUSED], count[UNKNOWN], count[ANSWERED]);
}

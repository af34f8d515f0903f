/* SPDX-License-Identifier: MIT */
#include "bus_call.h"

#include <stdio.h>
#include <string.h>

bool is_denied(const char *text)
{
	return strcasestr(text, "access denied") || strcasestr(text, "access to the requested") ||
	       strcasestr(text, "rejected send message") || strcasestr(text, "AccessDenied");
}

/* Nobody owns the name on the bus, and no service can be started that would. */
static bool is_absent(const char *text)
{
	return strstr(text, "not provided by any .service") || strstr(text, "not activatable");
}

/* The service was there, or could be started, but did not answer. */
static bool is_no_answer(const char *text)
{
	return strcasestr(text, "timed out") || strcasestr(text, "disconnected") ||
	       strcasestr(text, "did not reply") || strcasestr(text, "no reply") ||
	       strcasestr(text, "could not be activated") ||
	       strcasestr(text, "could not activate") || strcasestr(text, "activation request") ||
	       strcasestr(text, "is masked") || strcasestr(text, "not found") ||
	       strcasestr(text, "failed to activate") || strcasestr(text, "connection reset");
}

bool bus_call(const struct audit_context *context, struct subprocess *program,
	struct result *result, const char *const words[])
{
	const char *argv[24] = {"busctl", "--system", "--no-pager", "--timeout=90", "call"};
	size_t n = 5;
	int err;

	if (!context->systemd) {
		result_set(result, NOT_TESTED, "systemd does not run this machine");
		return false;
	}
	for (size_t i = 0; words[i] && n + 1 < sizeof(argv) / sizeof(*argv); i++)
		argv[n++] = words[i];
	*program = (struct subprocess){.limit_s = PROGRAM_LIMIT_S};
	err = subprocess_run(program, argv);
	if (err < 0)
		result_set(result, NOT_TESTED, "busctl: %s", strerror(-err));
	else if (program->status != 0 && is_absent(program->text))
		result_set(result, CLOSED, "this machine has no %s", words[0]);
	else if (program->status != 0 && is_denied(program->text))
		result_set(result, CLOSED, "the bus denies the call: %s",
			subprocess_first_line(program));
	else if (program->status != 0 &&
		 (!strstr(program->text, "Call failed") || is_no_answer(program->text)))
		result_set(result, NOT_TESTED, "busctl: %s", subprocess_first_line(program));
	else
		return true;
	subprocess_free(program);
	return false;
}

bool has_unit(const struct audit_context *context, struct result *result)
{
	if (context->unit[0] == '\0')
		result_set(result, NOT_TESTED, "%s",
			context->systemd ? "no unit could be started with a decoy"
					 : "systemd does not run this machine");
	return context->unit[0] != '\0';
}

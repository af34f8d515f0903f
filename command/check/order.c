/* SPDX-License-Identifier: MIT */
/* Lines in the wrong order: those of other modules, before or after ours. */
#include "checks.h"
#include "command/lib/isolation.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Modules that need, to open, what a line of ours before them has taken away. */
static const struct {
	const char *name;
	const char *unless; /* not with this argument */
	const char *why;
} open_before[] = {
	{.name = "pam_loginuid.so",
		.why = "the audit login uid would stay unset, and nothing would say so"},
	{.name = "pam_namespace.so",
		.why = "it would be closed on the host and unmount the host's directories"},
	{.name = "pam_systemd.so", .why = "it could not find the session's process"},
	{.name = "pam_selinux.so",
		.unless = "close",
		.why = "it would not find the process whose context it sets"},
};

/* Modules that unmount when they are closed. */
static const char *const close_on_host[] = {"pam_namespace.so", "pam_mount.so", "pam_ecryptfs.so"};

/* Without SELinux pam_selinux does nothing, and Debian's files have it everywhere. */
static bool is_idle(const struct pam_stack_line *line)
{
	return pam_stack_line_is_module(line, "pam_selinux.so") &&
	       access("/sys/fs/selinux/enforce", F_OK) < 0;
}

static void add_order(
	struct check *check, const struct pam_stack_line *line, const char *name, const char *why)
{
	findings_add_problem(&check->findings, line,
		": %s comes after pam_unshare.so: %s. Put that line before %s line %u.", name, why,
		check->open->file, check->open->number);
}

/* enter=fork is closed by a limit that pam_limits may lift. */
static void check_limits(struct check *check, const struct pam_stack_line *line)
{
	if (pam_stack_line_is_module(line, "pam_limits.so") &&
		isolation_enters_at_fork(&check->stack))
		add_order(check, line, "pam_limits.so",
			"with 'enter=fork' it could lift what keeps other children of the application out of the host");
}

/* A line after the one with which our module opens. */
static void check_after_open(struct check *check, const struct pam_stack_line *line)
{
	for (size_t i = 0; i < COUNT(open_before); i++) {
		const char *unless = open_before[i].unless;

		if (!pam_stack_line_is_module(line, open_before[i].name) || is_idle(line) ||
			(unless && pam_stack_line_has_argument(line, unless)))
			continue;
		add_order(check, line, open_before[i].name, open_before[i].why);
	}
}

/* A line before the one with which our module closes: PAM closes in the order of opening. */
static void check_before_close(struct check *check, const struct pam_stack_line *line)
{
	for (size_t i = 0; i < COUNT(close_on_host); i++)
		if (pam_stack_line_is_module(line, close_on_host[i]))
			findings_add_problem(&check->findings, line,
				": %s is closed before pam_unshare.so, in the session's mount namespace, and what it unmounts stays on the host. Put 'session requisite pam_unshare.so close' before it, and 'open' after it.",
				close_on_host[i]);
}

/* A line that may end the list before ours is reached. */
static void check_before_open(struct check *check, const struct pam_stack_line *line)
{
	if (!pam_stack_line_is_module(line, MODULE) && !line->brackets &&
		strcasecmp(line->control, "sufficient") == 0)
		findings_add_problem(&check->findings, line,
			" has the control 'sufficient': when %s succeeds, the lines that follow are skipped, that of pam_unshare.so among them. Write 'optional', or put the line last.",
			line->module);
}

void check_order(struct check *check)
{
	for (size_t i = 0; i < check->stack.n; i++) {
		const struct pam_stack_line *line = &check->stack.lines[i];

		if (line > check->open)
			check_after_open(check, line);
		if (line > check->open)
			check_limits(check, line);
		if (check->close && line < check->close)
			check_before_close(check, line);
		if (line < check->open)
			check_before_open(check, line);
	}
	if (check->close > check->open)
		findings_add_problem(&check->findings, check->close,
			" with 'close' comes after the one with 'open': what is between them is closed inside the session. Put the line before all other session lines.");
}

/* SPDX-License-Identifier: MIT */
/* Parts that are the module's two lines in a file of PAM. */
#include "part.h"

#include "command/lib/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MODULE "pam_unshare.so"
#define MARK " # pam-unshare harden\n"
#define FIRST_LINE "session requisite " MODULE " close" MARK
#define LAST_LINE "session requisite " MODULE " open" MARK

/* Before the first session line, everything is opened on the host. */
static bool begins_sessions(const char *line)
{
	line += strspn(line, " \t-");
	return strncasecmp(line, "session", 7) == 0 ||
	       strncmp(line, "@include common-session", 23) == 0;
}

/* Tell whether a line that is no comment names the module. */
static bool names_module(const char *line)
{
	const char *name = strstr(line, MODULE);

	return line[strspn(line, " \t")] != '#' && name && name < next_line(line);
}

static enum part_state state_of(char *text)
{
	if (find_lines(text, FIRST_LINE) && find_lines(text, LAST_LINE))
		return PART_ON;
	for (const char *line = text; *line != '\0'; line = next_line(line))
		if (names_module(line))
			return PART_OWN;
	return PART_OFF;
}

static enum part_state state(const struct part *part)
{
	char *text = file_read(part->path);
	enum part_state found = text ? state_of(text) : PART_ABSENT;

	free(text);
	return found;
}

static const char *add_lines(const struct part *part, const char *text)
{
	const char *sessions = text, *failed;
	char *new;

	if (!ends_with_newline(text))
		return "its last line does not end with a newline; add the two lines by hand, pam_unshare(8)";
	while (*sessions != '\0' && !begins_sessions(sessions))
		sessions = next_line(sessions);
	if (asprintf(&new, "%.*s" FIRST_LINE "%s" LAST_LINE, (int)(sessions - text), text,
		    sessions) < 0)
		return strerror(ENOMEM);
	failed = part_write(part, new);
	free(new);
	return failed;
}

static const char *enable(const struct part *part)
{
	char *text = file_read(part->path);
	const char *failed = NULL;

	if (!text)
		return strerror(errno);
	if (state_of(text) == PART_OFF)
		failed = add_lines(part, text);
	free(text);
	return failed;
}

static const char *disable(const struct part *part)
{
	char *text = file_read(part->path);
	const char *failed = NULL;

	if (!text)
		return errno == ENOENT ? NULL : strerror(errno);
	if (find_lines(text, FIRST_LINE) || find_lines(text, LAST_LINE)) {
		remove_lines(text, FIRST_LINE);
		remove_lines(text, LAST_LINE);
		failed = part_write(part, text);
	}
	free(text);
	return failed;
}

const struct part_type part_lines = {
	.state = state, .enable = enable, .disable = disable, .own = "by lines of your own"};

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

/* The lines, which say by whom they are. */
struct lines {
	char first[96], last[96];
};

static struct lines lines_of(const struct part *part)
{
	static const char format[] = "session requisite " MODULE " %s # pam-unshare %s\n";
	struct lines lines;

	(void)snprintf(lines.first, sizeof(lines.first), format, "close", part->marked_by);
	(void)snprintf(lines.last, sizeof(lines.last), format, "open", part->marked_by);
	return lines;
}

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

static bool has_module(const char *text)
{
	for (const char *line = text; *line != '\0'; line = next_line(line))
		if (names_module(line))
			return true;
	return false;
}

/* Tell whether a file that this one includes has the module: pam-auth-update(8) puts it there. */
static bool includes_module(const struct part *part)
{
	char *text = part->included ? file_read(part->included) : NULL;
	const bool has = text && has_module(text);

	free(text);
	return has;
}

static enum part_state state_of(const struct part *part, char *text)
{
	const struct lines lines = lines_of(part);

	if (find_lines(text, lines.first) && find_lines(text, lines.last))
		return PART_ON;
	return has_module(text) || includes_module(part) ? PART_OWN : PART_OFF;
}

static enum part_state state(const struct part *part)
{
	char *text = file_read(part->path);
	enum part_state found = text ? state_of(part, text) : PART_ABSENT;

	free(text);
	return found;
}

static const char *add_lines(const struct part *part, const char *text)
{
	const struct lines lines = lines_of(part);
	const char *sessions = text, *failed;
	char *new;

	if (!ends_with_newline(text))
		return "its last line does not end with a newline; add the two lines by hand, pam_unshare(8)";
	while (*sessions != '\0' && !begins_sessions(sessions))
		sessions = next_line(sessions);
	if (asprintf(&new, "%.*s%s%s%s", (int)(sessions - text), text, lines.first, sessions,
		    lines.last) < 0)
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
	if (state_of(part, text) == PART_OFF)
		failed = add_lines(part, text);
	free(text);
	return failed;
}

/* Both lines or none: one without the other would open what is never closed, or the reverse. */
static const char *remove_both(const struct part *part, char *text)
{
	const struct lines lines = lines_of(part);
	const bool first = find_lines(text, lines.first), last = find_lines(text, lines.last);

	if (first != last)
		return "one of its two lines has been changed; take both out by hand";
	if (!first)
		return NULL;
	remove_lines(text, lines.first);
	remove_lines(text, lines.last);
	return part_write(part, text);
}

static const char *disable(const struct part *part)
{
	char *text = file_read(part->path);
	const char *failed;

	if (!text)
		return errno == ENOENT ? NULL : strerror(errno);
	failed = remove_both(part, text);
	free(text);
	return failed;
}

const struct part_type part_lines = {.state = state,
	.enable = enable,
	.disable = disable,
	.own = "by lines of your own, or the profile"};

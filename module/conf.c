/* SPDX-License-Identifier: MIT */
#include "conf.h"

#include <string.h>

#define WHITE_SPACE " \t\r\v\f" /* a line has no newline */

/* Also true of the end of a string. */
static bool separates(char c)
{
	return strchr("=,", c) != NULL;
}

/* Leave out the white space at both ends of a line, and around what separates. In place. */
static void drop_white_space(char *line)
{
	const char *from = line;
	char *to = line;
	size_t space, rest;

	do {
		space = strspn(from, WHITE_SPACE);
		if (to == line || separates(to[-1]) || separates(from[space])) {
			from += space;
			space = 0;
		}
		/* white space that is a part of a value; then what is up to the next one, or a
		   separator alone */
		rest = strcspn(from + space, WHITE_SPACE "=,");
		rest += space + (rest == 0 && from[space] != '\0');
		memmove(to, from, rest);
		to += rest;
		from += rest;
	} while (*from != '\0');
	*to = '\0';
}

/* Take a line off, as a string that may be empty. Tells whether it is a string, without a NUL byte.
 */
static bool take_line(struct conf *conf, char **line)
{
	const size_t left = (size_t)(conf->end - conf->at);
	char *newline = memchr(conf->at, '\n', left), *end = newline ? newline : conf->end;

	*line = conf->at;
	conf->at = newline ? newline + 1 : conf->end;
	conf->line++;
	*end = '\0';
	return *line + strlen(*line) == end;
}

int conf_next(struct conf *conf, char **word)
{
	while (conf->at < conf->end) {
		if (!take_line(conf, word))
			return -1;
		(*word)[strcspn(*word, "#")] = '\0';
		drop_white_space(*word);
		if (**word != '\0')
			return 1;
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "mountinfo.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Cut off the next field. The kernel separates fields with a single space. */
static char *next_field(char **rest)
{
	char *field = strsep(rest, " ");

	return field && *field ? field : NULL;
}

static bool is_octal_escape(const char *s)
{
	return s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
	       s[3] >= '0' && s[3] <= '7';
}

/* Undo the octal escapes of a path, in place. The kernel writes space, tab, newline, backslash and
   # as \ooo (fs/proc_namespace.c). */
static char *unescape(char *s)
{
	char *const text = s, *to = s;

	for (; *s; s++) {
		if (is_octal_escape(s)) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
	return text;
}

static bool parse_id(const char *s, int *id)
{
	char *end;
	long n;

	if (!s || !isdigit((unsigned char)*s))
		return false;
	errno = 0;
	n = strtol(s, &end, 10);
	if (*end || errno || n > INT_MAX)
		return false;
	*id = (int)n;
	return true;
}

/* Pass over the optional fields: shared:…, master:… and what may come, up to the separator, a
   hyphen. */
static bool skip_optional_fields(char **rest)
{
	const char *field;

	do {
		field = next_field(rest);
	} while (field && strcmp(field, "-") != 0);
	return field;
}

int mountinfo_parse(char *line, struct mount *mount)
{
	char *rest = line, *root, *mount_point;

	if (!parse_id(next_field(&rest), &mount->id) ||
		!parse_id(next_field(&rest), &mount->parent) || !next_field(&rest))
		return -EINVAL;
	root = next_field(&rest);
	mount_point = next_field(&rest);
	mount->mount_options = next_field(&rest);
	if (!root || !mount_point || !mount->mount_options || !skip_optional_fields(&rest))
		return -EINVAL;
	mount->fs_type = next_field(&rest);
	if (!mount->fs_type || !strsep(&rest, " ") || !rest)
		return -EINVAL; /* the source may be empty, the super options may not be missing */
	mount->super_options = rest;
	mount->root = unescape(root);
	mount->mount_point = unescape(mount_point);
	/* the root may be "net:[…]", of a namespace */
	return mount_point[0] == '/' ? 0 : -EINVAL;
}

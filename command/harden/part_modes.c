/* SPDX-License-Identifier: MIT */
/* Modes that a part changes: kept as lines of tmpfiles.d(5), which put them back. */
#include "part.h"

#include "command/lib/file.h"
#include "config.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-"

/* Bytes of all lines: a pipe, which takes them to systemd-tmpfiles, holds 65536. */
#define LINES_MAX 32768

static void modes_path(const struct part *part, char path[PATH_MAX])
{
	(void)snprintf(path, PATH_MAX, STATEDIR "/%s.modes", part->source);
}

/* A link is not followed, and a name in which tmpfiles.d would see more than a name is left out. */
static void print_mode(FILE *to, const char *path)
{
	struct stat st;

	if (path[strspn(path, PLAIN)] == '\0' && lstat(path, &st) == 0 && !S_ISLNK(st.st_mode) &&
		ftell(to) < LINES_MAX)
		(void)fprintf(to, "z %s %04o %u %u -\n", path, (unsigned int)st.st_mode & 07777,
			st.st_uid, st.st_gid);
}

static char *modes_now(const char *const patterns[])
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	glob_t found;

	if (!to)
		return NULL;
	for (size_t i = 0; patterns[i]; i++)
		if (glob(patterns[i], 0, NULL, &found) == 0) {
			for (size_t k = 0; k < found.gl_pathc; k++)
				print_mode(to, found.gl_pathv[k]);
			globfree(&found);
		}
	if (fclose(to) == 0)
		return text;
	free(text);
	return NULL;
}

const char *part_keep_modes(const struct part *part)
{
	char path[PATH_MAX], new[PATH_MAX + 4], *text;
	bool kept;

	modes_path(part, path);
	if (!part->modes_of || access(path, F_OK) == 0)
		return NULL;
	text = modes_now(part->modes_of);
	(void)snprintf(new, sizeof(new), "%s.new", path);
	kept = text && file_replace(path, new, text, strlen(text), 0644);
	free(text);
	return kept ? NULL : strerror(errno);
}

char *part_revert_input(const struct part *part)
{
	char path[PATH_MAX], *kept, *text;
	const char *own = part->revert_input ? part->revert_input : "";
	int n;

	modes_path(part, path);
	kept = part->modes_of ? file_read(path) : NULL;
	n = asprintf(&text, "%s%s", own, kept ? kept : "");
	free(kept);
	return n < 0 ? NULL : text;
}

/* What has been made, if nobody has used it. */
static void remove_made(const struct part *part, const char *modes)
{
	char *kept = file_read(modes), line[PATH_MAX + 4];
	struct stat st;

	(void)snprintf(line, sizeof(line), "z %s ", part->makes);
	if (kept && !strstr(kept, line) && lstat(part->makes, &st) == 0 && S_ISREG(st.st_mode) &&
		st.st_size == 0)
		(void)unlink(part->makes);
	free(kept);
}

void part_drop_modes(const struct part *part)
{
	char path[PATH_MAX];

	modes_path(part, path);
	if (part->makes)
		remove_made(part, path);
	if (part->modes_of)
		(void)unlink(path);
}

/* SPDX-License-Identifier: MIT */
#include "taken.h"

#include "config.h"
#include "part.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- marks ------------------------------------------------------------------------------------
 */

static void mark_path(const char *name, char path[PATH_MAX])
{
	(void)snprintf(path, PATH_MAX, STATEDIR "/enable-%s", name);
}

static bool is_marked(const char *name)
{
	char path[PATH_MAX];

	mark_path(name, path);
	return access(path, F_OK) == 0;
}

static bool mark(const char *name)
{
	char path[PATH_MAX];
	int fd;

	mark_path(name, path);
	(void)mkdir(STATEDIR, 0755);
	fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0) {
		(void)fprintf(stderr, "pam-unshare: %s: %s\n", path, strerror(errno));
		return false;
	}
	(void)close(fd);
	return true;
}

void taken_forget(const char *name)
{
	char path[PATH_MAX];

	mark_path(name, path);
	(void)unlink(path);
	(void)rmdir(STATEDIR); /* unless something else is kept there */
}

/* ---- parts ------------------------------------------------------------------------------------
 */

bool taken_is_of_inside(const struct part *part)
{
	return !part->only_by_name && strcmp(part->name, "user-manager") != 0;
}

static bool has_state(const char *name, enum part_state state)
{
	for (size_t i = 0; i < hardening.n; i++)
		if (strcmp(hardening.parts[i].name, name) == 0 &&
			part_state(&hardening.parts[i]) == state)
			return true;
	return false;
}

/* The mark first: what is interrupted is taken back all the same. */
static bool take_name(const char *name)
{
	if (is_marked(name))
		return true;
	return !has_state(name, PART_ON) && has_state(name, PART_OFF) && mark(name);
}

bool taken_take(void)
{
	const struct part *part;
	bool well = true, taken = false;

	for (size_t i = 0; i < hardening.n; i++) {
		part = &hardening.parts[i];
		if (part_is_first(&hardening, i))
			taken = taken_is_of_inside(part) && take_name(part->name);
		if (taken && part_state(part) != PART_OWN && !part_change(part, true))
			well = false;
	}
	return well;
}

/* The mark goes with the name's first entry, which is the last here. */
bool taken_give_back(void)
{
	bool well = true, name_well = true;

	for (size_t i = hardening.n; i-- > 0;) {
		const struct part *part = &hardening.parts[i];

		if (is_marked(part->name) && !part_change(part, false))
			name_well = false;
		if (!part_is_first(&hardening, i))
			continue;
		if (name_well)
			taken_forget(part->name);
		well = well && name_well;
		name_well = true;
	}
	return well;
}

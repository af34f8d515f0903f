/* SPDX-License-Identifier: MIT */
/* Parts that are a whole file. */
#include "part.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The file's name while what it did is not undone yet. */
#define GONE ".pam-unshare-gone"

static void gone_path(const struct part *part, char path[PATH_MAX])
{
	(void)snprintf(path, PATH_MAX, "%s" GONE, part->path);
}

static enum part_state state_of(const struct part_texts *texts)
{
	if (texts->err == ENOENT)
		return PART_OFF;
	if (texts->there && texts->wanted && strcmp(texts->there, texts->wanted) == 0)
		return PART_ON;
	if (texts->there && texts->written && strcmp(texts->there, texts->written) == 0)
		return PART_ON;
	return PART_OWN;
}

static enum part_state state(const struct part *part)
{
	struct part_texts texts;
	enum part_state found;

	part_texts_read(part, &texts);
	found = state_of(&texts);
	part_texts_free(&texts);
	return found;
}

/* First the file, which is recognised by the package's, too; then the copy. */
static const char *write_both(const struct part *part, const struct part_texts *texts)
{
	const char *failed;

	if (!texts->wanted)
		return "the file that it is copied from is missing; install the package";
	if (state_of(texts) == PART_OWN)
		return "there is another file of that name; it is left as it is";
	failed = part_write(part, texts->wanted);
	return failed ? failed : part_keep_copy(part, texts->wanted);
}

static const char *enable(const struct part *part)
{
	struct part_texts texts;
	const char *failed;
	char gone[PATH_MAX];

	part_texts_read(part, &texts);
	failed = write_both(part, &texts);
	part_texts_free(&texts);
	if (!failed)
		failed = part_keep_modes(part);
	if (failed)
		return failed;
	gone_path(part, gone);
	(void)unlink(gone);
	return part_run(part->apply, NULL);
}

/* Remove the directory of a drop-in, unless it has another one. */
static void remove_drop_in_directory(const struct part *part)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s", part->path);
	*strrchr(path, '/') = '\0';
	if (strstr(path, ".service.d") || strstr(path, ".socket.d") || strstr(path, ".target.d") ||
		strstr(path, "/containers.conf.d"))
		(void)rmdir(path);
}

static const char *revert(const struct part *part)
{
	char *input = part_revert_input(part);
	const char *failed = input ? part_run(part->revert, input) : strerror(ENOMEM);

	free(input);
	return failed;
}

/* The file has another name, and its copy stays, until what it did is undone. */
static const char *disable(const struct part *part)
{
	struct part_texts texts;
	enum part_state was;
	bool kept;
	char gone[PATH_MAX];
	const char *failed;

	part_texts_read(part, &texts);
	was = state_of(&texts);
	kept = texts.written != NULL;
	part_texts_free(&texts);
	if (was == PART_OWN)
		return "the file has been changed, or cannot be read; remove it by hand";
	gone_path(part, gone);
	if (was == PART_ON && rename(part->path, gone) < 0)
		return strerror(errno);
	if (access(gone, F_OK) < 0 && !kept)
		return NULL;
	failed = revert(part);
	if (failed)
		return failed;
	(void)unlink(gone);
	part_drop_modes(part);
	part_drop_copy(part);
	remove_drop_in_directory(part);
	return NULL;
}

const struct part_type part_file = {.state = state,
	.enable = enable,
	.disable = disable,
	.own = "the file is not the package's"};

/* SPDX-License-Identifier: MIT */
/* Parts that are lines in a file of somebody else's, of a mailer. */
#include "part.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first line of a file that was not there. */
#define MADE "# Made by \"pam-unshare enable\", and removed with what is below.\n"

/* Tell whether a line of the text begins with the name, and is therefore no comment. */
static bool sets(const char *text, const char *name)
{
	for (const char *line = text; *line != '\0'; line = next_line(line))
		if (strncmp(line + strspn(line, " \t"), name, strlen(name)) == 0)
			return true;
	return false;
}

static enum part_state state_of(const struct part *part, const struct part_texts *texts)
{
	const char *there = texts->there;

	if (!there)
		return texts->err == ENOENT && !part->made ? PART_ABSENT : PART_OFF;
	if ((texts->wanted && strstr(there, texts->wanted)) ||
		(texts->written && strstr(there, texts->written)))
		return PART_ON;
	return sets(there, part->setting) ? PART_OWN : PART_OFF;
}

static enum part_state state(const struct part *part)
{
	struct part_texts texts;
	enum part_state found;

	part_texts_read(part, &texts);
	found = state_of(part, &texts);
	part_texts_free(&texts);
	return found;
}

static void remove_block(struct part_texts *texts)
{
	if (texts->written)
		remove_lines(texts->there, texts->written);
	if (texts->wanted)
		remove_lines(texts->there, texts->wanted);
}

/* Write the text with the block in it. */
static const char *insert_block(const struct part *part, const struct part_texts *texts)
{
	const char *text = texts->there, *failed;
	const char *line = part->below[0] != '\0' ? strstr(text, part->below) : text + strlen(text);
	size_t before;
	char *new;

	if (!line)
		return "it is not the distribution's; add the lines by hand, pam-unshare(8)";
	if (text[0] != '\0' && !ends_with_newline(text))
		return "its last line does not end with a newline; add one";
	before = (size_t)(line - text) + strlen(part->below);
	if (asprintf(&new, "%.*s%s%s", (int)before, text, texts->wanted, text + before) < 0)
		return strerror(ENOMEM);
	failed = part_write(part, new);
	free(new);
	return failed;
}

/* First the file, whose lines are recognised by the package's, too; then the copy. */
static const char *write_both(const struct part *part, struct part_texts *texts)
{
	const char *failed;

	if (!texts->there && texts->err == ENOENT && part->made)
		texts->there = strdup(MADE);
	if (!texts->there)
		return strerror(texts->err);
	if (!texts->wanted)
		return "the lines to add are missing; install the package";
	if (part->overridden_by && access(part->overridden_by, F_OK) == 0)
		return "the mailer has a configuration of your own, and does not read this file";
	remove_block(texts);
	failed = insert_block(part, texts);
	return failed ? failed : part_keep_copy(part, texts->wanted);
}

static const char *enable(const struct part *part)
{
	struct part_texts texts;
	enum part_state was;
	const char *failed = NULL;

	part_texts_read(part, &texts);
	was = state_of(part, &texts);
	if (was == PART_OFF || was == PART_ON)
		failed = write_both(part, &texts);
	part_texts_free(&texts);
	if (failed || was == PART_ABSENT || was == PART_OWN)
		return failed;
	return part_run(part->apply, NULL);
}

static const char *write_without_block(const struct part *part, struct part_texts *texts)
{
	remove_block(texts);
	if (!part->made || strcmp(texts->there, MADE) != 0)
		return part_write(part, texts->there);
	return unlink(part->path) < 0 ? strerror(errno) : NULL;
}

/* The copy stays until what the lines did is undone. */
static const char *disable(const struct part *part)
{
	struct part_texts texts;
	enum part_state was;
	bool kept;
	const char *failed = NULL;

	part_texts_read(part, &texts);
	was = state_of(part, &texts);
	kept = texts.written != NULL;
	if (was == PART_OWN && kept) {
		failed = "its lines have been changed; take them out by hand";
	} else if (was == PART_ON) {
		failed = write_without_block(part, &texts);
	}
	part_texts_free(&texts);
	if (!failed && (was == PART_ON || kept))
		failed = part_run(part->revert, NULL);
	if (!failed)
		part_drop_copy(part);
	return failed;
}

const struct part_type part_block = {
	.state = state, .enable = enable, .disable = disable, .own = "set by lines of your own"};

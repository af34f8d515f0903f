/* SPDX-License-Identifier: MIT */
#include "part.h"

#include "command/lib/file.h"
#include "command/lib/subprocess.h"
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that is being replaced, until it is complete. */
#define NEW ".pam-unshare-new"

/* Seconds: update-grub looks for other systems on all disks. */
#define COMMAND_LIMIT_S 900

/* ---- paths ------------------------------------------------------------------------------------
 */

static void source_path(const struct part *part, char path[PATH_MAX])
{
	char own[PATH_MAX / 2];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);

	own[n > 0 ? n : 0] = '\0';
	if (strrchr(own, '/'))
		*strrchr(own, '/') = '\0';
	(void)snprintf(path, PATH_MAX, "%s/" HARDENDIR_FROM_SBINDIR "/%s", own, part->source);
}

/* One source may be put into several files: a block has a copy for each of them. */
static void copy_path(const struct part *part, char path[PATH_MAX])
{
	const bool block = part->type == &part_block;

	(void)snprintf(path, PATH_MAX, STATEDIR "/%s",
		block ? strrchr(part->path, '/') + 1 : part->source);
}

/* The file behind symbolic links, and the one that takes its place. */
static void resolve(const char *path, char real[PATH_MAX], char new[PATH_MAX + sizeof(NEW)])
{
	if (!realpath(path, real))
		(void)snprintf(real, PATH_MAX, "%s", path);
	(void)snprintf(new, PATH_MAX + sizeof(NEW), "%s" NEW, real);
}

/* ---- files ------------------------------------------------------------------------------------
 */

void part_texts_read(const struct part *part, struct part_texts *texts)
{
	char path[PATH_MAX];

	texts->there = file_read(part->path);
	texts->err = texts->there ? 0 : errno;
	source_path(part, path);
	texts->wanted = file_read(path);
	copy_path(part, path);
	texts->written = file_read(path);
}

void part_texts_free(struct part_texts *texts)
{
	free(texts->there);
	free(texts->wanted);
	free(texts->written);
}

static const char *write_file(const char *path, const char *text)
{
	char real[PATH_MAX], new[PATH_MAX + sizeof(NEW)], directory[PATH_MAX];

	(void)snprintf(directory, sizeof(directory), "%s", path);
	*strrchr(directory, '/') = '\0';
	/* users may look there, and the hardening does so as a user, whatever the umask is */
	if (mkdir(directory, 0755) == 0)
		(void)chmod(directory, 0755);
	resolve(path, real, new);
	return file_replace(real, new, text, strlen(text), 0644) ? NULL : strerror(errno);
}

const char *part_write(const struct part *part, const char *text)
{
	return write_file(part->path, text);
}

void part_clean(const struct part *part)
{
	char real[PATH_MAX], new[PATH_MAX + sizeof(NEW)];

	resolve(part->path, real, new);
	(void)unlink(new);
}

const char *part_keep_copy(const struct part *part, const char *text)
{
	char path[PATH_MAX];

	copy_path(part, path);
	return write_file(path, text);
}

void part_drop_copy(const struct part *part)
{
	char path[PATH_MAX];

	copy_path(part, path);
	(void)unlink(path);
	(void)rmdir(STATEDIR); /* unless another part has a copy there */
}

/* ---- a part -----------------------------------------------------------------------------------
 */

enum part_state part_state(const struct part *part)
{
	enum part_state state;

	if (access(part->needs, F_OK) < 0)
		return PART_ABSENT;
	state = part->type->state(part);
	return state == PART_ON && part->works && access(part->works, F_OK) < 0 ? PART_OFF : state;
}

bool part_change(const struct part *part, bool enable)
{
	const char *failed;

	if (enable && access(part->needs, F_OK) < 0)
		return true;
	part_clean(part);
	failed = enable ? part->type->enable(part) : part->type->disable(part);
	if (failed)
		(void)fprintf(stderr, "pam-unshare: %s: %s: %s\n", part->name, part->path, failed);
	return !failed;
}

bool part_is_first(const struct part_set *set, size_t i)
{
	return i == 0 || strcmp(set->parts[i].name, set->parts[i - 1].name) != 0;
}

/* ---- commands ---------------------------------------------------------------------------------
 */

static bool run(const char *const argv[], const char *input)
{
	struct subprocess program = {.input = input, .limit_s = COMMAND_LIMIT_S};
	int err = subprocess_run(&program, argv);

	if (err == -ENOENT)
		(void)fprintf(stderr,
			"pam-unshare: there is no %s: the change takes effect at the next boot\n",
			argv[0]);
	else if (err < 0)
		(void)fprintf(stderr, "pam-unshare: %s: %s\n", argv[0], strerror(-err));
	else if (program.status != 0)
		(void)fprintf(stderr, "pam-unshare: %s: %s", argv[0], program.text);
	subprocess_free(&program);
	return err == -ENOENT || (err == 0 && program.status == 0);
}

const char *part_run(const struct part_command *command, const char *input)
{
	if (!command)
		return NULL;
	if (access(command->needs, F_OK) < 0 || run(command->argv, input))
		return NULL;
	return "a command that must be run afterwards has failed; correct the cause and run the same command again";
}

/* ---- text -------------------------------------------------------------------------------------
 */

const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : line + strlen(line);
}

char *find_lines(char *text, const char *block)
{
	for (char *at = text; (at = strstr(at, block)); at++)
		if (at == text || at[-1] == '\n')
			return at;
	return NULL;
}

void remove_lines(char *text, const char *block)
{
	char *at = find_lines(text, block);

	if (at)
		memmove(at, at + strlen(block), strlen(at + strlen(block)) + 1);
}

bool ends_with_newline(const char *text)
{
	return text[0] != '\0' && text[strlen(text) - 1] == '\n';
}

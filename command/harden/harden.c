/* SPDX-License-Identifier: MIT */
/* pam-unshare harden: the parts that are named are changed one after the other, then shown. */
#include "harden.h"

#include "command/launch/cgroup.h"
#include "part.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LOCK "/run/pam-unshare-harden.lock"

static const struct table_column columns[] = {
	{.name = "PART", .about = "its name"},
	{.name = "STATE", .about = "off, on, own (left alone), absent (not on this machine)"},
	{.name = "ABOUT", .about = "what it closes", .wrap = true},
	{.name = "FILE", .about = "the file that it writes or changes"},
	{.name = "NOTE", .about = "what else is known"},
};

const struct table_layout harden_table = {
	.name = "parts", .columns = columns, .n_columns = sizeof(columns) / sizeof(*columns)};

static enum part_state state_of(const struct part *part)
{
	return access(part->needs, F_OK) < 0 ? PART_ABSENT : part->type->state(part);
}

static void add_row(struct table *table, const struct part *part)
{
	static const char *const words[] = {
		[PART_OFF] = "off",
		[PART_ON] = "on",
		[PART_OWN] = "own",
		[PART_ABSENT] = "absent",
	};
	const enum part_state state = state_of(part);
	const char *note = "";

	if (part->note)
		note = part->note();
	else if (state == PART_OWN)
		note = part->type->own;
	table_add(table,
		(const char *const[]){part->name, words[state], part->about, part->path, note});
}

/* Returns whether it could be changed. */
static bool change(const struct part *part, bool enable)
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

/* Wait until no other "harden" changes anything. The lock is released when this process ends. */
static bool take_lock(void)
{
	const struct flock whole = {.l_type = F_WRLCK};
	int fd = open(LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd >= 0 && fcntl(fd, F_SETLKW, &whole) == 0;
}

static bool is_named(const struct part *part, char *const names[], int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], part->name) == 0)
			return true;
	return n == 0;
}

/* Tell whether it is the first entry of its name. */
static bool is_first(size_t i)
{
	const struct part *part = &hardening.parts[i];

	return i == 0 || strcmp(part->name, part[-1].name) != 0;
}

static bool is_known(const char *name)
{
	for (size_t i = 0; i < hardening.n; i++)
		if (strcmp(hardening.parts[i].name, name) == 0)
			return true;
	(void)fprintf(stderr, "pam-unshare: there is no part '%s'; the parts are", name);
	for (size_t i = 0; i < hardening.n; i++)
		if (is_first(i))
			(void)fprintf(stderr, " %s", hardening.parts[i].name);
	(void)fprintf(stderr, "\n");
	return false;
}

void harden_help(FILE *to)
{
	for (size_t i = 0; i < hardening.n; i++)
		(void)fprintf(to, "  %-14s %s\n", is_first(i) ? hardening.parts[i].name : "",
			hardening.parts[i].about);
}

/* Returns whether it went well. */
static bool run(const struct part_command *command)
{
	const char *failed = part_run(command, NULL);

	if (failed)
		(void)fprintf(stderr, "pam-unshare: %s: %s\n", command->argv[0], failed);
	return !failed;
}

static int change_parts(const struct part_set *set, bool enable, char *const names[], int n)
{
	const struct part *part;
	int status = 0;

	if (!take_lock()) {
		(void)fprintf(stderr, "pam-unshare: cannot lock " LOCK ": %s\n", strerror(errno));
		return 1;
	}
	if (!enable && !run(set->before_disable))
		status = 1;
	for (size_t i = 0; i < set->n; i++) {
		part = &set->parts[enable ? i : set->n - 1 - i];
		if (is_named(part, names, n) && !change(part, enable))
			status = 1;
	}
	if (enable && !run(set->after_enable))
		status = 1;
	return status;
}

static int change_and_show(const struct part_set *set, const char *verb, char *const names[], int n,
	const struct table_options *options)
{
	struct table *table = table_new(&harden_table, options);
	int status = 0;

	if (!table)
		return 2;
	if (strcmp(verb, "status") != 0)
		status = change_parts(set, strcmp(verb, "enable") == 0, names, n);
	for (size_t i = 0; i < set->n; i++)
		if (is_named(&set->parts[i], names, n))
			add_row(table, &set->parts[i]);
	return table_print(table) == 0 ? status : 2;
}

int harden(const char *verb, char *const names[], int n, const struct table_options *options)
{
	for (int i = 0; i < n; i++)
		if (!is_known(names[i]))
			return 2;
	return change_and_show(&hardening, verb, names, n, options);
}

static bool is_any_off(const struct part_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		if (state_of(&set->parts[i]) == PART_OFF)
			return true;
	return false;
}

int change_inside(const char *verb, const struct table_options *options)
{
	int status = change_and_show(&inside, verb, NULL, 0, options);
	struct failure why = {0};

	if (strcmp(verb, "disable") == 0 && cgroup_take_slices(&why) < 0) {
		(void)fprintf(stderr, "pam-unshare: %s: %s\n", why.text, strerror(why.err));
		status = 1;
	}
	return status == 0 && strcmp(verb, "status") == 0 && is_any_off(&inside) ? 1 : status;
}

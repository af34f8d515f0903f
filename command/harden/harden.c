/* SPDX-License-Identifier: MIT */
/* pam-unshare harden, enable, disable, status: parts are changed one after the other, then shown.
 */
#include "harden.h"

#include "command/launch/cgroup.h"
#include "command/lib/isolation.h"
#include "command/lib/privacy.h"
#include "module/init_start.h"
#include "module/options.h"
#include "outside.h"
#include "part.h"
#include "taken.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#define LOCK "/run/pam-unshare-harden.lock"

static const struct table_column columns[] = {
	{.name = "PART", .about = "its name"},
	{.name = "STATE",
		.about =
			"off, on, own (left alone), absent (not on this machine); old: on the host, or a namespace without a unit: it began before"},
	{.name = "ABOUT", .about = "what it closes; of what is old, whose it is", .wrap = true},
	{.name = "FILE", .about = "the file that it writes or changes"},
	{.name = "NOTE", .about = "what else is known"},
};

const struct table_layout harden_table = {
	.name = "parts", .columns = columns, .n_columns = sizeof(columns) / sizeof(*columns)};

static void add_row(struct table *table, const struct part *part)
{
	static const char *const words[] = {
		[PART_OFF] = "off",
		[PART_ON] = "on",
		[PART_OWN] = "own",
		[PART_ABSENT] = "absent",
	};
	const enum part_state state = part_state(part);
	const char *note = "";

	if (part->note)
		note = part->note();
	else if (state == PART_OWN)
		note = part->type->own;
	table_add(table,
		(const char *const[]){part->name, words[state], part->about, part->path, note});
}

/* Wait until no other "harden" changes anything. The lock is released when this process ends. */
static bool take_lock(void)
{
	const struct flock whole = {.l_type = F_WRLCK};
	int fd = open(LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0 && fcntl(fd, F_SETLKW, &whole) == 0)
		return true;
	(void)fprintf(stderr, "pam-unshare: cannot lock " LOCK ": %s\n", strerror(errno));
	return false;
}

static bool is_named(const struct part *part, char *const names[], int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], part->name) == 0)
			return true;
	return n == 0;
}

/* A part whose price is high must be named to be enabled. */
static bool is_meant(const struct part *part, bool enable, char *const names[], int n)
{
	return is_named(part, names, n) && !(enable && n == 0 && part->only_by_name);
}

static bool is_known(const char *name)
{
	for (size_t i = 0; i < hardening.n; i++)
		if (strcmp(hardening.parts[i].name, name) == 0)
			return true;
	(void)fprintf(stderr, "pam-unshare: there is no part '%s'; the parts are", name);
	for (size_t i = 0; i < hardening.n; i++)
		if (part_is_first(&hardening, i))
			(void)fprintf(stderr, " %s", hardening.parts[i].name);
	(void)fprintf(stderr, "\n");
	return false;
}

void harden_help(FILE *to)
{
	for (size_t i = 0; i < hardening.n; i++)
		(void)fprintf(to, "  %-14s %s\n",
			part_is_first(&hardening, i) ? hardening.parts[i].name : "",
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

static const struct part_command reload_units = {
	.needs = SYSTEMD,
	.argv = {"systemctl", "daemon-reload"},
};

/* Tell whether what comes after a part that has failed must stay as it is: on enable it would use a
   file that is not there, on disable it is a file that is still used. */
static bool ends_chain(const struct part_set *set, const struct part *part, bool enable)
{
	/* the file's: a socket that was stopped has one */
	const enum part_state state = part->type->state(part);

	if (!set->is_chain)
		return false;
	return enable ? state == PART_OFF && part->type != &part_lines : state == PART_ON;
}

static bool has_units(const struct part_set *set, char *const names[], int n)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->parts[i].is_unit && is_named(&set->parts[i], names, n))
			return true;
	return false;
}

/* Once for all parts; whether something has changed or not, since what was interrupted has changed
   it before. Lines of PAM use the units. Returns whether it went well. */
static bool change_each(const struct part_set *set, bool enable, char *const names[], int n)
{
	bool well = true, loaded = !has_units(set, names, n);
	const struct part *part;

	for (size_t i = 0; i < set->n; i++) {
		part = &set->parts[enable ? i : set->n - 1 - i];
		if (!is_meant(part, enable, names, n))
			continue;
		if (enable && !loaded && part->type == &part_lines) {
			loaded = true;
			well = run(&reload_units) && well;
		}
		if (part_change(part, enable))
			continue;
		well = false;
		if (ends_chain(set, part, enable))
			break;
	}
	return (loaded || run(&reload_units)) && well;
}

/* With the lock. */
static int change_parts(const struct part_set *set, bool enable, char *const names[], int n)
{
	int status = 0;

	if (!enable && !run(set->before_disable))
		status = 1;
	if (!change_each(set, enable, names, n))
		status = 1;
	if (enable && !run(set->after_enable))
		status = 1;
	return status;
}

/* Who names a part has decided on it. */
static int change_hardening(bool enable, char *const names[], int n)
{
	int status;

	if (!take_lock())
		return 1;
	status = change_parts(&hardening, enable, names, n);
	for (size_t i = 0; i < hardening.n; i++)
		if (is_named(&hardening.parts[i], names, n))
			taken_forget(hardening.parts[i].name);
	return status;
}

int harden(const char *verb, char *const names[], int n, const struct table_options *options)
{
	struct table *table;
	int status = 0;

	for (int i = 0; i < n; i++)
		if (!is_known(names[i]))
			return 2;
	table = table_new(&harden_table, options);
	if (!table)
		return 2;
	if (strcmp(verb, "status") != 0)
		status = change_hardening(strcmp(verb, "enable") == 0, names, n);
	for (size_t i = 0; i < hardening.n; i++)
		if (is_named(&hardening.parts[i], names, n))
			add_row(table, &hardening.parts[i]);
	return table_print(table) == 0 ? status : 2;
}

/* ---- enable, disable, status ------------------------------------------------------------------
 */

void status_each(void (*tell)(void *data, const struct part *part), void *data)
{
	const struct part_set *const sets[] = {&inside, &hardening};

	for (size_t n = 0; n < 2; n++)
		for (size_t i = 0; i < sets[n]->n; i++)
			if (sets[n] == &inside || taken_is_of_inside(&sets[n]->parts[i]))
				tell(data, &sets[n]->parts[i]);
}

struct rows {
	struct table *table;
	bool off; /* one of them is */
};

static void add_part(void *data, const struct part *part)
{
	struct rows *rows = data;

	add_row(rows->table, part);
	rows->off = rows->off || part_state(part) == PART_OFF;
}

static void add_old(struct table *table, const struct outside *old)
{
	const struct passwd *user = getpwuid(old->uid);

	table_add(
		table, (const char *const[]){old->unit, "old", user ? user->pw_name : "", "", ""});
}

/* Returns how many there are; -1: they cannot be found. */
static int add_outside(struct table *table)
{
	struct outside *found = NULL;
	size_t n = 0;
	int err = outside_find(&found, &n);

	for (size_t i = 0; i < n; i++)
		add_old(table, &found[i]);
	outside_free(found, n);
	if (err < 0)
		(void)fprintf(stderr, "pam-unshare: cannot list the processes in /proc: %s\n",
			strerror(-err));
	return err < 0 ? -1 : (int)n;
}

/* The parts of "harden" first: then their units are reloaded with the others. */
static int change_all(bool enable)
{
	struct failure why = {0};
	int status = 0;

	if (!take_lock())
		return 1;
	if (!(enable ? taken_take() : taken_give_back()))
		status = 1;
	if (change_parts(&inside, enable, NULL, 0) != 0)
		status = 1;
	if (!enable && cgroup_take_slices(&why) < 0) {
		(void)fprintf(stderr, "pam-unshare: %s: %s\n", why.text, strerror(why.err));
		status = 1;
	}
	return status;
}

/* Units and the launcher go by the configuration file: whatever the parts are, with another scope
   user managers are on the host, and with a mistake in it few get in. */
static bool is_per_user(void)
{
	struct options opts = {.text = NULL};
	const bool understood = options_parse(NULL, 0, NULL, &opts), per_user = opts.per_user;

	if (!understood)
		(void)fprintf(stderr,
			"pam-unshare: %s is not understood: only %s can log in; 'pam-unshare check sshd USER' says why\n",
			opts.conf, isolation_let_in(&opts));
	else if (!per_user)
		(void)fprintf(stderr,
			"pam-unshare: %s does not say scope=user: user managers are on the host\n",
			opts.conf);
	options_free(&opts);
	return understood && per_user;
}

static bool is_inside_on(void)
{
	for (size_t i = 0; i < inside.n; i++)
		if (part_state(&inside.parts[i]) == PART_ON)
			return true;
	return false;
}

/* Words of the configuration file that hide more than processes, if there are any. Without "enable"
   they are for the sessions of whatever services have the module, as "check" says of each. */
static void add_words(struct table *table)
{
	struct options opts = {.text = NULL};
	char words[PRIVACY_WORDS_SIZE], about[128];
	static const char *const rows[][2] = {
		{"private", "each user has these of their own"}, {"hide", "not seen of others"}};
	const bool understood = is_inside_on() && options_parse(NULL, 0, NULL, &opts);

	for (size_t i = 0; understood && i < sizeof(rows) / sizeof(*rows); i++) {
		privacy_words(i == 0 ? opts.private_places : opts.hidden, words);
		(void)snprintf(about, sizeof(about), "%s: %s", rows[i][1], words);
		if (*words)
			table_add(table,
				(const char *const[]){rows[i][0], "on", about, opts.conf, ""});
	}
	options_free(&opts);
}

int change_inside(const char *verb, const struct table_options *options)
{
	const bool enable = strcmp(verb, "enable") == 0, show = strcmp(verb, "status") == 0;
	struct rows rows = {.off = false};
	int status = 0, old;

	if (is_init(1)) { /* what is older cannot be seen */
		(void)fprintf(
			stderr, "pam-unshare: this is an isolated session: run it on the host\n");
		return 2;
	}
	if (enable && access(SYSTEMD, F_OK) < 0) {
		(void)fprintf(stderr,
			"pam-unshare: systemd does not run here: the module makes the namespaces itself, with scope=user in unshare.conf\n");
		return 2;
	}
	rows.table = table_new(&harden_table, options);
	if (!rows.table)
		return 2;
	if (!show)
		status = change_all(enable);
	status_each(add_part, &rows);
	add_words(rows.table);
	old = add_outside(rows.table);
	if (table_print(rows.table) < 0 || old < 0)
		return 2;
	if ((enable || show) && !is_per_user())
		return 1;
	return show && (rows.off || old > 0) ? 1 : status;
}

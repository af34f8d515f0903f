/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "common/privacy.h"
#include "conf.h"
#include "config.h"
#include "list.h"

#include <errno.h>
#include <security/pam_ext.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define CONF_DEFAULT SYSCONFDIR "/security/unshare.conf"
#define MISTAKES_MAX 16 /* in a file; what follows is not looked at */
#define GRACE_DEFAULT 5U
#define GRACE_MAX 3600
#define TEXT_OF(x) TEXT_OF_EXPANDED(x)
#define TEXT_OF_EXPANDED(x) #x

/* ---- words ------------------------------------------------------------------------------------
 */

static bool valid_hidepid(const char *s, size_t n)
{
	/* fs/proc/root.c, proc_parse_hidepid_param(), since Linux 5.8 */
	static const char *const values[] = {
		"0", "1", "2", "4", "off", "noaccess", "invisible", "ptraceable"};

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		if (n == strlen(values[i]) && strncmp(s, values[i], n) == 0)
			return true;
	return false;
}

static bool valid_proc_option(const char *s, size_t n)
{
	gid_t gid;

	if (n > 8 && strncmp(s, "hidepid=", 8) == 0)
		return valid_hidepid(s + 8, n - 8);
	if (n > 4 && strncmp(s, "gid=", 4) == 0)
		return parse_number(s + 4, n - 4, UID_LAST, &gid);
	return n == 10 && strncmp(s, "subset=pid", 10) == 0;
}

static bool valid_proc_options(const char *s)
{
	for (;; s++) {
		size_t n = strcspn(s, ",");

		if (!valid_proc_option(s, n))
			return false;
		s += n;
		if (*s == '\0')
			return true;
	}
}

/* The words of a set, and what they stand for. */
struct set_word {
	const char *word;
	unsigned int bit;
};

static const struct set_word places[] = {
	{"tmp", PRIVATE_TMP},
	{"shm", PRIVATE_SHM},
	{"mqueue", PRIVATE_MQUEUE},
	{"none", 0},
	{NULL, 0},
};

static const struct set_word hidden[] = {
	{"cgroups", HIDE_CGROUPS},
	{"none", 0},
	{NULL, 0},
};

/* Returns the bit of the word that a list begins with, or -1; advances behind it. */
static int next_bit(const struct set_word *words, const char **list)
{
	const size_t n = strcspn(*list, ",");

	for (; words->word; words++)
		if (n == strlen(words->word) && strncmp(*list, words->word, n) == 0) {
			*list += n;
			return (int)words->bit;
		}
	return -1;
}

/* Tells whether a comma-separated list of these words is valid: "none" stands alone. */
static bool parse_set(const struct set_word *words, const char *list, unsigned int *bits)
{
	int bit;

	*bits = 0;
	if (strcmp(list, "none") == 0)
		return true;
	for (;; list++) {
		bit = next_bit(words, &list);
		if (bit <= 0)
			return false;
		*bits |= (unsigned int)bit;
		if (*list == '\0')
			return true;
	}
}

enum kind { FLAG, LIST, SECONDS, PROC_OPTIONS, SCOPE, ENTER, PATH, PLACES, HIDDEN };

#define MEMBER(name) offsetof(struct options, name)

static const struct argument {
	const char *word;
	size_t offset; /* of the member of struct options */
	enum kind kind;
	bool only_argument; /* and no word of the file */
} arguments[] = {
	{"debug", MEMBER(debug), FLAG, false},
	{"conf=", MEMBER(conf), PATH, true},
	{"exempt=", MEMBER(exempt), LIST, false},
	{"only=", MEMBER(only), LIST, false},
	{"grace=", MEMBER(grace), SECONDS, false},
	{"include_root", MEMBER(include_root), FLAG, false},
	{"open", MEMBER(on_open), FLAG, true},
	{"close", MEMBER(on_close), FLAG, true},
	{"proc_options=", MEMBER(proc_options), PROC_OPTIONS, false},
	{"ipc", MEMBER(ipc), FLAG, false},
	{"private=", MEMBER(private_places), PLACES, false},
	{"hide=", MEMBER(hidden), HIDDEN, false},
	{"scope=", MEMBER(per_user), SCOPE, false},
	{"linger", MEMBER(linger), FLAG, false},
	{"enter=", MEMBER(at_fork), ENTER, false},
};

#define N_ARGUMENTS (sizeof(arguments) / sizeof(*arguments))

/* What would be valid, for the log; and the member of struct options. */
static const struct {
	const char *expected;
	size_t size;
} kinds[] = {
	[FLAG] = {"the word alone", sizeof(bool)},
	[LIST] = {"a comma-separated list of name, @group, uid, min:max, given once",
		sizeof(const char *)},
	[SECONDS] = {("a number of seconds from 0 to " TEXT_OF(GRACE_MAX)), sizeof(unsigned int)},
	[PROC_OPTIONS] = {"a comma-separated list of hidepid=, gid= and subset=pid, given once",
		sizeof(const char *)},
	[SCOPE] = {"'session' or 'user'", sizeof(bool)},
	[ENTER] = {"'open' or 'fork'", sizeof(bool)},
	[PATH] = {"an absolute path, given once", sizeof(const char *)},
	[PLACES] = {"a comma-separated list of tmp, shm and mqueue, or none", sizeof(unsigned int)},
	[HIDDEN] = {"'cgroups' or 'none'", sizeof(unsigned int)},
};

/* Where words are taken from, and what they have set. */
struct source {
	pam_handle_t *pamh; /* NULL: do not log */
	const char *file;   /* NULL: the arguments of a PAM line */
	unsigned int line;  /* of the file */
	struct options *opts;
	unsigned int given[N_ARGUMENTS]; /* in which line, 1 for an argument; 0: not given */
	bool exempt_unsure;		 /* what was not understood may say who is exempt */
};

/* Log a mistake. Returns false. */
__attribute__((format(printf, 2, 3))) static bool mistake(
	const struct source *source, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	if (!source->pamh)
		return false;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (source->file)
		pam_syslog(
			source->pamh, LOG_ERR, "%s line %u: %s", source->file, source->line, text);
	else
		pam_syslog(source->pamh, LOG_ERR, "argument %s", text);
	return false;
}

static const struct argument *find_argument(const char *word)
{
	for (size_t i = 0; i < N_ARGUMENTS; i++) {
		size_t n = strcspn(arguments[i].word, "=");

		if (strncmp(word, arguments[i].word, n) == 0 && (word[n] == '\0' || word[n] == '='))
			return &arguments[i];
	}
	return NULL;
}

/* The line in which a source has an argument; 0: it has not. */
static unsigned int given(const struct source *source, const char *word)
{
	return source->given[find_argument(word) - arguments];
}

static bool set_string(const char **member, const char *value, bool valid)
{
	bool first = *member == NULL;

	*member = value;
	return first && valid;
}

/* One of two words: the member is whether it is the second. */
static bool set_choice(bool *member, const char *value, const char *first, const char *second)
{
	*member = strcmp(value, second) == 0;
	return *member || strcmp(value, first) == 0;
}

/* Store an argument's value: what follows the "=", or NULL. Tells whether it is valid. */
static bool set_argument(struct options *opts, const struct argument *arg, const char *value)
{
	void *member = (char *)opts + arg->offset;
	uint32_t seconds;

	if (arg->kind == FLAG) {
		*(bool *)member = *(bool *)member || !value;
		return !value;
	}
	if (!value)
		return false;
	switch (arg->kind) {
	case LIST:
		return set_string(member, value, list_is_valid(value));
	case PROC_OPTIONS:
		return set_string(member, value, valid_proc_options(value));
	case PATH:
		return value[0] == '/' && set_string(member, value, true);
	case PLACES:
		return parse_set(places, value, member);
	case HIDDEN:
		return parse_set(hidden, value, member);
	case SCOPE:
		return set_choice(member, value, "session", "user");
	case ENTER:
		return set_choice(member, value, "open", "fork");
	default:
		if (!parse_number(value, strlen(value), GRACE_MAX, &seconds))
			return false;
		*(unsigned int *)member = seconds;
		return true;
	}
}

static bool refuse_unknown(const struct source *source, const char *word)
{
	char known[256] = "";

	for (size_t i = 0; i < N_ARGUMENTS; i++) {
		if (source->file && arguments[i].only_argument)
			continue;
		strncat(known, i > 0 ? ", " : "", sizeof(known) - strlen(known) - 1);
		strncat(known, arguments[i].word, sizeof(known) - strlen(known) - 1);
	}
	return mistake(source, "'%.512s' is unknown: known are %s", word, known);
}

/* Store what a word says, and tell whether it is understood. */
static bool understand(struct source *source, const char *word)
{
	const struct argument *arg = find_argument(word);
	const char *value = strchr(word, '=');

	if (!arg)
		return refuse_unknown(source, word);
	if (source->file && arg->only_argument)
		return mistake(source, "'%.512s' can be an argument only", word);
	source->given[arg - arguments] = source->line;
	if (set_argument(source->opts, arg, value ? value + 1 : NULL))
		return true;
	return mistake(source, "'%.512s' is not understood: '%s' takes %s", word, arg->word,
		kinds[arg->kind].expected);
}

/* Take a word, which is an argument or a line of the file without white space. Tells whether it is
   understood. */
static bool take_word(struct source *source, const char *word)
{
	const bool good = understand(source, word);

	/* a second list, and "exempt: bob" or "grace = 5 exempt = bob" */
	if (!good && strcasestr(word, "exempt"))
		source->exempt_unsure = true;
	return good;
}

/* ---- the arguments of a line ------------------------------------------------------------------
 */

static bool take_arguments(struct source *line, int argc, const char **argv)
{
	struct options *opts = line->opts;
	bool good = true;

	*opts = (struct options){.grace = GRACE_DEFAULT};
	for (int i = 0; i < argc; i++)
		good = take_word(line, argv[i]) && good;
	if (opts->on_open && opts->on_close) {
		good = false;
		if (line->pamh)
			pam_syslog(line->pamh, LOG_ERR,
				"arguments 'open' and 'close' exclude each other: leave both out to act at both ends of the session");
	}
	if (!opts->on_open && !opts->on_close)
		opts->on_open = opts->on_close = true;
	return good;
}

bool options_parse_arguments(pam_handle_t *pamh, int argc, const char **argv, struct options *opts)
{
	struct source line = {.pamh = pamh, .line = 1, .opts = opts};

	return take_arguments(&line, argc, argv);
}

/* ---- the file ---------------------------------------------------------------------------------
 */

static bool take_text(struct source *file, char *text, size_t size)
{
	struct conf conf = {.at = text, .end = text + size};
	unsigned int mistakes = 0;
	char *word;
	int found;

	while (mistakes < MISTAKES_MAX && (found = conf_next(&conf, &word)) != 0) {
		file->line = conf.line;
		file->exempt_unsure = file->exempt_unsure || found < 0;
		if (found < 0)
			mistakes += !mistake(file, "a NUL byte is no text");
		else
			mistakes += !take_word(file, word);
	}
	file->exempt_unsure = file->exempt_unsure || mistakes == MISTAKES_MAX;
	return mistakes == 0;
}

/* Read the file. The default one may be missing. */
static bool take_file(struct source *file, bool may_be_missing)
{
	struct failure why = {0};
	size_t size;
	int found = conf_read(file->file, &file->opts->text, &size, &why);

	if (found > 0)
		return take_text(file, file->opts->text, size);
	if (found == 0 && may_be_missing)
		return true;
	file->exempt_unsure = true;
	if (found == 0)
		(void)fail(&why, ENOENT, "open the configuration file %s", file->file);
	errno = why.err;
	if (file->pamh)
		pam_syslog(file->pamh, LOG_ERR, "cannot configure the session: %s: %m", why.text);
	return false;
}

/* ---- both together ----------------------------------------------------------------------------
 */

/* The arguments override the file, one by one. */
static void take_over(const struct source *line, const struct source *file)
{
	for (size_t i = 0; i < N_ARGUMENTS; i++)
		if (file->given[i] > 0 && line->given[i] == 0)
			memcpy((char *)line->opts + arguments[i].offset,
				(const char *)file->opts + arguments[i].offset,
				kinds[arguments[i].kind].size);
	line->opts->text = file->opts->text;
	line->opts->conf = file->file;
}

/* "linger" of the file has no effect on a line that says "scope=session". */
static bool judge_linger(const struct source *line, struct source *file)
{
	const struct source *source = given(line, "linger") > 0 ? line : file;

	if (!line->opts->linger || line->opts->per_user)
		return true;
	line->opts->linger = false;
	if (source == file && given(line, "scope=") > 0)
		return true;
	file->line = given(file, "linger");
	return mistake(
		source, "'linger' needs 'scope=user': the namespace of a session ends with it");
}

/* The file system of the queues shows those of the IPC namespace. */
static bool judge_mqueue(const struct source *line, struct source *file)
{
	const struct source *source = given(line, "private=") > 0 ? line : file;

	if (!(line->opts->private_places & PRIVATE_MQUEUE) || line->opts->ipc)
		return true;
	file->line = given(file, "private=");
	return mistake(
		source, "'private=mqueue' needs 'ipc': the queues are those of the IPC namespace");
}

/* All services of a user share what is made first, so all must agree on who is isolated. */
static bool judge_list(const struct source *line, const char *word)
{
	if (!line->opts->per_user || given(line, word) == 0)
		return true;
	return mistake(line, "'%s' is for one service, and 'scope=user' for all: write it into %s",
		word, line->opts->conf);
}

bool options_parse(pam_handle_t *pamh, int argc, const char **argv, struct options *opts)
{
	struct options of_file = {0};
	struct source line = {.pamh = pamh, .line = 1, .opts = opts};
	struct source file = {.pamh = pamh, .file = CONF_DEFAULT, .opts = &of_file};
	bool good = take_arguments(&line, argc, argv);

	if (!opts->on_open)
		return good; /* nothing is decided on this line */
	/* whether an argument may say so depends on scope=, which may be what is not understood */
	file.exempt_unsure = !good || given(&line, "exempt=") > 0;
	if (opts->conf)
		file.file = opts->conf;
	good = take_file(&file, !opts->conf) && good;
	take_over(&line, &file);
	good = judge_linger(&line, &file) && good;
	good = judge_mqueue(&line, &file) && good;
	good = judge_list(&line, "exempt=") && good;
	opts->exempt_stands = !file.exempt_unsure;
	return judge_list(&line, "only=") && good;
}

void options_free(struct options *opts)
{
	free(opts->text);
	opts->text = NULL;
	opts->exempt = opts->only = opts->proc_options = NULL;
}

/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <ctype.h>
#include <grp.h>
#include <security/pam_ext.h>
#include <security/pam_modutil.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <syslog.h>

#define GRACE_DEFAULT 5U
#define GRACE_MAX 3600
#define TEXT_OF(x) TEXT_OF_EXPANDED(x)
#define TEXT_OF_EXPANDED(x) #x
#define UID_LAST ((uid_t)-2) /* -1 is "no user", setresuid(2) */

/* Read a decimal number of n characters, without sign or space. Ten times the greatest number of 32
   bits fits into 64. */
static bool parse_number(const char *s, size_t n, uint32_t max, uint32_t *value)
{
	uint64_t v = 0;

	if (n == 0)
		return false;
	for (; n > 0; n--, s++) {
		if (!isdigit((unsigned char)*s))
			return false;
		v = v * 10 + (uint64_t)(*s - '0');
		if (v > max)
			return false;
	}
	*value = (uint32_t)v;
	return true;
}

/* ---- lists ------------------------------------------------------------------------------------
 */

static bool parse_uids(const char *s, size_t n, struct list_item *item)
{
	const char *colon = memchr(s, ':', n);
	size_t left = colon ? (size_t)(colon - s) : n, right = colon ? n - left - 1 : 0;
	uid_t min = 0, max = 0;

	if (n == 1 && colon)
		return false;
	if (left > 0 && !parse_number(s, left, UID_LAST, &min))
		return false;
	if (right > 0 && !parse_number(colon + 1, right, UID_LAST, &max))
		return false;
	if (left == 0)
		min = max;
	else if (!colon)
		max = min;
	else if (right == 0)
		max = UID_LAST;
	if (min > max)
		return false;
	item->kind = LIST_UIDS;
	item->min = min;
	item->max = max;
	return true;
}

static bool parse_item(const char *s, size_t n, struct list_item *item)
{
	size_t digits = strspn(s, "0123456789");

	item->kind = n > 0 && s[0] == '@' ? LIST_GROUP : LIST_NAME;
	if (item->kind == LIST_NAME && n > 0 && (digits >= n || memchr(s, ':', n)))
		return parse_uids(s, n, item);
	if (item->kind == LIST_GROUP) {
		s++;
		n--;
	}
	if (n == 0 || n >= sizeof(item->name) || memchr(s, ':', n))
		return false;
	memcpy(item->name, s, n);
	item->name[n] = '\0';
	return true;
}

int list_next(const char **list, struct list_item *item)
{
	const char *s = *list;
	size_t n = strcspn(s, ",");

	if (*s == '\0')
		return 0;
	if (!parse_item(s, n, item))
		return -1;
	s += n;
	if (*s == ',' && *++s == '\0')
		return -1; /* an empty item at the end */
	*list = s;
	return 1;
}

static bool valid_list(const char *list)
{
	struct list_item item;
	int more;

	if (*list == '\0')
		return false;
	while ((more = list_next(&list, &item)) > 0)
		;
	return more == 0;
}

/* ---- arguments --------------------------------------------------------------------------------
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

enum kind { FLAG, LIST, SECONDS, PROC_OPTIONS, SCOPE };

static const struct argument {
	const char *word;
	enum kind kind;
	size_t offset; /* of the member of struct options */
} arguments[] = {
	{.word = "debug", .kind = FLAG, .offset = offsetof(struct options, debug)},
	{.word = "exempt=", .kind = LIST, .offset = offsetof(struct options, exempt)},
	{.word = "only=", .kind = LIST, .offset = offsetof(struct options, only)},
	{.word = "grace=", .kind = SECONDS, .offset = offsetof(struct options, grace)},
	{.word = "include_root", .kind = FLAG, .offset = offsetof(struct options, include_root)},
	{.word = "open", .kind = FLAG, .offset = offsetof(struct options, on_open)},
	{.word = "close", .kind = FLAG, .offset = offsetof(struct options, on_close)},
	{.word = "proc_options=",
		.kind = PROC_OPTIONS,
		.offset = offsetof(struct options, proc_options)},
	{.word = "ipc", .kind = FLAG, .offset = offsetof(struct options, ipc)},
	{.word = "scope=", .kind = SCOPE, .offset = offsetof(struct options, per_user)},
	{.word = "linger", .kind = FLAG, .offset = offsetof(struct options, linger)},
};

/* What would be valid, for the log. */
static const char *const expected[] = {
	[FLAG] = "the word alone",
	[LIST] = "a comma-separated list of name, @group, uid, min:max, given once",
	[SECONDS] = ("a number of seconds from 0 to " TEXT_OF(GRACE_MAX)),
	[PROC_OPTIONS] = "a comma-separated list of hidepid=, gid= and subset=pid, given once",
	[SCOPE] = "'session' or 'user'",
};

static const struct argument *find_argument(const char *word)
{
	for (size_t i = 0; i < sizeof(arguments) / sizeof(*arguments); i++) {
		size_t n = strcspn(arguments[i].word, "=");

		if (strncmp(word, arguments[i].word, n) == 0 && (word[n] == '\0' || word[n] == '='))
			return &arguments[i];
	}
	return NULL;
}

static bool set_string(const char **member, const char *value, bool valid)
{
	bool first = *member == NULL;

	*member = value;
	return first && valid;
}

/* Store an argument's value: what follows the "=", or NULL. Tells whether it is valid. */
static bool set_argument(struct options *opts, const struct argument *arg, const char *value)
{
	char *member = (char *)opts + arg->offset;
	uint32_t seconds;

	if (arg->kind == FLAG) {
		*(bool *)(void *)member = true;
		return !value;
	}
	if (!value)
		return false;
	switch (arg->kind) {
	case LIST:
		return set_string((const char **)(void *)member, value, valid_list(value));
	case PROC_OPTIONS:
		return set_string((const char **)(void *)member, value, valid_proc_options(value));
	case SCOPE:
		*(bool *)(void *)member = strcmp(value, "user") == 0;
		return *(bool *)(void *)member || strcmp(value, "session") == 0;
	default:
		if (!parse_number(value, strlen(value), GRACE_MAX, &seconds))
			return false;
		*(unsigned int *)(void *)member = seconds;
		return true;
	}
}

static void log_unknown(pam_handle_t *pamh, const char *word)
{
	char known[256] = "";

	for (size_t i = 0; i < sizeof(arguments) / sizeof(*arguments); i++) {
		strncat(known, i > 0 ? ", " : "", sizeof(known) - strlen(known) - 1);
		strncat(known, arguments[i].word, sizeof(known) - strlen(known) - 1);
	}
	pam_syslog(pamh, LOG_ERR, "argument '%s' is unknown: known are %s", word, known);
}

static bool parse_argument(pam_handle_t *pamh, const char *word, struct options *opts)
{
	const struct argument *arg = find_argument(word);
	const char *value = strchr(word, '=');

	if (arg && set_argument(opts, arg, value ? value + 1 : NULL))
		return true;
	if (pamh && arg)
		pam_syslog(pamh, LOG_ERR, "argument '%s' is not understood: '%s' takes %s", word,
			arg->word, expected[arg->kind]);
	else if (pamh)
		log_unknown(pamh, word);
	return false;
}

bool options_parse(pam_handle_t *pamh, int argc, const char **argv, struct options *opts)
{
	bool good = true;

	*opts = (struct options){.grace = GRACE_DEFAULT};
	for (int i = 0; i < argc; i++)
		good = parse_argument(pamh, argv[i], opts) && good;
	if (opts->on_open && opts->on_close) {
		good = false;
		if (pamh)
			pam_syslog(pamh, LOG_ERR,
				"arguments 'open' and 'close' exclude each other: leave both out to act at both ends of the session");
	}
	if (opts->linger && !opts->per_user) {
		good = false;
		if (pamh)
			pam_syslog(pamh, LOG_ERR,
				"argument 'linger' needs 'scope=user': the namespace of a session ends with it");
	}
	if (!opts->on_open && !opts->on_close)
		opts->on_open = opts->on_close = true;
	return good;
}

/* ---- who is isolated --------------------------------------------------------------------------
 */

enum answer { NO, YES, UNKNOWN };

static enum answer matches_name(pam_handle_t *pamh, const char *name, const struct passwd *user)
{
	const struct passwd *named;

	if (strcmp(name, user->pw_name) == 0)
		return YES;
	named = pam_modutil_getpwnam(pamh, name);
	if (!named)
		return UNKNOWN;
	return named->pw_uid == user->pw_uid ? YES : NO;
}

static enum answer matches_group(pam_handle_t *pamh, const char *name, const struct passwd *user)
{
	const struct group *group = pam_modutil_getgrnam(pamh, name);

	if (!group)
		return UNKNOWN;
	if (user->pw_gid == group->gr_gid)
		return YES;
	return pam_modutil_user_in_group_nam_gid(pamh, user->pw_name, group->gr_gid) ? YES : NO;
}

static enum answer matches_item(
	pam_handle_t *pamh, const struct list_item *item, const struct passwd *user)
{
	switch (item->kind) {
	case LIST_NAME:
		return matches_name(pamh, item->name, user);
	case LIST_GROUP:
		return matches_group(pamh, item->name, user);
	default:
		return item->min <= user->pw_uid && user->pw_uid <= item->max ? YES : NO;
	}
}

/* Tell whether a user is on a LIST. UNKNOWN: perhaps, by an item that cannot be resolved. */
static enum answer matches_list(pam_handle_t *pamh, const char *list, const struct passwd *user)
{
	enum answer answer = NO, found;
	struct list_item item;

	while (list_next(&list, &item) > 0) {
		found = matches_item(pamh, &item, user);
		if (found == YES)
			return YES;
		if (found == UNKNOWN) {
			answer = UNKNOWN;
			pam_syslog(pamh, LOG_WARNING, "%s '%s' cannot be resolved",
				item.kind == LIST_GROUP ? "group" : "user", item.name);
		}
	}
	return answer;
}

bool options_isolate(pam_handle_t *pamh, const struct options *opts, const struct passwd *user)
{
	if (user->pw_uid == 0 && !opts->include_root)
		return false;
	if (opts->exempt && matches_list(pamh, opts->exempt, user) == YES)
		return false;
	return !opts->only || matches_list(pamh, opts->only, user) != NO;
}

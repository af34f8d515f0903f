/* SPDX-License-Identifier: MIT */
#include "list.h"

#include <ctype.h>
#include <grp.h>
#include <security/pam_ext.h>
#include <security/pam_modutil.h>
#include <string.h>
#include <syslog.h>

/* Ten times the greatest number of 32 bits fits into 64. */
bool parse_number(const char *s, size_t n, uint32_t max, uint32_t *value)
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

/* ---- items ------------------------------------------------------------------------------------
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

bool list_is_valid(const char *list)
{
	struct list_item item;
	int more;

	if (*list == '\0')
		return false;
	while ((more = list_next(&list, &item)) > 0)
		;
	return more == 0;
}

/* ---- who is on a list -------------------------------------------------------------------------
 */

static enum on_list matches_name(pam_handle_t *pamh, const char *name, const struct passwd *user)
{
	const struct passwd *named;

	if (strcmp(name, user->pw_name) == 0)
		return ON_LIST;
	named = pam_modutil_getpwnam(pamh, name);
	if (!named)
		return PERHAPS_ON_LIST;
	return named->pw_uid == user->pw_uid ? ON_LIST : NOT_ON_LIST;
}

static enum on_list matches_group(pam_handle_t *pamh, const char *name, const struct passwd *user)
{
	const struct group *group = pam_modutil_getgrnam(pamh, name);

	if (!group)
		return PERHAPS_ON_LIST;
	if (user->pw_gid == group->gr_gid)
		return ON_LIST;
	return pam_modutil_user_in_group_nam_gid(pamh, user->pw_name, group->gr_gid) ? ON_LIST
										     : NOT_ON_LIST;
}

static enum on_list matches_item(
	pam_handle_t *pamh, const struct list_item *item, const struct passwd *user)
{
	switch (item->kind) {
	case LIST_NAME:
		return matches_name(pamh, item->name, user);
	case LIST_GROUP:
		return matches_group(pamh, item->name, user);
	default:
		return item->min <= user->pw_uid && user->pw_uid <= item->max ? ON_LIST
									      : NOT_ON_LIST;
	}
}

enum on_list list_has_user(pam_handle_t *pamh, const char *list, const struct passwd *user)
{
	enum on_list answer = NOT_ON_LIST, found;
	struct list_item item;

	while (list_next(&list, &item) > 0) {
		found = matches_item(pamh, &item, user);
		if (found == ON_LIST)
			return ON_LIST;
		if (found == PERHAPS_ON_LIST) {
			answer = PERHAPS_ON_LIST;
			pam_syslog(pamh, LOG_WARNING, "%s '%s' cannot be resolved",
				item.kind == LIST_GROUP ? "group" : "user", item.name);
		}
	}
	return answer;
}

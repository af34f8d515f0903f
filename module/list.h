/* SPDX-License-Identifier: MIT */
/*
 * LISTs of users, as exempt= and only= take them: comma-separated `name`, `@group`, `uid`,
 * `min:max`, `min:` (and above) or `:max` (exactly that one), as in limits.conf(5).
 *
 * Runs in the application, and in the command.
 */
#ifndef PAM_UNSHARE_LIST_H
#define PAM_UNSHARE_LIST_H

#include <pwd.h>
#include <security/pam_modules.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UID_LAST ((uid_t)-2) /* -1 is "no user", setresuid(2) */

/* One item of a LIST. */
struct list_item {
	enum { LIST_NAME, LIST_GROUP, LIST_UIDS } kind;
	char name[256]; /* LIST_NAME, LIST_GROUP */
	uid_t min, max; /* LIST_UIDS, both included */
};

enum on_list {
	NOT_ON_LIST,
	ON_LIST,
	PERHAPS_ON_LIST, /* an item cannot be resolved */
};

/**
 * Read a decimal number, without sign or space.
 *
 * @param s      n characters
 * @param max    the greatest number that is valid
 * @param value  filled in when it is valid
 * @return whether it is valid
 */
bool parse_number(const char *s, size_t n, uint32_t max, uint32_t *value);

/**
 * Take the next item from a LIST.
 *
 * @param list  advanced past the item; "" at the end
 * @param item  filled in
 * @return 1: an item, 0: the list is at its end, -1: what is there is no item
 */
int list_next(const char **list, struct list_item *item);

/** Tell whether a LIST has one item at least, and nothing that is none. */
bool list_is_valid(const char *list);

/**
 * Tell whether a user is on a LIST. May ask the directory service. A name or group that cannot be
 * resolved is logged.
 *
 * @param list  one that is valid
 */
enum on_list list_has_user(pam_handle_t *pamh, const char *list, const struct passwd *user);

#endif

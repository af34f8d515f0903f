/* SPDX-License-Identifier: MIT */
/*
 * The module's arguments, and which users they isolate.
 */
#ifndef PAM_UNSHARE_OPTIONS_H
#define PAM_UNSHARE_OPTIONS_H

#include <pwd.h>
#include <security/pam_modules.h>
#include <stdbool.h>

struct options {
	bool debug;		  /* LOG_DEBUG for each step */
	bool include_root;	  /* isolate uid 0 too */
	bool ipc;		  /* an IPC namespace too */
	bool per_user;		  /* scope=user: one namespace for all sessions of a user */
	bool linger;		  /* it ends only when its last process has ended */
	bool on_open, on_close;	  /* at which ends of the session to act */
	unsigned int grace;	  /* seconds that processes have to end by themselves */
	const char *exempt;	  /* LIST of users not to isolate, or NULL */
	const char *only;	  /* LIST of the users to isolate, or NULL: all */
	const char *proc_options; /* mount options of the fresh /proc; NULL: the host's */
};

/* One item of a LIST. */
struct list_item {
	enum { LIST_NAME, LIST_GROUP, LIST_UIDS } kind;
	char name[256]; /* LIST_NAME, LIST_GROUP */
	uid_t min, max; /* LIST_UIDS, both included */
};

/**
 * Parse the module's arguments.
 *
 * Runs in the application, and in the command.
 *
 * @param pamh  to log each argument that is not understood, at LOG_ERR; NULL: do not log
 * @param argc  number of arguments
 * @param argv  the arguments; the strings must outlive opts
 * @param opts  filled in, also on failure; defaults where no argument says otherwise
 * @return true if all arguments were understood
 */
bool options_parse(pam_handle_t *pamh, int argc, const char **argv, struct options *opts);

/**
 * Take the next item from a LIST: comma-separated `name`, `@group`, `uid`, `min:max`, `min:` (and
 * above) or `:max` (exactly that one), as in limits.conf(5).
 *
 * @param list  advanced past the item; "" at the end
 * @param item  filled in
 * @return 1: an item, 0: the list is at its end, -1: what is there is no item
 */
int list_next(const char **list, struct list_item *item);

/**
 * Decide whether to isolate a user. A name or group that cannot be resolved is logged, and decides
 * for isolation.
 *
 * Runs in the application, and in the command. May ask the directory service.
 *
 * @param opts  as parsed without an error
 * @param user  whose session it is
 * @return whether to isolate the user
 */
bool options_isolate(pam_handle_t *pamh, const struct options *opts, const struct passwd *user);

#endif

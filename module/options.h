/* SPDX-License-Identifier: MIT */
/*
 * The module's arguments and its configuration file, and which users they isolate.
 */
#ifndef PAM_UNSHARE_OPTIONS_H
#define PAM_UNSHARE_OPTIONS_H

#include <pwd.h>
#include <security/pam_modules.h>
#include <stdbool.h>

struct options {
	bool debug;		     /* LOG_DEBUG for each step */
	bool include_root;	     /* isolate uid 0 too */
	bool ipc;		     /* an IPC namespace too */
	bool per_user;		     /* scope=user: one namespace for all sessions of a user */
	bool at_fork;		     /* enter=fork: its children enter, and not the application */
	bool linger;		     /* it ends only when its last process has ended */
	bool on_open, on_close;	     /* at which ends of the session to act */
	unsigned int grace;	     /* seconds that processes have to end by themselves */
	const char *exempt;	     /* LIST of users not to isolate, or NULL */
	bool exempt_stands;	     /* that is known, also where something else is a mistake */
	const char *only;	     /* LIST of the users to isolate, or NULL: all */
	unsigned int private_places; /* private=: enum privacy */
	unsigned int hidden;	     /* hide=: enum privacy */
	const char *proc_options;    /* mount options of the fresh /proc; NULL: the host's */
	const char *conf;	     /* the configuration file, whether it is there or not */
	char *text; /* of that file, to which the strings above may point; NULL: it was not read */
};

/**
 * Parse the module's arguments, and the configuration file, which they override one by one. A line
 * that does not act at the open does not read the file.
 *
 * Runs in the application, and in the command.
 *
 * @param pamh  to log each mistake, at LOG_ERR, with the argument, or with file, line and word;
 * NULL: do not log
 * @param argc  number of arguments
 * @param argv  the arguments; the strings must outlive opts
 * @param opts  filled in, also on failure; defaults where nothing says otherwise. Free it with
 *              options_free(), also on failure.
 * @return true if all arguments and the whole file were understood. No file is as good as an empty
 *         one, unless an argument names it.
 */
bool options_parse(pam_handle_t *pamh, int argc, const char **argv, struct options *opts);

/**
 * Parse the module's arguments alone, without the file: as options_parse() otherwise.
 *
 * At the close nothing but on_open, on_close and debug counts. The application may be in the
 * session then, and without privilege.
 */
bool options_parse_arguments(pam_handle_t *pamh, int argc, const char **argv, struct options *opts);

/** Free what options_parse() has allocated: its strings are gone then. */
void options_free(struct options *opts);

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

/**
 * Decide whether to let a user in, on the host, where options_parse() has found a mistake: root,
 * who must be able to correct it, and who is exempt for sure. That is known if it is the file's
 * alone, if each argument and exempt= is understood, and the file is text to its end and has few
 * mistakes.
 *
 * As options_isolate() otherwise.
 */
bool options_admit(pam_handle_t *pamh, const struct options *opts, const struct passwd *user);

#endif

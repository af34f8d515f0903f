/* SPDX-License-Identifier: MIT */
#include "namespace.h"

#include "init/init.h"
#include "module/init_start.h"
#include "module/options.h"
#include "module/user_make.h"
#include "module/user_place.h"

#include <ctype.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whose namespace. */
struct owner {
	const char *given; /* the name or number */
	uid_t uid;
	char name[USER_NAME_SIZE]; /* "": nobody has this uid */
};

__attribute__((format(printf, 2, 3))) static int report(
	const struct failure *why, const char *format, ...)
{
	va_list args;

	(void)fprintf(stderr, "pam-unshare: ");
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	if (why)
		(void)fprintf(stderr, ": %s: %s", why->text, strerror(why->err));
	(void)fprintf(stderr, "\n");
	return 2;
}

/* ---- whose ------------------------------------------------------------------------------------
 */

static bool parse_uid(const char *text, uid_t *uid)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	*uid = (uid_t)number;
	return isdigit((unsigned char)*text) && *end == '\0' && number < (uid_t)-1;
}

/* A name first, then a number, as chown(1) does. */
static bool find_owner(struct owner *owner)
{
	const struct passwd *found = getpwnam(owner->given);
	const bool is_uid = !found && parse_uid(owner->given, &owner->uid);

	if (is_uid)
		found = getpwuid(owner->uid);
	if (found)
		owner->uid = found->pw_uid;
	(void)snprintf(owner->name, sizeof(owner->name), "%s", found ? found->pw_name : "");
	return found || is_uid;
}

static bool is_same_user(void *context, const char *name)
{
	const struct owner *owner = context;
	const struct passwd *found = getpwnam(name);

	return found && found->pw_uid == owner->uid;
}

/* ---- make -------------------------------------------------------------------------------------
 */

/* The module's arguments that the options stand for. */
struct words {
	char grace[64], proc_options[512];
	const char *argv[8];
	int n;
};

static void add_value(
	struct words *words, char *to, size_t size, const char *key, const char *value)
{
	if (!value)
		return;
	(void)snprintf(to, size, "%s%s", key, value);
	words->argv[words->n++] = to;
}

static void set_words(const struct namespace_options *options, struct words *words)
{
	words->argv[words->n++] = "scope=user";
	if (options->linger)
		words->argv[words->n++] = "linger";
	if (options->ipc)
		words->argv[words->n++] = "ipc";
	add_value(words, words->grace, sizeof(words->grace), "grace=", options->grace);
	add_value(words, words->proc_options, sizeof(words->proc_options),
		"proc_options=", options->proc_options);
}

/* By the module's own parser. */
static int parse_settings(struct words *words, struct options *settings)
{
	struct options of_one;

	for (int i = 1; i < words->n; i++)
		if (strchr(words->argv[i], '=') &&
			!options_parse_arguments(NULL, 1, &words->argv[i], &of_one))
			return report(NULL,
				"'%s' is not understood: pam_unshare(8) says what it takes",
				words->argv[i]);
	if (!options_parse(NULL, words->n, words->argv, settings))
		return report(NULL, "cannot understand %s: see 'pam-unshare check SERVICE USER'",
			settings->conf);
	return 0;
}

/* While this process is a member, the namespace does not end. */
static int ask_as_member(struct share *share, enum user_operation operation, struct failure *why)
{
	struct user_request request = {.operation = operation};
	struct user_init init;
	int err = user_ask(share->place.name, &request, -1, &init, NULL, why);

	close_fd(&init.pidfd);
	(void)user_leave(share->place.name, &share->init.answer.member);
	return err;
}

static int make_and_pin(struct share *share, struct failure *why)
{
	bool joined = false;
	int err = share_become_member(share, &joined, why);

	if (err == 0 && joined)
		return ask_as_member(share, USER_PIN, why);
	/* It was made pinned. If it was made, but this process could not return, nobody is told of
	   it. */
	if (err < 0 && !joined && share->init.pidfd >= 0)
		(void)ask_as_member(share, USER_UNPIN, why);
	return err;
}

static int make_with(struct owner *owner, const struct options *settings)
{
	char title[320];
	const struct namespaces_request request = {.title = title,
		.proc_options = settings->proc_options,
		.user = owner->uid,
		.grace = settings->grace,
		.ipc = settings->ipc,
		.name = owner->name,
		.service = "pam-unshare",
		.linger = settings->linger,
		.pinned = true,
		.is_same_user = is_same_user,
		.context = owner};
	struct share share = SHARE_NONE(&request);
	struct failure why = {0};
	int err;

	(void)snprintf(title, sizeof(title), INIT_TITLE "%.128s", owner->name);
	err = share_begin(&share, &why);
	if (err == 0)
		err = share_find_origin(&share, &why);
	if (err == 0)
		err = make_and_pin(&share, &why);
	share_close(&share);
	if (err < 0)
		return report(&why, "cannot make the namespace of %s", owner->name);
	if (printf("%d\n", (int)share.init.pid) > 0 && fflush(stdout) == 0)
		return 0;
	return report(NULL,
		"the namespace of %s is there, but the pid of its init could not be written: %s",
		owner->name, strerror(errno));
}

static int make(struct owner *owner, const struct namespace_options *options)
{
	struct words words = {.n = 0};
	struct options settings = {.text = NULL};
	int status;

	if (owner->name[0] == '\0')
		return report(NULL, "there is no user '%s'", owner->given);
	set_words(options, &words);
	status = parse_settings(&words, &settings);
	if (status == 0)
		status = make_with(owner, &settings);
	options_free(&settings);
	return status;
}

/* ---- pin, unpin -------------------------------------------------------------------------------
 */

static int ask(const struct owner *owner, enum user_operation operation, struct failure *why)
{
	struct user_request request = {.operation = operation};
	struct user_place place = {.directory = -1};
	struct user_init init = {.pidfd = -1};
	struct stat pid_namespace;
	int err;

	if (stat("/proc/self/ns/pid", &pid_namespace) < 0)
		return fail(why, errno, "identify the PID namespace");
	err = user_place_open(owner->uid, pid_namespace.st_ino, &place, why);
	if (err == 0)
		err = user_ask(place.name, &request, -1, &init, NULL, why);
	close_fd(&init.pidfd);
	user_place_close(&place);
	return err;
}

/* ECONNRESET: it is ending. */
static bool is_gone(int err)
{
	return err == -ENOENT || err == -ECONNRESET;
}

static int pin(struct owner *owner, const struct namespace_options *options)
{
	struct failure why = {0};
	int err = ask(owner, USER_PIN, &why);

	(void)options;
	if (is_gone(err)) {
		(void)report(NULL, "%s has no namespace: make one", owner->given);
		return 1;
	}
	return err == 0 ? 0 : report(&why, "cannot pin the namespace of %s", owner->given);
}

static int unpin(struct owner *owner, const struct namespace_options *options)
{
	struct failure why = {0};
	int err = ask(owner, USER_UNPIN, &why);

	(void)options;
	return err == 0 || is_gone(err)
		       ? 0
		       : report(&why, "cannot unpin the namespace of %s", owner->given);
}

/* ---- the command ------------------------------------------------------------------------------
 */

static const struct verb {
	const char *name;
	int (*run)(struct owner *owner, const struct namespace_options *options);
} verbs[] = {{"make", make}, {"pin", pin}, {"unpin", unpin}};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

bool namespace_has_verb(const char *verb)
{
	return find_verb(verb) != NULL;
}

int namespace_change(const char *verb, const char *user, const struct namespace_options *options)
{
	const struct verb *found = find_verb(verb);
	struct owner owner = {.given = user};

	if (!found)
		return report(NULL, "there is no command 'namespace %s'", verb);
	if (!find_owner(&owner))
		return report(NULL, "there is no user '%s'", user);
	if (is_init(1))
		return report(NULL, "this is an isolated session: run it on the host");
	return found->run(&owner, options);
}

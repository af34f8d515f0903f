/* SPDX-License-Identifier: MIT */
#include "namespace.h"

#include "command/lib/isolation.h"
#include "command/lib/log_capture.h"
#include "command/lib/pam_session.h"
#include "command/lib/subprocess.h"
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
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

/* Whose namespace. */
struct owner {
	const char *given; /* the name, the number, or "+" and the number */
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

/* A name first, then a number, as chown(1) does; with "+" a number only: a name may be one. */
static bool find_owner(struct owner *owner)
{
	const bool plus = owner->given[0] == '+';
	const struct passwd *found = plus ? NULL : getpwnam(owner->given);
	const bool is_uid = !found && parse_uid(owner->given + plus, &owner->uid);

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

/* ---- what it is made with ---------------------------------------------------------------------
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

/* Its init is not a child of the unit's, nor in its control group. */
static int refuse_joined(struct share *share, struct failure *why)
{
	(void)user_leave(share->place.name, &share->init.answer.member);
	return fail(why, EEXIST, "there is one already, whose init %d is no process of this unit",
		(int)share->init.pid);
}

static int make_and_pin(struct share *share, struct failure *why)
{
	bool joined = false;
	int err = share_become_member(share, &joined, why);

	if (err == 0 && joined && share->request->maker == MAKER_IS_UNIT)
		return refuse_joined(share, why);
	if (err == 0 && joined)
		return ask_as_member(share, USER_PIN, why);
	/* It was made pinned, or held. If it was made, but this process could not return, nobody is
	   told of it. */
	if (err < 0 && !joined && share->init.pidfd >= 0)
		(void)ask_as_member(share, USER_UNPIN, why);
	return err;
}

/* ---- the service manager ----------------------------------------------------------------------
 */

/* The unit stays as long as its main process. The barrier is passed when all has been read: the
   sender must live until then, and the main process must not end before it is known. */
static int notify(const char *what, struct failure *why)
{
	int err = sd_notify(0, what);

	if (err == 0)
		return fail(why, ENOTSOCK, "no service manager waits (NOTIFY_SOCKET)");
	if (err > 0) /* while it reloads it reads nothing; TimeoutStartSec= of the unit is the limit
		      */
		err = sd_notify_barrier(0, UINT64_MAX);
	return err < 0 ? fail(why, -err, "tell the service manager") : 0;
}

static int notify_made(const struct share *share, struct failure *why)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "MAINPID=%d\nREADY=1\nSTATUS=Namespace of %.64s",
		(int)share->init.pid, share->request->name);
	return notify(text, why);
}

/* ---- make -------------------------------------------------------------------------------------
 */

static int make_with(struct owner *owner, const struct options *settings, bool is_unit)
{
	char title[320];
	const struct namespaces_request request = {.title = title,
		.proc_options = settings->proc_options,
		.user = owner->uid,
		.grace = settings->grace,
		.ipc = settings->ipc,
		.privacy = settings->private_places | settings->hidden,
		.name = owner->name,
		.service = "pam-unshare",
		.linger = settings->linger,
		.pinned = !is_unit,
		.maker = is_unit ? MAKER_IS_UNIT : MAKER_CALLER,
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
	if (err == 0 && is_unit)
		err = notify_made(&share, &why);
	share_close(&share);
	if (err < 0)
		return report(&why, "cannot make the namespace of %s", owner->name);
	if (is_unit)
		return 0;
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
		status = make_with(owner, &settings, options->notify);
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

/* ---- who has one -------------------------------------------------------------------------------
 */

/* Tell whether the file says that the user has a namespace. Returns 1 or 0; or an exit status that
   is negative. A user who is gone may have left one. */
static int is_shared(const struct owner *owner)
{
	const struct passwd *user = getpwuid(owner->uid);
	const enum isolation isolation = user ? isolation_find(user) : ISOLATION_SHARED;

	if (isolation == ISOLATION_UNKNOWN)
		return -report(NULL, "%s",
			log_capture_message(0) ? log_capture_message(0)
					       : "the configuration is not understood");
	return isolation == ISOLATION_SHARED;
}

/* Nothing is wrong, and there is nothing to do: the unit has started. */
static int decline(const struct namespace_options *options)
{
	struct failure why = {0};

	return options->notify && notify("READY=1\nSTATUS=Not isolated", &why) < 0
		       ? report(&why, "cannot end well")
		       : 0;
}

/* ---- request ----------------------------------------------------------------------------------
 */

static int run_systemctl(const char *verb, const char *unit, uid_t uid)
{
	struct subprocess program = {.limit_s = USER_MAKER_LIMIT};
	char name[64];
	const char *const argv[] = {"systemctl", verb, "--quiet", name, NULL};
	int err;

	(void)snprintf(name, sizeof(name), "%s@%lu.service", unit, (unsigned long)uid);
	err = subprocess_run(&program, argv);
	if (err == 0 && program.status != 0)
		err = -EIO;
	subprocess_free(&program);
	return err;
}

/* A user who is logged in has had a pin: of a namespace that is gone. Of many who ask at the same
   time all but the first find what that has made, and need no systemctl. */
static int make_by_unit(uid_t uid)
{
	struct owner owner = {.uid = uid};
	struct failure why = {0};
	int err = ask(&owner, USER_ASK, &why);

	if (!is_gone(err))
		return err;
	err = run_systemctl("start", "pam-unshare", uid);
	if (err < 0 || run_systemctl("is-active", "user-runtime-dir", uid) < 0)
		return err;
	err = run_systemctl("start", "pam-unshare-pin", uid);
	if (err == 0)
		err = ask(&owner, USER_PIN, &why);
	return is_gone(err) ? 0 : err;
}

int namespace_request(void)
{
	const struct timeval limit = {.tv_sec = USER_ANSWER_LIMIT};
	struct user_maker_request request;
	struct user_maker_answer answer = {.protocol = USER_PROTOCOL};
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t size = sizeof(peer);

	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != 0)
		return report(NULL, "standard input is no connection of root's");
	(void)setsockopt(STDIN_FILENO, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (recv(STDIN_FILENO, &request, sizeof(request), 0) != (ssize_t)sizeof(request) ||
		request.protocol != USER_PROTOCOL)
		return report(NULL, "the request is not understood");
	answer.err = (uint32_t)-make_by_unit(request.uid);
	(void)send(STDIN_FILENO, &answer, sizeof(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
	return answer.err == 0 ? 0 : 2;
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
	int shared;

	if (!found)
		return report(NULL, "there is no command 'namespace %s'", verb);
	if (!find_owner(&owner))
		return report(NULL, "there is no user '%s'", user);
	if (is_init(1))
		return report(NULL, "this is an isolated session: run it on the host");
	shared = options->if_shared ? is_shared(&owner) : 1;
	if (shared < 0)
		return -shared;
	return shared ? found->run(&owner, options) : decline(options);
}

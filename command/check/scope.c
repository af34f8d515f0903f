/* SPDX-License-Identifier: MIT */
/* What scope=user means for the session: with which others it shares its namespace, or why not. */
#include "checks.h"
#include "command/lib/log_capture.h"
#include "common/syscalls.h"
#include "module/user_place.h"

#include <string.h>

/* A message that the session's modules have logged, by a part of it; NULL: none. */
static const char *find_message(const char *part)
{
	const char *message;

	for (size_t i = 0; (message = log_capture_message(i)); i++)
		if (strstr(message, part))
			return message;
	return NULL;
}

/* Why a namespace is not shared, by a part of what was logged. `make lint` demands that a message
   of the module has it (tests/faults/failure_table.py). */
static const struct {
	const char *logged, *advice;
} reasons[] = {
	{.logged = "others than root may enter",
		.advice = "Correct its owner and mode, and find out who has changed them."},
	{.logged = "was made for user",
		.advice =
			"If that user is gone, end the init; new sessions share another one then."},
	{.logged = "wait for the init's answer",
		.advice =
			"Somebody has stopped or frozen the init: let it go on, or end it; 'pam-unshare list' shows it with '?'."},
	{.logged = "holds the lock",
		.advice = "Somebody has stopped or frozen that init: let it go on, or end it."},
	{.logged = "is in the namespace of another session or user",
		.advice = "Check from a root shell of the machine."},
	{.logged = "is chrooted", .advice = "Check from outside of the chroot directory."},
};

static void explain_own(struct check *check, const char *message)
{
	const char *advice = "The log message has the reason.";

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (strstr(message, reasons[i].logged))
			advice = reasons[i].advice;
	findings_add(&check->findings, FINDING_PROBLEM,
		"the session gets a namespace of its own, and not the one that other sessions of %s share. %s",
		check->user, advice);
}

static void explain_members(
	struct check *check, const struct user_init *init, const struct user_answer *answer)
{
	const unsigned int others = answer->n_members - 1;

	if (find_message(", the user's, joined"))
		findings_add(&check->findings, FINDING_NOTE,
			"with scope=user all sessions of %s share one namespace: this one joins it; its init is %d, and it has %u other session%s.",
			check->user, (int)init->pid, others, others == 1 ? "" : "s");
	else
		findings_add(&check->findings, FINDING_NOTE,
			"with scope=user all sessions of %s share one namespace: there is none now, so this one makes it.",
			check->user);
	if (!answer->shared_root)
		findings_add(&check->findings, FINDING_NOTE,
			"\"/\" is not a shared mount on this machine: the sessions share the PID namespace only, and each has a mount namespace of its own. 'mount --make-rshared /' before the first session, as systemd does it at boot, lets them share both.");
}

static void explain_end(
	struct check *check, const struct options *opts, const struct user_answer *answer)
{
	findings_add(&check->findings, FINDING_NOTE, "%s",
		answer->linger
			? "with linger the namespace stays after the last session, as long as a process is left in it."
			: "without linger the namespace ends after the last session: the processes that are left get SIGHUP and SIGTERM, and are killed after the grace period.");
	if (answer->pinned)
		findings_add(&check->findings, FINDING_NOTE,
			"the namespace is pinned, and stays without sessions until 'pam-unshare namespace unpin %s'.",
			check->user);
	if (opts->linger != answer->linger || opts->ipc != answer->ipc ||
		(opts->private_places | opts->hidden) != answer->privacy)
		findings_add(&check->findings, FINDING_NOTE,
			"the namespace was made with other arguments linger, ipc, private= or hide=, and keeps them until it ends.");
}

static void explain_shared(struct check *check, const struct options *opts, uint64_t pid_namespace)
{
	struct user_request request = {.operation = USER_ASK};
	struct user_place place = {.directory = -1};
	struct user_init init = {.pidfd = -1};
	struct failure why = {.err = 0};

	if (user_place_open(check->account.pw_uid, pid_namespace, &place, &why) == 0 &&
		user_ask(place.name, &request, -1, &init, NULL, &why) == 0) {
		explain_members(check, &init, &init.answer);
		explain_end(check, opts, &init.answer);
	}
	close_fd(&init.pidfd);
	user_place_close(&place);
}

void check_scope(struct check *check, const struct options *opts, uint64_t pid_namespace)
{
	const char *own = find_message("gets a namespace of its own");

	if (own)
		explain_own(check, own);
	else if (find_message("the application is in the user's namespace already"))
		findings_add(&check->findings, FINDING_PROBLEM,
			"this is a session of %s already: check from a root shell of the machine.",
			check->user);
	else if (find_message(", the user's, "))
		explain_shared(check, opts, pid_namespace);
}

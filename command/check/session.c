/* SPDX-License-Identifier: MIT */
/* The half of a check that opens a session: what it shows that the files do not. */
#include "checks.h"
#include "command/lib/isolation.h"
#include "command/lib/log_capture.h"
#include "command/lib/pam_session.h"
#include "command/lib/privacy.h"
#include "module/options.h"

#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what modules say -------------------------------------------------------------------------
 */

static void receive_log(void *findings, const char *text)
{
	findings_add(findings, FINDING_LOG, "%s", text);
}

static void receive_message(void *findings, const char *text)
{
	findings_add(findings, FINDING_MESSAGE, "%s", text);
}

/* What a refusal means, by a part of what was logged. `make lint` demands that a message of the
   module or libpam has it (tests/faults/failure_table.py). */
static const struct {
	const char *logged, *advice;
} refusals[] = {
	{.logged = "correct the configuration",
		.advice = "Correct what the log message before names."},
	{.logged = "cannot be looked up",
		.advice =
			"The user's entry cannot be read: check getent(1) and the directory server."},
	{.logged = "the application lacks",
		.advice =
			"This process does not have all of root's capabilities: it runs in a container or a unit that takes this one away. Check from a root shell of the machine."},
	{.logged = "max_pid_namespaces",
		.advice = "Raise that limit with sysctl(8), or find who nests sessions."},
	{.logged = "does not show the application",
		.advice =
			"This is an isolated session already, or /proc is not that of this PID namespace. Check from a root shell of the machine."},
	{.logged = "cover what all users share",
		.advice =
			"private= needs directories of root's, sticky and no symbolic links: correct the place, or leave the word out."},
	{.logged = "hide the control groups of others",
		.advice =
			"hide=cgroups needs cgroup2 on /sys/fs/cgroup, and one that may be written to: leave the word out."},
	{.logged = "which another mount covers", .advice = "Unmount one of the two."},
	{.logged = "is chrooted", .advice = "Check from outside of the chroot directory."},
	{.logged = "unable to open config",
		.advice = "Correct the name of the file that is included."},
	{.logged = "unable to dlopen",
		.advice = "A module of the service is missing: install it, or take its line out."},
};

static void explain_refusal(struct check *check, const char *function, const char *error)
{
	const char *advice = "The log messages name the module and the reason.", *logged;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		for (size_t k = 0; (logged = log_capture_message(k)); k++)
			if (strstr(logged, refusals[i].logged))
				advice = refusals[i].advice;
	findings_add(&check->findings, FINDING_PROBLEM, "%s would be refused: %s returned '%s'. %s",
		check->user, function, error, advice);
}

unsigned int mistake_line(const char *message, const char *path)
{
	const size_t n = strlen(path);
	unsigned int number = 0;

	if (strncmp(message, path, n) == 0)
		(void)sscanf(message + n, " line %u:", &number);
	return number;
}

/* A message of the module's parser: "argument ..." is about the PAM line, "FILE line NUMBER: ..."
   and what else there is about the configuration file. */
static void add_mistake(struct check *check, const struct pam_stack_line *line,
	const struct options *opts, const char *message)
{
	if (strncmp(message, "argument", 8) == 0) {
		findings_add_problem(&check->findings, line,
			": %s. Correct it; until then everybody but %s is refused.", message,
			isolation_let_in(opts));
		return;
	}
	findings_add_at(&check->findings, FINDING_PROBLEM, opts->conf,
		mistake_line(message, opts->conf),
		"%s. Correct it; until then everybody but %s is refused.", message,
		isolation_let_in(opts));
}

/* Have the module's own parser judge the arguments, and the file if the line opens. Returns those
   of the line that opens. */
static struct options check_arguments(struct check *check, pam_handle_t *pamh)
{
	struct options effective = {0}, opts;
	const char *message;
	size_t seen = 0;

	while (log_capture_message(seen))
		seen++;
	log_capture_set_mode(LOG_CAPTURE_KEEP);
	for (size_t i = 0; i < check->stack.n; i++) {
		struct pam_stack_line *line = &check->stack.lines[i];

		if (!pam_stack_line_is_module(line, MODULE))
			continue;
		(void)options_parse(pamh, line->argc, line->argv, &opts);
		for (; (message = log_capture_message(seen)); seen++)
			add_mistake(check, line, &opts, message);
		if (line == check->open)
			effective = opts;
		else
			options_free(&opts);
	}
	log_capture_set_mode(LOG_CAPTURE_FORWARD);
	if (effective.text)
		findings_add_at(&check->findings, FINDING_NOTE, effective.conf, 0,
			"the configuration file %s is read.", effective.conf);
	return effective;
}

/* ---- the session ------------------------------------------------------------------------------
 */

/* A session that is open and not isolated, although a line opens: another jumps over that. */
static void explain_jump(struct check *check)
{
	for (const struct pam_stack_line *line = check->stack.lines; line < check->open; line++) {
		const char *jump = line->brackets ? strpbrk(line->control, "123456789") : NULL;

		if (!jump || line + strtol(jump, NULL, 10) < check->open)
			continue;
		findings_add_at(&check->findings, FINDING_PROBLEM, line->file, line->number,
			"the line of pam_unshare.so was not reached for %s: %s line %u, '[%s] %s', jumps over it. Put the line of pam_unshare.so before it, or lower its jump.",
			check->service, line->file, line->number, line->control, line->module);
	}
}

/* In the session that is open: tell whether the user is isolated, or left alone. */
static void judge_view(
	struct check *check, const struct options *opts, uint64_t host_pid, struct outcome *outcome)
{
	findings_add(&check->findings, FINDING_SESSION,
		"the session is open; %s would see:", check->user);
	outcome->isolated = check_view(check, outcome) && outcome->pid_namespace != host_pid;
	if (!check->open || outcome->isolated)
		return;
	/* libpam looks up no names for a transaction of an application, only for none */
	outcome->left_alone = !options_isolate(NULL, opts, &check->account);
	if (!outcome->left_alone)
		explain_jump(check);
}

static void explain_places(
	struct check *check, const struct options *opts, const struct outcome *outcome)
{
	char words[PRIVACY_WORDS_SIZE];

	if (!outcome->isolated)
		return;
	if (*privacy_words(opts->private_places, words))
		findings_add(&check->findings, FINDING_NOTE,
			"with private= %s has these of their own, which all users share on the host: %s.",
			check->user, words);
	if (*privacy_words(opts->hidden, words))
		findings_add(&check->findings, FINDING_NOTE,
			"with hide= %s does not see what others have there: %s.", check->user,
			words);
}

static void use_session(struct check *check, pam_handle_t *pamh, const struct options *opts,
	struct outcome *outcome)
{
	const uint64_t host_pid = namespace_number("/proc/self/ns/pid");
	const uint64_t host_mount = namespace_number("/proc/self/ns/mnt");
	int result = pam_open_session(pamh, 0);

	if (result != PAM_SUCCESS) {
		explain_refusal(check, "pam_open_session()", pam_strerror(pamh, result));
		return;
	}
	judge_view(check, opts, host_pid, outcome);
	explain_places(check, opts, outcome);
	check_scope(check, opts, host_pid);
	outcome->grace = opts->grace;
	result = pam_close_session(pamh, 0);
	if (result != PAM_SUCCESS)
		findings_add(&check->findings, FINDING_PROBLEM,
			"pam_close_session() returned '%s': correct the module that the log messages name.",
			pam_strerror(pamh, result));
	if (namespace_number("/proc/self/ns/mnt") != host_mount ||
		namespace_number("/proc/self/ns/pid") != host_pid)
		findings_add(&check->findings, FINDING_PROBLEM,
			"the process was not returned to the host's namespaces: see the log messages, and doc/troubleshooting.md.");
}

void check_session(struct check *check, struct outcome *outcome)
{
	const struct listener log_listener = {.receive = receive_log, .data = &check->findings};
	struct listener message_listener = {.receive = receive_message, .data = &check->findings};
	const unsigned int before = check->findings.problems;
	pam_handle_t *pamh = NULL;
	struct options opts;
	int result;

	log_capture_set_mode(LOG_CAPTURE_FORWARD);
	log_capture_set_listener(&log_listener);
	result = start_transaction(check->service, check->user, &message_listener, &pamh);
	if (result != PAM_SUCCESS) {
		explain_refusal(check, "pam_start()", pam_strerror(pamh, result));
	} else {
		opts = check_arguments(check, pamh);
		use_session(check, pamh, &opts, outcome);
		options_free(&opts);
		(void)pam_end(pamh, PAM_SUCCESS);
	}
	log_capture_set_listener(NULL);
	outcome->problems = check->findings.problems - before;
	outcome->finished = true;
	(void)fflush(stdout);
}

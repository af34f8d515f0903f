/* SPDX-License-Identifier: MIT */
/* pam-unshare check: what the files say, then what a real session does, then the result. */
#include "check.h"

#include "checks.h"
#include "command/lib/pam_session.h"
#include "command/lib/sessions.h"
#include "common/syscalls.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-login.h>

#define TIME_LIMIT_MS 60000

/* What the process that opens the session needs. */
struct attempt {
	struct check *check;
	struct outcome *outcome;
};

static void run_session(void *data)
{
	const struct attempt *attempt = data;

	check_session(attempt->check, attempt->outcome);
}

/* Tell whether a namespace goes on without the session that was tried. */
static bool stays(const struct namespace_info *found)
{
	return found->shared == KNOWN && (found->n_sessions > 0 || found->pinned || found->linger);
}

/* Where "pam-unshare enable" is on, somebody else keeps it. */
static void explain_unit(struct check *check, const struct namespace_info *found)
{
	char *unit;

	if (found->shared == NOT_SHARED || sd_pid_get_unit(found->init, &unit) < 0)
		return;
	if (strncmp(unit, "pam-unshare@", strlen("pam-unshare@")) == 0)
		findings_add(&check->findings, FINDING_NOTE,
			"the namespace is the unit %s; pam-unshare-pin@%lu.service keeps it as long as /run/user/%lu is there.",
			unit, (unsigned long)check->account.pw_uid,
			(unsigned long)check->account.pw_uid);
	free(unit);
}

/* A session's processes have the time of grace to end; none may be there afterwards. */
static void wait_for_end(struct check *check, const struct outcome *outcome)
{
	struct namespace_info *found;
	struct pollfd dead = {.events = POLLIN};
	size_t n;

	(void)namespaces_find(&found, &n);
	for (size_t i = 0; i < n; i++) {
		if (found[i].pid_namespace != outcome->pid_namespace)
			continue;
		explain_unit(check, &found[i]);
		if (stays(&found[i]))
			continue;
		dead.fd = sys_pidfd_open(found[i].init);
		if (dead.fd >= 0 && poll(&dead, 1, (int)(outcome->grace + 5) * 1000) == 0)
			findings_add(&check->findings, FINDING_PROBLEM,
				"the session has ended, but its init %d still runs after the grace period: see what it waits for with 'pam-unshare list', or end it with 'kill -KILL %d'.",
				(int)found[i].init, (int)found[i].init);
		close_fd(&dead.fd);
	}
	namespaces_free(found, n);
}

/* Open and close a session in a child, which has TIME_LIMIT_MS for it. */
static void try_session(struct check *check, struct outcome *outcome)
{
	struct attempt attempt = {.check = check, .outcome = outcome};

	switch (run_in_child(run_session, &attempt, TIME_LIMIT_MS)) {
	case CHILD_NOT_STARTED:
		findings_add(&check->findings, FINDING_PROBLEM,
			"cannot fork: %s. Raise the limit of processes or free memory, and check again.",
			strerror(errno));
		return;
	case CHILD_TIMED_OUT:
		findings_add(&check->findings, FINDING_PROBLEM,
			"the session was not opened and closed within %d seconds: a module waits. Try the service's other session lines one at a time.",
			TIME_LIMIT_MS / 1000);
		break;
	case CHILD_ENDED:
		if (!outcome->finished)
			findings_add(&check->findings, FINDING_PROBLEM,
				"the process that opened the session crashed in a module, or was ended by it: see the system log.");
		break;
	}
	check->findings.problems += outcome->problems;
	if (outcome->isolated)
		wait_for_end(check, outcome);
}

static int verdict(struct check *check, const struct outcome *outcome)
{
	const unsigned int problems = check->findings.problems;
	const char *isolated = "NOT ISOLATED";

	if (outcome->isolated)
		isolated = "isolated";
	else if (outcome->left_alone)
		isolated = "left alone, as the configuration says";
	findings_add(&check->findings, FINDING_RESULT, "with %s, %s is %s; %u problem%s",
		check->service, check->user, isolated, problems, problems == 1 ? "" : "s");
	return problems == 0 && (outcome->isolated || outcome->left_alone) ? 0 : 1;
}

static int out_of_memory(void)
{
	(void)fprintf(stderr, "pam-unshare: out of memory\n");
	return 2;
}

static int run_check(struct check *check)
{
	struct outcome *outcome = mmap(
		NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;

	if (outcome == MAP_FAILED)
		return out_of_memory();
	check_files(check);
	try_session(check, outcome);
	status = verdict(check, outcome);
	(void)munmap(outcome, sizeof(*outcome));
	return findings_end(&check->findings) == 0 ? status : 2;
}

int check_service(const char *service, const char *user, const struct table_options *options)
{
	struct check check = {.service = service, .user = user};
	const struct passwd *found = getpwnam(user);
	int status = 2;

	if (!found) {
		(void)fprintf(stderr, "pam-unshare: there is no user '%s'\n", user);
		return 2;
	}
	/* a copy: a module that looks up another user overwrites what was found */
	check.account = (struct passwd){.pw_uid = found->pw_uid,
		.pw_gid = found->pw_gid,
		.pw_name = strdup(found->pw_name)};
	if (findings_begin(&check.findings, options) == 0) {
		if (check.account.pw_name && pam_stack_read("", service, &check.stack) == 0)
			status = run_check(&check);
		else
			status = out_of_memory();
	}
	pam_stack_free(&check.stack);
	free(check.account.pw_name);
	return status;
}

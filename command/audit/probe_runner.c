/* SPDX-License-Identifier: MIT */
/*
 * Runs the probes, each in a process of its own, and takes their results.
 */
#include "probes.h"

#include "command/lib/printable.h"
#include "common/syscalls.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* More than the sum of all waits of any one probe. */
#define PROBE_LIMIT_MS 250000

void result_set(struct result *result, enum verdict verdict, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printable(result->seen, sizeof(result->seen), text, strlen(text));
	result->verdict = verdict;
}

/* Of a probe IN_BACKGROUND: the end of the pipe that the runner reads. */
static int started = -1;

void probe_started(void)
{
	close_fd(&started);
	started = -1;
}

/* A result counts only when the probe has come to its end. */
__attribute__((noreturn)) static void run_probe(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	struct result *own =
		mmap(NULL, sizeof(*own), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (own == MAP_FAILED)
		_exit(1);
	result_set(own, NOT_TESTED, "the probe came to no result");
	probe->run(context, probe, own);
	*result = *own;
	_exit(0);
}

struct running {
	pid_t child;
	int pidfd;
};

/* Start a probe; until_started: wait until it calls probe_started(), or ends. */
static struct running begin(const struct audit_context *context, const struct probe *probe,
	struct result *result, bool until_started)
{
	struct running running = {.pidfd = -1};
	int fds[2];
	char byte;

	result_set(result, NOT_TESTED, "the probe's process died");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return running;
	running.child = fork();
	if (running.child == 0) {
		(void)setpgid(0, 0);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)signal(SIGPIPE, SIG_IGN);
		(void)close(fds[0]);
		started = fds[1];
		run_probe(context, probe, result);
	}
	(void)close(fds[1]);
	running.pidfd = running.child < 0 ? -1 : sys_pidfd_open(running.child);
	if (until_started)
		while (read(fds[0], &byte, 1) < 0 && errno == EINTR)
			;
	(void)close(fds[0]);
	return running;
}

static void finish(const struct running *running, struct result *result)
{
	struct pollfd ended = {.fd = running->pidfd, .events = POLLIN};

	if (running->pidfd < 0)
		return;
	if (poll(&ended, 1, PROBE_LIMIT_MS) == 0) {
		(void)kill(-running->child, SIGKILL);
		result_set(result, NOT_TESTED, "the probe did not end within %d seconds",
			PROBE_LIMIT_MS / 1000);
	}
	(void)waitpid(running->child, NULL, 0);
	(void)close(running->pidfd);
}

void probes_run(const struct audit_context *context, struct result *results, bool as_root)
{
	struct running slow[PROBES_MAX];
	struct running running;

	for (size_t i = 0; i < PROBES_MAX; i++)
		slow[i] = (struct running){.pidfd = -1};
	for (size_t i = 0; i < probes_count(); i++) {
		if (!context->wanted[i] || (probes[i].mode == AS_ROOT) != as_root)
			continue;
		running = begin(context, &probes[i], &results[i], probes[i].mode == IN_BACKGROUND);
		if (probes[i].mode == IN_BACKGROUND)
			slow[i] = running;
		else
			finish(&running, &results[i]);
	}
	for (size_t i = 0; i < probes_count(); i++)
		finish(&slow[i], &results[i]);
}

/* SPDX-License-Identifier: MIT */
/*
 * The first session that a process opens, as in su and sshd: each in a process that is executed for
 * it. Metrics:
 *
 *     open        microseconds until the application may go on
 *     open-*      what application and init use together, until the init sleeps
 *     session-*   the same for open, the first child, close, and the end of the init
 *     process-*   the same for the whole process, which loads the modules
 */
#include "experiments.h"
#include "inits.h"
#include "measure.h"
#include "session.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int host_proc(void)
{
	return (int)must("open /proc", open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/* Add what has been used from one time to another. */
static void add(struct usage *sum, struct usage from, struct usage to)
{
	sum->cpu += to.cpu - from.cpu;
	sum->faults += to.faults - from.faults;
}

/* The look at the inits is not to be counted. One that has ended is a child that was waited for. */
static void measure(struct session *session, const char *variant, long round)
{
	const int proc = host_proc();
	const struct usage inits = usage_of_inits(proc, 0, true);
	struct usage open = {0, 0}, whole, before = usage_of_self(), after;
	double at = now();

	session_open(session);
	at = now() - at;
	after = usage_of_self();
	print(variant, "open", round, at);
	add(&open, before, after);
	whole = open;
	add(&open, inits, usage_of_inits(proc, session->floor.init_pid, true));
	print_usage(variant, "open", round, open);

	before = usage_of_all();
	fork_once();
	session_close(session);
	wait_for_inits();
	add(&whole, before, usage_of_all());
	add(&whole, inits, usage_of_inits(proc, 0, true));
	print_usage(variant, "session", round, whole);
}

void fresh_one(long number, long round, const char *variant, bool measured)
{
	struct session session;

	x = number;
	start(&session, variant);
	if (measured) {
		measure(&session, variant, round);
	} else {
		session_open(&session);
		fork_once();
		session_close(&session);
		wait_for_inits();
	}
	end(&session);
}

static void execute(const char *variant, long round, const char *what)
{
	char number[24], times[24];
	pid_t child = fork();

	if (child == 0) {
		(void)snprintf(number, sizeof(number), "%ld", x);
		(void)snprintf(times, sizeof(times), "%ld", round);
		(void)execl(
			"/proc/self/exe", "bench", experiment, what, number, times, variant, NULL);
		die("execute myself");
	}
	must_succeed(child, variant);
}

void fresh(long rounds, char **variants, int n)
{
	const int proc = host_proc();

	for (long round = 0; round <= rounds; round++)
		for (int i = 0; i < n; i++) {
			const char *variant = variants[turn(round, i, n)];
			const struct usage inits = usage_of_inits(proc, 0, true),
					   before = usage_of_all();
			struct usage whole = {0, 0};

			execute(variant, round, "fresh-process");
			add(&whole, before, usage_of_all());
			add(&whole, inits, usage_of_inits(proc, 0, true));
			if (round == 0) /* reads the programs in */
				continue;
			print_usage(variant, "process", round, whole);
			execute(variant, round, "fresh-session");
		}
}

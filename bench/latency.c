/* SPDX-License-Identifier: MIT */
/* How long the calls take. */
#include "crowd.h"
#include "experiments.h"
#include "inits.h"
#include "measure.h"
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void measure_once(struct session *session, double at[4])
{
	at[0] = now();
	session_open(session);
	at[1] = now();
	fork_once();
	at[2] = now();
	session_close(session);
	at[3] = now();
}

/* In a process of its own, as su and sshd are: the first session there pays for pages and caches
   that the second finds, so both are told. */
static void measure(const char *variant, long round)
{
	struct session session;
	pid_t child = fork();
	double at[4];

	if (child != 0) {
		must_succeed(child, variant);
		return;
	}
	start(&session, variant);
	measure_once(&session, at);
	print(variant, "first", round, at[1] - at[0]);
	wait_for_inits();
	measure_once(&session, at);
	print(variant, "open", round, at[1] - at[0]);
	print(variant, "fork", round, at[2] - at[1]);
	print(variant, "close", round, at[3] - at[2]);
	wait_for_inits();
	print(variant, "end", round, now() - at[2]);
	end(&session);
	_exit(0);
}

void latency(long rounds, char **variants, int n)
{
	for (int i = 0; i < n; i++) { /* the modules' pages are read in */
		struct session session;

		start(&session, variants[i]);
		end(&session);
	}
	for (long round = 0; round < rounds; round++)
		for (int i = 0; i < n; i++)
			measure(variants[turn(round, i, n)], round);
}

/* ---- what grows -------------------------------------------------------------------------------
 */

void growth(const char *what, long n, long rounds, char **variants, int n_variants)
{
	struct crowd crowd = {-1, 0};

	x = n;
	if (strcmp(what, "mounts") == 0) {
		more_mounts(n - count_mounts());
		x = count_mounts();
	} else if (strcmp(what, "memory") == 0) {
		more_memory(n);
	} else if (strcmp(what, "processes") == 0) {
		crowd = gather(n, NULL);
	} else if (strcmp(what, "sessions") == 0) {
		crowd = gather(n, "module");
	} else {
		errno = EINVAL;
		die(what);
	}
	latency(rounds, variants, n_variants);
	if (crowd.release >= 0)
		dismiss(&crowd);
}

/* ---- several at a time ------------------------------------------------------------------------
 */

/* Sessions a second; and microseconds of a processor that each uses with its init, which is what
   bounds them, whatever else the machine does. */
void parallel(long workers, long each, long round, const char *variant)
{
	const int proc = (int)must("open /proc", open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const double sessions = (double)(workers * each), before = now(),
		     used = usage_of_all().cpu + usage_of_inits(proc, 0, true).cpu;

	x = workers;
	for (long i = 0; i < workers; i++)
		if (must("fork", fork()) == 0) {
			struct session session;

			start(&session, variant);
			for (long k = 0; k < each; k++) {
				session_open(&session);
				fork_once();
				session_close(&session);
				wait_for_inits();
			}
			_exit(0);
		}
	while (waitpid(-1, NULL, 0) > 0)
		;
	print(variant, "rate", round, sessions / (now() - before) * 1e6);
	print(variant, "cpu", round,
		(usage_of_all().cpu + usage_of_inits(proc, 0, true).cpu - used) / sessions);
}

/* How long it takes until the last process of a session is gone. */
void ending(const char *variant, long processes, long round)
{
	pid_t child = fork();

	if (child == 0) {
		struct session session;
		double before;

		x = processes;
		start(&session, variant);
		session_open(&session);
		(void)signal(SIGCHLD, SIG_IGN);
		for (long i = 0; i < processes; i++)
			if (must("fork", fork()) == 0)
				for (;;)
					(void)pause();
		before = now();
		session_close(&session);
		print(variant, "close", round, now() - before);
		wait_for_inits();
		print(variant, "end", round, now() - before);
		_exit(0);
	}
	must_succeed(child, variant);
}

/* SPDX-License-Identifier: MIT */
#include "measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char *experiment;
long x;

_Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	_exit(1);
}

long must(const char *what, long result)
{
	if (result < 0)
		die(what);
	return result;
}

void must_succeed(pid_t child, const char *what)
{
	int status;

	must("fork", child);
	must("wait", waitpid(child, &status, 0));
	if (status != 0) {
		errno = ECANCELED;
		die(what);
	}
}

static double microseconds(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

double now(void)
{
	return microseconds(CLOCK_MONOTONIC);
}

void print(const char *variant, const char *metric, long round, double value)
{
	(void)dprintf(STDOUT_FILENO, "%s %ld %s %s %ld %.2f\n", experiment, x, variant, metric,
		round, value);
}

int turn(long round, int i, int n)
{
	return (int)((round / 2 + (round % 2 == 0 ? i : n - 1 - i)) % n);
}

long number_in(const char *path, const char *name)
{
	FILE *f = fopen(path, "re");
	char line[256];
	size_t n = strlen(name);
	long value = -1;

	while (f && value < 0 && fgets(line, sizeof(line), f))
		if (strncmp(line, name, n) == 0 && line[n] == ':')
			value = strtol(line + n + 1, NULL, 10);
	if (f)
		(void)fclose(f);
	return value;
}

struct usage usage_of_self(void)
{
	struct rusage self;

	(void)getrusage(RUSAGE_SELF, &self);
	return (struct usage){microseconds(CLOCK_PROCESS_CPUTIME_ID), self.ru_minflt};
}

/* The sum of user and system time is exact, whatever the kernel knows of their parts
   (cputime_adjust()). */
struct usage usage_of_all(void)
{
	struct usage usage = usage_of_self();
	struct rusage children;

	(void)getrusage(RUSAGE_CHILDREN, &children);
	usage.cpu += (double)(children.ru_utime.tv_sec + children.ru_stime.tv_sec) * 1e6 +
		     (double)(children.ru_utime.tv_usec + children.ru_stime.tv_usec);
	usage.faults += children.ru_minflt;
	return usage;
}

void print_usage(const char *variant, const char *name, long round, struct usage usage)
{
	char metric[32];

	(void)snprintf(metric, sizeof(metric), "%s-cpu", name);
	print(variant, metric, round, usage.cpu);
	(void)snprintf(metric, sizeof(metric), "%s-faults", name);
	print(variant, metric, round, (double)usage.faults);
}

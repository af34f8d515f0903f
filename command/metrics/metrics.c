/* SPDX-License-Identifier: MIT */
/*
 * pam-unshare metrics: the text format of Prometheus, written as a whole or not at all. A metric is
 * its comment, then a line for each of its label's values.
 */
#include "metrics.h"

#include "command/harden/harden.h"
#include "command/harden/outside.h"
#include "command/harden/part.h"
#include "command/lib/file.h"
#include "command/lib/sessions.h"
#include "config.h"
#include "module/init_start.h"
#include "module/options.h"
#include "refused.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the format -------------------------------------------------------------------------------
 */

#define PREFIX "pam_unshare_"

static void about(FILE *to, const char *name, const char *type, const char *help)
{
	(void)fprintf(
		to, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

static void label(FILE *to, const char *name, const char *value)
{
	(void)fprintf(to, "%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			(void)fputc('\\', to);
		(void)fputc(*value, to);
	}
	(void)fputc('"', to);
}

/* A gauge without labels. */
static void gauge(FILE *to, const char *name, const char *help, uint64_t value)
{
	about(to, name, "gauge", help);
	(void)fprintf(to, PREFIX "%s %" PRIu64 "\n", name, value);
}

/* A line of a metric that has one label. */
static void labelled(
	FILE *to, const char *metric, const char *name, const char *value, uint64_t number)
{
	(void)fprintf(to, PREFIX "%s{", metric);
	label(to, name, value);
	(void)fprintf(to, "} %" PRIu64 "\n", number);
}

/* ---- namespaces and sessions ------------------------------------------------------------------
 */

/* How many sessions of a service are open in n namespaces; with first, whether any is, as 1. */
static uint64_t count_service(
	const struct namespace_info *found, size_t n, const char *service, bool first)
{
	uint64_t count = 0;

	for (size_t i = 0; i < n && !(first && count > 0); i++)
		for (size_t k = 0; k < found[i].n_sessions && !(first && count > 0); k++)
			count += strcmp(found[i].sessions[k].service, service) == 0;
	return count;
}

/* A service is told at its first session. */
static void put_services(FILE *to, const struct namespace_info *found, size_t n)
{
	const struct session_info *session;

	about(to, "sessions", "gauge", "Isolated sessions that are open, by PAM service.");
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < found[i].n_sessions; k++) {
			const struct namespace_info before = {
				.sessions = found[i].sessions, .n_sessions = k};

			session = &found[i].sessions[k];
			if (count_service(found, i, session->service, true) == 0 &&
				count_service(&before, 1, session->service, true) == 0)
				labelled(to, "sessions", "service", session->service,
					count_service(found, n, session->service, false));
		}
}

static void put_found(FILE *to, const struct namespace_info *found, size_t n)
{
	uint64_t of_user = 0, silent = 0, processes = 0;

	for (size_t i = 0; i < n; i++) {
		of_user += found[i].shared != NOT_SHARED;
		silent += found[i].shared == UNKNOWN;
		processes += found[i].processes;
	}
	about(to, "namespaces", "gauge",
		"PID namespaces, of one session or of all sessions of a user.");
	labelled(to, "namespaces", "scope", "session", n - of_user);
	labelled(to, "namespaces", "scope", "user", of_user);
	gauge(to, "namespaces_silent",
		"Namespaces of users whose init did not answer: somebody has frozen it.", silent);
	gauge(to, "processes", "Processes in these namespaces.", processes);
	put_services(to, found, n);
}

static int put_namespaces(FILE *to)
{
	struct namespace_info *found = NULL;
	size_t n = 0;
	int err = namespaces_find(&found, &n);

	if (err == 0)
		put_found(to, found, n);
	namespaces_free(found, n);
	return err;
}

/* ---- the configuration ------------------------------------------------------------------------
 */

static void put_conf(FILE *to)
{
	struct options opts = {.text = NULL};
	const bool understood = options_parse(NULL, 0, NULL, &opts);

	gauge(to, "conf_understood",
		"Whether unshare.conf is understood; if not, only root and exempt users can log in.",
		understood);
	gauge(to, "conf_scope_user", "Whether unshare.conf says scope=user.",
		understood && opts.per_user);
	options_free(&opts);
}

static void put_part(void *data, const struct part *part)
{
	const enum part_state state = part_state(part);
	FILE *to = data;

	if (state == PART_ABSENT)
		return;
	(void)fprintf(to, PREFIX "part_off{");
	label(to, "part", part->name);
	(void)fprintf(to, ",");
	label(to, "file", part->path);
	(void)fprintf(to, "} %d\n", state == PART_OFF);
}

static int put_parts(FILE *to)
{
	struct outside *found = NULL;
	size_t n = 0;
	int err = outside_find(&found, &n);

	outside_free(found, n);
	if (err < 0)
		return err;
	about(to, "part_off", "gauge",
		"Whether a part of 'pam-unshare enable' is off; none for what this machine does not have.");
	status_each(put_part, to);
	gauge(to, "outside_units",
		"Units of sessions and user managers on the host, older than 'pam-unshare enable'.",
		n);
	return 0;
}

/* Where there is no journal, nobody knows, and there is no such metric. */
static int put_refused(FILE *to)
{
	uint64_t count = 0;
	int known = refused_count(&count);

	if (known <= 0)
		return known;
	about(to, "refused_sessions_total", "counter",
		"Sessions that pam_unshare has refused since boot, by the journal.");
	(void)fprintf(to, PREFIX "refused_sessions_total %" PRIu64 "\n", count);
	return 0;
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static const struct {
	int (*put)(FILE *to); /* returns 0 or -errno */
	const char *what;
} groups[] = {
	{.put = put_namespaces, .what = "list the processes in /proc"},
	{.put = put_parts, .what = "list the processes in /proc"},
	{.put = put_refused, .what = "count the sessions in the journal that were refused"},
};

static bool failed(const char *what, int err)
{
	(void)fprintf(stderr, "pam-unshare: cannot %s: %s\n", what, strerror(err));
	return false;
}

static bool put_all(FILE *to)
{
	int err;

	about(to, "info", "gauge", "The version of pam-unshare.");
	labelled(to, "info", "version", VERSION, 1);
	put_conf(to);
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		err = groups[i].put(to);
		if (err < 0)
			return failed(groups[i].what, -err);
	}
	return true;
}

/* The exporter reads files whose name ends with ".prom". */
static bool write_file(const char *path, const char *text, size_t n)
{
	char *new = NULL;
	bool written =
		asprintf(&new, "%s-new", path) >= 0 && file_replace(path, new, text, n, 0644);
	const int err = errno;

	free(new);
	if (written)
		return true;
	(void)fprintf(stderr, "pam-unshare: cannot write %s: %s\n", path, strerror(err));
	return false;
}

static bool write_text(const char *path, const char *text, size_t n)
{
	if (path)
		return write_file(path, text, n);
	return (fwrite(text, 1, n, stdout) == n && fflush(stdout) == 0) ||
	       failed("write to standard output", errno);
}

int metrics(const char *path)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to;
	bool well;

	if (is_init(1)) {
		(void)fprintf(
			stderr, "pam-unshare: this is an isolated session: run it on the host\n");
		return 2;
	}
	to = open_memstream(&text, &n);
	if (!to)
		return failed("keep the metrics", errno) ? 0 : 2;
	well = put_all(to);
	if (fclose(to) != 0)
		well = failed("keep the metrics", errno);
	well = well && write_text(path, text, n);
	free(text);
	return well ? 0 : 2;
}

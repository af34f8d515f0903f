/* SPDX-License-Identifier: MIT */
#include "list.h"

#include "command/lib/sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_row(const struct session_info *session)
{
	struct tm local;
	char since[32] = "?";

	if (localtime_r(&session->since, &local))
		(void)strftime(since, sizeof(since), "%Y-%m-%d %H:%M:%S", &local);
	printf("%-16s %-12s %-19s %9u %10llu %7d\n", session->user, session->service, since,
		session->processes, (unsigned long long)session->pid_namespace, (int)session->init);
}

void print_json_string(const char *s)
{
	(void)putchar('"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			(void)putchar('\\');
		(void)putchar(*s);
	}
	(void)putchar('"');
}

static void print_json(const struct session_info *session)
{
	struct tm utc;
	char since[32] = "";

	if (gmtime_r(&session->since, &utc))
		(void)strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%SZ", &utc);
	printf("{\"user\": ");
	print_json_string(session->user);
	printf(", \"service\": ");
	print_json_string(session->service);
	printf(", \"since\": \"%s\", \"processes\": %u, \"pid_namespace\": %llu, \"init\": %d}",
		since, session->processes, (unsigned long long)session->pid_namespace,
		(int)session->init);
}

int list_sessions(bool json)
{
	struct session_info *sessions;
	size_t n;
	int err = sessions_find(&sessions, &n);

	if (err < 0) {
		(void)fprintf(stderr, "pam-unshare: the processes cannot be listed: %s\n",
			strerror(-err));
		free(sessions);
		return 2;
	}
	if (json)
		printf("[");
	else
		printf("%-16s %-12s %-19s %9s %10s %7s\n", "USER", "SERVICE", "SINCE", "PROCESSES",
			"NAMESPACE", "INIT");
	for (size_t i = 0; i < n; i++) {
		if (json) {
			printf(i > 0 ? ",\n " : "");
			print_json(&sessions[i]);
		} else {
			print_row(&sessions[i]);
		}
	}
	if (json)
		printf("]\n");
	free(sessions);
	return fflush(stdout) == 0 ? 0 : 2;
}

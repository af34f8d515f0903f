/* SPDX-License-Identifier: MIT */
#include "recorded_log.h"

#include <security/pam_ext.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define MESSAGES 64

static struct {
	int priority;
	char text[8192]; /* more than the text of a struct failure */
} messages[MESSAGES];

static size_t n_messages;

__attribute__((format(printf, 2, 0))) static void record(
	int priority, const char *fmt, va_list args)
{
	if (n_messages == MESSAGES)
		abort();
	messages[n_messages].priority = priority;
	(void)vsnprintf(messages[n_messages].text, sizeof(messages->text), fmt, args);
	n_messages++;
}

void pam_syslog(const pam_handle_t *pamh, int priority, const char *fmt, ...)
{
	va_list args;

	/* the real one asks the handle for the service's name */
	if (!pamh)
		abort();
	va_start(args, fmt);
	record(priority, fmt, args);
	va_end(args);
}

/* What pam_syslog(3) does itself. */
__attribute__((format(printf, 2, 0))) static void to_syslog(
	int priority, const char *fmt, va_list args)
{
	if (LOG_FAC(priority) != LOG_FAC(LOG_AUTHPRIV))
		abort();
	record(LOG_PRI(priority), fmt, args);
}

/* In parentheses, for it may be a macro. */
void(syslog)(int priority, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	to_syslog(priority, fmt, args);
	va_end(args);
}

/* The fortified one. */
void __syslog_chk(int priority, int flag, const char *fmt, ...);

void __syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list args;

	(void)flag;
	va_start(args, fmt);
	to_syslog(priority, fmt, args);
	va_end(args);
}

void log_clear(void)
{
	n_messages = 0;
}

static bool is_at(size_t i, int priority)
{
	return priority == ANY_PRIORITY || messages[i].priority == priority;
}

size_t log_count(int priority)
{
	size_t count = 0;

	for (size_t i = 0; i < n_messages; i++)
		count += is_at(i, priority);
	return count;
}

bool log_has(int priority, const char *text)
{
	for (size_t i = 0; i < n_messages; i++)
		if (is_at(i, priority) && strstr(messages[i].text, text))
			return true;
	return false;
}

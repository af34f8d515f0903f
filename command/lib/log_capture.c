/* SPDX-License-Identifier: MIT */
#include "log_capture.h"

#include "printable.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#define MESSAGES_MAX 64

static char messages[MESSAGES_MAX][1024]; /* the first ones, which name the cause */
static size_t n_messages;
static enum log_capture_mode current;
static const struct listener *told;

void log_capture_set_mode(enum log_capture_mode mode)
{
	current = mode;
}

void log_capture_set_listener(const struct listener *listener)
{
	told = listener;
}

const char *log_capture_message(size_t i)
{
	const char *prefix;

	if (i >= n_messages)
		return NULL;
	if (strncmp(messages[i], "PAM ", 4) == 0) /* the library, or outside of a module */
		return messages[i] + 4;
	prefix = strstr(messages[i], "): "); /* "pam_unshare(sshd:session): " */
	return prefix ? prefix + 3 : messages[i];
}

__attribute__((format(printf, 2, 0))) static void capture(
	int priority, const char *format, va_list args)
{
	char text[1024];
	void (*real)(int, const char *, ...);

	(void)vsnprintf(text, sizeof(text), format, args);
	if (n_messages < MESSAGES_MAX)
		printable(messages[n_messages++], sizeof(*messages), text, strlen(text));
	if (current == LOG_CAPTURE_KEEP)
		return;
	printable(text, sizeof(text), text, strlen(text));
	if (told)
		told->receive(told->data, text);
	*(void **)&real = dlsym(RTLD_NEXT, "syslog");
	if (real)
		real(priority, "%s", text);
}

/* A caller compiled with _FORTIFY_SOURCE calls these; they are part of the C library's ABI. */
void __vsyslog_chk(int priority, int flag, const char *format, va_list args);
void __syslog_chk(int priority, int flag, const char *format, ...);

void(vsyslog)(int priority, const char *format, va_list args)
{
	capture(priority, format, args);
}

void __vsyslog_chk(int priority, int flag, const char *format, va_list args)
{
	(void)flag;
	capture(priority, format, args);
}

/* In parentheses, for it may be a macro. */
void(syslog)(int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	capture(priority, format, args);
	va_end(args);
}

void __syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list args;

	(void)flag;
	va_start(args, format);
	capture(priority, format, args);
	va_end(args);
}

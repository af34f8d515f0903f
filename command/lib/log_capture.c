/* SPDX-License-Identifier: MIT */
#include "log_capture.h"

#include "printable.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/*
 * The functions of the C library's ABI that log; callers compiled with _FORTIFY_SOURCE call those
 * that end in _chk. <syslog.h> may give them other names, and is not included: where a long double
 * may have either of two formats, the library has a set of these functions for each.
 */
#define FORMAT(at, first) __attribute__((format(printf, at, first)))
void syslog(int priority, const char *format, ...) FORMAT(2, 3);
void vsyslog(int priority, const char *format, va_list args) FORMAT(2, 0);
void __syslog_chk(int priority, int flag, const char *format, ...) FORMAT(3, 4);
void __vsyslog_chk(int priority, int flag, const char *format, va_list args) FORMAT(3, 0);

void syslog(int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	capture(priority, format, args);
	va_end(args);
}

void vsyslog(int priority, const char *format, va_list args)
{
	capture(priority, format, args);
}

void __syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list args;

	(void)flag;
	va_start(args, format);
	capture(priority, format, args);
	va_end(args);
}

void __vsyslog_chk(int priority, int flag, const char *format, va_list args)
{
	(void)flag;
	capture(priority, format, args);
}

/* ppc64el has both formats, and modules of either. Nobody logs a long double. */
#if defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define ALIAS(name, other) \
	extern __typeof__(name) name##_ieee128 __asm__(other) __attribute__((alias(#name)))

ALIAS(syslog, "__syslogieee128");
ALIAS(vsyslog, "__vsyslogieee128");
ALIAS(__syslog_chk, "__syslog_chkieee128");
ALIAS(__vsyslog_chk, "__vsyslog_chkieee128");
#endif

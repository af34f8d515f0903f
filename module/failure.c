/* SPDX-License-Identifier: MIT */
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>

int fail(struct failure *why, int err, const char *fmt, ...)
{
	va_list args;

	if (why->err == 0) {
		why->err = err;
		va_start(args, fmt);
		(void)vsnprintf(why->text, sizeof(why->text), fmt, args);
		va_end(args);
	}
	return -err;
}

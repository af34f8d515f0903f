/* SPDX-License-Identifier: MIT */
/*
 * A pam_syslog(3) that remembers what was logged.
 */
#ifndef TESTS_RECORDED_LOG_H
#define TESTS_RECORDED_LOG_H

#include <stdbool.h>
#include <stddef.h>

#define ANY_PRIORITY (-1)

/** Forget everything. */
void log_clear(void);

/** Number of messages at a priority, or at ANY_PRIORITY. */
size_t log_count(int priority);

/** Tell whether a message at a priority, or at ANY_PRIORITY, contains a text. */
bool log_has(int priority, const char *text);

#endif

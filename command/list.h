/* SPDX-License-Identifier: MIT */
#ifndef PAM_UNSHARE_LIST_H
#define PAM_UNSHARE_LIST_H

#include <stdbool.h>

/**
 * Print the isolated sessions that are open, to standard output.
 *
 * @param json  an array of objects, instead of a table
 * @return the exit status: 0, or 2 when /proc cannot be read or nothing be written
 */
int list_sessions(bool json);

/** Print a string of JSON, of text that is printable ASCII already. */
void print_json_string(const char *s);

#endif

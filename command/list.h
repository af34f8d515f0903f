/* SPDX-License-Identifier: MIT */
#ifndef PAM_UNSHARE_LIST_H
#define PAM_UNSHARE_LIST_H

#include "command/lib/table.h"

extern const struct table_layout list_table;

/**
 * Print the isolated sessions that are open, to standard output.
 *
 * Runs as root, on the host.
 *
 * @return the exit status: 0, or 2 when a column is unknown, /proc cannot be read or nothing can
 *         be written
 */
int list_sessions(const struct table_options *options);

#endif

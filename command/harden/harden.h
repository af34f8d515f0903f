/* SPDX-License-Identifier: MIT */
#ifndef PAM_UNSHARE_HARDEN_H
#define PAM_UNSHARE_HARDEN_H

#include "command/lib/table.h"

extern const struct table_layout harden_table;

/**
 * Close side doors of the machine, reopen them, or show their state. Afterwards the state of the
 * parts is printed to standard output. A command that failed or was interrupted is completed when
 * it is given again.
 *
 * Runs as root, on the host.
 *
 * @param verb   "enable", "disable" or "status"
 * @param names  of n parts; none: all
 * @return the exit status: 0; 1 a part could not be changed; 2 an unknown part or column, or
 * nothing could be written
 */
int harden(const char *verb, char *const names[], int n, const struct table_options *options);

/**
 * Put the user's whole life into one namespace, by units of systemd and the configuration file;
 * take that back; or show the parts. As harden() otherwise, for all parts at once.
 *
 * Sessions that are open stay as they are.
 *
 * @return as harden(); with "status" 1 as well when a part is off
 */
int change_inside(const char *verb, const struct table_options *options);

struct part;

/** Tell each part that "status" shows, in its order. */
void status_each(void (*tell)(void *data, const struct part *part), void *data);

/** Print the parts, for --help. */
void harden_help(FILE *to);

#endif

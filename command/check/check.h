/* SPDX-License-Identifier: MIT */
#ifndef PAM_UNSHARE_CHECK_H
#define PAM_UNSHARE_CHECK_H

#include "command/lib/table.h"

extern const struct table_layout check_table;

/**
 * Check how a PAM service isolates a user: read the service's session lines, then open and close a
 * real session in a process of its own. What is found is printed to standard output, as text at
 * once; or as a table at the end, if any of the options is given.
 *
 * Runs as root, on the host.
 *
 * @param service  as in /etc/pam.d
 * @param user     a user's name
 * @return the exit status: 0 isolated, or left alone as the configuration says; 1 something is
 * wrong; 2 the check could not be made
 */
int check_service(const char *service, const char *user, const struct table_options *options);

/**
 * Check a configuration file before it is put in place, by the module's own parser. Prints as
 * check_service(). No session is opened.
 *
 * Runs as root, on the host. May ask the directory service.
 *
 * @param path   absolute
 * @param users  names of n users: whether they would be isolated is said
 * @return the exit status: 0 it is understood; 1 it is not; 2 there is no such user, or the check
 * could not be made
 */
int check_conf(const char *path, char *const users[], int n, const struct table_options *options);

#endif

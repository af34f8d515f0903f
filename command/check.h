/* SPDX-License-Identifier: MIT */
#ifndef PAM_UNSHARE_CHECK_H
#define PAM_UNSHARE_CHECK_H

/**
 * Check how a PAM service isolates a user, and print what was found to standard output: read the
 * service's session lines, then open and close a real session in a process of its own.
 *
 * Runs as root, on the host.
 *
 * @param service  as in /etc/pam.d
 * @param user     a user's name
 * @return the exit status: 0 isolated, or left alone as the arguments say; 1 something is wrong;
 *         2 the check could not be made
 */
int check_service(const char *service, const char *user);

#endif

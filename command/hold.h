/* SPDX-License-Identifier: MIT */
#ifndef PAM_UNSHARE_HOLD_H
#define PAM_UNSHARE_HOLD_H

/**
 * Open a session of a PAM service for a program that cannot do so itself, such as one with threads,
 * and hold it open until standard input is at its end. Once it is open, a line on standard output
 * says "isolated" or "left alone"; with the former the caller enters the namespaces of this
 * process, /proc/PID/ns/pid_for_children and mnt.
 *
 * Runs as root, on the host.
 *
 * @param service  as in /etc/pam.d
 * @param user     a user's name, or +UID
 * @return the exit status: 0; 1 the session was refused; 2 there is no such user, no line of the
 *         service names the module, one has enter=fork, or the session could not be held
 */
int hold_session(const char *service, const char *user);

#endif

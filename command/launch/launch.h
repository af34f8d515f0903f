/* SPDX-License-Identifier: MIT */
/*
 * The user manager, inside: the program of user@UID.service.
 *
 * systemd cannot start it there: PrivatePIDs= excludes PAMName=, and its own process that closes
 * the PAM session does so as soon as getppid(2) changes, which is 0 in a PID namespace. So the
 * launcher is the PAM application. The user manager is a child of PID 1's (CLONE_PARENT) and the
 * unit's main process, as without the launcher: signals, reload, status and exit code are
 * systemd's.
 */
#ifndef PAM_UNSHARE_LAUNCH_H
#define PAM_UNSHARE_LAUNCH_H

#include <stdbool.h>

/* What a unit's program ends with when it cannot be started, systemd.exec(5). */
enum launch_status {
	LAUNCH_EXEC = 203,
	LAUNCH_GROUP = 216,
	LAUNCH_USER = 217,
	LAUNCH_CGROUP = 219,
	LAUNCH_PAM = 224,
	LAUNCH_NAMESPACE = 226,
};

/**
 * Open a session of the PAM service systemd-user, start a program in it as the user, inside the
 * user's namespace if the configuration file says so, wait for its end, and close the session.
 *
 * Runs as root, on the host, as the main process of a unit with Type=notify, which the program
 * becomes (MAINPID=). Whoever is to be isolated and cannot be is refused.
 *
 * @param uid      of the user, decimal
 * @param scopes   let the user move processes out of the scopes of his sessions
 * @param program  its absolute path and arguments, and NULL
 * @return the exit status: 0, or one of enum launch_status
 */
int launch(const char *uid, bool scopes, char *const program[]);

#endif

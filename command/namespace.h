/* SPDX-License-Identifier: MIT */
/*
 * Namespaces of users (scope=user), for programs of root's that are no member themselves: a unit of
 * the user's, for example.
 */
#ifndef PAM_UNSHARE_NAMESPACE_H
#define PAM_UNSHARE_NAMESPACE_H

#include <stdbool.h>

/* What the namespace is made with; what is not given is as the configuration file says. */
struct namespace_options {
	const char *grace, *proc_options; /* values of the module's arguments; NULL: not given */
	bool linger, ipc;
	bool notify;	/* make: as the program of a unit with Type=notify, whose main process the
			   init becomes; do not pin it */
	bool if_shared; /* do nothing unless the configuration file says that the user's sessions
			   share a namespace */
};

/** Tell whether there is such a verb: make, pin or unpin. */
bool namespace_has_verb(const char *verb);

/**
 * Make a user's namespace and pin it, print the pid of its init, pin it, or unpin it. What is so
 * already stays so. But with the option notify a namespace that is there already is an error, since
 * its init is no process of the unit.
 *
 * Runs as root, on the host. Takes seconds at most, also when an init is frozen.
 *
 * @param verb     one of those above
 * @param user     a name or a uid
 * @param options  for make
 * @return the exit status: 0; 1 when there is no namespace that could be pinned; 2 when it could
 *         not be done
 */
int namespace_change(const char *verb, const char *user, const struct namespace_options *options);

/**
 * Serve one request for a user's namespace: the program of the unit pam-unshare-make@.service, with
 * a connection as standard input. The unit pam-unshare@UID.service makes it.
 *
 * Runs as root, on the host. Takes USER_MAKER_LIMIT for each of three steps at most.
 *
 * @return the exit status: 0; 2 when there is none
 */
int namespace_request(void);

#endif

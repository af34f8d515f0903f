/* SPDX-License-Identifier: MIT */
/*
 * A session's namespaces: create them, so that the application's future children are born inside;
 * end them; bring the application back. No PAM, no logging.
 */
#ifndef PAM_UNSHARE_NAMESPACES_H
#define PAM_UNSHARE_NAMESPACES_H

#include "failure.h"
#include "host_context.h"

#include <stdint.h>

/* What to create. */
struct namespaces_request {
	const char *title;	  /* the init's command line in ps(1), less than a page */
	const char *proc_options; /* mount options of the fresh /proc; NULL: those of the host's */
	uid_t user;		  /* whose session it is */
	unsigned int grace;	  /* seconds that processes have to end by themselves */
	bool ipc;		  /* an IPC namespace too */
};

/*
 * The namespaces that the application is in. Descriptors are FIRST_FD or higher and close-on-exec.
 * A child that never executes a program keeps copies of them: none of them would let an
 * unprivileged process out (a descriptor of a directory would).
 */
struct namespaces {
	struct host_namespaces host; /* to return to */
	int init_pidfd;
	pid_t init_pid;		/* in the application's PID namespace, for log lines only */
	uint64_t pid_namespace; /* its inode number, as lsns(8) shows it */
	struct file_id root;	/* the root directory inside */
	long children_minflt;	/* ru_minflt of RUSAGE_CHILDREN: changes with each reaped child */
	bool cwd_is_root;	/* the working directory shows the host, or is not there inside: "/"
				 * instead
				 */
	struct directory cwd;	/* at the open; last, since most of it is never written to */
};

/**
 * Create a PID and a mount namespace. Afterwards the caller is in the mount namespace, its
 * children are born in the PID namespace, and the namespace's init has reported that its /proc is
 * mounted.
 *
 * Runs in the application, which must have one thread, must not be chrooted, and must have the
 * capabilities that preflight.c checks. On failure the caller is where it was, with no process,
 * mount or descriptor left behind, or why->return_failed is set.
 *
 * @param request  what to create
 * @param ns       filled in on success
 * @param why      filled in on failure
 * @return 0 or -errno
 */
int namespaces_create(
	const struct namespaces_request *request, struct namespaces *ns, struct failure *why);

/**
 * Tell the init that the session has ended. Do not wait for its end: PID 1's exit waits inside the
 * kernel until every process of the namespace has been reaped, and some of them are the caller's
 * own children (zap_pid_ns_processes()).
 *
 * Runs in the application.
 *
 * @return 0, also when the init has ended already, or -errno of pidfd_send_signal(2)
 */
int namespaces_end(const struct namespaces *ns);

/**
 * Bring the application back to the host's namespaces, and to the same working directory as far as
 * that exists there. Closes the descriptors in ns. If no process was ever born in the namespace,
 * waits for its init, which must have been told to end.
 *
 * Runs in the application.
 *
 * @param ns   as filled in by namespaces_create()
 * @param why  filled in on failure; cwd_errno also on success
 * @return 0, or -errno with return_failed or lacks_capabilities set when it is still inside
 */
int namespaces_leave(struct namespaces *ns, struct failure *why);

/**
 * Count the page faults of the children that the application has reaped, getrusage(2): the same
 * number again means that it has reaped none. Runs in the application.
 */
long children_minflt(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The application's side of a session's namespaces: make them and move the application's future
 * children there, and bring the application back. No PAM, no logging.
 */
#ifndef PAM_UNSHARE_NAMESPACE_H
#define PAM_UNSHARE_NAMESPACE_H

#include "common/syscalls.h"
#include "failure.h"

#include <limits.h>
#include <stdint.h>

struct procfs_plan;

/* What to make. */
struct namespace_request {
	const char *title; /* how the init shows in ps(1), less than a page */
	const char *
		proc_options; /* mount options of the fresh /proc, NULL: those of the present one */
	uid_t user;	      /* whose session it is */
	unsigned int grace;   /* seconds that processes have to end by themselves */
	bool ipc;	      /* an IPC namespace too */
};

/* A directory to come back to. */
struct directory {
	struct file_id id;
	char path[PATH_MAX]; /* "": none */
};

/*
 * The namespaces that the application is in. Descriptors are 10 or higher (applications close and
 * replace 0 to 2) and close-on-exec. A child that never executes a program keeps copies: of nothing
 * that would let an unprivileged process out (a descriptor of a directory would).
 */
struct namespace
{
	int host_mount;	     /* the mount namespace to return to */
	int host_pid;	     /* the PID namespace of the application itself */
	int host_ipc;	     /* the IPC namespace to return to, -1: never left */
	int init;	     /* pidfd of the namespace's init */
	pid_t init_pid;	     /* its pid in the application's PID namespace, for log lines only */
	uint64_t inode;	     /* the PID namespace's number, as lsns(8) shows it */
	struct file_id root; /* the root directory inside */
	long waited_for;     /* of the application's children, a number that tells whether it has */
	bool moved;	     /* from cwd to the root: it would have shown the host */
	struct directory
		cwd; /* where the application stood; last, for most of it is never written to */
};

/**
 * Make a PID and a mount namespace: afterwards the caller is in the mount namespace, its children
 * are born in the PID namespace, and the namespace's init has said that its /proc is mounted.
 *
 * Runs in the application, which must be single-threaded, not chrooted, and have the capabilities
 * that are checked for by name. On failure the caller is where it was, with no process, mount or
 * descriptor left behind, or why->stranded is set.
 *
 * @param request  what to make
 * @param ns       filled in on success
 * @param why      filled in on failure
 * @return 0 or -errno
 */
int namespace_create(
	const struct namespace_request *request, struct namespace *ns, struct failure *why);

/**
 * Tell the namespace's init that the session has ended; do not wait for it: its end waits inside
 * the kernel until every process of the namespace has been reaped, and some of them are the
 * caller's own children (zap_pid_ns_processes()).
 *
 * Runs in the application.
 *
 * @return 0, also when the init has ended already, or -errno of pidfd_send_signal(2)
 */
int namespace_end(const struct namespace *ns);

/**
 * Bring the application back to the namespaces that namespace_create() took it from, and to the
 * same working directory, as far as that exists there. Closes the descriptors in ns. If no process
 * was ever born in the namespace, its init, which has been told to end, is waited for.
 *
 * Runs in the application.
 *
 * @param ns   as filled in by namespace_create()
 * @param why  filled in on failure; why->astray also on success
 * @return 0, or -errno with why->stranded or why->powerless set when it is still inside
 */
int namespace_leave(struct namespace *ns, struct failure *why);

/**
 * Tell whether the calling application is on its host: that is, in no session of this module, which
 * another transaction in the same process may have opened.
 *
 * @return true if /proc shows the caller
 */
bool namespace_is_host(void);

/**
 * Reap inits that have ended, of any session of this process, without waiting. A long-lived
 * application would collect them otherwise: its own wait(2) does not see them.
 *
 * Runs in the application, with /proc that of its PID namespace.
 */
void namespace_reap(void);

#endif

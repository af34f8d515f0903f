/* SPDX-License-Identifier: MIT */
/*
 * A session's namespaces: create them, so that the application's future children are born inside;
 * end them; bring the application back. No PAM, no logging.
 */
#ifndef PAM_UNSHARE_NAMESPACES_H
#define PAM_UNSHARE_NAMESPACES_H

#include "common/user_protocol.h"
#include "failure.h"
#include "host_context.h"

#include <stdint.h>

/* Who makes a user's namespace that is not there. */
enum maker {
	MAKER_UNIT_OR_CALLER, /* its unit, where that can be asked for it; else the caller */
	MAKER_UNIT,	      /* its unit alone */
	MAKER_CALLER,	      /* the caller */
	MAKER_IS_UNIT, /* the caller, which is the unit's program: the init becomes a child of
			  the caller's parent, and waits a minute for its first member */
};

/* What to create. */
struct namespaces_request {
	const char *title;	  /* the init's command line in ps(1), less than a page */
	const char *proc_options; /* mount options of the fresh /proc; NULL: those of the host's */
	uid_t user;		  /* whose session it is */
	unsigned int grace;	  /* seconds that processes have to end by themselves */
	bool ipc;		  /* an IPC namespace too */
	unsigned int privacy;	  /* what is the user's alone, or hidden: enum privacy */
	bool at_fork;		  /* the application stays on the host: at_fork.h */
	bool has_desktop;	  /* its pids should not be those of another session */

	/* With scope=user alone: */
	const char *name;    /* the user's */
	const char *service; /* PAM service */
	bool linger;	     /* the namespace ends only when its last process has ended */
	bool pinned;	     /* it stays without members, until it is told otherwise */
	enum maker maker;
	/* Tell whether another name is the user's too: whoever made the namespace was called so. */
	bool (*is_same_user)(void *context, const char *name);
	void *context;
};

/*
 * The namespaces that the application is in. Descriptors are FIRST_FD or higher and close-on-exec.
 * A child that never executes a program keeps copies of them: none of them would let an
 * unprivileged process out (a descriptor of a directory would).
 */
struct namespaces {
	struct host_namespaces host;   /* to return to */
	struct host_namespaces inside; /* with at_fork: to enter; else -1 */
	int init_pidfd;		       /* of a session's own; -1 where it is shared */
	pid_t init_pid;		       /* in the application's PID namespace, for log lines only */
	uint64_t pid_namespace;	       /* its inode number, as lsns(8) shows it */
	struct file_id root;	       /* the root directory inside */
	bool at_fork;		       /* the application is on the host, and its children enter */
	bool shared;		       /* with the user's other sessions */
	bool joined;		       /* it was there before */
	unsigned int tries;	       /* more than 1: others were making it, or it was ending */
	bool lacks_ipc;		       /* an IPC namespace was asked for, and there is none */
	bool lacks_privacy;	       /* as much of it as was asked for */
	unsigned int full_places;      /* enum full_place */
	struct user_member member;     /* of a shared one */
	char place[USER_PLACE_SIZE];
	long children_minflt; /* ru_minflt of RUSAGE_CHILDREN: changes with each reaped child */
	bool cwd_is_root;     /* the working directory shows the host, or is not there inside: "/"
			       * instead
			       */
	struct directory cwd; /* at the open; last, since most of it is never written to */
};

/**
 * Create a PID and a mount namespace. Afterwards the caller is in the mount namespace, its
 * children are born in the PID namespace, and the namespace's init has reported that its /proc is
 * mounted.
 *
 * With at_fork the caller is where it was, with descriptors of the namespaces; at_fork_begin() then
 * has its children enter them.
 *
 * Runs in the application, which must have one thread (but with at_fork), must not be chrooted, and
 * must have the capabilities that preflight.c checks. On failure the caller is where it was, with
 * no process, mount or descriptor left behind, or why->return_failed is set.
 *
 * @param request  what to create
 * @param ns       filled in on success
 * @param why      filled in on failure
 * @return 0 or -errno
 */
int namespaces_create(
	const struct namespaces_request *request, struct namespaces *ns, struct failure *why);

/**
 * The same for scope=user: enter the namespaces that all sessions of the user share, and make them
 * if there are none. They are made from the mount namespace of PID 1, whichever the application is
 * in. An application in another mount namespace, or a machine where "/" is not shared, shares the
 * PID namespace only, and has a mount namespace and a procfs of its own.
 *
 * Runs in the application. Takes seconds at most: whoever has stopped a process in the middle of
 * this, or has frozen an init, keeps nobody out.
 *
 * @return 0 or -errno: EALREADY (the application is in them already; nothing was done), EXDEV (it
 * is in the namespace of another user or session, or the init is out of its reach), ETIMEDOUT, or
 * another: then the caller is where it was, and may go on with namespaces_create(), unless
 * why->return_failed is set
 */
int namespaces_share(
	const struct namespaces_request *request, struct namespaces *ns, struct failure *why);

/**
 * Tell the init that the session has ended. Do not wait for its end: PID 1's exit waits inside the
 * kernel until every process of the namespace has been reaped, and some of them are the caller's
 * own children (zap_pid_ns_processes()).
 *
 * Runs in the application. Does nothing where the namespace is shared: namespaces_leave() ends the
 * membership.
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
 * @param why  filled in on failure; cwd_errno and leave_errno also on success
 * @return 0, or -errno with return_failed or lacks_capabilities set when it is still inside
 */
int namespaces_leave(struct namespaces *ns, struct failure *why);

/**
 * Count the page faults of the children that the application has reaped, getrusage(2): the same
 * number again means that it has reaped none. Runs in the application.
 */
long children_minflt(void);

#endif

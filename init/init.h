/* SPDX-License-Identifier: MIT */
/*
 * PID 1 of a session's PID namespace: a fork of the application that never executes another
 * program (execve(2) would turn its exit signal into SIGCHLD and the application's wait(2) would
 * meet it).
 */
#ifndef PAM_UNSHARE_INIT_H
#define PAM_UNSHARE_INIT_H

#include "common/procfs.h"
#include "common/syscalls.h"
#include "memory.h"

/* The name of the init in ps(1) and lsns(8); the kernel keeps 15 characters. */
#define INIT_NAME "pam_unshare"

/* What the application hands to the init. */
struct init_task {
	int opener;		    /* pidfd of the application, 10 or higher */
	int report;		    /* write end of the pipe for struct init_report, 10 or higher */
	int mount_namespace;	    /* the session's */
	struct file_id root;	    /* the application's root directory */
	struct procfs_plan *procfs; /* what to replace */
	const char *where;	    /* the mount point that it is at work on */
	bool replaced;		    /* by procfs_replace(): a mount is another one now */
	unsigned int grace;	    /* seconds that processes have to end by themselves */
	bool hidden;		    /* its /proc does not show it the session's processes */
	void *stack;		    /* of init_stack_new() */
	char *title;		    /* the command line that ps(1) shows; the stack begins below */
	struct kept kept;	    /* what it keeps of the application's memory */
};

/* The steps up to "ready", in their order. */
enum init_step {
	INIT_READY,
	INIT_PID,
	INIT_IDS,
	INIT_SIGNALS,
	INIT_TERMINAL,
	INIT_OPENER,
	INIT_CHROOT,
	INIT_PROCFS,
	INIT_DIRECTORY,
	INIT_DESCRIPTORS,
	INIT_CAPABILITIES,
	INIT_DUMPABLE,
};

/* What the init says to the application: that it is ready, or which step failed how. */
struct init_report {
	enum init_step step;
	int err;	   /* errno of the failed step; EXDEV at INIT_CHROOT: it is chrooted */
	const char *where; /* INIT_PROCFS: the mount point, an address in the forked memory */
	bool replaced;	   /* INIT_READY: the application's directories are to be entered anew */
};

/** The step in words, for a log line. */
const char *init_step_name(enum init_step step);

/**
 * Be the init: set up, report, reap, and end when the session ends.
 *
 * Runs in the init, on the stack of its own, with all signals blocked. The session ends when the
 * opener dies, or on a SIGTERM from outside the namespace: then SIGHUP, SIGTERM and SIGCONT go to
 * what is left, and the init exits as soon as nothing is left or after the time of grace. The
 * kernel kills the rest (pid_namespaces(7)). Uses only async-signal-safe calls.
 */
_Noreturn void init_main(struct init_task *task);

#endif

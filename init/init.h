/* SPDX-License-Identifier: MIT */
/*
 * PID 1 of a session's PID namespace: a fork of the application that never executes another
 * program. (execve(2) would turn its exit signal into SIGCHLD, and the application's wait(2) would
 * return it.)
 */
#ifndef PAM_UNSHARE_INIT_H
#define PAM_UNSHARE_INIT_H

#include "common/syscalls.h"
#include "common/user_protocol.h"
#include "memory.h"

#include <stdbool.h>

struct procfs_plan;

/* The init's name in ps(1) and lsns(8). The kernel keeps 15 characters. */
#define INIT_NAME "pam_unshare"

/* How its command line begins, before "USER (SERVICE)". */
#define INIT_TITLE INIT_NAME ": init of "

/* What the init of a user's namespace (scope=user) is told besides. */
struct user_task {
	int directory;		     /* USER_DIRECTORY */
	const char *place;	     /* the socket's name there */
	const char *name;	     /* the user's */
	struct user_service service; /* of the opener */
	bool linger, pinned, ipc, shared_root;
	unsigned int privacy;	  /* for who joins to know */
	bool held;		  /* it waits a minute for its first member */
	int lock, listener, proc; /* the init's; FD_FREE or higher */
};

/* What becomes the user's own, and what is hidden, besides processes. */
struct privacy_task {
	unsigned int wanted; /* enum privacy */
	char user[16];	     /* the uid, in digits */
	char slice[64];	     /* the user's branch below CGROUPS */
};

/* What the application hands to the init. */
struct init_task {
	int opener;		  /* pidfd of the application, 10 or higher */
	int report_fd;		  /* write end of the pipe for struct init_report, 10 or higher */
	int mount_namespace;	  /* the session's */
	struct file_id root;	  /* the application's root directory */
	struct procfs_plan *plan; /* which procfs instances to replace */
	unsigned int grace;	  /* seconds that processes have to end by themselves */
	bool hidden;		  /* hidepid= keeps the init from seeing the session's processes */
	void *stack;		  /* of init_stack_new() */
	char *title;		  /* the command line in ps(1); the stack begins below */
	struct retained retained; /* what it keeps of the application's memory */
	struct user_task *user;	  /* NULL: the init of a session */
	struct privacy_task privacy;
	char last_pid[16]; /* in digits: the next pids are greater; "": they begin with 2 */
	bool is_helper;	   /* no init: only replaces the procfs, in a namespace that has one */
};

/* The steps that can fail before "ready". init.c has their order. */
enum init_step {
	INIT_READY,
	INIT_PID,
	INIT_IDS,
	INIT_SIGNALS,
	INIT_TERMINAL,
	INIT_OPENER,
	INIT_LIMITS,
	INIT_LOCK,
	INIT_CHROOT,
	INIT_PROCFS,
	INIT_PLACES,
	INIT_CGROUPS,
	INIT_OWN_PROCFS,
	INIT_MOUNTS,
	INIT_LISTEN,
	INIT_MEMBERS,
	INIT_DIRECTORY,
	INIT_DESCRIPTORS,
	INIT_CAPABILITIES,
	INIT_DUMPABLE,
	INIT_STEPS, /* how many */
};

/* What the init reports to the application: that it is ready, or which step has failed. */
struct init_report {
	enum init_step step;
	int err;		  /* errno of the failed step; EXDEV at INIT_CHROOT: chrooted;
				     EWOULDBLOCK at INIT_LOCK: another init has the lock */
	const char *mount_point;  /* INIT_PROCFS, INIT_PLACES: where; an address in the forked
				     memory */
	bool parent_replaced;	  /* INIT_READY: the application must enter its directories anew */
	unsigned int full_places; /* INIT_READY: enum full_place */
	struct user_member first; /* INIT_READY: the opener's membership in a user's namespace */
};

/**
 * Be the init: set up, report, reap, and end when the session ends.
 *
 * Runs in the init, on a stack of its own, with all signals blocked. The session ends when the
 * opener dies, or on a SIGTERM from outside the namespace. Then SIGHUP, SIGTERM and SIGCONT go to
 * the processes that are left, and the init exits when none is left, or after the grace period.
 * The kernel kills the rest (pid_namespaces(7)). Makes only async-signal-safe calls.
 */
_Noreturn void init_main(struct init_task *task);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The application starts the namespace's init, waits for its report, and reaps it.
 */
#ifndef PAM_UNSHARE_INIT_START_H
#define PAM_UNSHARE_INIT_START_H

#include "common/syscalls.h"
#include "failure.h"

/* How long the init may take to be ready, milliseconds. It takes less than one, and with private=,
   if somebody has frozen who makes a place's directory, two seconds. */
#define READY_LIMIT_MS 20000

struct init_report;
struct procfs_plan;
struct user_task;

/* What the init needs to know. */
struct init_request {
	const char *title;	  /* its command line in ps(1), less than a page */
	unsigned int grace;	  /* seconds that processes have to end by themselves */
	struct procfs_plan *plan; /* which procfs instances it replaces */
	int proc_self;		  /* the application's directory in the host's /proc */
	struct file_id root;	  /* the application's root directory */
	struct user_task *user;	  /* NULL: the init of a session */
	uid_t owner;		  /* whose session it is */
	unsigned int privacy;	  /* what is the owner's alone, or hidden: enum privacy */
	bool spreads_pids; /* the pids begin at random: desktops name things that all users share by
			      them */
	bool is_parents;   /* it becomes a child of the caller's parent, and its exit signal is the
			      caller's */
	bool is_helper;	   /* only replace the procfs, in a PID namespace that has an init */
};

/* An init that was started. */
struct started_init {
	int pidfd;     /* FIRST_FD or higher; -1: none */
	pid_t pid;     /* in the application's PID namespace */
	int report_fd; /* read end of the pipe for its report; -1: none */
};

/**
 * Fork the init of the PID namespace that the caller's next child is born in. Do not wait for it.
 *
 * Runs in the application, which must be in the mount namespace that is to be the session's.
 *
 * @param init  filled in, also on failure
 * @return 0 or -errno
 */
int init_start(const struct init_request *request, struct started_init *init, struct failure *why);

/**
 * Wait for the init's report, at most READY_LIMIT_MS: below a mount point of a file server that
 * does not answer the init may be stuck until it is killed.
 *
 * Runs in the application.
 *
 * @param report  filled in
 * @return 0 or -errno: ETIMEDOUT (it is late), ECHILD (it has ended), EXDEV (the application is
 *         chrooted), EWOULDBLOCK (another init of the user's has the lock), or that of the step of
 *         the init that failed
 */
int init_wait_until_ready(
	const struct started_init *init, struct init_report *report, struct failure *why);

/**
 * Kill and reap an init whose namespace no session was born in. Nothing else is in there, so it
 * ends at once and may be waited for.
 *
 * Runs in the application. Does nothing if there is none.
 */
void init_discard(const struct started_init *init);

/** Tell whether a process is an init of this module, by its name. Runs in the application. */
bool is_init(pid_t pid);

/**
 * Reap inits that have ended, of any session of this process, without waiting. Their exit signal
 * is 0, so the application's own wait(2) does not see them, and a long-lived application would
 * collect zombies.
 *
 * Runs in the application, with /proc that of its PID namespace.
 */
void init_reap(void);

#endif

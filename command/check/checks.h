/* SPDX-License-Identifier: MIT */
/*
 * The two halves of a check: what the files say, and what a real session does. The session is
 * opened by a child, whose child in turn is what the user would be. The process that checks stays
 * on the host, and sees whether anything is left.
 */
#ifndef PAM_UNSHARE_CHECKS_H
#define PAM_UNSHARE_CHECKS_H

#include "findings.h"
#include "module/options.h"

#include <pwd.h>
#include <stdint.h>
#include <sys/types.h>

#define MODULE "pam_unshare.so"

struct check {
	const char *service, *user;
	struct passwd account; /* of the user: name, uid, gid */
	struct findings findings;
	struct pam_stack stack;
	const struct pam_stack_line *open, *close; /* the first lines that do so; NULL: none */
};

/* What the child that opens the session finds, in memory that it shares. */
struct outcome {
	bool finished; /* it came to its end */
	bool isolated, left_alone;
	uint64_t pid_namespace; /* of the session, 0: none was opened */
	unsigned int grace;
	unsigned int problems;
};

/** Report what is known of the service's application. Tells whether the module does harm in it. */
bool check_application(struct check *check);

/** Report what is wrong in the session lines. Fills in check->open and check->close. */
void check_files(struct check *check);

/** Report lines that stand in the wrong order. There is a line that opens. */
void check_order(struct check *check);

/**
 * Open a session, look around in it, and close it.
 *
 * Runs in a process of its own, with which everything ends that modules leave behind.
 */
void check_session(struct check *check, struct outcome *outcome);

/**
 * Report the processes that the user sees in the session that is open.
 *
 * Runs in the process that opened it, on a child that becomes the user.
 *
 * @return whether the module's init is PID 1 there. outcome->pid_namespace is filled in.
 */
bool check_view(struct check *check, struct outcome *outcome);

/**
 * Explain scope=user: whether the session has made the user's namespace or joins it, or why it has
 * one of its own. Reports nothing with scope=session.
 *
 * Runs in the process that opened the session, while it is open, as root.
 *
 * @param pid_namespace  that the session was opened from
 */
void check_scope(struct check *check, const struct options *opts, uint64_t pid_namespace);

/** The line of a configuration file that a mistake is in, by the message of the module's parser; 0:
    the whole file. */
unsigned int mistake_line(const char *message, const char *path);

/** The number of a namespace, from a path in /proc/self/ns; 0: none. */
uint64_t namespace_number(const char *path);

#endif

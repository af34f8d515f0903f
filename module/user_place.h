/* SPDX-License-Identifier: MIT */
/*
 * Where the init of a user's namespace (scope=user) is found, and how it is asked: the client's
 * side of common/user_protocol.h. No PAM, no logging.
 */
#ifndef PAM_UNSHARE_USER_PLACE_H
#define PAM_UNSHARE_USER_PLACE_H

#include "common/user_protocol.h"
#include "failure.h"

#include <sys/types.h>

/* How long a connection may take, and an answer, seconds. An init takes less than a millisecond; it
   is late if somebody has frozen it. */
#define USER_ANSWER_LIMIT 2

/* How long the unit may take that makes a namespace, seconds. It takes some 50 milliseconds. */
#define USER_MAKER_LIMIT 20

struct user_place {
	int directory; /* USER_DIRECTORY */
	char name[USER_PLACE_SIZE];
};

/* The init that has answered. */
struct user_init {
	int pidfd; /* -1: none */
	pid_t pid; /* in the caller's PID namespace; 0: it is not in there or below */
	struct user_answer answer;
};

/**
 * Open USER_DIRECTORY, and make it if it is missing.
 *
 * Runs in the application, and in the command.
 *
 * @param uid            whose namespace
 * @param pid_namespace  inode of the caller's PID namespace
 * @param place          filled in; close it with user_place_close()
 * @return 0 or -errno: EPERM when others than root may enter the directory, or that of mkdir(2) or
 *         open(2)
 */
int user_place_open(
	uid_t uid, uint64_t pid_namespace, struct user_place *place, struct failure *why);

/** Close the descriptor. */
void user_place_close(struct user_place *place);

/**
 * Send a request to the init of a user's namespace, and wait for the answer. That it is the init's
 * is proven by the kernel: only the init has the listening socket, and SO_PEERCRED is whoever has
 * called listen(2), unix(7).
 *
 * Runs in the application, and in the command.
 *
 * @param name     of the place in USER_DIRECTORY
 * @param request  with the operation
 * @param passed   a descriptor that goes along; -1: none
 * @param init     filled in on success; close its pidfd
 * @param got      set to the descriptor that came with the answer, or -1; NULL: not wanted
 * @return 0 or -errno: ENOENT (there is no such namespace), ECONNRESET (it is ending), ETIMEDOUT,
 *         EPROTO (an init of another release), or the errno of the answer
 */
int user_ask(const char *name, struct user_request *request, int passed, struct user_init *init,
	int *got, struct failure *why);

/**
 * The first half of user_ask(): send the request. The caller can do something else before
 * user_hear(), which has to follow.
 *
 * Runs in the application, and in the command.
 *
 * @param init  its pid and pidfd are filled in on success
 * @return the connection, which user_hear() closes, or -errno
 */
int user_call(const char *name, struct user_request *request, int passed, struct user_init *init,
	struct failure *why);

/**
 * The second half: wait for the answer. Closes the connection, and on failure the init's pidfd.
 *
 * Runs in the application, and in the command.
 *
 * @return 0 or -errno
 */
int user_hear(int connection, struct user_init *init, int *got, struct failure *why);

/**
 * Have the unit make a user's namespace, where the machine has such a unit.
 *
 * Runs in the application.
 *
 * @return 0 or -errno: ENOENT (there is no such unit), ETIMEDOUT after USER_MAKER_LIMIT, or another
 */
int user_have_made(uid_t uid, struct failure *why);

/**
 * End a membership. Does not wait for an answer: there is none.
 *
 * Runs in the application.
 *
 * @return 0 or -errno: ENOENT or ECONNRESET when the namespace has ended
 */
int user_leave(const char *name, const struct user_member *member);

#endif

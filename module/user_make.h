/* SPDX-License-Identifier: MIT */
/*
 * scope=user: find the namespaces of a user, or make them, and become their member. This is all
 * that is done without entering them. No PAM, no logging.
 */
#ifndef PAM_UNSHARE_USER_MAKE_H
#define PAM_UNSHARE_USER_MAKE_H

#include "descriptors.h"
#include "namespaces_internal.h"
#include "user_place.h"

/* On the way into a user's namespaces. */
struct share {
	const struct namespaces_request *request;
	struct creation creation; /* the host context is used for joining as well */
	ino_t pid_namespace;	  /* the caller's own */
	int origin; /* the mount namespace of PID 1, which they are made from; -1: the application
		       is in it */
	struct user_place place;
	struct user_init init;
	unsigned int tries; /* to become a member */
	bool looked;	    /* the descriptors are those that find_host_descriptors() has found */
	struct descriptors shown;
};

#define SHARE_NONE(asked)                                                    \
	(struct share)                                                       \
	{                                                                    \
		.request = (asked), .creation = CREATION_NONE, .origin = -1, \
		.place = {.directory = -1}, .init = {.pidfd = -1},           \
	}

/**
 * Check the application, save the host context, and open the place.
 *
 * Runs in the application, and in the command.
 *
 * @param share  SHARE_NONE; close it with share_close(), also on failure
 * @return 0 or -errno
 */
int share_begin(struct share *share, struct failure *why);

/**
 * Open the mount namespace of PID 1.
 *
 * Runs in the application, and in the command; not inside a namespace of this module's.
 *
 * @return 0 or -errno: EXDEV (the caller is chrooted), or that of open(2)
 */
int share_find_origin(struct share *share, struct failure *why);

/**
 * Become a member of the user's namespaces, and make them first if there are none: from the mount
 * namespace of PID 1. The caller stays where it is.
 *
 * Runs in the application, and in the command.
 *
 * @param share   begun, with its origin; its init is filled in
 * @param joined  set to whether they were there before
 * @return 0 or -errno: EEXIST (what is there is another user's, who had this uid), EXDEV (the
 *         init is out of the caller's reach), ETIMEDOUT, or another
 */
int share_become_member(struct share *share, bool *joined, struct failure *why);

/** Note that setns(2) has reported success and done nothing. Returns -ENOTSUP. */
int fail_setns(struct failure *why);

/** Release what is not handed over. */
void share_close(struct share *share);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The steps of the init of a user's namespace (scope=user) that the init of a session does not
 * have; init.c has their order. Each returns 0 or more, or a negative number with errno. All run in
 * the init until it is ready.
 */
#ifndef PAM_UNSHARE_USER_SETUP_H
#define PAM_UNSHARE_USER_SETUP_H

#include "init.h"
#include "members.h"

/**
 * Take the lock: from now on no other namespace of this user can be made that others join.
 *
 * @return -1 with EWOULDBLOCK when another init has it
 */
int take_lock(struct user_task *user);

/**
 * Be independent of the process that happened to be the first: its limits, priority and processors.
 * Before the lock: whoever has a low priority must not have it.
 *
 * @return -1 with EPERM when a limit remains that would end the init, or keep members out: its user
 *         may have set it for a program of root's, su(1), and the sessions of another
 */
int reset_limits(void);

/** Open a procfs that hides nothing, detached: the init's own view of the namespace. */
int open_proc(struct user_task *user);

/**
 * Make the mounts shared among the namespaces that are made inside, still slaves of the host's. Or,
 * where "/" is not shared on the host, so that nothing would follow the host's mounts: leave all
 * mounts, since the init would keep what the host has unmounted. The root directory is the
 * procfs of open_proc() then.
 */
int settle_mounts(const struct user_task *user);

/** Listen. From now on the namespace can be joined. */
int listen_for_members(struct user_task *user);

/**
 * Allocate the slots, and enter the opener as the first member.
 *
 * @param members   filled in
 * @param retained  the slots are added
 * @param first     filled in: the opener's membership
 */
int members_begin(const struct user_task *user, struct members *members, struct retained *retained,
	struct user_member *first);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The members of a user's namespace (scope=user): the processes that have sessions in it open. They
 * join and leave through the init's socket, common/user_protocol.h.
 */
#ifndef PAM_UNSHARE_MEMBERS_H
#define PAM_UNSHARE_MEMBERS_H

#include "common/user_protocol.h"

#include <stdbool.h>

/* A slot, by the number of the member's pidfd. */
struct member {
	uint64_t nonce; /* 0: the slot is free */
	uint64_t since; /* seconds since the epoch */
	struct user_service service;
};

/* How many connections may wait for their request at the same time. */
#define PENDING_MAX 32

/* What the init of a user's namespace knows; on its stack. */
struct members {
	struct member *slots;
	uint32_t n_slots; /* how many there is room for */
	uint32_t n;	  /* how many are used */
	int pending[PENDING_MAX], n_pending;
	unsigned int oldest; /* of them, as far as it is known */
	bool paused;	     /* it accepts nobody for a while */
	int survivor;	     /* pidfd of a process that keeps the namespace (linger); -1: none */
	bool pinned, linger;
	bool held;		   /* nobody has joined yet, and HOLD is not over */
	struct user_answer answer; /* with what is the same in all of them */
};

/** Enter a member in a slot. Runs in the init. */
void members_enter(struct members *members, const struct user_member *member,
	const struct user_service *service);

/** A new random number, or 0. Runs in the init. */
uint64_t new_nonce(void);

/**
 * Make the epoll(7) instance.
 *
 * Runs in the init, just before it is ready, when FD_LISTENER listens.
 *
 * @return 0, or -1 with errno
 */
int members_watch(const struct members *members);

/**
 * Serve the socket, and wait until the namespace ends: there is no member, it is neither pinned nor
 * held, and, if it lingers, no process is left; or a SIGTERM has come from outside.
 *
 * Runs in the init. From its return on nobody can join: the socket and the lock are closed.
 */
void serve_members(struct members *members);

#endif

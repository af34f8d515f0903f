/* SPDX-License-Identifier: MIT */
/*
 * What root's programs say to the init of a user's namespace (scope=user), over the init's own
 * socket: one request and one answer in a connection.
 *
 * The socket and its lock are in USER_DIRECTORY, which only root may enter. The init holds the lock
 * for as long as the namespace may be joined, and only who holds it makes the socket. The kernel
 * frees it when the init ends in whatever way: a socket that nobody listens to is a leftover.
 */
#ifndef PAM_UNSHARE_USER_PROTOCOL_H
#define PAM_UNSHARE_USER_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* The names there: "UID.NAMESPACE" is the socket, with ".lock" the lock. NAMESPACE is the inode of
   the PID namespace that the sessions are opened from: the host's, or that of a container. */
#define USER_DIRECTORY RUNSTATEDIR "/pam_unshare"
#define USER_LOCK_SUFFIX ".lock"
#define USER_PLACE_SIZE 48

/* Changes with the layout of the messages: module and init may be of different releases. */
#define USER_PROTOCOL 2

#define USER_NAME_SIZE 256

/* The name there of the socket of a unit that makes namespaces, if the machine has one. A
   connection is for one request. */
#define USER_MAKER "make"

struct user_maker_request {
	uint32_t protocol;
	uint32_t uid; /* whose namespace */
};

struct user_maker_answer {
	uint32_t protocol;
	uint32_t err; /* errno; 0: it has been made, or was there */
};

/* A PAM service; a longer name is cut. A structure, and aligned, so that an assignment copies it
   without memcpy(3), which the init has unmapped. */
struct user_service {
	_Alignas(uint64_t) char name[16];
};

enum user_operation {
	USER_JOIN,  /* with the pidfd of the opener: a member, until it leaves or dies */
	USER_LEAVE, /* with slot and nonce; is not answered */
	USER_PIN,   /* the namespace stays without members */
	USER_UNPIN,
	USER_ASK, /* about the namespace, and the first member in this slot or a later one */
};

/* A membership. The nonce proves that it is the caller's. */
struct user_member {
	uint64_t nonce;
	uint32_t slot;
	uint32_t used; /* in an answer: there is such a member */
};

struct user_request {
	uint32_t protocol;
	uint32_t operation;
	struct user_member member;
	struct user_service service; /* USER_JOIN */
};

struct user_answer {
	uint32_t protocol;
	uint32_t err;		   /* errno; 0: done */
	struct user_member member; /* USER_ASK: without the nonce */
	uint32_t n_members;
	uint8_t pinned, linger, ipc; /* ipc: it has an IPC namespace too */
	uint8_t shared_root;  /* its mount namespace may be joined: it follows the host's mounts */
	uint32_t privacy;     /* what is the user's alone, or hidden: enum privacy */
	uint32_t full_places; /* enum full_place */
	uint64_t since;	      /* USER_ASK: when the member joined, seconds since the epoch */
	struct user_service service; /* USER_ASK: the member's */
	char user[USER_NAME_SIZE];   /* the name that the namespace was made for */
};

/* i386 aligns 64 bits to four bytes: nothing may depend on that */
_Static_assert(offsetof(struct user_answer, since) % sizeof(uint64_t) == 0 &&
		       sizeof(struct user_answer) % sizeof(uint64_t) == 0 &&
		       offsetof(struct user_request, service) % sizeof(uint64_t) == 0 &&
		       sizeof(struct user_request) % sizeof(uint64_t) == 0,
	"messages have the same layout for 32 and 64 bits");

/* Room for the one descriptor that a message may bring. The kernel closes what else it holds. */
union user_control {
	struct cmsghdr header;
	unsigned char bytes[CMSG_LEN(sizeof(int))];
};

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What every part of an audit knows: the session, the decoys, and what the fixture has prepared.
 * Its functions run as root on the host, and in the probes, as the user in the session.
 */
#ifndef PAM_UNSHARE_CONTEXT_H
#define PAM_UNSHARE_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/user_protocol.h"

#define DECOYS_MAX 4
#define PROBES_MAX 96
#define SHARED_PLACES_MAX 4

/* A process of another user on the host. Its command line contains a secret. */
struct decoy {
	pid_t pid;
	char secret[33]; /* hexadecimal */
};

/* A directory that all users share, as it is on the host. */
struct shared_place {
	bool there;
	dev_t device;
	ino_t inode;
};

/* Root fills this in. The probes get a copy, which root never reads back: the user can write to it.
 */
struct audit_context {
	char directory[64]; /* of this audit, owned by root; its subdirectory "user" is the user's
			     */
	char command[256];  /* path of this program */
	char service[64], user[64], home[256];
	uid_t uid;
	gid_t gid;
	bool no_session;	 /* none is opened */
	bool systemd;		 /* systemd runs this machine */
	char unit[64];		 /* system unit that runs the last decoy; "": none */
	char manager[64];	 /* "active", or why there is no user manager; "": no systemd */
	unsigned short ssh_port; /* where the fixture's sshd listens; 0: there is none */
	char ssh_reason[128];	 /* why there is none */
	struct decoy decoys[DECOYS_MAX];
	size_t n_decoys;
	bool lock, segment;    /* the first decoy holds a file lock, a System V segment */
	bool inhibitor;	       /* one decoy is run by systemd-inhibit */
	bool descriptors;      /* the application holds / and /proc open */
	char cron_reason[128]; /* why the user's crontab is left alone; "": it may be changed */
	bool shares;	       /* the service has scope=user */
	pid_t namespace_init;  /* of another user's namespace, on the host; 0: there is none */
	char namespace_place[USER_PLACE_SIZE]; /* its name in USER_DIRECTORY */
	char namespace_reason[256];	       /* why there is none */
	struct shared_place shared[SHARED_PLACES_MAX];
	bool wanted[PROBES_MAX];
};

/* Their paths. */
extern const char *const shared_places[SHARED_PLACES_MAX];

/** The letters and digits in the name of the directory. They mark everything that this audit makes.
 */
const char *context_id(const struct audit_context *context);

/** @return the decoy with this pid, or NULL */
const struct decoy *context_decoy(const struct audit_context *context, long pid);

#endif

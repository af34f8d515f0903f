/* SPDX-License-Identifier: MIT */
/*
 * What making a session's own namespaces and sharing a user's have in common. All of it runs in the
 * application.
 */
#ifndef PAM_UNSHARE_NAMESPACES_INTERNAL_H
#define PAM_UNSHARE_NAMESPACES_INTERNAL_H

#include "init_start.h"
#include "namespaces.h"

struct procfs_plan;

/* What has been done so far, and is to be undone on failure. */
struct creation {
	struct host_context host;
	struct started_init init;
	int mountinfo; /* the mount table, where it has to be read as text; -1: not */
	struct procfs_plan *plan;
};

#define CREATION_NONE                                                              \
	(struct creation)                                                          \
	{                                                                          \
		.host = HOST_CONTEXT_NONE, .init = {.pidfd = -1, .report_fd = -1}, \
		.mountinfo = -1,                                                   \
	}

/**
 * Leave the host's namespaces, plan what becomes of each procfs, and start the process that does
 * it: the init, or a helper. Do not wait for it.
 *
 * @param flags    CLONE_NEWNS, with CLONE_NEWPID and CLONE_NEWIPC if those are to be made
 * @param creation with a saved host context; filled in as far as it goes
 * @param init     what the process is told besides; its plan, root and title are filled in
 * @return 0 or -errno
 */
int creation_start(const struct namespaces_request *request, int flags, struct creation *creation,
	struct init_request *init, struct failure *why);

/**
 * Wait for the process, and enter the application's directories in the new mount namespace.
 *
 * @return 0 or -errno
 */
int creation_finish(const struct creation *creation, struct init_report *report,
	struct namespaces *ns, struct failure *why);

/** Release all but the host context. */
void creation_forget(struct creation *creation);

/** Release what is not handed over. */
void creation_close(struct creation *creation);

/** Tell the inode of the application's mount namespace. @return 0 or -errno */
int identify_mount_namespace(int proc_self, ino_t *inode, struct failure *why);

/** Note the inode of the PID namespace that the next child is born in. @return 0 or -errno */
int identify_pid_namespace(int proc_self, struct namespaces *ns, struct failure *why);

/**
 * Enter the noted working directory in the present mount namespace, or "/" where it shows the host
 * or is not there, and note the root directory.
 *
 * @return 0 or -errno
 */
int enter_directories(struct namespaces *ns, struct failure *why);

/** Check capabilities, threads and executable, and save the host context. @return 0 or -errno */
int creation_prepare(const struct namespaces_request *request, bool ipc, struct creation *creation,
	struct failure *why);

/**
 * With at_fork: keep descriptors of the namespaces that the application is in now, and bring it
 * back to the host.
 *
 * @param ns  its inside is filled in on success
 * @return 0 or -errno
 */
int creation_stay_outside(struct creation *creation, struct namespaces *ns, struct failure *why);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Where the application is on the host, and how it returns there: its namespaces, its root and its
 * working directory.
 */
#ifndef PAM_UNSHARE_HOST_CONTEXT_H
#define PAM_UNSHARE_HOST_CONTEXT_H

#include "common/syscalls.h"
#include "failure.h"

#include <limits.h>

/* The host's namespaces, as descriptors for setns(2): FIRST_FD or higher, or -1. */
struct host_namespaces {
	int mount;
	int pid;
	int ipc; /* -1: the application stays in it */
};

/* While the namespaces are made. Descriptors, or -1. */
struct host_context {
	int proc_self; /* the application's directory in the host's /proc */
	int cwd, root;
	struct host_namespaces namespaces;
	bool unshared;	/* the application is not in them any more */
	bool of_thread; /* which may be one of several, each with namespaces of its own */
};

#define HOST_NAMESPACES_NONE                      \
	(struct host_namespaces)                  \
	{                                         \
		.mount = -1, .pid = -1, .ipc = -1 \
	}

#define HOST_CONTEXT_NONE                                          \
	(struct host_context)                                      \
	{                                                          \
		.proc_self = -1, .cwd = -1, .root = -1,            \
		.namespaces = {.mount = -1, .pid = -1, .ipc = -1}, \
	}

/* A working directory to return to, once no descriptor of the host's may be kept. */
struct directory {
	struct file_id id;
	char path[PATH_MAX]; /* "": none */
};

/**
 * Open all that the return will need.
 *
 * Runs in the application.
 *
 * @param context  HOST_CONTEXT_NONE, but of_thread; filled in as far as it goes, also on failure
 * @param ipc      the IPC namespace is left too
 * @return 0 or -errno: ENOENT (/proc does not show the application), EINVAL (/proc is no procfs),
 *         EMFILE, or that of open(2)
 */
int host_context_save(struct host_context *context, bool ipc, struct failure *why);

/**
 * Open the IPC namespace, if it is not open yet: it is known only later that it will be left.
 *
 * Runs in the application, before it has left anything.
 *
 * @return 0 or -errno: EMFILE, or that of open(2)
 */
int host_context_save_ipc(struct host_context *context, struct failure *why);

/**
 * Return to the namespaces, the root directory and the working directory, after a failure.
 *
 * Runs in the application. Does nothing if it has not left them.
 *
 * @param why  return_failed or cwd_errno are set if it cannot
 */
void host_context_restore(const struct host_context *context, struct failure *why);

/** Close the descriptors. Runs in the application. */
void host_context_close(struct host_context *context);

/**
 * Return to the host's namespaces with setns(2). Tries all of them, so that the application stays
 * in as few as possible.
 *
 * Runs in the application. The root and the working directory are those of the mount namespace
 * afterwards.
 *
 * @param why  return_failed is set on failure
 * @return 0 or -errno
 */
int host_namespaces_enter(const struct host_namespaces *host, struct failure *why);

/** Close the descriptors. Runs in the application. */
void host_namespaces_close(struct host_namespaces *host);

/** Note the working directory. Runs in the application. */
void directory_note(struct directory *dir);

/**
 * Change to a noted directory, now through another mount of the same file system: the host's, or a
 * copy. The path must lead to the same directory, or the caller stays where it is.
 *
 * Runs in the application.
 *
 * @return 0 or -errno: ESTALE when another directory is there, or that of open(2) or fchdir(2)
 */
int directory_enter(const struct directory *dir);

/**
 * Tell whether the calling application is on its host: in no session of this module, which another
 * transaction in the same process may have opened.
 *
 * Runs in the application.
 *
 * @return true if /proc shows the caller
 */
bool is_on_host(void);

#endif

/* SPDX-License-Identifier: MIT */
#include "namespaces.h"

#include "descriptors.h"
#include "preflight.h"
#include "user_place.h"

#include <poll.h>
#include <string.h>
#include <sys/wait.h>

/* How long a close may wait for the init of a session that had no process, milliseconds. It takes
   less than one. */
#define UNUSED_LIMIT_MS 100

int namespaces_end(const struct namespaces *ns)
{
	if (ns->shared)
		return 0;
	return sys_pidfd_send_signal(ns->init_pidfd, SIGTERM) < 0 && errno != ESRCH ? -errno : 0;
}

static int return_to_host(const struct namespaces *ns, struct failure *why)
{
	struct failure missing = {.err = 0};
	struct file_id root;

	if (check_capabilities_to_leave(&missing) < 0 && missing.lacks_capabilities) {
		*why = missing; /* all or nothing: do not leave some of the namespaces */
		return -why->err;
	}
	if (file_identify(AT_FDCWD, "/", &root) < 0)
		return fail(why, errno, "identify the root directory at the close");
	if (memcmp(&root, &ns->root, sizeof(root)) != 0)
		return fail(why, EXDEV, "the application has changed its root directory");
	return host_namespaces_enter(&ns->host, why);
}

/*
 * An application that forks nothing between open and close (dovecot, samba) lives on, and would
 * keep the init as a zombie until its next session. Such a namespace has no other process: its init
 * ends at once and may be waited for. Where there may be processes the wait could last for ever,
 * see namespaces_end().
 */
static void wait_if_unused(const struct namespaces *ns)
{
	struct pollfd ended = {.fd = ns->init_pidfd, .events = POLLIN};
	siginfo_t child;

	/* without __WCLONE waitid(2) does not count the init as a child */
	if (children_minflt() == ns->children_minflt &&
		waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD)
		(void)poll(&ended, 1, UNUSED_LIMIT_MS);
}

/* An init that has ended has no members. */
static int end_membership(const struct namespaces *ns)
{
	int err = user_leave(ns->place, &ns->member);

	return err == -ENOENT || err == -ECONNRESET ? 0 : -err;
}

int namespaces_leave(struct namespaces *ns, struct failure *why)
{
	struct directory cwd;
	int err;

	directory_note(&cwd);
	err = ns->at_fork ? 0 : return_to_host(ns, why);
	host_namespaces_close(&ns->host); /* the rest needs a descriptor, and may get no other */
	host_namespaces_close(&ns->inside);
	if (err == 0 && ns->shared)
		why->leave_errno = end_membership(ns);
	else if (err == 0)
		wait_if_unused(ns);
	if (err < 0)
		why->return_failed = !why->lacks_capabilities;
	else if (!ns->at_fork) /* back to where it was at the open, unless the application has
				  changed it since */
		why->cwd_errno = -directory_enter(
			ns->cwd_is_root && strcmp(cwd.path, "/") == 0 ? &ns->cwd : &cwd);
	close_high(&ns->init_pidfd);
	return err;
}

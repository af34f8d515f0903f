/* SPDX-License-Identifier: MIT */
/*
 * scope=user: become a member of the user's namespaces, and enter them.
 */
#include "cgroup_branch.h"
#include "common/privacy.h"
#include "descriptors.h"
#include "init/init.h"
#include "user_make.h"

#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- entering them ----------------------------------------------------------------------------
 */

/* setns(2) into a PID namespace whose init has ended succeeds, but nothing can be born there. */
static int check_alive(const struct user_init *init, struct failure *why)
{
	struct pollfd ended = {.fd = init->pidfd, .events = POLLIN};

	return poll(&ended, 1, 0) != 0 ? fail(why, ESRCH, "the init has ended") : 0;
}

static int enter_pid_namespace(struct share *share, int flags, struct failure *why)
{
	struct host_context *host = &share->creation.host;
	const bool ipc = share->init.answer.ipc;
	int err = ipc ? host_context_save_ipc(host, why) : 0;

	if (err < 0)
		return err;
	host->unshared = true;
	if (setns(share->init.pidfd, flags | CLONE_NEWPID | (ipc ? CLONE_NEWIPC : 0)) < 0)
		return fail(why, errno, "enter the user's namespaces");
	return check_alive(&share->init, why);
}

/* A filter of system calls may make setns(2) do nothing and report success: the session would be
   on the host. */
static int check_entered(
	const struct share *share, bool whole, const struct namespaces *ns, struct failure *why)
{
	const struct host_context *host = &share->creation.host;
	struct stat before;
	ino_t here = 0;
	int err = 0;

	if (whole && fstat(host->namespaces.mount, &before) < 0)
		err = fail(why, errno, "identify the mount namespace");
	if (err == 0 && whole)
		err = identify_mount_namespace(host->proc_self, &here, why);
	if (err < 0)
		return err;
	return ns->pid_namespace == share->pid_namespace || (whole && here == before.st_ino)
		       ? fail_setns(why)
		       : 0;
}

/* A mount namespace and a procfs of its own, which shows the user's PID namespace. */
static int make_mount_namespace(struct share *share, struct namespaces *ns, struct failure *why)
{
	struct creation *creation = &share->creation;
	struct init_request init = {.is_helper = true};
	struct init_report report = {.step = INIT_READY};
	int err;

	creation_forget(creation); /* of an earlier try */
	err = creation_start(share->request, CLONE_NEWNS, creation, &init, why);
	ns->root = init.root;
	if (err == 0)
		err = creation_finish(creation, &report, ns, why);
	init_discard(&creation->init);
	close_high(&creation->init.pidfd);
	return err;
}

/* The mount namespace as well, and not only the PID namespace. */
static bool is_whole(const struct share *share)
{
	return share->init.answer.shared_root && share->origin < 0;
}

/* Directories, and the user's branch of the control groups. */
static int enter_mounts(
	const struct cgroup_branch *branch, struct namespaces *ns, struct failure *why)
{
	int err = cgroup_branch_put(branch, why);

	return err == 0 ? enter_directories(ns, why) : err;
}

static int enter(struct share *share, struct namespaces *ns, struct failure *why)
{
	const bool whole = is_whole(share);
	const int proc_self = share->creation.host.proc_self;
	struct cgroup_branch branch = {.tree = -1};
	int err = share->looked ? 0 : find_host_descriptors(proc_self, &share->shown, why);

	directory_note(&ns->cwd);
	if (err == 0 && whole && (share->init.answer.privacy & HIDE_CGROUPS))
		err = cgroup_branch_take(share->request->user, &branch, why);
	if (err == 0)
		err = enter_pid_namespace(share, whole ? CLONE_NEWNS : 0, why);
	if (err == 0)
		err = identify_pid_namespace(proc_self, ns, why);
	if (err == 0)
		err = check_entered(share, whole, ns, why);
	if (err == 0)
		err = whole ? enter_mounts(&branch, ns, why) : make_mount_namespace(share, ns, why);
	close_high(&branch.tree);
	if (err == 0)
		err = close_on_exec(&share->shown, why);
	return err;
}

/* A mount namespace of its own has what was asked for, but for the queues of an IPC namespace. */
static bool lacks_privacy(const struct share *share)
{
	const unsigned int asked = share->request->privacy;
	const unsigned int without_ipc = share->init.answer.ipc ? 0 : PRIVATE_MQUEUE;

	return asked & (is_whole(share) ? ~share->init.answer.privacy : without_ipc);
}

static void hand_over(struct share *share, bool joined, struct namespaces *ns)
{
	struct host_namespaces *host = &share->creation.host.namespaces;

	if (!share->init.answer.ipc)
		close_high(&host->ipc);
	ns->host = *host;
	if (!ns->at_fork)
		ns->inside = HOST_NAMESPACES_NONE;
	*host = HOST_NAMESPACES_NONE;
	ns->init_pidfd = -1;
	ns->init_pid = share->init.pid;
	ns->shared = true;
	ns->joined = joined;
	ns->tries = share->tries;
	ns->lacks_ipc = share->request->ipc && !share->init.answer.ipc;
	ns->lacks_privacy = lacks_privacy(share);
	if (is_whole(share)) /* otherwise the helper has said it */
		ns->full_places = share->init.answer.full_places;
	ns->member = share->init.answer.member;
	memcpy(ns->place, share->place.name, sizeof(ns->place));
}

static int join(struct share *share, struct namespaces *ns, struct failure *why)
{
	bool joined = false;
	int err = share_become_member(share, &joined, why);

	if (err < 0)
		return err;
	err = enter(share, ns, why);
	if (err == 0 && share->request->at_fork)
		err = creation_stay_outside(&share->creation, ns, why);
	if (err == 0) {
		hand_over(share, joined, ns);
		return 0;
	}
	host_context_restore(&share->creation.host, why);
	close_high(&share->init.pidfd); /* a connection needs a descriptor, and may get no other */
	if (!why->return_failed)
		(void)user_leave(share->place.name, &share->init.answer.member);
	return err;
}

/* An init that somebody has killed meanwhile is followed by another. */
static int join_living(struct share *share, struct namespaces *ns, struct failure *why)
{
	int err, tries = 3;

	do {
		forget_failure(why);
		share->creation.host.unshared = false;
		err = join(share, ns, why);
	} while (err == -ESRCH && !why->return_failed && --tries > 0);
	return err;
}

/* ---- inside -----------------------------------------------------------------------------------
 */

/* Tell whether the init of a place is PID 1 of the caller's own namespace. */
static bool is_ours(const char *name)
{
	struct user_request request = {.operation = USER_ASK};
	struct failure why = {.err = 0};
	struct user_init init;
	bool ours = user_ask(name, &request, -1, &init, NULL, &why) == 0 && init.pid == 1;

	close_high(&init.pidfd);
	return ours;
}

/* In a namespace of this module's: is it this user's? */
static int look_inside(const struct share *share, struct failure *why)
{
	struct names names NOT_CLEARED;
	char uid[16];
	const char *name;

	(void)snprintf(uid, sizeof(uid), "%lu.", (unsigned long)share->request->user);
	names.fd = share->place.directory;
	names.at = names.n = 0;
	while ((name = next_name(&names)))
		if (strncmp(name, uid, strlen(uid)) == 0 && strlen(name) < USER_PLACE_SIZE &&
			!strstr(name, USER_LOCK_SUFFIX) && is_ours(name))
			return -EALREADY;
	return fail(why, EXDEV, "the application is in the namespace of another session or user");
}

/* ---- all of it --------------------------------------------------------------------------------
 */

static int share_namespaces(struct share *share, struct namespaces *ns, struct failure *why)
{
	int err;

	if (is_init(1))
		return look_inside(share, why);
	err = share_find_origin(share, why);
	return err == 0 ? join_living(share, ns, why) : err;
}

int namespaces_share(
	const struct namespaces_request *request, struct namespaces *ns, struct failure *why)
{
	struct share share = SHARE_NONE(request);
	int err = share_begin(&share, why);

	if (err == 0)
		err = share_namespaces(&share, ns, why);
	share_close(&share);
	return err;
}

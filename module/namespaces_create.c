/* SPDX-License-Identifier: MIT */
#include "namespaces.h"

#include "descriptors.h"
#include "init_start.h"
#include "preflight.h"
#include "procfs_plan_make.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>

/* What has been done so far, and is to be undone on failure. */
struct creation {
	struct host_context host;
	struct started_init init;
	int mountinfo; /* the mount table, where it has to be read as text; -1: not */
};

/* ---- the namespaces ---------------------------------------------------------------------------
 */

/* A filter of system calls may make unshare(2) do nothing and report success: what follows would
   then be done to the host. */
static int check_unshared(const struct host_context *host, struct failure *why)
{
	struct stat before, after;

	if (fstat(host->namespaces.mount, &before) < 0 ||
		fstatat(host->proc_self, "ns/mnt", &after, 0) < 0)
		return fail(why, errno, "identify the mount namespace");
	return before.st_ino == after.st_ino
		       ? fail(why, ENOTSUP,
				 "unshare has no effect; a filter of system calls may ignore it")
		       : 0;
}

static int unshare_all(struct host_context *host, bool ipc, struct failure *why)
{
	int err;

	if (unshare(CLONE_NEWPID | CLONE_NEWNS | (ipc ? CLONE_NEWIPC : 0)) < 0)
		return fail(why, errno, "make the namespaces (unshare)%s",
			errno == ENOSPC
				? ", one of user.max_pid_namespaces, user.max_mnt_namespaces, fs.mount-max or 32 nested levels is reached"
				: "");
	host->unshared = true;
	err = check_unshared(host, why);
	if (err < 0)
		return err;
	/* Slave: no mount made here reaches the host. Private would also keep the administrator's
	   later mounts and unmounts from the session. */
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return fail(why, errno,
			errno == EINVAL /* "/" is no mount point: do_change_type() */
				? "the application is chrooted"
				: "make the mounts slaves of the host's");
	return 0;
}

/* ---- /proc ------------------------------------------------------------------------------------
 */

static int plan_procfs(const struct namespaces_request *request, struct creation *creation,
	struct procfs_plan **plan, struct failure *why)
{
	int err = procfs_plan_from_statmount(request->proc_options, plan, why);

	if (err == -ENOSYS) {
		creation->mountinfo =
			openat(creation->host.proc_self, "mountinfo", O_RDONLY | O_CLOEXEC);
		if (creation->mountinfo < 0)
			return fail(why, errno, "open the mount table");
		err = procfs_plan_from_mountinfo(
			creation->mountinfo, request->proc_options, plan, why);
	}
	if (err == 0)
		procfs_plan_avoid_servers(*plan, request->user);
	return err;
}

/* ---- the working directory --------------------------------------------------------------------
 */

/*
 * The session inherits the working directory. On the old procfs, or in another mount namespace
 * (reached through /proc/<pid>/root), it would show the host's processes.
 */
static int leave_host_cwd(
	const struct procfs_plan *plan, struct namespaces *ns, struct failure *why)
{
	struct file_id cwd;

	if (file_identify(AT_FDCWD, ".", &cwd) < 0)
		return fail(why, errno, "identify the working directory");
	ns->cwd_is_root = !procfs_plan_keeps(plan, cwd.mount);
	return ns->cwd_is_root && chdir("/") < 0 ? fail(why, errno, "leave the host's procfs") : 0;
}

/* The init has replaced a mount by a copy: the root directory may be another mount's, and the
   working directory one of a mount that is gone. */
static int enter_copies(struct namespaces *ns, struct failure *why)
{
	if (file_identify(AT_FDCWD, "/", &ns->root) < 0)
		return fail(why, errno, "identify the root directory");
	ns->cwd_is_root = directory_enter(&ns->cwd) != 0;
	return ns->cwd_is_root && chdir("/") < 0 ? fail(why, errno, "leave the host's procfs") : 0;
}

/* ---- all of it --------------------------------------------------------------------------------
 */

static int start_init(const struct namespaces_request *request, struct procfs_plan *plan,
	struct creation *creation, struct namespaces *ns, struct failure *why)
{
	struct init_request init = {.title = request->title,
		.grace = request->grace,
		.plan = plan,
		.proc_self = creation->host.proc_self};
	int err;

	if (file_identify(AT_FDCWD, "/", &init.root) < 0)
		return fail(why, errno, "identify the root directory");
	err = init_start(&init, &creation->init, why);
	ns->root = init.root;
	ns->init_pid = creation->init.pid;
	return err;
}

/* While the init works this side does what it can, but nothing that would have to be undone. The
   report is waited for last. */
static int await_init(const struct procfs_plan *plan, const struct creation *creation,
	struct namespaces *ns, struct failure *why)
{
	const int proc_self = creation->host.proc_self;
	struct descriptors shown = {.fds = NULL};
	struct stat pid_namespace;
	bool parent_replaced = false;
	int err;

	if (fstatat(proc_self, "ns/pid_for_children", &pid_namespace, 0) < 0)
		return fail(why, errno, "identify the PID namespace");
	ns->pid_namespace = pid_namespace.st_ino;
	err = find_host_descriptors(proc_self, &shown, why);
	if (err == 0)
		err = init_wait_until_ready(&creation->init, &parent_replaced, why);
	if (err == 0)
		err = parent_replaced ? enter_copies(ns, why) : leave_host_cwd(plan, ns, why);
	if (err == 0)
		err = close_on_exec(&shown, why);
	free(shown.fds);
	return err;
}

static int enter(const struct namespaces_request *request, struct creation *creation,
	struct namespaces *ns, struct failure *why)
{
	struct procfs_plan *plan = NULL;
	int err = unshare_all(&creation->host, request->ipc, why);

	if (err < 0)
		return err;
	err = plan_procfs(request, creation, &plan, why);
	if (err == 0)
		err = start_init(request, plan, creation, ns, why);
	if (err == 0)
		err = await_init(plan, creation, ns, why);
	procfs_plan_free(plan);
	return err;
}

static int check_application(const struct host_context *host, struct failure *why)
{
	int err = check_threads(host->proc_self, why);

	return err == 0 ? check_executable(host->proc_self, why) : err;
}

/* The session has them now. */
static void hand_over(struct creation *creation, struct namespaces *ns)
{
	ns->host = creation->host.namespaces;
	ns->init_pidfd = creation->init.pidfd;
	creation->host.namespaces = (struct host_namespaces){.mount = -1, .pid = -1, .ipc = -1};
	creation->init.pidfd = -1;
}

static void close_creation(struct creation *creation)
{
	host_context_close(&creation->host);
	close_high(&creation->init.pidfd);
	close_high(&creation->init.report_fd);
	close_high(&creation->mountinfo);
}

long children_minflt(void)
{
	struct rusage usage = {.ru_minflt = 0};

	(void)getrusage(RUSAGE_CHILDREN, &usage);
	return usage.ru_minflt;
}

int namespaces_create(
	const struct namespaces_request *request, struct namespaces *ns, struct failure *why)
{
	struct creation creation = {
		.host = HOST_CONTEXT_NONE, .init = {.pidfd = -1, .report_fd = -1}, .mountinfo = -1};
	int err = check_capabilities_to_create(why);

	if (err == 0)
		err = host_context_save(&creation.host, request->ipc, why);
	if (err == 0)
		err = check_application(&creation.host, why);
	if (err == 0) {
		directory_note(&ns->cwd);
		err = enter(request, &creation, ns, why);
	}
	if (err == 0) {
		ns->children_minflt = children_minflt();
		hand_over(&creation, ns);
	} else {
		init_discard(&creation.init);
		host_context_restore(&creation.host, why);
	}
	close_creation(&creation);
	return err;
}

/* SPDX-License-Identifier: MIT */
#include "namespaces_internal.h"

#include "descriptors.h"
#include "init/init.h"
#include "preflight.h"
#include "procfs_plan_make.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>

/* ---- the namespaces ---------------------------------------------------------------------------
 */

int identify_mount_namespace(int proc_self, ino_t *inode, struct failure *why)
{
	struct stat st;

	if (fstatat(proc_self, "ns/mnt", &st, 0) < 0)
		return fail(why, errno, "identify the mount namespace");
	*inode = st.st_ino;
	return 0;
}

/* A filter of system calls may make unshare(2) do nothing and report success: what follows would
   then be done to the host, or to whose mount namespace the application is in. */
static int unshare_checked(struct host_context *host, int flags, struct failure *why)
{
	ino_t before = 0, after = 0;
	int err = identify_mount_namespace(host->proc_self, &before, why);

	if (err < 0)
		return err;
	if (unshare(flags) < 0)
		return fail(why, errno, "make the namespaces (unshare)%s",
			errno == ENOSPC
				? ", one of user.max_pid_namespaces, user.max_mnt_namespaces, fs.mount-max or 32 nested levels is reached"
				: "");
	host->unshared = true;
	err = identify_mount_namespace(host->proc_self, &after, why);
	return err == 0 && before == after
		       ? fail(why, ENOTSUP,
				 "unshare has no effect; a filter of system calls may ignore it")
		       : err;
}

static int unshare_all(struct host_context *host, int flags, struct failure *why)
{
	int err = unshare_checked(host, flags, why);

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

static int plan_procfs(
	const struct namespaces_request *request, struct creation *creation, struct failure *why)
{
	struct procfs_plan **plan = &creation->plan;
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
 * (reached through /proc/<pid>/root), it would show the host's processes. Where not even root may
 * look (NFS, the caller's FUSE), it cannot be told.
 */
static int leave_host_cwd(
	const struct procfs_plan *plan, struct namespaces *ns, struct failure *why)
{
	struct file_id cwd;
	const bool seen = file_identify(AT_FDCWD, ".", &cwd) == 0;

	if (!seen && errno != EACCES)
		return fail(why, errno, "identify the working directory");
	ns->cwd_is_root = !seen || !procfs_plan_keeps(plan, cwd.mount);
	return ns->cwd_is_root && chdir("/") < 0 ? fail(why, errno, "leave the host's procfs") : 0;
}

int enter_directories(struct namespaces *ns, struct failure *why)
{
	if (file_identify(AT_FDCWD, "/", &ns->root) < 0)
		return fail(why, errno, "identify the root directory");
	ns->cwd_is_root = directory_enter(&ns->cwd) != 0;
	return ns->cwd_is_root && chdir("/") < 0 ? fail(why, errno, "leave the host's procfs") : 0;
}

/* ---- all of it --------------------------------------------------------------------------------
 */

int identify_pid_namespace(int proc_self, struct namespaces *ns, struct failure *why)
{
	struct stat st;

	if (fstatat(proc_self, "ns/pid_for_children", &st, 0) < 0)
		return fail(why, errno, "identify the PID namespace");
	ns->pid_namespace = st.st_ino;
	return 0;
}

int creation_start(const struct namespaces_request *request, int flags, struct creation *creation,
	struct init_request *init, struct failure *why)
{
	int err = unshare_all(&creation->host, flags, why);

	if (err == 0)
		err = plan_procfs(request, creation, why);
	if (err < 0)
		return err;
	init->title = request->title;
	init->grace = request->grace;
	init->plan = creation->plan;
	init->owner = request->user;
	init->privacy = request->privacy;
	init->proc_self = creation->host.proc_self;
	if (file_identify(AT_FDCWD, "/", &init->root) < 0)
		return fail(why, errno, "identify the root directory");
	return init_start(init, &creation->init, why);
}

int creation_finish(const struct creation *creation, struct init_report *report,
	struct namespaces *ns, struct failure *why)
{
	int err = init_wait_until_ready(&creation->init, report, why);

	if (err < 0)
		return err;
	ns->full_places = report->full_places;
	/* if a mount was replaced by a copy or covered, the root directory may be another mount's,
	   and the working directory one of a mount that is gone */
	return report->parent_replaced ? enter_directories(ns, why)
				       : leave_host_cwd(creation->plan, ns, why);
}

/* While the init works this side does what it can, but nothing that would have to be undone. The
   report is waited for last. */
static int enter(const struct namespaces_request *request, struct creation *creation,
	struct namespaces *ns, struct failure *why)
{
	const int flags = CLONE_NEWPID | CLONE_NEWNS | (request->ipc ? CLONE_NEWIPC : 0);
	const int proc_self = creation->host.proc_self;
	struct init_request init = {.spreads_pids = request->has_desktop};
	struct init_report report = {.step = INIT_READY};
	struct descriptors shown = {.fds = NULL};
	int err = creation_start(request, flags, creation, &init, why);

	ns->root = init.root;
	ns->init_pid = creation->init.pid;
	if (err == 0)
		err = identify_pid_namespace(proc_self, ns, why);
	if (err == 0)
		err = find_host_descriptors(proc_self, &shown, why);
	if (err == 0)
		err = creation_finish(creation, &report, ns, why);
	if (err == 0)
		err = close_on_exec(&shown, why);
	free(shown.fds);
	return err;
}

static int check_application(const struct host_context *host, struct failure *why)
{
	int err = host->of_thread ? 0 : check_threads(host->proc_self, why);

	return err == 0 ? check_executable(host->proc_self, why) : err;
}

/* The session has them now. */
static void hand_over(struct creation *creation, struct namespaces *ns)
{
	ns->host = creation->host.namespaces;
	if (!ns->at_fork)
		ns->inside = HOST_NAMESPACES_NONE;
	ns->init_pidfd = creation->init.pidfd;
	creation->host.namespaces = HOST_NAMESPACES_NONE;
	creation->init.pidfd = -1;
}

void creation_forget(struct creation *creation)
{
	procfs_plan_free(creation->plan);
	creation->plan = NULL;
	close_high(&creation->init.pidfd);
	close_high(&creation->init.report_fd);
	close_high(&creation->mountinfo);
}

void creation_close(struct creation *creation)
{
	creation_forget(creation);
	host_context_close(&creation->host);
}

long children_minflt(void)
{
	struct rusage usage = {.ru_minflt = 0};

	(void)getrusage(RUSAGE_CHILDREN, &usage);
	return usage.ru_minflt;
}

int creation_prepare(const struct namespaces_request *request, bool ipc, struct creation *creation,
	struct failure *why)
{
	int err = check_capabilities_to_create(why);

	creation->host.of_thread = request->at_fork;
	/* a thread that shares its root directory with others cannot change the mount namespace */
	if (err == 0 && request->at_fork && unshare(CLONE_FS) < 0)
		err = fail(why, errno, "have a working directory that is the thread's own");
	if (err == 0)
		err = host_context_save(&creation->host, ipc, why);
	return err == 0 ? check_application(&creation->host, why) : err;
}

int creation_stay_outside(struct creation *creation, struct namespaces *ns, struct failure *why)
{
	struct host_context *host = &creation->host;
	const int flags = O_RDONLY | O_CLOEXEC;

	ns->inside.mount = high_fd(openat(host->proc_self, "ns/mnt", flags));
	ns->inside.pid = high_fd(openat(host->proc_self, "ns/pid_for_children", flags));
	ns->inside.ipc =
		host->namespaces.ipc < 0 ? -1 : high_fd(openat(host->proc_self, "ns/ipc", flags));
	if (ns->inside.mount < 0 || ns->inside.pid < 0 ||
		(host->namespaces.ipc >= 0 && ns->inside.ipc < 0))
		(void)fail(why, errno, "open the session's namespaces");
	if (why->err == 0) {
		host_context_restore(host, why);
		host->unshared = false; /* not a second time */
	}
	ns->at_fork = why->err == 0;
	if (!ns->at_fork)
		host_namespaces_close(&ns->inside);
	return -why->err;
}

int namespaces_create(
	const struct namespaces_request *request, struct namespaces *ns, struct failure *why)
{
	struct creation creation = CREATION_NONE;
	int err = creation_prepare(request, request->ipc, &creation, why);

	if (err == 0) {
		directory_note(&ns->cwd);
		err = enter(request, &creation, ns, why);
	}
	if (err == 0 && request->at_fork)
		err = creation_stay_outside(&creation, ns, why);
	if (err == 0) {
		ns->children_minflt = children_minflt();
		hand_over(&creation, ns);
	} else {
		init_discard(&creation.init);
		host_context_restore(&creation.host, why);
	}
	creation_close(&creation);
	return err;
}

/* SPDX-License-Identifier: MIT */
/*
 * scope=user: find the user's namespaces or make them, and join them.
 */
#include "namespaces_internal.h"

#include "descriptors.h"
#include "init/init.h"
#include "user_place.h"

#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long to try, seconds: others may be making the namespaces, or the init may be late. */
#define SHARE_LIMIT 5

/* The mount namespace and the root directory that a user's namespaces are made from, and whether
   the application is there. */
struct origin {
	int mount_namespace; /* of PID 1; -1: the application is in it */
	bool shared_root;    /* "/" is shared: what the host mounts and unmounts goes on inside */
};

struct share {
	const struct namespaces_request *request;
	struct creation creation; /* the host context is used for joining as well */
	struct origin origin;
	struct user_place place;
	struct user_init init;
	unsigned int tries;
};

/* ---- where the application is -----------------------------------------------------------------
 */

/* "shared:N" among the optional fields of the mount of "/", proc_pid_mountinfo(5). The last line
   for "/" is the one that is seen. */
static bool is_root_shared(int proc_self)
{
	int fd AUTO_CLOSE = openat(proc_self, "mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *table = fd >= 0 ? fdopen(fcntl(fd, F_DUPFD_CLOEXEC, 0), "r") : NULL;
	char *line = NULL, point[3], options[256];
	bool shared = false;
	size_t size = 0;
	int at;

	while (table && getline(&line, &size, table) > 0) {
		at = 0;
		if (sscanf(line, "%*d %*d %*s %*s %2s %255s %n", point, options, &at) == 2 &&
			strcmp(point, "/") == 0)
			shared = at > 0 && strncmp(line + at, "shared:", 7) == 0;
	}
	free(line);
	if (table)
		(void)fclose(table);
	return shared;
}

static int check_chroot(struct failure *why)
{
	struct file_id here, there;

	if (file_identify(AT_FDCWD, "/", &here) < 0 ||
		file_identify(AT_FDCWD, "/proc/1/root/.", &there) < 0)
		return fail(why, errno, "compare the root directory with that of PID 1");
	return memcmp(&here, &there, sizeof(here)) != 0
		       ? fail(why, EXDEV, "the application is chrooted")
		       : 0;
}

static int find_origin(struct share *share, struct failure *why)
{
	const int own = share->creation.host.namespaces.mount;
	struct stat here, there;
	int fd = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &there) < 0 || fstat(own, &here) < 0) {
		(void)fail(why, errno, "open the mount namespace of PID 1");
		close_high(&fd);
		return -why->err;
	}
	share->origin.mount_namespace = fd;
	if (here.st_ino != there.st_ino)
		return 0;
	close_high(&share->origin.mount_namespace);
	return check_chroot(why);
}

/* ---- making them ------------------------------------------------------------------------------
 */

static void set_service(struct user_service *service, const char *name)
{
	(void)snprintf(service->name, sizeof(service->name), "%.15s", name);
}

/* In the mount namespace of PID 1. The application is its first member. */
static int make_there(struct share *share, struct creation *creation, struct failure *why)
{
	const struct namespaces_request *request = share->request;
	const int flags = CLONE_NEWPID | CLONE_NEWNS | (request->ipc ? CLONE_NEWIPC : 0);
	struct user_task task = {.directory = share->place.directory,
		.place = share->place.name,
		.name = request->name,
		.linger = request->linger,
		.ipc = request->ipc,
		.shared_root = is_root_shared(creation->host.proc_self),
		.lock = -1,
		.listener = -1,
		.proc = -1};
	struct init_request init = {.user = &task};
	struct init_report report = {.step = INIT_READY};
	int err;

	set_service(&task.service, request->service);
	err = creation_start(request, flags, creation, &init, why);
	if (err == 0)
		err = init_wait_until_ready(&creation->init, &report, why);
	if (err < 0)
		return err;
	share->init = (struct user_init){.pidfd = creation->init.pidfd,
		.pid = creation->init.pid,
		.answer = {.member = report.first,
			.n_members = 1,
			.ipc = task.ipc,
			.shared_root = task.shared_root}};
	creation->init.pidfd = -1;
	return 0;
}

/* Make them, and return: whoever makes them joins them like everybody else. */
static int make(struct share *share, struct failure *why)
{
	struct creation creation = CREATION_NONE;
	int err = host_context_save(&creation.host, share->request->ipc, why);

	if (err == 0 && share->origin.mount_namespace >= 0) {
		creation.host.unshared = true;
		if (setns(share->origin.mount_namespace, CLONE_NEWNS) < 0)
			err = fail(why, errno, "enter the mount namespace of PID 1");
	}
	if (err == 0)
		err = make_there(share, &creation, why);
	if (err < 0)
		init_discard(&creation.init);
	host_context_restore(&creation.host, why);
	creation_close(&creation);
	return why->return_failed ? -why->err : err;
}

/* ---- joining them -----------------------------------------------------------------------------
 */

static int become_member(struct share *share, struct failure *why)
{
	struct user_request request = {.operation = USER_JOIN};
	int pidfd AUTO_CLOSE = sys_pidfd_open(getpid());

	if (pidfd < 0)
		return fail(why, errno, "open the application's pidfd");
	set_service(&request.service, share->request->service);
	return user_ask(share->place.name, &request, pidfd, &share->init, NULL, why);
}

/* The user that had this uid may have been deleted: what is left of his is not the new one's. */
static int check_user(const struct share *share, struct failure *why)
{
	const struct namespaces_request *request = share->request;
	const char *made_for = share->init.answer.user;

	if (strcmp(made_for, request->name) == 0 ||
		request->is_same_user(request->context, made_for))
		return 0;
	return fail(why, EEXIST,
		"the namespace with init %d was made for user %s, who is not %s: end that process if %s is gone",
		(int)share->init.pid, made_for, request->name, made_for);
}

/* Wait a little longer each time: those that make the namespaces give no sign when they are done.
 */
static void wait_for_others(unsigned int *milliseconds)
{
	const struct timespec pause = {.tv_sec = 0, .tv_nsec = (long)*milliseconds * 1000000L};

	(void)nanosleep(&pause, NULL);
	*milliseconds = *milliseconds < 64 ? *milliseconds * 2 : 64;
}

static bool in_time(const struct timespec *begin)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - begin->tv_sec < SHARE_LIMIT;
}

/* Join the user's namespaces, or make them if there are none. */
static int join_or_make(struct share *share, bool *joined, struct failure *why)
{
	int err = become_member(share, why);

	*joined = err == 0;
	if (err != -ENOENT)
		return err;
	*why = (struct failure){.err = 0};
	return make(share, why);
}

/* Of several that make them at the same time the first has the lock, and the others join those. One
   that is just ending ends the connection, and is gone at the next try. */
static int find_or_make(struct share *share, bool *joined, struct failure *why)
{
	unsigned int pause = 1;
	struct timespec begin;
	int err;

	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	for (;;) {
		*why = (struct failure){.err = 0};
		share->tries++;
		err = join_or_make(share, joined, why);
		if ((err != -EWOULDBLOCK && err != -ECONNRESET) || why->return_failed ||
			!in_time(&begin))
			return err;
		wait_for_others(&pause);
	}
}

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

	host->unshared = true;
	if (setns(share->init.pidfd,
		    flags | CLONE_NEWPID | (share->init.answer.ipc ? CLONE_NEWIPC : 0)) < 0)
		return fail(why, errno, "enter the user's namespaces");
	return check_alive(&share->init, why);
}

/* A mount namespace and a procfs of its own, which shows the user's PID namespace. */
static int make_mount_namespace(struct share *share, struct namespaces *ns, struct failure *why)
{
	struct creation *creation = &share->creation;
	struct init_request init = {.is_helper = true};
	struct init_report report = {.step = INIT_READY};
	int err = creation_start(share->request, CLONE_NEWNS, creation, &init, why);

	ns->root = init.root;
	if (err == 0)
		err = creation_finish(creation, &report, ns, why);
	init_discard(&creation->init);
	close_high(&creation->init.pidfd);
	return err;
}

static int enter(struct share *share, struct namespaces *ns, struct failure *why)
{
	const bool whole = share->init.answer.shared_root && share->origin.mount_namespace < 0;
	const int proc_self = share->creation.host.proc_self;
	struct descriptors shown = {.fds = NULL};
	int err;

	directory_note(&ns->cwd);
	err = find_host_descriptors(proc_self, &shown, why);
	if (err == 0)
		err = enter_pid_namespace(share, whole ? CLONE_NEWNS : 0, why);
	if (err == 0)
		err = whole ? enter_directories(ns, why) : make_mount_namespace(share, ns, why);
	if (err == 0)
		err = identify_pid_namespace(proc_self, ns, why);
	if (err == 0)
		err = close_on_exec(&shown, why);
	free(shown.fds);
	return err;
}

static void hand_over(struct share *share, bool joined, struct namespaces *ns)
{
	struct host_namespaces *host = &share->creation.host.namespaces;

	if (!share->init.answer.ipc)
		close_high(&host->ipc);
	ns->host = *host;
	*host = (struct host_namespaces){.mount = -1, .pid = -1, .ipc = -1};
	ns->init_pidfd = -1;
	ns->init_pid = share->init.pid;
	ns->shared = true;
	ns->joined = joined;
	ns->tries = share->tries;
	ns->lacks_ipc = share->request->ipc && !share->init.answer.ipc;
	ns->member = share->init.answer.member;
	memcpy(ns->place, share->place.name, sizeof(ns->place));
}

static int join(struct share *share, struct namespaces *ns, struct failure *why)
{
	bool joined = false;
	int err = find_or_make(share, &joined, why);

	if (err < 0)
		return err;
	if (joined)
		err = check_user(share, why);
	if (err == 0)
		err = enter(share, ns, why);
	if (err == 0) {
		hand_over(share, joined, ns);
		return 0;
	}
	host_context_restore(&share->creation.host, why);
	if (!why->return_failed)
		(void)user_leave(share->place.name, &share->init.answer.member);
	close_high(&share->init.pidfd);
	return err;
}

/* An init that somebody has killed meanwhile is followed by another. */
static int join_living(struct share *share, struct namespaces *ns, struct failure *why)
{
	int err, tries = 3;

	do {
		*why = (struct failure){.err = 0};
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
	struct stat pid_namespace;
	int err;

	if (fstat(share->creation.host.namespaces.pid, &pid_namespace) < 0)
		return fail(why, errno, "identify the application's PID namespace");
	err = user_place_open(share->request->user, pid_namespace.st_ino, &share->place, why);
	if (err == 0 && is_init(1))
		return look_inside(share, why);
	if (err == 0)
		err = find_origin(share, why);
	return err == 0 ? join_living(share, ns, why) : err;
}

int namespaces_share(
	const struct namespaces_request *request, struct namespaces *ns, struct failure *why)
{
	struct share share = {.request = request,
		.creation = CREATION_NONE,
		.origin = {.mount_namespace = -1},
		.place = {.directory = -1},
		.init = {.pidfd = -1}};
	int err = creation_prepare(true, &share.creation, why);

	if (err == 0)
		err = share_namespaces(&share, ns, why);
	creation_close(&share.creation);
	user_place_close(&share.place);
	close_high(&share.origin.mount_namespace);
	close_high(&share.init.pidfd);
	return err;
}

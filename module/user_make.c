/* SPDX-License-Identifier: MIT */
#include "user_make.h"

#include "init/init.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long to try, seconds: others may be making the namespaces, or the init may be late. */
#define SHARE_LIMIT 5

/* ---- where the application is -----------------------------------------------------------------
 */

/* "shared:N" among the optional fields of the mount of "/", proc_pid_mountinfo(5). The last line
   for "/" is the one that is seen. */
static bool is_root_shared(int proc_self)
{
	int fd = openat(proc_self, "mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *table = fd >= 0 ? fdopen(fd, "r") : NULL;
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
	else
		close_high(&fd);
	return shared;
}

int fail_setns(struct failure *why)
{
	return fail(why, ENOTSUP, "setns has no effect; a filter of system calls may ignore it");
}

static int check_chroot(struct failure *why)
{
	struct file_id here, there;

	int root AUTO_CLOSE = open("/proc/1/root", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0 || file_identify(AT_FDCWD, "/", &here) < 0 ||
		file_identify(root, "", &there) < 0)
		return fail(why, errno, "compare the root directory with that of PID 1");
	return memcmp(&here, &there, sizeof(here)) != 0
		       ? fail(why, EXDEV, "the application is chrooted")
		       : 0;
}

int share_find_origin(struct share *share, struct failure *why)
{
	const int own = share->creation.host.namespaces.mount;
	struct stat here, there;
	int fd = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &there) < 0 || fstat(own, &here) < 0) {
		(void)fail(why, errno, "open the mount namespace of PID 1 (CAP_SYS_PTRACE)");
		close_high(&fd);
		return -why->err;
	}
	share->origin = fd;
	if (here.st_ino != there.st_ino)
		return 0;
	close_high(&share->origin);
	return check_chroot(why);
}

int share_begin(struct share *share, struct failure *why)
{
	struct stat pid_namespace;
	int err = creation_prepare(share->request, false, &share->creation, why);

	if (err < 0)
		return err;
	if (fstat(share->creation.host.namespaces.pid, &pid_namespace) < 0)
		return fail(why, errno, "identify the application's PID namespace");
	share->pid_namespace = pid_namespace.st_ino;
	return user_place_open(share->request->user, share->pid_namespace, &share->place, why);
}

void share_close(struct share *share)
{
	free(share->shown.fds);
	creation_close(&share->creation);
	user_place_close(&share->place);
	close_high(&share->origin);
	close_high(&share->init.pidfd);
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
		.pinned = request->pinned,
		.held = request->maker == MAKER_IS_UNIT,
		.ipc = request->ipc,
		.privacy = request->privacy,
		.shared_root = is_root_shared(creation->host.proc_self),
		.lock = -1,
		.listener = -1,
		.proc = -1};
	struct init_request init = {
		.user = &task, .spreads_pids = true, .is_parents = request->maker == MAKER_IS_UNIT};
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
			.privacy = task.privacy,
			.full_places = report.full_places,
			.shared_root = task.shared_root}};
	creation->init.pidfd = -1;
	return 0;
}

/* Go to the mount namespace of PID 1, if the application is in another one. */
static int enter_origin(const struct share *share, struct host_context *host, struct failure *why)
{
	struct stat origin;
	ino_t here = 0;
	int err;

	if (share->origin < 0)
		return 0;
	host->unshared = true;
	if (setns(share->origin, CLONE_NEWNS) < 0 || fstat(share->origin, &origin) < 0)
		return fail(why, errno, "enter the mount namespace of PID 1");
	err = identify_mount_namespace(host->proc_self, &here, why);
	return err == 0 && here != origin.st_ino ? fail_setns(why) : err;
}

/* Make them, and return: whoever makes them joins them like everybody else. */
static int make(struct share *share, struct failure *why)
{
	struct creation creation = CREATION_NONE;
	int err;

	creation.host.of_thread = share->request->at_fork;
	err = host_context_save(&creation.host, share->request->ipc, why);
	if (err == 0)
		err = enter_origin(share, &creation.host, why);
	if (err == 0)
		err = make_there(share, &creation, why);
	if (err < 0)
		init_discard(&creation.init);
	host_context_restore(&creation.host, why);
	creation_close(&creation);
	if (!why->return_failed)
		return err;
	if (err == 0) /* nobody would end the membership before the application does */
		(void)user_leave(share->place.name, &share->init.answer.member);
	return -why->err;
}

/* ---- becoming a member -------------------------------------------------------------------------
 */

static void forget_descriptors(struct share *share)
{
	share->looked = false;
	share->shown.n = 0;
}

/* If it cannot, whoever enters looks again, and says why. */
static void look_at_descriptors(struct share *share)
{
	struct failure ignored NOT_CLEARED;

	if (share->looked)
		return;
	ignored.err = 0;
	share->looked =
		find_host_descriptors(share->creation.host.proc_self, &share->shown, &ignored) == 0;
	if (!share->looked)
		forget_descriptors(share);
}

static int become_member(struct share *share, struct failure *why)
{
	struct user_request request = {.operation = USER_JOIN};
	int pidfd AUTO_CLOSE = sys_pidfd_open(getpid()), connection;

	if (pidfd < 0)
		return fail(why, errno, "open the application's pidfd");
	set_service(&request.service, share->request->service);
	connection = user_call(share->place.name, &request, pidfd, &share->init, why);
	if (connection < 0)
		return connection;
	look_at_descriptors(share); /* while the init answers */
	return user_hear(connection, &share->init, NULL, why);
}

/* The user that had this uid may have been deleted: what is left of his is not the new one's. */
static int check_user(struct share *share, struct failure *why)
{
	const struct namespaces_request *request = share->request;
	const char *made_for = share->init.answer.user;

	if (strcmp(made_for, request->name) == 0)
		return 0;
	forget_descriptors(share); /* to look a user up may open and close some */
	if (request->is_same_user(request->context, made_for))
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

/* A unit's init has nothing of whoever happens to be the first: limits, control group. It waits
   for a member. */
static int join_what_unit_makes(struct share *share, struct failure *why)
{
	int err = user_have_made(share->request->user, why);

	if (err < 0)
		return err;
	err = become_member(share, why);
	if (err != -ENOENT)
		return err;
	forget_failure(why);
	return fail(why, ENXIO,
		"the unit has made no namespace: the configuration file may say that the user is not isolated");
}

/* Join the user's namespaces, or make them if there are none. */
static int join_or_make(struct share *share, bool *joined, struct failure *why)
{
	const enum maker maker = share->request->maker;
	int err = become_member(share, why);

	if (err == -ENOENT && (maker == MAKER_UNIT_OR_CALLER || maker == MAKER_UNIT)) {
		forget_failure(why);
		err = join_what_unit_makes(share, why);
	}
	*joined = err == 0;
	if (err != -ENOENT || maker == MAKER_UNIT)
		return err;
	forget_failure(why);
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
		forget_failure(why);
		share->tries++;
		err = join_or_make(share, joined, why);
		if ((err != -EWOULDBLOCK && err != -ECONNRESET) || why->return_failed ||
			!in_time(&begin))
			return err;
		wait_for_others(&pause);
	}
}

int share_become_member(struct share *share, bool *joined, struct failure *why)
{
	int err = find_or_make(share, joined, why);

	if (err < 0 || !*joined)
		return err;
	err = check_user(share, why);
	if (err < 0)
		(void)user_leave(share->place.name, &share->init.answer.member);
	return err;
}

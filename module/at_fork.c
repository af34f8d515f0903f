/* SPDX-License-Identifier: MIT */
/*
 * Handlers of pthread_atfork(3) have no argument, so what they need is the only writable static
 * data of the module. They make system calls only: fork(3) may be called in a signal handler, and
 * the child of a process with threads has the locks of all of them.
 */
#include "at_fork.h"

#include "common/syscalls.h"
#include "descriptors.h"
#include "fork_guard.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* What a child ends with that cannot enter. */
#define ENDED 126
/* How long a close waits for threads that are in the middle of fork(3), milliseconds. */
#define FLIGHT_LIMIT_MS 1000

/* Written by the children, read at the close. What is true or false is a word here: for a byte gcc
   calls libatomic on riscv64. */
struct shared {
	atomic_uint entered, ended;
	atomic_int step, err;
	atomic_uint unguarded, stayed;
};

static struct {
	bool registered;
	atomic_uint taken;     /* by a session, from before its guard until after it */
	atomic_uint active;    /* children enter */
	atomic_uint in_flight; /* forks that have begun and not ended */
	atomic_int back; /* the host's PID namespace, while a thread may have to go back; or -1 */
	struct host_namespaces host, inside;
	int init_pidfd;
	struct file_id host_root, root;
	struct fork_guard guard;
	struct shared *shared;
} state = {.back = -1, .host = {.mount = -1, .pid = -1, .ipc = -1}, .guard = {.zombie = -1}};

/* ---- the handlers -----------------------------------------------------------------------------
 */

/* The child is born in the PID namespace. It sees whether this has worked. */
static void before_fork(void)
{
	const int saved = errno;

	atomic_fetch_add(&state.in_flight, 1);
	if (atomic_load(&state.active)) {
		(void)setns(state.inside.pid, CLONE_NEWPID);
		if (fork_guard_is_lifted())
			atomic_store(&state.shared->unguarded, true);
	}
	errno = saved;
}

/* Also when fork(2) has failed, and when the session was closed meanwhile. */
static void in_parent(void)
{
	const int saved = errno, host = atomic_load(&state.back);

	if (host >= 0 && setns(host, CLONE_NEWPID) < 0)
		atomic_store(&state.shared->stayed, true);
	atomic_fetch_sub(&state.in_flight, 1);
	errno = saved;
}

/* Tells whether two are the same: a filter of system calls may make setns(2) do nothing and report
   success. */
static bool is_namespace(const char *path, int fd)
{
	struct stat here, there;

	return stat(path, &here) == 0 && fstat(fd, &there) == 0 && here.st_ino == there.st_ino;
}

/* Not out of a chroot. */
static bool has_root(const struct file_id *root)
{
	struct file_id here;

	return file_identify(AT_FDCWD, "/", &here) == 0 && memcmp(&here, root, sizeof(here)) == 0;
}

/* getcwd(3) may allocate memory to find one that is in another mount namespace. */
static void note_directory(struct directory *dir)
{
	if (syscall(SYS_getcwd, dir->path, sizeof(dir->path)) <= 0 || dir->path[0] != '/' ||
		file_identify(AT_FDCWD, ".", &dir->id) < 0)
		dir->path[0] = '\0';
}

/* Fails with the errno of the step. */
static enum at_fork_step enter(void)
{
	struct directory cwd NOT_CLEARED;

	errno = ESRCH;
	if (getppid() != 0) /* the parent is in the same PID namespace, or has ended */
		return AT_FORK_BORN;
	errno = -hide_host_descriptors();
	if (errno != 0)
		return AT_FORK_DESCRIPTORS;
	errno = EXDEV;
	if (!has_root(&state.host_root))
		return AT_FORK_ROOT;
	note_directory(&cwd);
	if (setns(state.inside.mount, CLONE_NEWNS) < 0)
		return AT_FORK_MOUNTS;
	if (state.inside.ipc >= 0 && setns(state.inside.ipc, CLONE_NEWIPC) < 0)
		return AT_FORK_IPC;
	errno = ENOTSUP;
	if (!has_root(&state.root) || !is_namespace("/proc/self/ns/pid", state.inside.pid) ||
		(state.inside.ipc >= 0 && !is_namespace("/proc/self/ns/ipc", state.inside.ipc)))
		return AT_FORK_CHECK;
	(void)directory_enter(&cwd); /* or it stays in "/" */
	errno = -fork_guard_lift(&state.guard);
	return errno != 0 ? AT_FORK_LIMIT : AT_FORK_STEPS;
}

/* What a child needs no more: it may go on without executing a program. */
static void forget(void)
{
	atomic_store(&state.back, -1);
	host_namespaces_close(&state.host);
	host_namespaces_close(&state.inside);
	close_high(&state.init_pidfd);
	close_high(&state.guard.zombie);
	(void)munmap(state.shared, sizeof(*state.shared));
	state.shared = NULL;
}

_Noreturn static void end_child(enum at_fork_step step, int err)
{
	atomic_store(&state.shared->step, step);
	atomic_store(&state.shared->err, err);
	atomic_fetch_add(&state.shared->ended, 1);
	for (;;)
		(void)syscall(SYS_exit_group, ENDED);
}

/* While another thread opens or closes the session. The limit is not for a child on the host. */
static void stay_outside(void)
{
	if (getppid() == 0)
		end_child(AT_FORK_CLOSED, ESRCH);
	(void)fork_guard_lift(&state.guard);
}

static void enter_or_end(void)
{
	const enum at_fork_step step = enter();

	if (step != AT_FORK_STEPS)
		end_child(step, errno);
	atomic_fetch_add(&state.shared->entered, 1);
	forget();
}

static void in_child(void)
{
	const int saved = errno;

	atomic_store(&state.in_flight, 0);
	if (atomic_load(&state.active))
		enter_or_end();
	else if (atomic_load(&state.taken))
		stay_outside();
	atomic_store(&state.active, false);
	atomic_store(&state.taken, false);
	errno = saved;
}

/* ---- begin and end ----------------------------------------------------------------------------
 */

static int register_handlers(struct failure *why)
{
	int err = state.registered ? 0 : pthread_atfork(before_fork, in_parent, in_child);

	state.registered = err == 0;
	return err != 0 ? fail(why, err, "register the handlers of fork") : 0;
}

static int share_page(struct failure *why)
{
	void *page = mmap(NULL, sizeof(*state.shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	state.shared = page == MAP_FAILED ? NULL : page;
	return page == MAP_FAILED ? fail(why, errno, "allocate what children report in") : 0;
}

static void unshare_page(void)
{
	if (state.shared)
		(void)munmap(state.shared, sizeof(*state.shared));
	state.shared = NULL;
}

/* The guard's children are born on the host: the first process of another PID namespace would take
   it along, and in that of a session the user could end them. */
static int check_pid_namespace(struct failure *why)
{
	struct stat own, of_children = {.st_ino = 0}; /* ENOENT while it has no process */

	if (stat("/proc/thread-self/ns/pid", &own) < 0 ||
		(stat("/proc/thread-self/ns/pid_for_children", &of_children) < 0 &&
			errno != ENOENT))
		return fail(why, errno, "identify the PID namespace of the application's children");
	if (own.st_ino != of_children.st_ino)
		return fail(why, EINVAL,
			"the application's children are born in another PID namespace than its own");
	return 0;
}

static int prepare(uid_t user, struct failure *why)
{
	int err = check_pid_namespace(why);

	if (err == 0)
		err = register_handlers(why);
	if (err == 0 && file_identify(AT_FDCWD, "/", &state.host_root) < 0)
		err = fail(why, errno, "identify the root directory");
	if (err == 0)
		err = share_page(why);
	if (err < 0)
		return err;
	err = fork_guard_begin(&state.guard, user, why);
	if (err < 0)
		unshare_page();
	return err;
}

int at_fork_prepare(uid_t user, struct failure *why)
{
	int err;

	if (atomic_exchange(&state.taken, true))
		return fail(why, EBUSY, "this process opens another session with 'enter=fork'");
	err = prepare(user, why);
	if (err < 0)
		atomic_store(&state.taken, false);
	return err;
}

void at_fork_cancel(void)
{
	(void)fork_guard_lift(&state.guard);
	(void)fork_guard_end(&state.guard);
	unshare_page();
	atomic_store(&state.taken, false);
}

void at_fork_begin(const struct namespaces *ns)
{
	state.host = ns->host;
	state.inside = ns->inside;
	state.init_pidfd = ns->init_pidfd;
	state.root = ns->root;
	atomic_store(&state.back, ns->host.pid);
	atomic_store(&state.active, true);
}

bool at_fork_is_taken(void)
{
	return atomic_load(&state.taken);
}

/* fork(2) takes as long as the application is large. */
static int wait_for_forks(void)
{
	const struct timespec pause = {.tv_sec = 0, .tv_nsec = 1000000};

	for (int i = 0; i < FLIGHT_LIMIT_MS && atomic_load(&state.in_flight) > 0; i++)
		(void)nanosleep(&pause, NULL);
	return atomic_load(&state.in_flight) > 0 ? -EBUSY : 0;
}

int at_fork_end(struct at_fork_report *report)
{
	const struct shared *shared = state.shared;
	int err;

	atomic_store(&state.active, false);
	err = wait_for_forks();
	*report = (struct at_fork_report){.entered = atomic_load(&shared->entered),
		.ended = atomic_load(&shared->ended),
		.step = (enum at_fork_step)atomic_load(&shared->step),
		.err = atomic_load(&shared->err),
		.unguarded = atomic_load(&shared->unguarded) || fork_guard_is_lifted(),
		.stayed = atomic_load(&shared->stayed)};
	report->limit_err = -fork_guard_lift(&state.guard);
	report->uncounted = fork_guard_end(&state.guard) == -ECHILD;
	if (err == 0) {
		/* what forks from here on has nothing to go back from; what forks just now may use
		   the descriptor once more */
		atomic_store(&state.back, -1);
		err = wait_for_forks();
	}
	if (err == 0) {
		state.host = state.inside = HOST_NAMESPACES_NONE;
		unshare_page();
	}
	atomic_store(&state.taken, false);
	return err;
}

const char *at_fork_step_name(enum at_fork_step step)
{
	static const char *const names[] = {
		[AT_FORK_CLOSED] = "enter the session, which is being closed",
		[AT_FORK_BORN] = "be born in the session's PID namespace",
		[AT_FORK_DESCRIPTORS] = "hide the application's descriptors",
		[AT_FORK_ROOT] = "have the application's root directory, which has changed",
		[AT_FORK_MOUNTS] = "enter the session's mount namespace",
		[AT_FORK_IPC] = "enter the session's IPC namespace",
		[AT_FORK_CHECK] = "find itself in the session's namespaces",
		[AT_FORK_LIMIT] = "set the limit RLIMIT_NPROC",
	};

	_Static_assert(sizeof(names) / sizeof(*names) == AT_FORK_STEPS, "each step has a name");

	return step < AT_FORK_STEPS ? names[step] : "?";
}

/* SPDX-License-Identifier: MIT */
#include "namespace.h"

#include "common/procfs.h"
#include "init/init.h"

#include <linux/magic.h>
#include <linux/sched.h> /* CLONE_PIDFD */
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <sys/wait.h>

/* The lowest descriptor number that is used for longer than a call. */
#define FIRST_FD 10

/* How long a close may wait for the init of a session that had no process, milliseconds. It takes
   less than one. */
#define EMPTY_LIMIT_MS 100

/* How long the init may take to be ready, milliseconds. It takes less than one. */
#define READY_LIMIT_MS 20000

/* How to undo what has been done, while namespace_create() is at work. -1: not done. */
struct way_back {
	int self; /* the application's directory in the host's /proc */
	int cwd, root;
	int mount, pid, ipc;
	int init; /* pidfd */
	pid_t init_pid;
	int word;     /* read end of the pipe for its report */
	int table;    /* the mount table, where it has to be read */
	bool changed; /* unshare(2) has succeeded */
};

/* Move a descriptor to FIRST_FD or higher; keeps errno of a call that gave none. */
static int high_fd(int fd)
{
	int high;

	if (fd < 0 || fd >= FIRST_FD)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
	if (high < 0 && errno == EINVAL) /* FIRST_FD is above RLIMIT_NOFILE */
		errno = EMFILE;
	(void)close(fd);
	return high;
}

static void close_high(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* ---- what must hold before anything is changed ---------------------------------------------- */

/* The first are for the way back: setns(2) to a mount namespace asks for SYS_CHROOT as well. */
static const cap_value_t needed[] = {
	CAP_SYS_ADMIN, CAP_SYS_CHROOT, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP};
#define NEEDED_TO_OPEN (sizeof(needed) / sizeof(*needed))
#define NEEDED_TO_LEAVE 2

/* Tell which of the first N are missing. */
static int check_capabilities(size_t n, struct failure *why)
{
	cap_t have = cap_get_proc();
	char missing[256] = "";
	cap_flag_value_t set;

	if (!have)
		return fail(why, errno, "read the capabilities");
	for (size_t i = 0; i < n; i++) {
		char *name;

		if (cap_get_flag(have, needed[i], CAP_EFFECTIVE, &set) == 0 && set == CAP_SET)
			continue;
		name = cap_to_name(needed[i]);
		for (char *c = name; c && *c; c++)
			if (*c >= 'a' && *c <= 'z')
				*c = (char)(*c - 'a' + 'A');
		(void)snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing), " %s",
			name ? name : "?");
		(void)cap_free(name);
	}
	(void)cap_free(have);
	why->powerless = *missing;
	return *missing ? fail(why, EPERM, "the application lacks%s", missing) : 0;
}

/* unshare(2) and setns(2) move the calling thread; the others would stay behind. */
static int check_threads(int self, struct failure *why)
{
	struct stat task;

	/* a directory has 2 links and one for each subdirectory (proc_task_getattr()) */
	if (fstatat(self, "task", &task, 0) < 0)
		return fail(why, errno, "count the application's threads");
	if (task.st_nlink > 3)
		return fail(why, EINVAL, "the application has %lu threads, only one is supported",
			(unsigned long)task.st_nlink - 2);
	return 0;
}

/* systemd opens a unit's PAMName= session in a process that becomes the unit's own program: that
   would be outside the PID namespace, with a /proc that does not show it. */
static int check_executable(int self, struct failure *why)
{
	char path[PATH_MAX];
	ssize_t n = readlinkat(self, "exe", path, sizeof(path) - 1);
	const char *name;

	if (n < 0)
		return fail(why, errno, "read the name of the application's executable");
	path[n] = '\0';
	name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	n = (ssize_t)strcspn(name, " "); /* "… (deleted)" after an upgrade */
	if ((n == 7 && strncmp(name, "systemd", 7) == 0) ||
		(n == 16 && strncmp(name, "systemd-executor", 16) == 0))
		return fail(why, ENOTSUP,
			"a unit with PAMName= cannot be isolated: %s opens the session in the process that runs the unit's program",
			path);
	return 0;
}

static void note_directory(struct directory *dir)
{
	if (!getcwd(dir->path, sizeof(dir->path)) || file_identify(AT_FDCWD, ".", &dir->id) < 0)
		dir->path[0] = '\0';
}

/* ---- the way back ---------------------------------------------------------------------------- */

static int remember_way_back(struct way_back *back, bool ipc, struct failure *why)
{
	struct statfs fs;

	back->self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (back->self < 0)
		return fail(why, errno,
			errno == ENOENT
				? "/proc does not show the application: it has a session of this module open already, or /proc is not mounted, or not that of its PID namespace"
				: "open /proc/self");
	if (fstatfs(back->self, &fs) < 0)
		return fail(why, errno, "look at /proc (statfs)");
	if (fs.f_type != PROC_SUPER_MAGIC)
		return fail(why, EINVAL, "/proc is not a procfs");
	back->mount = high_fd(openat(back->self, "ns/mnt", O_RDONLY | O_CLOEXEC));
	if (back->mount >= 0)
		back->pid = high_fd(openat(back->self, "ns/pid", O_RDONLY | O_CLOEXEC));
	if (back->pid >= 0 && ipc)
		back->ipc = high_fd(openat(back->self, "ns/ipc", O_RDONLY | O_CLOEXEC));
	if (back->mount < 0 || back->pid < 0 || (ipc && back->ipc < 0))
		return fail(why, errno, "open the application's namespaces");
	back->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (back->root >= 0)
		back->cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (back->root < 0 || back->cwd < 0)
		return fail(why, errno, "open the application's directories");
	return 0;
}

/* Return to the namespaces. Tries all of them, to strand as little as possible. */
static int return_to(int mount, int pid, int ipc, struct failure *why)
{
	int err = 0;

	if (setns(pid, CLONE_NEWPID) < 0)
		err = fail(why, errno, "return to the host's PID namespace");
	if (ipc >= 0 && setns(ipc, CLONE_NEWIPC) < 0)
		err = fail(why, errno, "return to the host's IPC namespace");
	if (setns(mount, CLONE_NEWNS) < 0)
		err = fail(why, errno, "return to the host's mount namespace");
	if (err < 0)
		why->stranded = true;
	return err;
}

/* End an init that never got a session: nothing else is in its namespace, so it ends at once and
   may be waited for; a second is for a machine under load. */
static void discard_init(int pidfd, pid_t pid)
{
	struct pollfd ended = {.fd = pidfd, .events = POLLIN};

	/* the pid is still its own: it is a child that nobody has waited for since it was forked */
	if (sys_pidfd_send_signal(pidfd, SIGKILL) < 0)
		(void)kill(pid, SIGKILL);
	while (poll(&ended, 1, 1000) < 0 && errno == EINTR)
		;
	(void)waitid(WAIT_BY_PIDFD, (id_t)pidfd, &(siginfo_t){0}, WEXITED | WNOHANG | __WALL);
}

static void roll_back(struct way_back *back, struct failure *why)
{
	if (back->init >= 0)
		discard_init(back->init, back->init_pid);
	if (!back->changed || return_to(back->mount, back->pid, back->ipc, why) < 0)
		return;
	/* setns(2) has moved the application to the namespace's root, perhaps out of its chroot */
	if (fchdir(back->root) < 0 || chroot(".") < 0)
		why->stranded = true;
	else if (fchdir(back->cwd) < 0) /* NFS: even root may not enter it */
		why->astray = errno;	/* in the root directory */
}

static void forget_way_back(struct way_back *back)
{
	close_high(&back->self);
	close_high(&back->cwd);
	close_high(&back->root);
	close_high(&back->mount);
	close_high(&back->pid);
	close_high(&back->ipc);
	close_high(&back->init);
	close_high(&back->word);
	close_high(&back->table);
}

/* ---- going in ---------------------------------------------------------------------------------
 */

static int unshare_all(struct way_back *back, bool ipc, struct failure *why)
{
	struct stat before, after;

	if (unshare(CLONE_NEWPID | CLONE_NEWNS | (ipc ? CLONE_NEWIPC : 0)) < 0)
		return fail(why, errno, "make the namespaces (unshare)%s",
			errno == ENOSPC
				? ", one of user.max_pid_namespaces, user.max_mnt_namespaces, fs.mount-max or 32 nested levels is reached"
				: "");
	back->changed = true;
	/* A filter of system calls may make it do nothing and say that it did: what follows would
	   then be done to the host. */
	if (fstat(back->mount, &before) < 0 || fstatat(back->self, "ns/mnt", &after, 0) < 0)
		return fail(why, errno, "identify the mount namespace");
	if (before.st_ino == after.st_ino)
		return fail(why, ENOTSUP, "make the namespaces (unshare) has no effect");
	/* Slave: nothing that happens here reaches the host; private would keep the
	   administrator's later mounts and umounts from the session. */
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return fail(why, errno,
			errno == EINVAL /* "/" is no mount: do_change_type() */
				? "the application is chrooted"
				: "make the mounts slaves of the host's");
	return 0;
}

/* Move the init's pidfd out of the way of the application; without it the init is of no use. */
static int keep_init(int pidfd, pid_t pid, struct failure *why)
{
	int high = pidfd < FIRST_FD ? fcntl(pidfd, F_DUPFD_CLOEXEC, FIRST_FD) : pidfd;

	if (high < 0) {
		(void)fail(why, EMFILE, "keep the init's pidfd");
		discard_init(pidfd, pid);
	}
	if (high != pidfd)
		(void)close(pidfd);
	return high < 0 ? -why->err : high;
}

static int start_init(void *task)
{
	init_main(task);
}

/* Put the title where the init's stack begins, so that both are in one page, as execve(2) does it.
 */
static char *put_title(void *stack, const char *title)
{
	/* every supported architecture has its stack pointer aligned so */
	size_t size = (strlen(title) + 1 + 15) & ~(size_t)15;

	return memcpy((char *)stack + INIT_STACK - size, title, strlen(title) + 1);
}

/* Fork the init with an exit signal of 0, so that the application's wait(2) does not meet it; on
   a stack of its own, so that it can let go of the application's. */
static int fork_init(struct init_task *task, struct namespace *ns, struct failure *why)
{
	sigset_t all, before;
	int pidfd = -1;

	/* no handler of the application may run in the init */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &before);
	/* the C library's wrapper counts downwards on every supported architecture */
	ns->init_pid = clone(start_init, task->title, CLONE_PIDFD, task, &pidfd);
	if (ns->init_pid < 0)
		(void)fail(why, errno, "fork the namespace's init");
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return ns->init_pid < 0 ? -why->err : keep_init(pidfd, ns->init_pid, why);
}

/* Wait for the init's word, but not for ever: below a mount point of a file server that does not
   answer it may be stuck, until it is killed. */
static int wait_until_ready(int pipe, bool *replaced, struct failure *why)
{
	struct pollfd word = {.fd = pipe, .events = POLLIN};
	struct init_report report;
	ssize_t n;
	int ready;

	do {
		ready = poll(&word, 1, READY_LIMIT_MS);
	} while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		return fail(why, ready < 0 ? errno : ETIMEDOUT, "wait for the init to be ready");
	do {
		n = read(pipe, &report, sizeof(report));
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(report))
		return fail(why, n < 0 ? errno : ECHILD, "the init ended before it was ready");
	*replaced = report.replaced;
	switch (report.step) {
	case INIT_READY:
		return 0;
	case INIT_CHROOT:
		if (report.err == EXDEV)
			return fail(why, report.err, "the application is chrooted");
		break;
	case INIT_PROCFS:
		return fail(why, report.err, "init: %s at %s%s", init_step_name(report.step),
			report.where, report.err == ESTALE ? ", which another mount covers" : "");
	default:
		break;
	}
	return fail(why, report.err, "init: %s", init_step_name(report.step));
}

/* Start the init with what it needs. Its word is to be waited for. */
static int run_init(
	struct init_task *task, struct way_back *back, struct namespace *ns, struct failure *why)
{
	int ends[2], err;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail(why, errno, "make a pipe");
	back->word = ends[0];
	task->report = ends[1] = high_fd(ends[1]);
	task->opener = high_fd(sys_pidfd_open(getpid()));
	task->mount_namespace = openat(back->self, "ns/mnt", O_RDONLY | O_CLOEXEC);
	if (ends[1] < 0 || task->opener < 0 || task->mount_namespace < 0)
		err = fail(why, errno, "open what the init needs");
	else
		err = fork_init(task, ns, why);
	close_high(&ends[1]); /* before reading: the end of the pipe tells that the init has died */
	close_high(&task->opener);
	close_high(&task->mount_namespace);
	if (err < 0)
		return err;
	back->init = err;
	back->init_pid = ns->init_pid;
	return 0;
}

static int make_init(const struct namespace_request *request, struct procfs_plan *plan,
	struct way_back *back, struct namespace *ns, struct failure *why)
{
	struct init_task task = {.grace = request->grace,
		.hidden = procfs_plan_hides(plan),
		.procfs = plan,
		.stack = init_stack_new()};
	int err;

	if (!task.stack)
		return fail(why, errno, "allocate what the init needs");
	if (file_identify(AT_FDCWD, "/", &task.root) < 0) {
		err = fail(why, errno, "identify the root directory");
	} else {
		task.title = put_title(task.stack, request->title);
		forget_prepare(&task.kept, task.stack);
		err = run_init(&task, back, ns, why);
		ns->root = task.root;
	}
	init_stack_free(task.stack);
	return err;
}

/* ---- nothing of the host's processes is left in the application's hands ------------------------
 */

/* Stand where the application stood, now in another mount of it: the host's, or a copy. No
   descriptor of the host's could be kept (see struct namespace), so the path must lead to the same
   directory, or it is not gone to. Returns 0 or an errno. */
static int stand_in(const struct directory *dir)
{
	int fd AUTO_CLOSE = open(dir->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct file_id found;

	if (fd < 0 || file_identify(fd, "", &found) < 0)
		return errno;
	if (found.inode != dir->id.inode || found.major != dir->id.major ||
		found.minor != dir->id.minor)
		return ESTALE;
	return fchdir(fd) < 0 ? errno : 0;
}

/*
 * The session inherits the working directory. In the old procfs, or in another mount namespace
 * (reached through /proc/<pid>/root), it would be a window on the host's processes.
 */
static int leave_foreign_directory(
	const struct procfs_plan *plan, struct namespace *ns, struct failure *why)
{
	struct file_id cwd;

	if (file_identify(AT_FDCWD, ".", &cwd) < 0)
		return fail(why, errno, "identify the working directory");
	ns->moved = !procfs_plan_keeps(plan, cwd.mount);
	return ns->moved && chdir("/") < 0 ? fail(why, errno, "leave the host's procfs") : 0;
}

/* The init has replaced a mount by a copy: the root directory may be another mount's, and the
   working directory one of a mount that is no more. */
static int enter_copies(struct namespace *ns, struct failure *why)
{
	if (file_identify(AT_FDCWD, "/", &ns->root) < 0)
		return fail(why, errno, "identify the root directory");
	ns->moved = stand_in(&ns->cwd) != 0;
	return ns->moved && chdir("/") < 0 ? fail(why, errno, "leave the host's procfs") : 0;
}

/*
 * Tell whether a descriptor shows more than itself: a directory, from which a path leads to the
 * host's /proc, or anything on a procfs. 1, 0, or -1 with errno.
 */
static int shows_host(int fd)
{
	struct statx sx;
	struct statfs fs;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &sx) < 0)
		return -1;
	if (!S_ISREG(sx.stx_mode) && !S_ISLNK(sx.stx_mode))
		return S_ISDIR(sx.stx_mode);
	return fstatfs(fd, &fs) < 0 ? -1 : fs.f_type == PROC_SUPER_MAGIC;
}

struct descriptors {
	int *fds;
	size_t n, room;
};

static int note_if_host(struct descriptors *found, int fd, struct failure *why)
{
	int shows = shows_host(fd), *more;

	/* what cannot be looked at, a security module may forbid it, is kept as well; but not 0 to
	   2, in whose place a program would find other files */
	if (shows < 0 && fd <= STDERR_FILENO)
		return fail(why, errno, "tell what the application's descriptor %d shows", fd);
	if (!shows)
		return 0;
	if (found->n == found->room) {
		more = reallocarray(found->fds, found->room + 64, sizeof(*more));
		if (!more)
			return fail(why, ENOMEM, "list the application's descriptors");
		found->fds = more;
		found->room += 64;
	}
	found->fds[found->n++] = fd;
	return 0;
}

/* Find such descriptors, of the application or handed to it by its caller. */
static int find_host(int self, struct descriptors *found, struct failure *why)
{
	int fd AUTO_CLOSE = openat(self, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	bool complete = false;
	struct names names NOT_CLEARED;
	const char *name;

	if (fd < 0)
		return fail(why, errno, "list the application's descriptors");
	names.fd = fd;
	names.at = names.n = 0;
	while (err == 0 && (name = next_name(&names))) {
		int open_fd = name[0] == '.' ? -1 : atoi(name);

		complete = complete || open_fd == fd;
		if (open_fd >= 0 && open_fd != fd)
			err = note_if_host(found, open_fd, why);
	}
	if (err == 0 && (errno != 0 || !complete)) /* ENOENT where the descriptors are hidden */
		err = fail(why, errno ? errno : ENOENT, "list the application's descriptors");
	return err;
}

/* They must not pass to the programs of the session. */
static int close_on_exec(const struct descriptors *found, struct failure *why)
{
	for (size_t i = 0; i < found->n; i++)
		if (fcntl(found->fds[i], F_SETFD, FD_CLOEXEC) < 0)
			return fail(why, errno, "keep the application's descriptor %d to itself",
				found->fds[i]);
	return 0;
}

static int plan_procfs(const struct namespace_request *request, struct way_back *back,
	struct procfs_plan **plan, struct failure *why)
{
	int err = procfs_plan_ask(request->proc_options, plan, why);

	if (err == -ENOSYS) {
		back->table = openat(back->self, "mountinfo", O_RDONLY | O_CLOEXEC);
		if (back->table < 0)
			return fail(why, errno, "open the mount table");
		err = procfs_plan(back->table, request->proc_options, plan, why);
	}
	if (err == 0)
		procfs_plan_avoid_servers(*plan, request->user);
	return err;
}

/* The init's word is waited for last: meanwhile this side does what it can, and nothing yet that
   would have to be undone. */
static int await_init(const struct procfs_plan *plan, struct way_back *back, struct namespace *ns,
	struct failure *why)
{
	struct descriptors shown = {NULL, 0, 0};
	struct stat pid_namespace;
	bool replaced = false;
	int err;

	if (fstatat(back->self, "ns/pid_for_children", &pid_namespace, 0) < 0)
		return fail(why, errno, "identify the PID namespace");
	ns->inode = pid_namespace.st_ino;
	err = find_host(back->self, &shown, why);
	if (err == 0)
		err = wait_until_ready(back->word, &replaced, why);
	if (err == 0)
		err = replaced ? enter_copies(ns, why) : leave_foreign_directory(plan, ns, why);
	if (err == 0)
		err = close_on_exec(&shown, why);
	free(shown.fds);
	return err;
}

static int enter(const struct namespace_request *request, struct way_back *back,
	struct namespace *ns, struct failure *why)
{
	struct procfs_plan *plan = NULL;
	int err;

	err = unshare_all(back, request->ipc, why);
	if (err < 0)
		return err;
	err = plan_procfs(request, back, &plan, why);
	if (err == 0)
		err = make_init(request, plan, back, ns, why);
	if (err == 0)
		err = await_init(plan, back, ns, why);
	procfs_plan_free(plan);
	return err;
}

/* What of its children the application has waited for: it changes with each. */
static long children_waited_for(void)
{
	struct rusage usage = {0};

	(void)getrusage(RUSAGE_CHILDREN, &usage);
	return usage.ru_minflt;
}

int namespace_create(
	const struct namespace_request *request, struct namespace *ns, struct failure *why)
{
	struct way_back back = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, false};
	int err;

	err = check_capabilities(NEEDED_TO_OPEN, why);
	if (err == 0)
		err = remember_way_back(&back, request->ipc, why);
	if (err == 0)
		err = check_threads(back.self, why);
	if (err == 0)
		err = check_executable(back.self, why);
	if (err == 0) {
		note_directory(&ns->cwd);
		err = enter(request, &back, ns, why);
	}
	if (err == 0) {
		ns->waited_for = children_waited_for();
		ns->host_mount = back.mount;
		ns->host_pid = back.pid;
		ns->host_ipc = back.ipc;
		ns->init = back.init;
		back.mount = back.pid = back.ipc = back.init = -1;
	} else {
		roll_back(&back, why);
	}
	forget_way_back(&back);
	return err;
}

/* ---- going back --------------------------------------------------------------------------------
 */

int namespace_end(const struct namespace *ns)
{
	return sys_pidfd_send_signal(ns->init, SIGTERM) < 0 && errno != ESRCH ? -errno : 0;
}

static int go_back(const struct namespace *ns, struct failure *why)
{
	struct failure missing = {0};
	struct file_id root;

	if (check_capabilities(NEEDED_TO_LEAVE, &missing) < 0 && missing.powerless) {
		*why = missing; /* and not half of the way either */
		return -why->err;
	}
	if (file_identify(AT_FDCWD, "/", &root) < 0)
		return fail(why, errno, "find the way back");
	if (memcmp(&root, &ns->root, sizeof(root)) != 0)
		return fail(why, EXDEV, "the application has changed its root directory");
	return return_to(ns->host_mount, ns->host_pid, ns->host_ipc, why);
}

/*
 * An application that forks nothing between open and close (dovecot, samba) lives on, and would
 * have the init as a zombie until its next session. Nobody else is in that namespace, so that the
 * init ends at once, and may be waited for. Where processes may be there, that could be for ever:
 * see namespace_end().
 */
static void wait_if_unused(const struct namespace *ns)
{
	struct pollfd ended = {.fd = ns->init, .events = POLLIN};
	siginfo_t child;

	/* without __WCLONE the init is no child */
	if (children_waited_for() == ns->waited_for &&
		waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD)
		(void)poll(&ended, 1, EMPTY_LIMIT_MS);
}

int namespace_leave(struct namespace *ns, struct failure *why)
{
	struct directory cwd;
	int err;

	note_directory(&cwd);
	err = go_back(ns, why);
	if (err == 0)
		wait_if_unused(ns);
	if (err < 0)
		why->stranded = !why->powerless;
	else /* back to where it was moved from, unless it has moved on by itself */
		why->astray = stand_in(ns->moved && strcmp(cwd.path, "/") == 0 ? &ns->cwd : &cwd);
	close_high(&ns->host_mount);
	close_high(&ns->host_pid);
	close_high(&ns->host_ipc);
	close_high(&ns->init);
	return err;
}

bool namespace_is_host(void)
{
	return faccessat(AT_FDCWD, "/proc/self", F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	       access("/proc/self/ns/pid", F_OK) == 0;
}

/* Tell whether a child that has ended was an init, by its name. */
static bool was_init(pid_t pid)
{
	char path[32], name[sizeof(INIT_NAME)] = "";
	int fd AUTO_CLOSE = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, name, sizeof(name)) == (ssize_t)sizeof(name) &&
	       memcmp(name, INIT_NAME "\n", sizeof(name)) == 0;
}

void namespace_reap(void)
{
	siginfo_t ended;

	/* __WCLONE: only children whose exit signal is not SIGCHLD, as the init's is not */
	const int ended_clones = WEXITED | WNOHANG | (int)__WCLONE;

	for (;;) {
		ended.si_pid = 0;
		if (waitid(P_ALL, 0, &ended, ended_clones | WNOWAIT) < 0 || ended.si_pid == 0 ||
			!was_init(ended.si_pid))
			return;
		(void)waitid(P_PID, (id_t)ended.si_pid, &ended, ended_clones);
	}
}

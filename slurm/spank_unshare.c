/* SPDX-License-Identifier: MIT */
/* clang-format off */
/*
 * A SPANK plugin for Slurm, spank(8): each task runs in the namespaces of a session of its user.
 *
 * slurmstepd has threads, so it cannot open the session itself, and it knows the pid of the process
 * that it has forked for the task. So that process becomes the waiter: it has pam-unshare(8) open
 * and hold the session, enters its namespaces, and forks once more. The child is the task; the
 * waiter hands it signals, and ends as it ends.
 *
 *     slurmstepd ── the task's process: root, one thread
 *                     slurm_spank_task_init_privileged()
 *                       "pam-unshare hold" ── opens the session
 *                       enter its namespaces, fork ──────────► the task, PID n inside
 *                       the waiter: host, root                   becomes the user; Slurm sets up its I/O
 *                         moves it into its own control groups ◄── slurm_spank_task_init()
 *                         hands it signals, waits                executes the user's program
 *
 * Slurm puts the waiter, whose pid it knows, into the job's control groups only after the fork.
 *
 * An error that a plugin returns may be ignored, and the task would run on the host: what fails
 * ends the task.
 */
/* clang-format on */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <slurm/spank.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

SPANK_PLUGIN(pam_unshare, 1)

#define COMMAND "/usr/sbin/pam-unshare"
#define SERVICE "slurm-unshare"

/* Of the waiter, in the task: a socket, from the fork until the program is executed. */
static int waiter = -1;

/* The task ends; slurmstepd tells the user. Slurm's own log goes to the user's standard error. */
__attribute__((noreturn, format(printf, 1, 2))) static void end_task(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	slurm_error("pam_unshare: %s: %m; the task is not started", text);
	_exit(1);
}

/* Where the kernel may kill a process of a job that is over its limit of memory, it takes the
   largest; a task's may be smaller than the waiter and the holder. They are as slurmstepd itself.
   Best effort: it needs CAP_SYS_RESOURCE. */
static int open_oom_score(pid_t pid)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	return open(path, O_WRONLY | O_CLOEXEC);
}

/* Closes the file. */
static void keep_from_oom_killer(int oom_score)
{
	static const char never[] = "-1000";

	if (oom_score >= 0) {
		(void)!write(oom_score, never, sizeof(never) - 1);
		(void)close(oom_score);
	}
}

/* ---- the session ------------------------------------------------------------------------------
 */

struct session {
	pid_t holder;
	int input, output; /* of the holder; it holds the session until its input is at its end */
};

static const char *option(int argc, char **argv, const char *name, const char *otherwise)
{
	const size_t n = strlen(name);

	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=')
			return argv[i] + n + 1;
	return otherwise;
}

/* In the child: nothing of slurmstepd's is left to it, nor of the user's. */
__attribute__((noreturn)) static void become_holder(
	const char *service, uid_t uid, int input, int output)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", name[] = "pam-unshare",
		    verb[] = "hold";
	char user[32], *const environment[] = {path, NULL};
	char *const words[] = {name, verb, (char *)(uintptr_t)service, user, NULL};
	sigset_t none;

	(void)snprintf(user, sizeof(user), "+%lu", (unsigned long)uid);
	for (int signal = 1; signal < NSIG; signal++)
		(void)sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setsid(); /* no signal for the task's process group is meant for it */
	(void)umask(S_IWGRP | S_IWOTH);
	if (chdir("/") < 0 || dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
		syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) < 0)
		_exit(2);
	(void)execve(COMMAND, words, environment);
	_exit(2);
}

static void start_holder(struct session *session, const char *service, uid_t uid)
{
	int input[2], output[2];

	if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0)
		end_task("cannot make a pipe");
	session->holder = fork();
	if (session->holder == 0)
		become_holder(service, uid, input[0], output[1]);
	if (session->holder < 0)
		end_task("cannot fork");
	(void)close(input[0]);
	(void)close(output[1]);
	session->input = input[1];
	session->output = output[0];
}

/* Read the holder's answer. Returns whether the user is isolated. */
static bool is_isolated(const struct session *session)
{
	char line[64];
	size_t n = 0;
	ssize_t got = 1;

	while (n < sizeof(line) - 1 && got > 0 && !memchr(line, '\n', n)) {
		got = read(session->output, line + n, sizeof(line) - 1 - n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			n += (size_t)got;
	}
	line[n] = '\0';
	if (strcmp(line, "isolated\n") == 0)
		return true;
	if (strcmp(line, "left alone\n") == 0)
		return false;
	errno = EACCES;
	end_task("the session was refused");
}

static void end_session(struct session *session)
{
	(void)close(session->input);
	(void)close(session->output);
	while (waitpid(session->holder, NULL, 0) < 0 && errno == EINTR)
		;
}

/* ---- the namespaces ---------------------------------------------------------------------------
 */

static int open_namespace(pid_t pid, const char *name)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		end_task("cannot open %s", path);
	return fd;
}

/* The working directory is found again by its path, as the user: it may be on a file system where
   root has no rights. */
static void return_to(const char *directory, uid_t uid, gid_t gid)
{
	const uid_t own_uid = geteuid();
	const gid_t own_gid = getegid();
	int result = -1;

	if (setegid(gid) == 0 && seteuid(uid) == 0)
		result = chdir(directory);
	if (seteuid(own_uid) < 0 || setegid(own_gid) < 0)
		end_task("cannot become root again");
	if (result < 0 && chdir("/tmp") < 0)
		end_task("cannot change to the working directory %s", directory);
}

/* The next child is inside; so is this process, but for its pid. */
static void enter(const struct session *session, uid_t uid, gid_t gid)
{
	static const char *const names[] = {"ipc", "mnt", "pid_for_children"};
	int namespaces[3];
	char *directory = getcwd(NULL, 0);

	for (size_t i = 0; i < 3; i++)
		namespaces[i] = open_namespace(session->holder, names[i]);
	for (size_t i = 0; i < 3; i++) {
		if (setns(namespaces[i], 0) < 0)
			end_task("cannot enter the namespace %s", names[i]);
		(void)close(namespaces[i]);
	}
	return_to(directory ? directory : "/", uid, gid);
	free(directory);
}

/* ---- the waiter -------------------------------------------------------------------------------
 */

/* The directory of a line of /proc/self/cgroup: "unified" has version 2 where version 1 is in use.
 */
static int group_file(char *file, size_t size, const char *line, bool only_unified)
{
	const char *controllers = strchr(line, ':');
	const char *path = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!path)
		return -1;
	controllers++;
	if (controllers == path)
		return snprintf(
			file, size, "%s%s/cgroup.procs", only_unified ? "." : "unified", path + 1);
	return snprintf(file, size, "%.*s%s/cgroup.procs", (int)(path - controllers), controllers,
		path + 1);
}

/* Put the task into one of the waiter's own control groups: a line of /proc/self/cgroup. */
static bool move_into(int cgroups, bool only_unified, const char *line, pid_t task)
{
	char file[4096];
	int fd, n = group_file(file, sizeof(file), line, only_unified);
	bool moved;

	if (n < 0 || n >= (int)sizeof(file))
		return false;
	fd = openat(cgroups, file, O_WRONLY | O_CLOEXEC);
	if (fd < 0) /* a hierarchy that is not mounted */
		return errno == ENOENT && !(only_unified && file[0] == '.');
	n = snprintf(file, sizeof(file), "%d", (int)task);
	moved = write(fd, file, (size_t)n) == n;
	(void)close(fd);
	return moved;
}

/* The host's view: by descriptors from before the waiter has entered. */
static bool move_into_own_groups(int groups, int cgroups, pid_t task)
{
	char text[8192], *line, *rest = NULL;
	struct statfs file_system;
	ssize_t n = pread(groups, text, sizeof(text) - 1, 0);
	bool only_unified, moved = n > 0;

	if (fstatfs(cgroups, &file_system) < 0)
		return false;
	only_unified = file_system.f_type == CGROUP2_SUPER_MAGIC;
	text[n > 0 ? n : 0] = '\0';
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		moved = move_into(cgroups, only_unified, line, task) && moved;
	return moved;
}

/* Its limits of core dumps do not matter: the task has dumped. */
__attribute__((noreturn)) static void end_as(int status)
{
	sigset_t all;

	if (WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});
	(void)sigaction(WTERMSIG(status), &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
	(void)sigfillset(&all);
	(void)kill(getpid(), WTERMSIG(status));
	(void)sigprocmask(SIG_UNBLOCK, &all, NULL);
	_exit(128 + WTERMSIG(status));
}

struct waiting {
	struct session session;
	pid_t task;
	/* groups: /proc/self/cgroup, cgroups: /sys/fs/cgroup, oom_score: the waiter's */
	int socket, groups, cgroups, oom_score;
};

/* The task asks once, from slurm_spank_task_init(), when Slurm has put the waiter where it belongs.
 */
static void answer_task(struct waiting *waiting)
{
	char byte = 0;

	if (recv(waiting->socket, &byte, 1, MSG_DONTWAIT) == 1) {
		byte = move_into_own_groups(waiting->groups, waiting->cgroups, waiting->task) ? 1
											      : 0;
		(void)send(waiting->socket, &byte, 1, MSG_NOSIGNAL);
	}
}

static void reap(struct waiting *waiting)
{
	int status;
	pid_t ended;

	while ((ended = waitpid(-1, &status, WNOHANG)) > 0)
		if (ended == waiting->task) {
			(void)close(waiting->session.input);
			while (waitpid(waiting->session.holder, NULL, 0) < 0 && errno == EINTR)
				;
			end_as(status);
		}
}

/* All signals are blocked; the socket tells of itself by SIGIO. */
__attribute__((noreturn)) static void wait_for_task(struct waiting *waiting)
{
	sigset_t all;
	int signal;

	(void)sigfillset(&all);
	if (fcntl(waiting->socket, F_SETOWN, getpid()) < 0 ||
		fcntl(waiting->socket, F_SETFL, O_ASYNC) < 0)
		end_task("cannot wait for the task");
	answer_task(waiting);
	for (;;) {
		reap(waiting);
		signal = sigwaitinfo(&all, NULL);
		if (signal == SIGIO)
			answer_task(waiting);
		else if (signal > 0 && signal != SIGCHLD)
			(void)kill(waiting->task, signal);
	}
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Close all but four descriptors, so that nobody waits for the end of a pipe that the waiter has.
 */
static void keep(const struct waiting *waiting)
{
	int kept[] = {waiting->session.input, waiting->socket, waiting->groups, waiting->cgroups};
	int from = 0;

	qsort(kept, 4, sizeof(*kept), by_number);
	for (int i = 0; i < 4; i++) {
		if (kept[i] > from)
			(void)syscall(SYS_close_range, from, kept[i] - 1, 0);
		from = kept[i] + 1;
	}
	(void)syscall(SYS_close_range, from, ~0U, 0);
}

/* ---- the task's descriptors -------------------------------------------------------------------
 */

/* A directory leads to the host's /proc, and what is on a procfs may be of the host's. What cannot
   be looked at is one as well. */
static bool shows_host(int fd)
{
	struct stat file;
	struct statfs file_system;

	return fstat(fd, &file) < 0 || S_ISDIR(file.st_mode) || fstatfs(fd, &file_system) < 0 ||
	       file_system.f_type == PROC_SUPER_MAGIC;
}

/* Of slurmstepd's, before the task has opened anything. As root: the user may not list them, since
   the process is not dumpable. */
static void close_what_shows_host_at_exec(void)
{
	const struct dirent *entry;
	DIR *list = opendir("/proc/self/fd");

	if (!list)
		end_task("cannot list the task's descriptors");
	while ((entry = readdir(list))) {
		const int fd = entry->d_name[0] == '.' ? -1 : atoi(entry->d_name);

		if (fd > STDERR_FILENO && shows_host(fd) && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			end_task("cannot set close-on-exec on the descriptor %d", fd);
	}
	(void)closedir(list);
}

/* slurmstepd opens on the host what the user names (sbatch --input). */
static void refuse_what_shows_host(void)
{
	static const char *const names[] = {"input", "output", "error"};

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (shows_host(fd)) {
			errno = EPERM;
			end_task(
				"the standard %s is a directory or a file of /proc, which shows the host",
				names[fd]);
		}
}

/* Returns in the task alone. */
static void fork_task(struct waiting *waiting)
{
	int pair[2];
	sigset_t all, before;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		end_task("cannot make a socket");
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	waiting->task = fork();
	if (waiting->task < 0)
		end_task("cannot fork inside");
	if (waiting->task > 0) {
		waiting->socket = pair[0];
		keep_from_oom_killer(waiting->oom_score); /* the task has not inherited it */
		keep(waiting);
		wait_for_task(waiting);
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	(void)close(pair[0]);
	(void)close(waiting->groups);
	(void)close(waiting->cgroups);
	if (waiting->oom_score >= 0)
		(void)close(waiting->oom_score);
	(void)close(waiting->session.input);
	(void)close(waiting->session.output);
	waiter = pair[1];
	close_what_shows_host_at_exec();
}

/* ---- what Slurm calls -------------------------------------------------------------------------
 */

int slurm_spank_task_init_privileged(spank_t spank, int argc, char **argv)
{
	struct waiting waiting = {.groups = -1, .cgroups = -1, .oom_score = -1};
	uid_t uid;
	gid_t gid;

	if (spank_get_item(spank, S_JOB_UID, &uid) != ESPANK_SUCCESS ||
		spank_get_item(spank, S_JOB_GID, &gid) != ESPANK_SUCCESS)
		end_task("cannot find out whose task it is");
	start_holder(&waiting.session, option(argc, argv, "service", SERVICE), uid);
	if (!is_isolated(&waiting.session)) {
		end_session(&waiting.session);
		return ESPANK_SUCCESS;
	}
	waiting.groups = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	waiting.cgroups = open("/sys/fs/cgroup", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (waiting.groups < 0 || waiting.cgroups < 0)
		end_task("cannot open /proc/self/cgroup and /sys/fs/cgroup");
	/* not before: what other modules of its stack have started would have inherited it */
	keep_from_oom_killer(open_oom_score(waiting.session.holder));
	waiting.oom_score = open_oom_score(getpid());
	(void)prctl(
		PR_SET_DUMPABLE, 0); /* until it executes something: the user's processes see it */
	enter(&waiting.session, uid, gid);
	fork_task(&waiting);
	return ESPANK_SUCCESS;
}

/* As the user, when Slurm has set up everything else. */
int slurm_spank_task_init(spank_t spank, int argc, char **argv)
{
	char byte = 0;

	(void)spank;
	(void)argc;
	(void)argv;
	if (waiter < 0)
		return ESPANK_SUCCESS;
	if (send(waiter, &byte, 1, MSG_NOSIGNAL) != 1 || recv(waiter, &byte, 1, 0) != 1)
		end_task("the process that waits for the task has ended");
	if (byte != 1) {
		errno = EPERM;
		end_task("the task could not be moved into the job's control groups");
	}
	(void)close(waiter);
	waiter = -1;
	refuse_what_shows_host();
	return ESPANK_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/*
 * A PAM application for what the real ones do not show. Usage:
 *
 *     host CONFDIR SERVICE USER COMMAND…
 *
 * The commands are carried out in turn, and each prints its result; see the table at the end.
 * "state" prints all that the module must leave as it was.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where a filter of system calls finds the lower half of an argument. */
#if __BYTE_ORDER == __LITTLE_ENDIAN
#define ARGUMENT_LOW(n) offsetof(struct seccomp_data, args[n])
#else
#define ARGUMENT_LOW(n) (offsetof(struct seccomp_data, args[n]) + 4)
#endif

static pam_handle_t *pamh;
static const char *user;
static const char *answer; /* to who it is, where that was not said; NULL: none */
static int not_yet;	   /* how often the answer is still to come */
static bool fail_set_data;

static int converse(int n, const struct pam_message **msg, struct pam_response **resp, void *data)
{
	(void)data;
	if (not_yet > 0) {
		not_yet--;
		return PAM_CONV_AGAIN;
	}
	if (!answer || n != 1 || msg[0]->msg_style != PAM_PROMPT_ECHO_ON)
		return PAM_CONV_ERR;
	*resp = calloc(1, sizeof(**resp));
	(*resp)->resp = strdup(answer);
	return PAM_SUCCESS;
}

int pam_set_data(pam_handle_t *handle, const char *name, void *data,
	void (*cleanup)(pam_handle_t *, void *, int));

/* Stands before libpam's, which the module would call (the program is linked with -rdynamic). */
int pam_set_data(pam_handle_t *handle, const char *name, void *data,
	void (*cleanup)(pam_handle_t *, void *, int))
{
	int (*real)(pam_handle_t *, const char *, void *, void (*)(pam_handle_t *, void *, int));

	if (fail_set_data && strcmp(name, "pam_unshare") == 0)
		return PAM_BUF_ERR;
	*(void **)&real = dlsym(RTLD_NEXT, "pam_set_data");
	return real(handle, name, data, cleanup);
}

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static int number(const char *s)
{
	return (int)strtol(s, NULL, 10);
}

/* ---- what is compared before and after --------------------------------------------------------
 */

static void print_link(const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	target[n > 0 ? n : 0] = '\0';
	printf("%s -> %s\n", path, target);
}

static void print_file(const char *path)
{
	struct stat st = {0};

	(void)stat(path, &st);
	printf("%s is %lx:%lu\n", path, (unsigned long)st.st_dev, (unsigned long)st.st_ino);
}

static void print_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *e;
	char path[300];

	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.' && number(e->d_name) != dirfd(dir)) {
			(void)snprintf(path, sizeof(path), "/proc/self/fd/%s", e->d_name);
			print_link(path);
		}
	if (dir)
		(void)closedir(dir);
}

static void print_lines(const char *path, const char *only)
{
	char line[8192];
	FILE *f = fopen(path, "re");
	int n = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (only && strncmp(line, only, strlen(only)) == 0)
			printf("%s", line);
		n++;
	}
	if (f)
		(void)fclose(f);
	if (!only)
		printf("%s has %d lines\n", path, n);
}

static int cmd_state(const char *arg)
{
	char cwd[PATH_MAX] = "?";
	siginfo_t other;
	pid_t child;
	bool left;

	(void)arg;
	printf("state:\n");
	print_link("/proc/self/ns/mnt");
	print_link("/proc/self/ns/pid");
	print_link("/proc/self/ns/pid_for_children");
	print_link("/proc/self/ns/ipc");
	print_link("/proc/self/root");
	print_file("/");
	print_file(".");
	printf("cwd %s\n", getcwd(cwd, sizeof(cwd)) ? cwd : "(none)");
	print_lines("/proc/self/mountinfo", NULL);
	print_lines("/proc/self/status", "SigB");
	print_lines("/proc/self/status", "SigI");
	print_lines("/proc/self/status", "SigC");
	print_lines("/proc/self/status", "Cap");
	print_lines("/proc/self/status", "Uid");
	print_descriptors();
	/* a new child is born where? and is there an old one? */
	child = fork();
	if (child == 0)
		_exit(0);
	printf("fork %s\n", child > 0 ? "works" : "fails");
	(void)waitpid(child, NULL, 0);
	/* one of root's is reaped; a zombie of the user's is the module's until the close */
	other.si_pid = 0;
	left = waitid(P_ALL, 0, &other, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
	if (left && other.si_pid > 0 && other.si_uid == 0)
		(void)waitpid(other.si_pid, NULL, WNOHANG | __WALL);
	printf("other children: %s\n", left ? "some" : "none");
	return 0;
}

/* ---- the commands -----------------------------------------------------------------------------
 */

static int cmd_open(const char *arg)
{
	(void)arg;
	return pam_open_session(pamh, 0);
}

static int cmd_close(const char *arg)
{
	(void)arg;
	return pam_close_session(pamh, 0);
}

static int cmd_end(const char *arg)
{
	int result = pamh ? pam_end(pamh, 0) : -1; /* it has ended already */

	(void)arg;
	pamh = NULL;
	return result;
}

/* As login and su do in the process that becomes the user's shell. */
static int cmd_child_end(const char *arg)
{
	pid_t child = fork();
	int status;

	(void)arg;
	if (child == 0)
		_exit(pam_end(pamh, PAM_DATA_SILENT));
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void become(const char *name)
{
	const struct passwd *pw = getpwnam(name);

	if (!pw || initgroups(name, pw->pw_gid) < 0 || setgid(pw->pw_gid) < 0 ||
		setuid(pw->pw_uid) < 0)
		die("become");
}

static pid_t start(const char *command, bool as_root)
{
	pid_t child = fork();

	if (child != 0)
		return child;
	(void)prctl(PR_SET_PDEATHSIG, 0);
	if (!as_root)
		become(user);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static int wait_for(pid_t child)
{
	int status;

	if (child < 0)
		return -1;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int cmd_run(const char *arg)
{
	return wait_for(start(arg, false));
}

static int cmd_run_root(const char *arg)
{
	return wait_for(start(arg, true));
}

/* A process of the session's that executes no program, as sshd's user process and cron's have it:
   what it has inherited, and whether that is of any use. The socket is the init's. */
static int inherit(const char *init_socket, bool as_root)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, client = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	pid_t child = fork();

	if (child != 0) {
		(void)close(client);
		return wait_for(child);
	}
	if (!as_root)
		become(user);
	print_descriptors();
	for (fd = 3; fd < 1024; fd++)
		if (setns(fd, 0) == 0 || syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) == 0)
			printf("descriptor %d is of use\n", fd);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", init_socket);
	errno = 0;
	(void)connect(client, (struct sockaddr *)&address, sizeof(address));
	printf("connect: %s\n", strerror(errno));
	_exit(0);
}

static int cmd_inherit(const char *arg)
{
	return inherit(arg, false);
}

static int cmd_inherit_root(const char *arg)
{
	return inherit(arg, true);
}

/* As "run", but its process waits until a tracer has been attached, as the init of
   tests/mutants/paused.c does, by the same descriptors. */
static int cmd_run_held(const char *arg)
{
	pid_t child = fork();
	char go = 'g';

	if (child != 0)
		return wait_for(child);
	if (write(200, &go, 1) == 1)
		(void)!read(201, &go, 1);
	become(user);
	execl("/bin/sh", "sh", "-c", arg, (char *)NULL);
	_exit(127);
}

/* As an application that becomes the user's program instead of forking it. */
static int cmd_exec(const char *arg)
{
	(void)fflush(stdout);
	become(user);
	execl("/bin/sh", "sh", "-c", arg, (char *)NULL);
	return -1;
}

static int cmd_spawn(const char *arg)
{
	return start(arg, false) > 0 ? 0 : -1;
}

/* clone(2) itself, with this stack; s390 takes the stack first (CONFIG_CLONE_BACKWARDS2) */
static pid_t raw_clone(unsigned long flags)
{
#ifdef __s390__
	return (pid_t)syscall(SYS_clone, 0UL, flags, 0UL, 0UL, 0UL);
#else
	return (pid_t)syscall(SYS_clone, flags, 0UL, 0UL, 0UL, 0UL);
#endif
}

/* A process that sleeps where only a fatal signal wakes it (state D): it waits for a child of its
   own, as in vfork(2), that neither ends nor executes a program. */
static int cmd_stuck(const char *arg)
{
	pid_t child = fork();

	(void)arg;
	if (child != 0)
		return child > 0 ? 0 : -1;
	become(user);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)raw_clone(CLONE_VFORK | SIGCHLD);
	for (;;)
		(void)pause();
}

/* As login 2.42 and cron: wait until no child is left. */
static int cmd_wait_all(const char *arg)
{
	(void)arg;
	while (wait(NULL) > 0)
		;
	return 0;
}

/* Also children of clone(2) without SIGCHLD, which no application needs to wait for. */
static int cmd_reap(const char *arg)
{
	(void)arg;
	while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
		;
	return 0;
}

/*
 * Processes that ignore what would end them and make orphans as fast as they can. The limit on
 * processes is the user's own, so that the machine stays usable.
 */
static int cmd_storm(const char *arg)
{
	const struct rlimit limit = {(rlim_t)number(arg), (rlim_t)number(arg)};
	pid_t child = fork();

	if (child != 0)
		return child > 0 ? 0 : -1;
	become(user);
	(void)setrlimit(RLIMIT_NPROC, &limit);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	for (int i = 0; i < 16; i++)
		if (fork() == 0)
			for (;;) {
				if (fork() == 0)
					_exit(fork() > 0);
				(void)waitpid(-1, NULL, 0);
			}
	for (;;)
		(void)pause();
}

static void *pause_thread(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static int cmd_thread(const char *arg)
{
	pthread_t thread;

	(void)arg;
	return pthread_create(&thread, NULL, pause_thread, NULL);
}

/* ---- other ways to start a program, for enter=fork --------------------------------------------
 */

/* System calls only: the caller shares the parent's memory, or is a copy that no library knows of.
 */
_Noreturn static void become_and_execute(const struct passwd *pw, const char *command)
{
	static const char failed[] = "execve: cannot\n";

	if (pw && (syscall(SYS_setgroups, 0, NULL) < 0 ||
			  syscall(SYS_setresgid, pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
			  syscall(SYS_setresuid, pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0))
		_exit(98);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	(void)!write(1, failed, sizeof(failed) - 1);
	_exit(errno);
}

/* Prints 11 for EAGAIN. */
static int cmd_vfork(const char *arg)
{
	const struct passwd *pw = getpwnam(user);
	pid_t child = vfork();

	if (child == 0)
		become_and_execute(pw, arg);
	return wait_for(child);
}

/* As Qt's QProcess. */
static int cmd_clone(const char *arg)
{
	const struct passwd *pw = getpwnam(user);
	pid_t child = raw_clone(SIGCHLD);

	if (child == 0)
		become_and_execute(pw, arg);
	return wait_for(child);
}

static int cmd_clone_root(const char *arg)
{
	pid_t child = raw_clone(SIGCHLD);

	if (child == 0)
		become_and_execute(NULL, arg);
	return wait_for(child);
}

/* As GLib's g_spawn(): a program of root's that becomes the user. */
static int cmd_posix_spawn(const char *arg)
{
	const char *argv[] = {"setpriv", "--reuid", user, "--regid", user, "--clear-groups", "sh",
		"-c", arg, NULL};
	char **words;
	pid_t child;

	memcpy(&words, &(const char **){argv}, sizeof(words));
	return posix_spawnp(&child, words[0], NULL, NULL, words, environ) == 0 ? wait_for(child)
									       : -1;
}

struct job {
	const char *command;
	int result;
};

static void *run_in_thread(void *arg)
{
	struct job *job = arg;

	job->result = wait_for(start(job->command, false));
	return arg;
}

static int in_thread(void *(*run)(void *), void *arg)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, run, arg);

	return err ? err : pthread_join(thread, NULL);
}

/* fork(3) in another thread than the one that has opened the session. */
static int cmd_thread_run(const char *arg)
{
	struct job job = {.command = arg, .result = -1};
	int err = in_thread(run_in_thread, &job);

	return err ? -err : job.result;
}

static void *open_here(void *arg)
{
	*(int *)arg = pam_open_session(pamh, 0);
	return arg;
}

/* In another thread than the first. */
static int cmd_thread_open(const char *arg)
{
	int result = -1;
	int err = in_thread(open_here, &result);

	(void)arg;
	return err ? -err : result;
}

static void *nothing(void *arg)
{
	return arg;
}

/* A thread that is started and ends: EINVAL (22) where the next child is born elsewhere. */
static int cmd_new_thread(const char *arg)
{
	(void)arg;
	return in_thread(nothing, NULL);
}

static const char *forked;

static void *fork_and_fork(void *arg)
{
	for (;;)
		(void)waitpid(start(forked, true), NULL, 0);
	return arg;
}

/* A thread that forks all the time. */
static int cmd_forking(const char *arg)
{
	pthread_t thread;

	forked = arg;
	return pthread_create(&thread, NULL, fork_and_fork, NULL);
}

/* Another limit on processes, as pam_limits sets it where it comes later. */
static int cmd_processes(const char *arg)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_NPROC, &now) < 0)
		return -1;
	now.rlim_cur = (rlim_t)number(arg);
	return setrlimit(RLIMIT_NPROC, &now);
}

/* As an application whose service has mounts of its own (systemd's PrivateTmp= and its like). */
static int cmd_elsewhere(const char *arg)
{
	(void)arg;
	return unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL);
}

static int cmd_chroot(const char *arg)
{
	return chroot(arg) || chdir("/");
}

static int cmd_chdir(const char *arg)
{
	return chdir(arg);
}

static int cmd_keep(const char *arg)
{
	return open(arg, O_RDONLY) < 0;
}

static int cmd_close_standard(const char *arg)
{
	(void)arg;
	(void)fflush(stdout);
	if (dup2(1, 9) < 0) /* to print the rest */
		return -1;
	stdout = fdopen(9, "w");
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	return close(0) || close(1) || close(2);
}

/* As sshd and login: put something else into the place of 0 to 2. */
static int cmd_reopen_standard(const char *arg)
{
	int fd = open("/dev/null", O_RDWR);

	(void)arg;
	return dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0;
}

static int cmd_descriptors(const char *arg)
{
	const struct rlimit limit = {(rlim_t)number(arg), (rlim_t)number(arg)};

	return setrlimit(RLIMIT_NOFILE, &limit);
}

static int cmd_ruid(const char *arg)
{
	return setresuid((uid_t)number(arg), 0, 0);
}

static int cmd_drop(const char *arg)
{
	cap_t caps = cap_get_proc();
	cap_value_t cap;

	if (!caps || cap_from_name(arg, &cap) < 0 || cap_drop_bound(cap) < 0 ||
		cap_set_flag(caps, CAP_PERMITTED, 1, &cap, CAP_CLEAR) < 0 ||
		cap_set_flag(caps, CAP_EFFECTIVE, 1, &cap, CAP_CLEAR) < 0 || cap_set_proc(caps) < 0)
		return -1;
	return cap_free(caps);
}

/* As an application does that does not say who it is. */
static int cmd_forget_user(const char *arg)
{
	(void)arg;
	return pam_set_item(pamh, PAM_USER, NULL);
}

static int cmd_display(const char *arg)
{
	return pam_set_item(pamh, PAM_XDISPLAY, arg);
}

static int cmd_answer(const char *arg)
{
	answer = arg;
	return 0;
}

static int cmd_answer_later(const char *arg)
{
	not_yet = number(arg);
	return 0;
}

/* As proftpd does: serve in the process that has opened the session, without privilege. */
static int cmd_become(const char *arg)
{
	become(arg);
	return 0;
}

static int cmd_fail_set_data(const char *arg)
{
	(void)arg;
	fail_set_data = true;
	return 0;
}

static int cmd_ignore(const char *arg)
{
	return signal(number(arg), SIG_IGN) == SIG_ERR;
}

/* glibc's own signals, as a program is started by posix_spawn(3); on these machines a long each. */
static int cmd_ignore_raw(const char *arg)
{
	const struct {
		void (*handler)(int);
		unsigned long flags, restorer, mask;
	} ignore = {.handler = SIG_IGN};

	return (int)syscall(SYS_rt_sigaction, number(arg), &ignore, NULL, NSIG / 8);
}

static int cmd_kill_self(const char *arg)
{
	(void)fflush(stdout);
	return raise(number(arg));
}

/* Say that this point is reached, and go on at a line of input. */
static int cmd_hold(const char *arg)
{
	char c;

	printf("%s\n", arg);
	(void)fflush(stdout);
	while (read(0, &c, 1) == 1 && c != '\n')
		;
	return 0;
}

/* Another transaction of the same process, as a long-lived application has. */
static int cmd_start(const char *arg)
{
	static const struct pam_conv conv = {converse, NULL};
	char confdir[PATH_MAX], *service;

	(void)snprintf(confdir, sizeof(confdir), "%s", arg);
	service = strchr(confdir, ':');
	*service++ = '\0';
	return pam_start_confdir(service, user, &conv, confdir, &pamh);
}

struct opening {
	pam_handle_t *pamh;
	pthread_barrier_t *both;
	int result;
};

static void *open_with_other(void *arg)
{
	struct opening *opening = arg;

	(void)pthread_barrier_wait(opening->both);
	opening->result = pam_open_session(opening->pamh, 0);
	return arg;
}

/* Two threads open at the same time, the second one CONFDIR:SERVICE. Goes on with the one that is
   open; prints how many are. */
static int cmd_open_both(const char *arg)
{
	pthread_barrier_t both;
	struct opening first = {.pamh = pamh, .both = &both}, second = {.both = &both};
	pthread_t thread;

	if (pthread_barrier_init(&both, NULL, 2) != 0 || cmd_start(arg) != PAM_SUCCESS)
		return -1;
	second.pamh = pamh;
	if (pthread_create(&thread, NULL, open_with_other, &first) != 0)
		return -1;
	(void)open_with_other(&second);
	(void)pthread_join(thread, NULL);
	pamh = second.result == 0 ? second.pamh : first.pamh;
	return (first.result == 0) + (second.result == 0);
}

static int cmd_unshare_pid(const char *arg)
{
	(void)arg;
	return unshare(CLONE_NEWPID);
}

/* Have the kernel look like one before 6.5, which knows neither SO_PEERPIDFD nor statmount(2) and
   listmount(2) of 6.8. */
static int cmd_old_kernel(const char *arg)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 457, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 458, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsockopt, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT_LOW(2)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 77 /* SO_PEERPIDFD */, 2, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOPROTOOPT),
	};
	const struct sock_fprog program = {sizeof(code) / sizeof(*code), code};

	(void)arg;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static char *remembered;

/* Have a text in every kind of memory: the heap, a mapping, the program's data, the stack (there it
   is as an argument). */
static int cmd_remember(const char *arg)
{
	static char data[256];
	char *mapping =
		mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	remembered = strdup(arg);
	if (!remembered || mapping == MAP_FAILED)
		return -1;
	(void)snprintf(data, sizeof(data), "%s", arg);
	(void)snprintf(mapping + 5000, sizeof(data), "%s", arg);
	return 0;
}

/* Map so many megabytes that cannot be unmapped, mseal(2), between two pages with the text that is
 * remembered. */
static int cmd_seal(const char *arg)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (size_t)number(arg) << 20;
	char *area = mmap(NULL, size + 2 * page, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (area == MAP_FAILED || mprotect(area, page, PROT_READ | PROT_WRITE) < 0 ||
		mprotect(area + page + size, page, PROT_READ | PROT_WRITE) < 0)
		return -1;
	(void)snprintf(area, page, "%s", remembered);
	(void)snprintf(area + page + size, page, "%s", remembered);
	return (int)syscall(462 /* mseal */, area + page, size, 0);
}

/* Use so many megabytes more. */
static int cmd_grow(const char *arg)
{
	size_t size = (size_t)number(arg) << 20;
	char *memory = malloc(size);

	if (!memory)
		return -1;
	memset(memory, 1, size);
	return memory[size / 2] != 1;
}

static const struct command {
	const char *name;
	int (*run)(const char *arg);
	bool takes_argument;
} commands[] = {
	{"open", cmd_open, false},
	{"close", cmd_close, false},
	{"end", cmd_end, false},
	{"child-end", cmd_child_end, false},
	{"state", cmd_state, false},
	{"run", cmd_run, true},
	{"run-root", cmd_run_root, true},
	{"run-held", cmd_run_held, true},
	{"inherit", cmd_inherit, true},
	{"inherit-root", cmd_inherit_root, true},
	{"exec", cmd_exec, true},
	{"spawn", cmd_spawn, true},
	{"storm", cmd_storm, true},
	{"stuck", cmd_stuck, false},
	{"wait-all", cmd_wait_all, false},
	{"reap", cmd_reap, false},
	{"thread", cmd_thread, false},
	{"vfork", cmd_vfork, true},
	{"clone", cmd_clone, true},
	{"clone-root", cmd_clone_root, true},
	{"posix-spawn", cmd_posix_spawn, true},
	{"thread-run", cmd_thread_run, true},
	{"thread-open", cmd_thread_open, false},
	{"new-thread", cmd_new_thread, false},
	{"open-both", cmd_open_both, true},
	{"unshare-pid", cmd_unshare_pid, false},
	{"forking", cmd_forking, true},
	{"processes", cmd_processes, true},
	{"elsewhere", cmd_elsewhere, false},
	{"chroot", cmd_chroot, true},
	{"chdir", cmd_chdir, true},
	{"keep", cmd_keep, true},
	{"close-standard", cmd_close_standard, false},
	{"reopen-standard", cmd_reopen_standard, false},
	{"descriptors", cmd_descriptors, true},
	{"ruid", cmd_ruid, true},
	{"drop", cmd_drop, true},
	{"forget-user", cmd_forget_user, false},
	{"display", cmd_display, true},
	{"answer", cmd_answer, true},
	{"answer-later", cmd_answer_later, true},
	{"become", cmd_become, true},
	{"fail-set-data", cmd_fail_set_data, false},
	{"ignore", cmd_ignore, true},
	{"ignore-raw", cmd_ignore_raw, true},
	{"kill-self", cmd_kill_self, true},
	{"hold", cmd_hold, true},
	{"start", cmd_start, true},
	{"old-kernel", cmd_old_kernel, false},
	{"remember", cmd_remember, true},
	{"seal", cmd_seal, true},
	{"grow", cmd_grow, true},
};

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	(void)fprintf(stderr, "host: unknown command %s\n", name);
	exit(98);
}

int main(int argc, char **argv)
{
	char transaction[PATH_MAX];

	if (argc < 4)
		return 98;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)snprintf(transaction, sizeof(transaction), "%s:%s", argv[1], argv[2]);
	user = argv[3];
	if (cmd_start(transaction) != PAM_SUCCESS)
		die("pam_start_confdir");
	for (int i = 4; i < argc; i++) {
		const struct command *c = find(argv[i]);
		const char *arg = c->takes_argument ? argv[++i] : NULL;
		int result = c->run(arg);

		printf("%s=%d\n", c->name, result);
	}
	return 0;
}

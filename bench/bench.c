/* SPDX-License-Identifier: MIT */
/*
 * What a session costs. Runs in tests/sandbox, as root, see bench/run; prints one measurement in a
 * line:
 *
 *     EXPERIMENT X VARIANT METRIC ROUND VALUE
 *
 * in microseconds or kilobytes. The variants of a session take turns, and each turn begins with
 * another one, so that what else the machine does falls on all of them alike.
 *
 *     floor      the system calls that nobody can do without, see floor_open()
 *     SERVICE    a PAM service: the session lines of /run/pam.d/SERVICE, for alice
 */
#include "common/statmount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pwd.h>
#include <sched.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define CONFDIR "/run/pam.d"
#define USER "alice"

/* What all lines of this run have in common. */
static const char *experiment;
static long x;

_Noreturn static void die(const char *what)
{
	(void)fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static long must(const char *what, long result)
{
	if (result < 0)
		die(what);
	return result;
}

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* One write(2), so that lines of several processes do not mix. */
static void print(const char *variant, const char *metric, long round, double value)
{
	(void)dprintf(STDOUT_FILENO, "%s %ld %s %s %ld %.2f\n", experiment, x, variant, metric,
		round, value);
}

/* ---- the floor --------------------------------------------------------------------------------
 */

struct floor {
	bool measured; /* and not a service */
	int mount, pid, init;
};

static void floor_init(int ready)
{
	/* the flags of /proc everywhere */
	must("mount /proc", mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
	must("say that it is ready", write(ready, "r", 1));
	for (;;)
		(void)pause();
}

/* The way back, the namespaces, no mount event to the host, the old /proc away, an init, the fresh
   /proc, and a byte that says so. */
static void floor_open(struct floor *floor)
{
	int ends[2];
	char byte;
	long init;

	floor->mount = (int)must("open", open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
	floor->pid = (int)must("open", open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
	must("pipe", pipe2(ends, O_CLOEXEC));
	must("unshare", unshare(CLONE_NEWPID | CLONE_NEWNS));
	must("make slaves", mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL));
	must("detach /proc", umount2("/proc", MNT_DETACH));
	init = must("fork", syscall(SYS_clone, CLONE_PIDFD, NULL, &floor->init, NULL, NULL));
	if (init == 0)
		floor_init(ends[1]);
	(void)close(ends[1]);
	if (read(ends[0], &byte, 1) != 1)
		die("the init is not ready");
	(void)close(ends[0]);
}

static void floor_close(struct floor *floor)
{
	must("return", setns(floor->pid, CLONE_NEWPID));
	must("return", setns(floor->mount, CLONE_NEWNS));
	/* last: whoever leaves the mount namespace last takes it down */
	must("end the init", syscall(SYS_pidfd_send_signal, floor->init, SIGKILL, NULL, 0));
	(void)close(floor->pid);
	(void)close(floor->mount);
	(void)close(floor->init);
}

/* ---- a session of any variant -----------------------------------------------------------------
 */

struct session {
	struct floor floor;
	pam_handle_t *pamh;
};

static int converse(int n, const struct pam_message **msg, struct pam_response **resp, void *data)
{
	(void)n, (void)msg, (void)resp, (void)data;
	return PAM_CONV_ERR;
}

static void look_user_up(void)
{
	if (!getpwnam(USER))
		die(USER);
}

static void write_to_log(void)
{
	syslog(LOG_AUTHPRIV | LOG_INFO, "session of %s opened: PID namespace 4026532251", USER);
}

static void start(struct session *session, const char *variant)
{
	static const struct pam_conv conv = {converse, NULL};

	bool floor = strcmp(variant, "floor") == 0;

	/* an application has done that long before */
	look_user_up();
	write_to_log();
	if (pam_start_confdir(floor ? "module" : variant, USER, &conv, CONFDIR, &session->pamh) !=
		PAM_SUCCESS)
		die("pam_start");
	/* PAM loads the modules at its first call, and a fork of a process with more libraries
	   takes longer: the floor has the same ones. Without a session that is open this does
	   nothing. */
	if (floor && pam_close_session(session->pamh, 0) != PAM_SUCCESS)
		die("pam_close_session");
	session->floor.measured = floor;
}

static void session_open(struct session *session)
{
	if (session->floor.measured)
		floor_open(&session->floor);
	else if (pam_open_session(session->pamh, 0) != PAM_SUCCESS)
		die("pam_open_session");
}

static void session_close(struct session *session)
{
	if (session->floor.measured)
		floor_close(&session->floor);
	else if (pam_close_session(session->pamh, 0) != PAM_SUCCESS)
		die("pam_close_session");
}

static void end(struct session *session)
{
	if (pam_end(session->pamh, PAM_SUCCESS) != PAM_SUCCESS)
		die("pam_end");
}

/* An init that ends in the background would fall on the next measurement. */
static void wait_for_inits(void)
{
	while (waitpid(-1, NULL, (int)__WCLONE) > 0 || errno == EINTR)
		;
}

static void must_succeed(pid_t child, const char *what)
{
	int status;

	must("fork", child);
	must("wait", waitpid(child, &status, 0));
	if (status != 0) {
		errno = ECANCELED;
		die(what);
	}
}

/* ---- latency ----------------------------------------------------------------------------------
 */

/* The first child in a session: what su and sshd do next. */
static void fork_once(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	must_succeed(child, "the first child");
}

static void measure_once(struct session *session, double at[4])
{
	at[0] = now();
	session_open(session);
	at[1] = now();
	fork_once();
	at[2] = now();
	session_close(session);
	at[3] = now();
}

/* In a process of its own, as su and sshd are: the first session there pays for pages and caches
   that the second finds, so both are told. */
static void measure(const char *variant, long round)
{
	struct session session;
	pid_t child = fork();
	double at[4];

	if (child != 0) {
		must_succeed(child, variant);
		return;
	}
	start(&session, variant);
	measure_once(&session, at);
	print(variant, "first", round, at[1] - at[0]);
	wait_for_inits();
	measure_once(&session, at);
	print(variant, "open", round, at[1] - at[0]);
	print(variant, "fork", round, at[2] - at[1]);
	print(variant, "close", round, at[3] - at[2]);
	wait_for_inits();
	print(variant, "end", round, now() - at[2]);
	end(&session);
	_exit(0);
}

static void latency(long rounds, char **variants, int n)
{
	for (int i = 0; i < n; i++) { /* the modules' pages are read in */
		struct session session;

		start(&session, variants[i]);
		end(&session);
	}
	for (long round = 0; round < rounds; round++)
		for (int i = 0; i < n; i++)
			measure(variants[(round + i) % n], round);
}

/* ---- what grows -------------------------------------------------------------------------------
 */

static void more_mounts(long n)
{
	char path[64];

	must("unshare", unshare(CLONE_NEWNS));
	must("slave", mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL));
	(void)mkdir("/run/mounts", 0755);
	must("mount", mount("many", "/run/mounts", "tmpfs", 0, NULL));
	must("private", mount(NULL, "/run/mounts", NULL, MS_PRIVATE, NULL));
	for (long i = 0; i < n - 1; i++) {
		(void)snprintf(path, sizeof(path), "/run/mounts/%ld", i);
		must("mkdir", mkdir(path, 0755));
		must("mount", mount("/run/mounts", path, NULL, MS_BIND, NULL));
		/* as systemd makes them: a copy has a peer */
		must("share", mount(NULL, path, NULL, MS_SHARED, NULL));
	}
}

static long count_mounts(void)
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	long n = 0;
	int c;

	if (!table)
		die("open mountinfo");
	while ((c = getc(table)) != EOF)
		n += c == '\n';
	(void)fclose(table);
	return n;
}

static void more_memory(long mb)
{
	size_t size = (size_t)mb << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		die("allocate memory");
	/* a heap is made of small pages */
	(void)madvise(memory, size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < size; i += 4096)
		memory[i] = 1;
}

/* Processes that wait, each after `begin`, until the pipe's write end is closed. */
struct crowd {
	int release;
	pid_t group;
};

static struct crowd gather(long n, const char *variant)
{
	struct crowd crowd = {-1, 0};
	int ready[2], release[2];
	char byte;

	must("pipe", pipe2(ready, O_CLOEXEC));
	must("pipe", pipe2(release, O_CLOEXEC));
	for (long i = 0; i < n; i++) {
		pid_t child = (pid_t)must("fork", fork());

		if (child == 0) {
			struct session session;

			(void)setpgid(0, crowd.group);
			(void)close(release[1]);
			if (variant) {
				start(&session, variant);
				session_open(&session);
			}
			must("be ready", write(ready[1], "r", 1));
			while (read(release[0], &byte, 1) > 0)
				; /* nothing is written, it ends */
			if (variant) {
				session_close(&session);
				wait_for_inits();
			}
			_exit(0);
		}
		(void)setpgid(child, crowd.group);
		if (crowd.group == 0)
			crowd.group = child;
		if (read(ready[0], &byte, 1) != 1)
			die("a process is not ready");
	}
	(void)close(ready[0]);
	(void)close(ready[1]);
	(void)close(release[0]);
	crowd.release = release[1];
	return crowd;
}

static void dismiss(const struct crowd *crowd)
{
	(void)close(crowd->release);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void growth(const char *what, long n, long rounds, char **variants, int n_variants)
{
	struct crowd crowd = {-1, 0};

	x = n;
	if (strcmp(what, "mounts") == 0) {
		more_mounts(n - count_mounts());
		x = count_mounts();
	} else if (strcmp(what, "memory") == 0) {
		more_memory(n);
	} else if (strcmp(what, "processes") == 0) {
		crowd = gather(n, NULL);
	} else if (strcmp(what, "sessions") == 0) {
		crowd = gather(n, "module");
	} else {
		errno = EINVAL;
		die(what);
	}
	latency(rounds, variants, n_variants);
	if (crowd.release >= 0)
		dismiss(&crowd);
}

/* ---- memory and idle cost of held sessions ----------------------------------------------------
 */

/* A number of /proc/meminfo, /proc/PID/status and the like. */
static long number_in(const char *path, const char *name)
{
	FILE *f = fopen(path, "re");
	char line[256];
	size_t n = strlen(name);
	long value = -1;

	while (f && value < 0 && fgets(line, sizeof(line), f))
		if (strncmp(line, name, n) == 0 && line[n] == ':')
			value = strtol(line + n + 1, NULL, 10);
	if (f)
		(void)fclose(f);
	return value;
}

/* Each processor counts for itself until it is asked (proc_sys_vm(5), stat_refresh), and what has
   ended is freed later. What else the machine does shows here: a difference of a few seconds. */
static long available(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);

	(void)usleep(700000);
	if (fd >= 0 && write(fd, "1", 1) < 0)
		die("stat_refresh");
	(void)close(fd);
	return number_in("/proc/meminfo", "MemAvailable");
}

static void memory(long sessions, long passes, char **variants, int n)
{
	x = sessions;
	for (long pass = 0; pass <= passes; pass++)
		for (int i = 0; i < n; i++) {
			const char *variant = variants[(pass + i) % n];
			long before = available(), with;
			struct crowd crowd = gather(sessions, variant);

			with = available();
			dismiss(&crowd);
			if (pass > 0) /* the first fills the kernel's caches */
				print(variant, "kB", pass,
					(double)(before - with) / (double)sessions);
		}
}

static bool is_init(const char *pid)
{
	char path[300], name[32] = "";
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	f = fopen(path, "re");
	if (f) {
		if (!fgets(name, sizeof(name), f))
			name[0] = '\0';
		(void)fclose(f);
	}
	return strcmp(name, "pam_unshare\n") == 0;
}

/* Context switches of all inits of the module. */
static long switches(long *inits)
{
	DIR *proc = opendir("/proc");
	const struct dirent *e;
	char path[300];
	long sum = 0;

	*inits = 0;
	while (proc && (e = readdir(proc))) {
		if (e->d_name[0] < '0' || e->d_name[0] > '9' || !is_init(e->d_name))
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%s/status", e->d_name);
		sum += number_in(path, "voluntary_ctxt_switches") +
		       number_in(path, "nonvoluntary_ctxt_switches");
		++*inits;
	}
	if (proc)
		(void)closedir(proc);
	return sum;
}

static void idle(long sessions, long seconds)
{
	struct crowd crowd = gather(sessions, "module");
	long before, inits, after;

	(void)sleep(1);
	before = switches(&inits);
	(void)sleep((unsigned int)seconds);
	after = switches(&inits);
	x = seconds;
	print("module", "inits", 0, (double)inits);
	print("module", "switches", 0, (double)(after - before));
	dismiss(&crowd);
}

/* ---- whole commands ---------------------------------------------------------------------------
 */

static double run(char **command)
{
	double before = now();
	pid_t child = fork();

	if (child == 0) {
		int null = open("/dev/null", O_RDWR);

		(void)dup2(null, 0);
		(void)dup2(null, 1);
		(void)execvp(command[0], command);
		_exit(127);
	}
	must_succeed(child, command[0]);
	return now() - before;
}

/* The smallest application: a session, and a command in it. */
static void once(const char *variant, char **command)
{
	struct session session;

	start(&session, variant);
	session_open(&session);
	(void)run(command);
	session_close(&session);
	end(&session);
}

/* Commands that take turns: NAME COMMAND… , NAME COMMAND… */
static void commands(long rounds, char **list, int n)
{
	char **begin[16];
	int count = 0;

	for (int i = 0; i < n && count < 16; i++) {
		begin[count++] = &list[i];
		while (i < n && strcmp(list[i], ",") != 0)
			i++;
		list[i] = NULL; /* of argv at the end */
	}
	for (long round = 0; round <= rounds; round++)
		for (int i = 0; i < count; i++) {
			char **c = begin[(round + i) % count];
			double took = run(c + 1);

			if (round > 0) /* the first reads the programs in */
				print(c[0], "command", round, took);
		}
}

/* One command with a file in turn replaced: FILE NAME=CONTENT NAME=CONTENT -- COMMAND… */
static void whole(long rounds, char **arg, int n)
{
	const char *file = arg[0];
	int variants = 1;
	char new[256];

	(void)snprintf(new, sizeof(new), "%s.new", file);
	while (variants < n && strcmp(arg[variants], "--") != 0)
		variants++;
	variants--;
	for (long round = 0; round <= rounds; round++)
		for (int i = 0; i < variants; i++) {
			char *variant = strdup(arg[1 + (round + i) % variants]);
			char *content = strchr(variant, '=');
			double took;

			*content++ = '\0';
			must("link", symlink(content, new));
			must("rename", rename(new, file));
			took = run(arg + variants + 2);
			if (round > 0)
				print(variant, "command", round, took);
			free(variant);
		}
}

/* ---- what the floor does without ----------------------------------------------------------------
 */

static void reset_signals(void)
{
	static const unsigned char standard[64];

	for (int sig = 1; sig < NSIG; sig++)
		if (syscall(SYS_rt_sigaction, sig, standard, NULL, NSIG / 8) < 0 && errno != EINVAL)
			die("rt_sigaction");
}

static void become_root(void)
{
	must("setgroups", syscall(SYS_setgroups, 0, NULL));
	must("setresgid", syscall(SYS_setresgid, 0, 0, 0));
	must("setresuid", syscall(SYS_setresuid, 0, 0, 0));
}

/* What libpam does at each open, whatever the modules: the audit system is told of it. */
static void open_and_close_nothing(void)
{
	static struct session session;

	if (!session.pamh)
		start(&session, "permit");
	session_open(&session);
}

/* Ask the kernel of each mount what file system it is, where it can be asked. */
static void ask_for_all_mounts(void)
{
	struct mount_facts facts;
	uint64_t *ids;
	size_t n;

	if (mounts_list(&ids, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		(void)mount_ask(ids[i], &facts);
	free(ids);
}

/* Parts of an open by themselves: how long each takes the second time, in a process of its own, for
   which the pages of its parent are copied as they are in an application that has forked an init.
 */
static void parts(long rounds, long mounts)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} all[] = {{"user", look_user_up}, {"log", write_to_log}, {"signals", reset_signals},
		{"ids", become_root}, {"libpam", open_and_close_nothing},
		{"mounts", ask_for_all_mounts}};

	if (mounts > 0)
		more_mounts(mounts - count_mounts());
	x = count_mounts();
	for (long round = 0; round < rounds; round++) {
		pid_t child = fork();

		if (child == 0) {
			for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
				double before;

				all[i].run();
				before = now();
				all[i].run();
				print(all[i].name, "part", round, now() - before);
			}
			_exit(0);
		}
		must_succeed(child, "the parts");
	}
}

/* ---- several at a time ------------------------------------------------------------------------
 */

static void parallel(long workers, long each, long round, const char *variant)
{
	double before = now();

	x = workers;
	for (long i = 0; i < workers; i++)
		if (must("fork", fork()) == 0) {
			struct session session;

			start(&session, variant);
			for (long k = 0; k < each; k++) {
				session_open(&session);
				fork_once();
				session_close(&session);
				wait_for_inits();
			}
			_exit(0);
		}
	while (waitpid(-1, NULL, 0) > 0)
		;
	print(variant, "rate", round, (double)(workers * each) / (now() - before) * 1e6);
}

/* How long it takes until the last process of a session is gone. */
static void ending(const char *variant, long processes, long round)
{
	pid_t child = fork();

	if (child == 0) {
		struct session session;
		double before;

		x = processes;
		start(&session, variant);
		session_open(&session);
		(void)signal(SIGCHLD, SIG_IGN);
		for (long i = 0; i < processes; i++)
			if (must("fork", fork()) == 0)
				for (;;)
					(void)pause();
		before = now();
		session_close(&session);
		print(variant, "close", round, now() - before);
		wait_for_inits();
		print(variant, "end", round, now() - before);
		_exit(0);
	}
	must_succeed(child, variant);
}

static int usage(void)
{
	(void)fputs("bench EXPERIMENT latency ROUNDS VARIANT...\n"
		    "                 parts ROUNDS MOUNTS\n"
		    "                 growth mounts|memory|processes|sessions N ROUNDS VARIANT...\n"
		    "                 memory SESSIONS PASSES VARIANT...\n"
		    "                 idle SESSIONS SECONDS\n"
		    "                 commands ROUNDS NAME COMMAND... , NAME COMMAND...\n"
		    "                 whole ROUNDS FILE NAME=CONTENT... -- COMMAND...\n"
		    "                 parallel WORKERS SESSIONS ROUND VARIANT\n"
		    "                 ending PROCESSES ROUND VARIANT\n"
		    "                 once VARIANT COMMAND...\n",
		stderr);
	return 2;
}

int main(int argc, char **argv)
{
	const char *what = argc > 3 ? argv[2] : "";
	long n = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
	long m = argc > 4 ? strtol(argv[4], NULL, 10) : 0;

	if (argc < 5)
		return usage();
	experiment = argv[1];
	must("die with the parent", prctl(PR_SET_PDEATHSIG, SIGKILL));
	if (strcmp(what, "latency") == 0)
		latency(n, argv + 4, argc - 4);
	else if (strcmp(what, "growth") == 0 && argc > 6)
		growth(argv[3], m, strtol(argv[5], NULL, 10), argv + 6, argc - 6);
	else if (strcmp(what, "parts") == 0)
		parts(n, m);
	else if (strcmp(what, "memory") == 0)
		memory(n, m, argv + 5, argc - 5);
	else if (strcmp(what, "idle") == 0)
		idle(n, m);
	else if (strcmp(what, "commands") == 0)
		commands(n, argv + 4, argc - 4);
	else if (strcmp(what, "whole") == 0)
		whole(n, argv + 4, argc - 4);
	else if (strcmp(what, "parallel") == 0 && argc > 6)
		parallel(n, m, strtol(argv[5], NULL, 10), argv[6]);
	else if (strcmp(what, "ending") == 0 && argc > 5)
		ending(argv[5], n, m);
	else if (strcmp(what, "once") == 0)
		once(argv[3], argv + 4);
	else
		return usage();
	return 0;
}

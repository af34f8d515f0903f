/* SPDX-License-Identifier: MIT */
#include "probes.h"

#include "command/lib/sessions.h"
#include "common/syscalls.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* More than the sum of what a way waits for. */
#define WAY_LIMIT_MS 250000

static const char own_pid_only[] = "the kernel names there nobody's processes but one's own";
static const char asks_polkit[] = "polkit asks an administrator first";

const struct way ways[] = {
	/* The slow ones come first: they are awaited last. */
	{"cron", try_cron, BY_CRON, SLOWLY, NULL, {NULL}},
	{"at", try_at, BY_ATD, SLOWLY, NULL, {NULL}},
	{"forward", try_forward, BY_MAIL, SLOWLY, NULL, {NULL}},

	{"proc", try_proc, BY_MODULE, AS_USER, NULL, {NULL}},
	{"proc-pid", try_proc_pid, BY_MODULE, AS_USER, NULL, {NULL}},
	{"ps", try_program, BY_MODULE, AS_USER, NULL, {"ps", "-e", "-ww", "-o", "pid=,args="}},
	{"top", try_program, BY_MODULE, AS_USER, NULL, {"top", "-b", "-c", "-w", "512", "-n", "1"}},
	{"other-procfs", try_other_procfs, BY_MODULE, AS_USER, NULL, {NULL}},
	{"descriptors", try_descriptors, BY_MODULE, AS_USER, NULL, {NULL}},
	{"kill", try_kill_range, BY_MODULE, AS_USER, NULL, {NULL}},
	{"kill-timing", try_kill_timing, BY_MODULE, AS_USER, NULL, {NULL}},
	{"pidfd-open", try_call, BY_MODULE, AS_USER, NULL, {"pidfd_open"}},
	{"getsid", try_call, BY_MODULE, AS_USER, NULL, {"getsid"}},
	{"getpgid", try_call, BY_MODULE, AS_USER, NULL, {"getpgid"}},
	{"getpriority", try_call, BY_MODULE, AS_USER, NULL, {"getpriority"}},
	{"ioprio-get", try_call, BY_MODULE, AS_USER, NULL, {"ioprio_get"}},
	{"capget", try_call, BY_MODULE, AS_USER, NULL, {"capget"}},
	{"sched-getaffinity", try_call, BY_MODULE, AS_USER, NULL, {"sched_getaffinity"}},
	{"sched-getscheduler", try_call, BY_MODULE, AS_USER, NULL, {"sched_getscheduler"}},
	{"prlimit", try_call, BY_MODULE, AS_USER, NULL, {"prlimit"}},
	{"ptrace", try_call, BY_MODULE, AS_USER, NULL, {"ptrace"}},
	{"process-vm-readv", try_call, BY_MODULE, AS_USER, NULL, {"process_vm_readv"}},
	{"proc-locks", try_proc_file, BY_MODULE, AS_USER, NULL, {"/proc/locks", "5", "lock"}},
	{"proc-sysvipc", try_proc_file, BY_MODULE, AS_USER, NULL,
		{"/proc/sysvipc/shm", "5", "segment"}},
	{"proc-keys", try_proc_file, BY_NOBODY, AS_USER, own_pid_only, {"/proc/keys"}},
	{"sched-debug", try_proc_file, BY_NOBODY, AS_USER,
		"only root may read it, or it is no more", {"/proc/sched_debug"}},
	{"timer-list", try_proc_file, BY_NOBODY, AS_USER, "only root may read it",
		{"/proc/timer_list"}},
	{"sockets", try_socket, BY_MODULE, AS_USER, NULL, {NULL}},
	{"cgroup-procs", try_cgroup, BY_MODULE, AS_USER, NULL, {NULL}},
	{"user-namespace", try_user_namespace, BY_MODULE, AS_USER, NULL, {NULL}},
	{"process-events", try_connector, BY_KERNEL, AS_USER, NULL, {NULL}},
	{"setuid", try_setuid, BY_NOBODY, AS_USER, "no setuid program of Debian's prints processes",
		{NULL}},
	{"journal", try_journal, BY_NOBODY, AS_USER,
		"only root and the groups adm and systemd-journal may read what others log",
		{NULL}},

	{"systemctl-status", try_bus, BY_BUS, AS_USER, NULL, {NULL}},
	{"unit-processes", try_bus, BY_BUS, AS_USER, NULL, {"GetUnitProcesses", "s", "UNIT"}},
	{"slice-processes", try_bus, BY_BUS, AS_USER, NULL,
		{"GetUnitProcesses", "s", "system.slice"}},
	{"unit-properties", try_bus_properties, BY_BUS, AS_USER, NULL, {"Service"}},
	{"unit-description", try_bus_properties, BY_BUS, AS_USER, NULL, {"Unit"}},
	{"list-units", try_bus, BY_BUS, AS_USER, NULL, {"ListUnits"}},
	{"list-units-by-name", try_bus, BY_BUS, AS_USER, NULL,
		{"ListUnitsByNames", "as", "1", "UNIT"}},
	{"dump", try_bus, BY_BUS, AS_USER, NULL, {"DumpUnitsMatchingPatterns", "as", "1", "UNIT"}},
	{"unit-by-pid", try_bus_by_pid, BY_BUS, AS_USER, NULL, {NULL}},
	{"bus-peers", try_bus_peers, BY_BUS, AS_USER, NULL, {"GetConnectionUnixProcessID"}},
	{"bus-credentials", try_bus_peers, BY_BUS, AS_USER, NULL, {"GetConnectionCredentials"}},
	{"varlink", try_varlink, BY_UNITS, AS_USER, NULL, {NULL}},
	{"unit-file", try_unit_file, BY_UNITS, AS_USER, NULL, {NULL}},
	{"unit-signals", try_signals, BY_BUS, AS_USER, NULL, {NULL}},
	{"session-by-pid", try_logind_by_pid, BY_BUS, AS_USER, NULL, {"GetSessionByPID"}},
	{"user-by-pid", try_logind_by_pid, BY_BUS, AS_USER, NULL, {"GetUserByPID"}},
	{"inhibitors", try_inhibitors, BY_BUS, AS_USER, NULL, {NULL}},
	{"inhibitor-files", try_inhibitor_files, BY_UNITS, AS_USER, NULL, {NULL}},
	{"polkit", try_polkit, BY_BUS, AS_USER, NULL, {NULL}},
	{"machined", try_machined, BY_NOBODY, AS_USER, "it knows containers, no processes", {NULL}},

	{"systemd-run", try_run_system, BY_NOBODY, AS_USER, asks_polkit, {NULL}},
	{"systemd-run-user", try_run_user, BY_MANAGER, AS_USER, NULL, {NULL}},
	{"user-unit", try_unit_user, BY_MANAGER, AS_USER, NULL, {NULL}},
	{"user-bus", try_bus_user, BY_MANAGER, AS_USER, NULL, {NULL}},
	{"activation", try_activation, BY_MANAGER, AS_USER, NULL, {NULL}},
	{"own-descriptors", try_own_descriptors, BY_MODULE, AS_USER, NULL, {NULL}},
	{"ssh", try_ssh, BY_MODULE, AS_USER, NULL, {NULL}},
	{"su", try_su, BY_MODULE, AS_ROOT, NULL, {"su"}},
	{"sudo", try_su, BY_MODULE, AS_ROOT, NULL, {"sudo"}},
	{"tmux", try_server, BY_MODULE, AS_USER, NULL, {"tmux"}},
	{"screen", try_server, BY_MODULE, AS_USER, NULL, {"screen"}},

	{"logins", try_utmp, BY_NOBODY, AS_USER, NULL, {NULL}},
	{"logind", try_logind, BY_NOBODY, AS_USER, NULL, {NULL}},
	{"cgroup-names", try_counters, BY_NOBODY, AS_USER, NULL,
		{"/sys/fs/cgroup", "names of cgroups, which are those of units and users"}},
	{"network", try_counters, BY_NOBODY, AS_USER, NULL,
		{"/proc/net/tcp", "network sockets, with the uids of their owners"}},
	{"load", try_counters, BY_NOBODY, AS_USER, NULL,
		{"/proc/loadavg", "load, memory and other counters of the machine"}},
};

const char *scene_id(const struct scene *scene)
{
	return strrchr(scene->directory, '.') + 1;
}

size_t ways_count(void)
{
	_Static_assert(sizeof(ways) / sizeof(*ways) <= WAYS_MAX, "WAYS_MAX");
	return sizeof(ways) / sizeof(*ways);
}

void tell(struct finding *finding, enum verdict verdict, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printable(finding->seen, sizeof(finding->seen), text, strlen(text));
	finding->verdict = verdict;
}

static int started = -1;

void ways_started(void)
{
	close_fd(&started);
	started = -1;
}

/* What a way finds counts only when it has come to its end. */
__attribute__((noreturn)) static void run_way(
	const struct scene *scene, const struct way *way, struct finding *finding)
{
	struct finding *own =
		mmap(NULL, sizeof(*own), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (own == MAP_FAILED)
		_exit(1);
	tell(own, NOT_TESTED, "it found nothing out");
	way->run(scene, way, own);
	*finding = *own;
	_exit(0);
}

struct running {
	pid_t child;
	int pidfd;
};

/* Wait until it has ended, or closes its end of the pipe. */
static struct running begin(const struct scene *scene, const struct way *way,
	struct finding *finding, bool until_started)
{
	struct running running = {.pidfd = -1};
	int fds[2];
	char byte;

	tell(finding, NOT_TESTED, "the process that tries it has died");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return running;
	running.child = fork();
	if (running.child == 0) {
		(void)setpgid(0, 0);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)signal(SIGPIPE, SIG_IGN);
		(void)close(fds[0]);
		started = fds[1];
		run_way(scene, way, finding);
	}
	(void)close(fds[1]);
	running.pidfd = running.child < 0 ? -1 : sys_pidfd_open(running.child);
	if (until_started)
		while (read(fds[0], &byte, 1) < 0 && errno == EINTR)
			;
	(void)close(fds[0]);
	return running;
}

static void finish(const struct running *running, struct finding *finding)
{
	struct pollfd ended = {.fd = running->pidfd, .events = POLLIN};

	if (running->pidfd < 0)
		return;
	if (poll(&ended, 1, WAY_LIMIT_MS) == 0) {
		(void)kill(-running->child, SIGKILL);
		tell(finding, NOT_TESTED, "it did not end within %d seconds", WAY_LIMIT_MS / 1000);
	}
	(void)waitpid(running->child, NULL, 0);
	(void)close(running->pidfd);
}

void ways_try(const struct scene *scene, struct finding *findings, bool as_root)
{
	struct running slow[WAYS_MAX];
	struct running running;

	for (size_t i = 0; i < ways_count(); i++) {
		slow[i].pidfd = -1;
		if (!scene->wanted[i] || (ways[i].how == AS_ROOT) != as_root)
			continue;
		running = begin(scene, &ways[i], &findings[i], ways[i].how == SLOWLY);
		if (ways[i].how == SLOWLY)
			slow[i] = running;
		else
			finish(&running, &findings[i]);
	}
	for (size_t i = 0; i < ways_count(); i++)
		finish(&slow[i], &findings[i]);
}

/* SPDX-License-Identifier: MIT */
#include "probes.h"

#include "command/lib/printable.h"
#include "common/syscalls.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* More than the sum of what a probe waits for. */
#define PROBE_LIMIT_MS 250000

static const char own_pid_only[] = "the kernel names there nobody's processes but one's own";
static const char asks_polkit[] = "polkit asks an administrator first";

const struct probe probes[] = {
	/* The slow ones come first: they are awaited last. */
	{"cron", probe_cron, BY_CRON, SLOWLY, NULL, {NULL}},
	{"at", probe_at, BY_ATD, SLOWLY, NULL, {NULL}},
	{"forward", probe_forward, BY_MAIL, SLOWLY, NULL, {NULL}},

	{"proc", probe_proc, BY_MODULE, AS_USER, NULL, {NULL}},
	{"proc-pid", probe_proc_pid, BY_MODULE, AS_USER, NULL, {NULL}},
	{"ps", probe_program, BY_MODULE, AS_USER, NULL, {"ps", "-e", "-ww", "-o", "pid=,args="}},
	{"top", probe_program, BY_MODULE, AS_USER, NULL,
		{"top", "-b", "-c", "-w", "512", "-n", "1"}},
	{"other-procfs", probe_other_procfs, BY_MODULE, AS_USER, NULL, {NULL}},
	{"descriptors", probe_descriptors, BY_MODULE, AS_USER, NULL, {NULL}},
	{"kill", probe_kill_range, BY_MODULE, AS_USER, NULL, {NULL}},
	{"kill-timing", probe_kill_timing, BY_MODULE, AS_USER, NULL, {NULL}},
	{"pidfd-open", probe_call, BY_MODULE, AS_USER, NULL, {"pidfd_open"}},
	{"getsid", probe_call, BY_MODULE, AS_USER, NULL, {"getsid"}},
	{"getpgid", probe_call, BY_MODULE, AS_USER, NULL, {"getpgid"}},
	{"getpriority", probe_call, BY_MODULE, AS_USER, NULL, {"getpriority"}},
	{"ioprio-get", probe_call, BY_MODULE, AS_USER, NULL, {"ioprio_get"}},
	{"capget", probe_call, BY_MODULE, AS_USER, NULL, {"capget"}},
	{"sched-getaffinity", probe_call, BY_MODULE, AS_USER, NULL, {"sched_getaffinity"}},
	{"sched-getscheduler", probe_call, BY_MODULE, AS_USER, NULL, {"sched_getscheduler"}},
	{"prlimit", probe_call, BY_MODULE, AS_USER, NULL, {"prlimit"}},
	{"ptrace", probe_call, BY_MODULE, AS_USER, NULL, {"ptrace"}},
	{"process-vm-readv", probe_call, BY_MODULE, AS_USER, NULL, {"process_vm_readv"}},
	{"proc-locks", probe_proc_file, BY_MODULE, AS_USER, NULL, {"/proc/locks", "5", "lock"}},
	{"proc-sysvipc", probe_proc_file, BY_MODULE, AS_USER, NULL,
		{"/proc/sysvipc/shm", "5", "segment"}},
	{"proc-keys", probe_proc_file, BY_NOBODY, AS_USER, own_pid_only, {"/proc/keys"}},
	{"sched-debug", probe_proc_file, BY_NOBODY, AS_USER,
		"only root may read it, or it is no more", {"/proc/sched_debug"}},
	{"timer-list", probe_proc_file, BY_NOBODY, AS_USER, "only root may read it",
		{"/proc/timer_list"}},
	{"sockets", probe_socket, BY_MODULE, AS_USER, NULL, {NULL}},
	{"cgroup-procs", probe_cgroup, BY_MODULE, AS_USER, NULL, {NULL}},
	{"user-namespace", probe_user_namespace, BY_MODULE, AS_USER, NULL, {NULL}},
	{"process-events", probe_connector, BY_KERNEL, AS_USER, NULL, {NULL}},
	{"setuid", probe_setuid, BY_NOBODY, AS_USER,
		"no setuid program of Debian's prints processes", {NULL}},
	{"journal", probe_journal, BY_NOBODY, AS_USER,
		"only root and the groups adm and systemd-journal may read what others log",
		{NULL}},

	{"systemctl-status", probe_bus, BY_BUS, AS_USER, NULL, {NULL}},
	{"unit-processes", probe_bus, BY_BUS, AS_USER, NULL, {"GetUnitProcesses", "s", "UNIT"}},
	{"slice-processes", probe_bus, BY_BUS, AS_USER, NULL,
		{"GetUnitProcesses", "s", "system.slice"}},
	{"unit-properties", probe_bus_properties, BY_BUS, AS_USER, NULL, {"Service"}},
	{"unit-description", probe_bus_properties, BY_BUS, AS_USER, NULL, {"Unit"}},
	{"list-units", probe_bus, BY_BUS, AS_USER, NULL, {"ListUnits"}},
	{"list-units-by-name", probe_bus, BY_BUS, AS_USER, NULL,
		{"ListUnitsByNames", "as", "1", "UNIT"}},
	{"dump", probe_bus, BY_BUS, AS_USER, NULL,
		{"DumpUnitsMatchingPatterns", "as", "1", "UNIT"}},
	{"unit-by-pid", probe_bus_by_pid, BY_BUS, AS_USER, NULL, {NULL}},
	{"bus-peers", probe_bus_peers, BY_BUS, AS_USER, NULL, {"GetConnectionUnixProcessID"}},
	{"bus-credentials", probe_bus_peers, BY_BUS, AS_USER, NULL, {"GetConnectionCredentials"}},
	{"varlink", probe_varlink, BY_UNITS, AS_USER, NULL, {NULL}},
	{"unit-file", probe_unit_file, BY_UNITS, AS_USER, NULL, {NULL}},
	{"unit-signals", probe_signals, BY_BUS, AS_USER, NULL, {NULL}},
	{"session-by-pid", probe_logind_by_pid, BY_BUS, AS_USER, NULL, {"GetSessionByPID"}},
	{"user-by-pid", probe_logind_by_pid, BY_BUS, AS_USER, NULL, {"GetUserByPID"}},
	{"inhibitors", probe_inhibitors, BY_BUS, AS_USER, NULL, {NULL}},
	{"inhibitor-files", probe_inhibitor_files, BY_UNITS, AS_USER, NULL, {NULL}},
	{"polkit", probe_polkit, BY_BUS, AS_USER, NULL, {NULL}},
	{"machined", probe_machined, BY_NOBODY, AS_USER, "it knows containers, no processes",
		{NULL}},

	{"systemd-run", probe_run_system, BY_NOBODY, AS_USER, asks_polkit, {NULL}},
	{"systemd-run-user", probe_run_user, BY_MANAGER, AS_USER, NULL, {NULL}},
	{"user-unit", probe_unit_user, BY_MANAGER, AS_USER, NULL, {NULL}},
	{"user-bus", probe_bus_user, BY_MANAGER, AS_USER, NULL, {NULL}},
	{"activation", probe_activation, BY_MANAGER, AS_USER, NULL, {NULL}},
	{"own-descriptors", probe_own_descriptors, BY_MODULE, AS_USER, NULL, {NULL}},
	{"ssh", probe_ssh, BY_MODULE, AS_USER, NULL, {NULL}},
	{"su", probe_su, BY_MODULE, AS_ROOT, NULL, {"su"}},
	{"sudo", probe_su, BY_MODULE, AS_ROOT, NULL, {"sudo"}},
	{"tmux", probe_server, BY_MODULE, AS_USER, NULL, {"tmux"}},
	{"screen", probe_server, BY_MODULE, AS_USER, NULL, {"screen"}},

	{"logins", probe_utmp, BY_NOBODY, AS_USER, NULL, {NULL}},
	{"logind", probe_logind, BY_NOBODY, AS_USER, NULL, {NULL}},
	{"cgroup-names", probe_counters, BY_NOBODY, AS_USER, NULL,
		{"/sys/fs/cgroup", "names of cgroups, which are those of units and users"}},
	{"network", probe_counters, BY_NOBODY, AS_USER, NULL,
		{"/proc/net/tcp", "network sockets, with the uids of their owners"}},
	{"load", probe_counters, BY_NOBODY, AS_USER, NULL,
		{"/proc/loadavg", "load, memory and other counters of the machine"}},
};

const char *context_id(const struct audit_context *context)
{
	return strrchr(context->directory, '.') + 1;
}

size_t probes_count(void)
{
	_Static_assert(sizeof(probes) / sizeof(*probes) <= PROBES_MAX, "PROBES_MAX");
	return sizeof(probes) / sizeof(*probes);
}

void result_set(struct result *result, enum verdict verdict, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printable(result->seen, sizeof(result->seen), text, strlen(text));
	result->verdict = verdict;
}

static int started = -1;

void probe_started(void)
{
	close_fd(&started);
	started = -1;
}

/* What a probe finds counts only when it has come to its end. */
__attribute__((noreturn)) static void run_probe(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	struct result *own =
		mmap(NULL, sizeof(*own), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (own == MAP_FAILED)
		_exit(1);
	result_set(own, NOT_TESTED, "it found nothing out");
	probe->run(context, probe, own);
	*result = *own;
	_exit(0);
}

struct running {
	pid_t child;
	int pidfd;
};

/* Wait until it has ended, or closes its end of the pipe. */
static struct running begin(const struct audit_context *context, const struct probe *probe,
	struct result *result, bool until_started)
{
	struct running running = {.pidfd = -1};
	int fds[2];
	char byte;

	result_set(result, NOT_TESTED, "the process that tries it has died");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return running;
	running.child = fork();
	if (running.child == 0) {
		(void)setpgid(0, 0);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)signal(SIGPIPE, SIG_IGN);
		(void)close(fds[0]);
		started = fds[1];
		run_probe(context, probe, result);
	}
	(void)close(fds[1]);
	running.pidfd = running.child < 0 ? -1 : sys_pidfd_open(running.child);
	if (until_started)
		while (read(fds[0], &byte, 1) < 0 && errno == EINTR)
			;
	(void)close(fds[0]);
	return running;
}

static void finish(const struct running *running, struct result *result)
{
	struct pollfd ended = {.fd = running->pidfd, .events = POLLIN};

	if (running->pidfd < 0)
		return;
	if (poll(&ended, 1, PROBE_LIMIT_MS) == 0) {
		(void)kill(-running->child, SIGKILL);
		result_set(result, NOT_TESTED, "it did not end within %d seconds",
			PROBE_LIMIT_MS / 1000);
	}
	(void)waitpid(running->child, NULL, 0);
	(void)close(running->pidfd);
}

void probes_run(const struct audit_context *context, struct result *results, bool as_root)
{
	struct running slow[PROBES_MAX];
	struct running running;

	for (size_t i = 0; i < probes_count(); i++) {
		slow[i].pidfd = -1;
		if (!context->wanted[i] || (probes[i].how == AS_ROOT) != as_root)
			continue;
		running = begin(context, &probes[i], &results[i], probes[i].how == SLOWLY);
		if (probes[i].how == SLOWLY)
			slow[i] = running;
		else
			finish(&running, &results[i]);
	}
	for (size_t i = 0; i < probes_count(); i++)
		finish(&slow[i], &results[i]);
}

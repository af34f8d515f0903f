/* SPDX-License-Identifier: MIT */
/*
 * The probes that lead through the system bus and other services of systemd, which run on the host
 * and answer whoever asks. busctl(1) asks, as the user.
 */
#include "probes.h"

#include "command/lib/subprocess.h"
#include "common/syscalls.h"
#include "proc_scan.h"

#include <dirent.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SYSTEMD "org.freedesktop.systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define LOGIND "org.freedesktop.login1"
#define LOGIND_MANAGER "org.freedesktop.login1.Manager"
#define INHIBITORS "/run/systemd/inhibit"
#define LIMIT_S 100 /* a guest without KVM is slow */

static bool is_denied(const char *text)
{
	return strcasestr(text, "access denied") || strcasestr(text, "access to the requested") ||
	       strcasestr(text, "rejected send message") || strcasestr(text, "AccessDenied");
}

/* Nobody has the name, and nothing could be started that would. */
static bool is_absent(const char *text)
{
	return strstr(text, "not provided by any .service") || strstr(text, "not activatable");
}

/* The service did not come to answer. */
static bool is_no_answer(const char *text)
{
	return strcasestr(text, "timed out") || strcasestr(text, "disconnected") ||
	       strcasestr(text, "did not reply") || strcasestr(text, "no reply") ||
	       strcasestr(text, "could not be activated") ||
	       strcasestr(text, "could not activate") || strcasestr(text, "activation request") ||
	       strcasestr(text, "is masked") || strcasestr(text, "not found") ||
	       strcasestr(text, "failed to activate") || strcasestr(text, "connection reset");
}

/* Ask a method on the system bus. False: that has been told. */
static bool ask(const struct audit_context *context, struct subprocess *program,
	struct result *result, const char *const words[])
{
	const char *argv[24] = {"busctl", "--system", "--no-pager", "--timeout=90", "call"};
	size_t n = 5;
	int err;

	if (!context->systemd) {
		result_set(result, NOT_TESTED, "systemd does not run this machine");
		return false;
	}
	for (size_t i = 0; words[i] && n + 1 < sizeof(argv) / sizeof(*argv); i++)
		argv[n++] = words[i];
	*program = (struct subprocess){.limit_s = LIMIT_S};
	err = subprocess_run(program, argv);
	if (err < 0)
		result_set(result, NOT_TESTED, "busctl: %s", strerror(-err));
	else if (program->status != 0 && is_absent(program->text))
		result_set(result, CLOSED, "this machine has no %s", words[0]);
	else if (program->status != 0 && is_denied(program->text))
		result_set(result, CLOSED, "the bus refuses to pass it on: %s",
			subprocess_first_line(program));
	else if (program->status != 0 &&
		 (!strstr(program->text, "Call failed") || is_no_answer(program->text)))
		result_set(result, NOT_TESTED, "busctl: %s", subprocess_first_line(program));
	else
		return true;
	subprocess_free(program);
	return false;
}

/* What answers about the unit of a decoy must have its command line in it, or refuse. */
static void judge_unit(const struct audit_context *context, const char *what,
	struct subprocess *program, struct result *result)
{
	if (find_secret(context, program->text, program->n))
		result_set(
			result, OPEN, "%s shows the command line of a system unit's process", what);
	else
		result_set(result, NOT_TESTED,
			"%s does not refuse, and has nothing of the unit: %s", what,
			subprocess_first_line(program));
	subprocess_free(program);
}

static bool has_unit(const struct audit_context *context, struct result *result)
{
	if (context->unit[0] == '\0')
		result_set(result, NOT_TESTED, "%s",
			context->systemd ? "no unit could be started with a decoy"
					 : "systemd does not run this machine");
	return context->unit[0] != '\0';
}

static void systemctl_status(const struct audit_context *context, struct result *result)
{
	const char *const argv[] = {
		"systemctl", "--no-pager", "--full", "--lines=0", "status", context->unit, NULL};
	struct subprocess program = {.limit_s = LIMIT_S};
	int err = subprocess_run(&program, argv);

	if (err < 0)
		result_set(result, NOT_TESTED, "systemctl: %s", strerror(-err));
	else if (find_secret(context, program.text, program.n))
		result_set(result, OPEN,
			"systemctl status shows the command line of a unit's process");
	else if (is_denied(program.text))
		result_set(result, CLOSED, "systemctl status: %s", subprocess_first_line(&program));
	else
		result_set(result, NOT_TESTED, "systemctl status: %s",
			subprocess_first_line(&program));
	subprocess_free(&program);
}

void probe_bus(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *words[16] = {SYSTEMD, MANAGER_PATH, MANAGER};
	struct subprocess program;

	if (!has_unit(context, result))
		return;
	if (!probe->what[0]) {
		systemctl_status(context, result);
		return;
	}
	for (size_t i = 0; i < sizeof(probe->what) / sizeof(*probe->what) && probe->what[i]; i++)
		words[3 + i] = strcmp(probe->what[i], "UNIT") == 0 ? context->unit : probe->what[i];
	if (ask(context, &program, result, words))
		judge_unit(context, probe->what[0], &program, result);
}

/* The name of a unit consists of letters and digits, but for its suffix. */
static void unit_path(const struct audit_context *context, char *path, size_t size)
{
	(void)snprintf(path, size, MANAGER_PATH "/unit/%.*s_2eservice",
		(int)strcspn(context->unit, "."), context->unit);
}

void probe_bus_properties(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	char path[160], interface[64];
	const char *const words[] = {
		SYSTEMD, path, "org.freedesktop.DBus.Properties", "GetAll", "s", interface, NULL};
	struct subprocess program;

	if (!has_unit(context, result))
		return;
	unit_path(context, path, sizeof(path));
	(void)snprintf(interface, sizeof(interface), SYSTEMD ".%s", probe->what[0]);
	if (ask(context, &program, result, words))
		judge_unit(context, "the properties of a unit", &program, result);
}

void probe_bus_by_pid(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	char pid[16];
	const char *const words[] = {
		SYSTEMD, MANAGER_PATH, MANAGER, "GetUnitByPID", "u", pid, NULL};
	struct subprocess program;

	(void)probe;
	if (!has_unit(context, result))
		return;
	(void)snprintf(pid, sizeof(pid), "%d", (int)context->decoys[context->n_decoys - 1].pid);
	if (!ask(context, &program, result, words))
		return;
	if (program.status == 0 && strstr(program.text, MANAGER_PATH "/unit/"))
		result_set(result, OPEN, "GetUnitByPID tells that the decoy is there: %s",
			subprocess_first_line(&program));
	else
		result_set(result, NOT_TESTED, "GetUnitByPID: %s", subprocess_first_line(&program));
	subprocess_free(&program);
}

void probe_bus_peers(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *const words[] = {"org.freedesktop.DBus", "/org/freedesktop/DBus",
		"org.freedesktop.DBus", probe->what[0], "s", "org.freedesktop.login1", NULL};
	struct subprocess program;

	if (!ask(context, &program, result, words))
		return;
	if (program.status == 0 && (program.text[0] == 'u' || strstr(program.text, "ProcessID")))
		result_set(result, OPEN, "the bus tells the pid of whoever is connected to it: %s",
			subprocess_first_line(&program));
	else
		result_set(result, NOT_TESTED, "%s: %s", probe->what[0],
			subprocess_first_line(&program));
	subprocess_free(&program);
}

void probe_logind(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *const words[] = {
		LOGIND, "/org/freedesktop/login1", LOGIND_MANAGER, "ListSessions", NULL};
	struct subprocess program;

	(void)probe;
	if (!ask(context, &program, result, words))
		return;
	result_set(result, NOT_PROMISED,
		"logind tells who is logged in, and the pid that opened each session: %.120s",
		subprocess_first_line(&program));
	subprocess_free(&program);
}

/* Of a decoy that is in somebody's session: it says whose. */
void probe_logind_by_pid(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	char pid[16];
	const char *const words[] = {
		LOGIND, "/org/freedesktop/login1", LOGIND_MANAGER, probe->what[0], "u", pid, NULL};
	struct subprocess program;

	for (size_t i = 0; i < context->n_decoys && result->verdict != OPEN; i++) {
		(void)snprintf(pid, sizeof(pid), "%d", (int)context->decoys[i].pid);
		if (!ask(context, &program, result, words))
			return;
		if (program.status == 0)
			result_set(result, OPEN, "%s tells whose process a decoy is: %s",
				probe->what[0], subprocess_first_line(&program));
		else
			result_set(result, NOT_TESTED,
				"%s does not refuse, and no decoy is in a session: %s",
				probe->what[0], subprocess_first_line(&program));
		subprocess_free(&program);
	}
}

static bool has_inhibitor(const struct audit_context *context, struct result *result)
{
	if (!context->inhibitor)
		result_set(result, NOT_TESTED, "%s",
			context->systemd ? "systemd-inhibit could not be started with a decoy"
					 : "systemd does not run this machine");
	return context->inhibitor;
}

void probe_inhibitors(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *const words[] = {
		LOGIND, "/org/freedesktop/login1", LOGIND_MANAGER, "ListInhibitors", NULL};
	struct subprocess program;

	(void)probe;
	if (!has_inhibitor(context, result) || !ask(context, &program, result, words))
		return;
	if (find_secret(context, program.text, program.n))
		result_set(result, OPEN,
			"ListInhibitors shows the command line of who inhibits something");
	else
		result_set(result, NOT_TESTED,
			"ListInhibitors does not refuse, and has no decoy: %s",
			subprocess_first_line(&program));
	subprocess_free(&program);
}

void probe_machined(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *const words[] = {"org.freedesktop.machine1", "/org/freedesktop/machine1",
		"org.freedesktop.machine1.Manager", "ListMachines", NULL};
	struct subprocess program;

	(void)probe;
	if (!ask(context, &program, result, words))
		return;
	result_set(result, program.status == 0 ? CLOSED : NOT_TESTED, "machined: %.100s",
		subprocess_first_line(&program));
	subprocess_free(&program);
}

static bool polkit_says(const struct audit_context *context, pid_t pid, char *said, size_t size,
	struct result *result)
{
	char number[16];
	const char *const words[] = {"org.freedesktop.PolicyKit1",
		"/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority",
		"CheckAuthorization", "(sa{sv})sa{ss}us", "unix-process", "2", "pid", "u", number,
		"start-time", "t", "0", "org.freedesktop.policykit.exec", "0", "0", "", NULL};
	struct subprocess program;

	(void)snprintf(number, sizeof(number), "%d", (int)pid);
	if (!ask(context, &program, result, words))
		return false;
	(void)snprintf(said, size, "%s", subprocess_first_line(&program));
	subprocess_free(&program);
	return true;
}

/* An answer that has the pid in it is about that pid. */
static void without_number(char *text, pid_t pid)
{
	char number[16];
	char *at;

	(void)snprintf(number, sizeof(number), "%d", (int)pid);
	while ((at = strstr(text, number)))
		memmove(at, at + strlen(number), strlen(at + strlen(number)) + 1);
}

void probe_polkit(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const pid_t decoy = context->decoys[0].pid, nobody = 4194303;
	char one[256], other[256];

	(void)probe;
	if (!polkit_says(context, decoy, one, sizeof(one), result) ||
		!polkit_says(context, nobody, other, sizeof(other), result))
		return;
	without_number(one, decoy);
	without_number(other, nobody);
	if (strcmp(one, other) == 0)
		result_set(result, CLOSED, "polkit says the same of a decoy as of nobody: %.150s",
			one);
	else
		result_set(result, OPEN, "polkit says '%.120s' of a decoy, '%.120s' of nobody", one,
			other);
}

/* ---- signals ----------------------------------------------------------------------------------
 * busctl wants to hear of everything that passes, which the bus refuses to users. Whoever asks for
 * systemd's signals alone is a client like others: this speaks to the bus itself.
 */

/* A call of a method of the bus: the wire format of D-Bus, little endian. */
struct call {
	unsigned char bytes[1024];
	size_t n;
};

static void put_align(struct call *call, size_t to)
{
	while (call->n % to != 0)
		call->bytes[call->n++] = 0;
}

static void put_number(struct call *call, size_t at, size_t number)
{
	for (size_t i = 0; i < 4; i++)
		call->bytes[at + i] = (unsigned char)(number >> (8 * i));
}

static void put_string(struct call *call, const char *text)
{
	put_align(call, 4);
	put_number(call, call->n, strlen(text));
	memcpy(call->bytes + call->n + 4, text, strlen(text) + 1);
	call->n += 4 + strlen(text) + 1;
}

/* A field of the header: its code, a signature of one type, a value. */
static void put_field(struct call *call, unsigned char code, char type, const char *text)
{
	const unsigned char field[] = {code, 1, (unsigned char)type, 0};

	put_align(call, 8);
	memcpy(call->bytes + call->n, field, sizeof(field));
	call->n += sizeof(field);
	if (type != 'g') {
		put_string(call, text);
		return;
	}
	call->bytes[call->n] = (unsigned char)strlen(text);
	memcpy(call->bytes + call->n + 1, text, strlen(text) + 1);
	call->n += 1 + strlen(text) + 1;
}

/* argument: a string, or NULL */
static bool send_call(int fd, unsigned char serial, const char *member, const char *argument)
{
	struct call call = {.bytes = {'l', 1, 0, 1, [8] = serial}, .n = 16};
	size_t body;

	put_field(&call, 1, 'o', "/org/freedesktop/DBus");
	put_field(&call, 2, 's', "org.freedesktop.DBus");
	put_field(&call, 3, 's', member);
	put_field(&call, 6, 's', "org.freedesktop.DBus");
	if (argument)
		put_field(&call, 8, 'g', "s");
	put_number(&call, 12, call.n - 16);
	put_align(&call, 8);
	body = call.n;
	if (argument)
		put_string(&call, argument);
	put_number(&call, 4, call.n - body);
	return write(fd, call.bytes, call.n) == (ssize_t)call.n;
}

/* What comes until it is quiet for as long; terminated. */
static size_t read_until_quiet(int fd, int quiet_ms, char *text, size_t size)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	size_t n = 0;
	ssize_t got;

	while (n + 1 < size && poll(&readable, 1, quiet_ms) > 0) {
		got = read(fd, text + n, size - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	text[n] = '\0';
	return n;
}

/* Returns a connection that hears systemd's signals, or -1 with errno. */
static int listen_to_systemd(void)
{
	struct sockaddr_un address = {
		.sun_family = AF_UNIX, .sun_path = "/run/dbus/system_bus_socket"};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char number[16], hello[64] = "", said[128] = "";
	int n;

	/* the bus wants the uid as the digits of its digits */
	(void)snprintf(number, sizeof(number), "%u", getuid());
	n = snprintf(hello + 1, sizeof(hello) - 1, "AUTH EXTERNAL ");
	for (size_t i = 0; number[i] != '\0'; i++)
		n += snprintf(hello + 1 + n, sizeof(hello) - 1 - (size_t)n, "%02x", number[i]);
	n += snprintf(hello + 1 + n, sizeof(hello) - 1 - (size_t)n, "\r\n");
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
		write(fd, hello, (size_t)n + 1) == n + 1 && read(fd, said, sizeof(said) - 1) > 0 &&
		strncmp(said, "OK ", 3) == 0 && write(fd, "BEGIN\r\n", 7) == 7 &&
		send_call(fd, 1, "Hello", NULL) &&
		send_call(fd, 2, "AddMatch", "type='signal',sender='" SYSTEMD "'"))
		return fd;
	close_fd(&fd);
	return -1;
}

/* The decoy has a unit started, and waits for its end; then what has come is all. */
void probe_signals(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	char heard[1 << 18] = "", unit[80];
	int fd AUTO_CLOSE = -1;
	size_t n;

	(void)probe;
	if (!has_unit(context, result))
		return;
	fd = listen_to_systemd();
	if (fd < 0) {
		result_set(
			result, NOT_TESTED, "no connection to the system bus: %s", strerror(errno));
		return;
	}
	(void)read_until_quiet(fd, 1000, heard, sizeof(heard)); /* the answers to both calls */
	if (!ask_decoy(context, 'u')) {
		result_set(result, NOT_TESTED, "root could not start a unit");
		return;
	}
	n = read_until_quiet(fd, 3000, heard, sizeof(heard));
	(void)snprintf(unit, sizeof(unit), "pamunshareauditstarted%s", context_id(context));
	if (memmem(heard, n, "ExecMainPID", strlen("ExecMainPID")) &&
		memmem(heard, n, unit, strlen(unit)))
		result_set(result, OPEN, "systemd sends everybody the pids of a unit's processes");
	else if (memmem(heard, n, "UnitNew", strlen("UnitNew")))
		result_set(result, OPEN,
			"systemd sends everybody the name of what is started: a unit of systemd-run has the pid of who runs it in its name");
	else if (memmem(heard, n, "JobRemoved", strlen("JobRemoved")) &&
		 memmem(heard, n, unit, strlen(unit)))
		result_set(
			result, CLOSED, "of a unit that root starts only the end of the job comes");
	else
		result_set(result, NOT_TESTED, "nothing comes of a unit that root starts");
}

/* ---- what systemd shows beside the bus ---------------------------------------------------------
 */

/* Where systemd listens with all that its first process, or logind, can be asked. */
static const struct {
	const char *socket, *method;
} asked[] = {
	{"/run/systemd/io.systemd.Manager", "io.systemd.Unit.List"},
	{"/run/systemd/io.systemd.Manager", "io.systemd.Manager.ListUnits"},
	{"/run/systemd/io.systemd.Manager", "io.systemd.Manager.Describe"},
	{"/run/systemd/io.systemd.ManagedOOM", "io.systemd.Unit.List"},
	{"/run/systemd/userdb/io.systemd.DynamicUser", "io.systemd.Unit.List"},
	{"/run/systemd/report/io.systemd.Manager", "io.systemd.Metrics.List"},
	{"/run/systemd/io.systemd.Login", "io.systemd.Login.ListInhibitors"},
};

enum { REFUSES, UNKNOWN, ANSWERS, FAILS };

/* One of them; what it says of a decoy is told. Returns what else there is to say. */
static int ask_varlink(const struct audit_context *context, size_t i, struct result *result)
{
	const char *const argv[] = {"varlinkctl", "--more", "--no-pager", "call", asked[i].socket,
		asked[i].method, "{}", NULL};
	struct subprocess program = {.limit_s = LIMIT_S};
	int answer = FAILS, err = subprocess_run(&program, argv);

	if (err < 0)
		result_set(result, NOT_TESTED, "varlinkctl: %s", strerror(-err));
	else if (find_secret(context, program.text, program.n))
		result_set(result, OPEN, "%s of %s shows a command line", asked[i].method,
			asked[i].socket);
	else if (program.status == 0 && !program.too_long)
		answer = ANSWERS;
	else if (strstr(program.text, "Permission denied"))
		answer = REFUSES;
	else if (strstr(program.text, "NotFound"))
		answer = UNKNOWN;
	else
		result_set(result, NOT_TESTED, "%s of %s: %s", asked[i].method, asked[i].socket,
			subprocess_first_line(&program));
	subprocess_free(&program);
	return answer;
}

void probe_varlink(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	unsigned int count[FAILS + 1] = {0};

	(void)probe;
	if (!has_unit(context, result))
		return;
	if (access(asked[0].socket, F_OK) < 0) {
		result_set(result, errno == ENOENT ? CLOSED : NOT_TESTED, "%s: %s", asked[0].socket,
			strerror(errno));
		return;
	}
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked) && result->verdict != OPEN; i++)
		if (access(asked[i].socket, F_OK) == 0)
			count[ask_varlink(context, i, result)]++;
	if (count[FAILS] == 0)
		result_set(result, CLOSED,
			"of systemd's sockets %u calls are refused, %u are not known, %u answer without a command line",
			count[REFUSES], count[UNKNOWN], count[ANSWERS]);
}

void probe_unit_file(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	char path[160], text[4096];
	ssize_t n = -1;
	int fd AUTO_CLOSE = -1;

	(void)probe;
	if (!has_unit(context, result))
		return;
	(void)snprintf(path, sizeof(path), "/run/systemd/transient/%s", context->unit);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, text, sizeof(text));
	if (fd < 0 && errno == EACCES)
		result_set(result, CLOSED, "%s: Permission denied", path);
	else if (n > 0 && find_secret(context, text, (size_t)n))
		result_set(result, OPEN,
			"%s has the command line of a unit that was started by command", path);
	else
		result_set(result, NOT_TESTED, "%s: %s", path,
			n < 0 ? strerror(errno) : "nothing is in it");
}

/* What a file of somebody who inhibits something has in it. */
static bool shows_inhibitor(const struct audit_context *context, int directory, const char *name)
{
	char text[4096];
	int fd AUTO_CLOSE = openat(directory, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	return n > 0 && find_secret(context, text, (size_t)n);
}

void probe_inhibitor_files(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const struct dirent *entry;
	DIR *list;

	(void)probe;
	if (!has_inhibitor(context, result))
		return;
	list = opendir(INHIBITORS);
	if (!list) {
		result_set(result, errno == EACCES ? CLOSED : NOT_TESTED, INHIBITORS ": %s",
			strerror(errno));
		return;
	}
	result_set(result, NOT_TESTED, INHIBITORS " can be listed, and has no decoy");
	while ((entry = readdir(list)))
		if (shows_inhibitor(context, dirfd(list), entry->d_name))
			result_set(result, OPEN,
				INHIBITORS "/%s has the command line of who inhibits something",
				entry->d_name);
	(void)closedir(list);
}

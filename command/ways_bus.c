/* SPDX-License-Identifier: MIT */
/*
 * The ways that lead through the system bus and other services of systemd, which run on the host
 * and answer whoever asks. busctl(1) asks, as the user.
 */
#include "ways.h"

#include "../syscalls.h"
#include "look.h"
#include "tool.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define SYSTEMD "org.freedesktop.systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define MANAGER_PATH "/org/freedesktop/systemd1"
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
static bool ask(const struct scene *scene, struct tool *tool, struct finding *finding,
	const char *const words[])
{
	const char *argv[24] = {"busctl", "--system", "--no-pager", "--timeout=90", "call"};
	size_t n = 5;
	int err;

	if (!scene->systemd) {
		tell(finding, NOT_TESTED, "systemd does not run this machine");
		return false;
	}
	for (size_t i = 0; words[i] && n + 1 < sizeof(argv) / sizeof(*argv); i++)
		argv[n++] = words[i];
	*tool = (struct tool){.limit_s = LIMIT_S};
	err = tool_run(tool, argv);
	if (err < 0)
		tell(finding, NOT_TESTED, "busctl: %s", strerror(-err));
	else if (tool->status != 0 && is_absent(tool->text))
		tell(finding, CLOSED, "this machine has no %s", words[0]);
	else if (tool->status != 0 && is_denied(tool->text))
		tell(finding, CLOSED, "the bus refuses to pass it on: %s", tool_first_line(tool));
	else if (tool->status != 0 &&
		 (!strstr(tool->text, "Call failed") || is_no_answer(tool->text)))
		tell(finding, NOT_TESTED, "busctl: %s", tool_first_line(tool));
	else
		return true;
	tool_free(tool);
	return false;
}

/* What answers about the unit of a target must have its command line in it, or refuse. */
static void judge_unit(
	const struct scene *scene, const char *what, struct tool *tool, struct finding *finding)
{
	if (look_for_secret(scene, tool->text, tool->n))
		tell(finding, OPEN, "%s shows the command line of a system unit's process", what);
	else
		tell(finding, NOT_TESTED, "%s does not refuse, and has nothing of the unit: %s",
			what, tool_first_line(tool));
	tool_free(tool);
}

static bool has_unit(const struct scene *scene, struct finding *finding)
{
	if (scene->unit[0] == '\0')
		tell(finding, NOT_TESTED, "%s",
			scene->systemd ? "no unit could be started with a target"
				       : "systemd does not run this machine");
	return scene->unit[0] != '\0';
}

static void systemctl_status(const struct scene *scene, struct finding *finding)
{
	const char *const argv[] = {
		"systemctl", "--no-pager", "--full", "--lines=0", "status", scene->unit, NULL};
	struct tool tool = {.limit_s = LIMIT_S};
	int err = tool_run(&tool, argv);

	if (err < 0)
		tell(finding, NOT_TESTED, "systemctl: %s", strerror(-err));
	else if (look_for_secret(scene, tool.text, tool.n))
		tell(finding, OPEN, "systemctl status shows the command line of a unit's process");
	else if (is_denied(tool.text))
		tell(finding, CLOSED, "systemctl status: %s", tool_first_line(&tool));
	else
		tell(finding, NOT_TESTED, "systemctl status: %s", tool_first_line(&tool));
	tool_free(&tool);
}

void try_bus(const struct scene *scene, const struct way *way, struct finding *finding)
{
	const char *words[16] = {SYSTEMD, MANAGER_PATH, MANAGER};
	struct tool tool;

	if (!has_unit(scene, finding))
		return;
	if (!way->what[0]) {
		systemctl_status(scene, finding);
		return;
	}
	for (size_t i = 0; i < sizeof(way->what) / sizeof(*way->what) && way->what[i]; i++)
		words[3 + i] = strcmp(way->what[i], "UNIT") == 0 ? scene->unit : way->what[i];
	if (ask(scene, &tool, finding, words))
		judge_unit(scene, way->what[0], &tool, finding);
}

/* The name of a unit consists of letters and digits, but for its suffix. */
static void unit_path(const struct scene *scene, char *path, size_t size)
{
	(void)snprintf(path, size, MANAGER_PATH "/unit/%.*s_2eservice",
		(int)strcspn(scene->unit, "."), scene->unit);
}

void try_bus_properties(const struct scene *scene, const struct way *way, struct finding *finding)
{
	char path[160], interface[64];
	const char *const words[] = {
		SYSTEMD, path, "org.freedesktop.DBus.Properties", "GetAll", "s", interface, NULL};
	struct tool tool;

	if (!has_unit(scene, finding))
		return;
	unit_path(scene, path, sizeof(path));
	(void)snprintf(interface, sizeof(interface), SYSTEMD ".%s", way->what[0]);
	if (ask(scene, &tool, finding, words))
		judge_unit(scene, "the properties of a unit", &tool, finding);
}

void try_bus_by_pid(const struct scene *scene, const struct way *way, struct finding *finding)
{
	char pid[16];
	const char *const words[] = {
		SYSTEMD, MANAGER_PATH, MANAGER, "GetUnitByPID", "u", pid, NULL};
	struct tool tool;

	(void)way;
	if (!has_unit(scene, finding))
		return;
	(void)snprintf(pid, sizeof(pid), "%d", (int)scene->targets[scene->n_targets - 1].pid);
	if (!ask(scene, &tool, finding, words))
		return;
	if (tool.status == 0 && strstr(tool.text, MANAGER_PATH "/unit/"))
		tell(finding, OPEN, "GetUnitByPID tells that the target is there: %s",
			tool_first_line(&tool));
	else
		tell(finding, NOT_TESTED, "GetUnitByPID: %s", tool_first_line(&tool));
	tool_free(&tool);
}

void try_bus_peers(const struct scene *scene, const struct way *way, struct finding *finding)
{
	const char *const words[] = {"org.freedesktop.DBus", "/org/freedesktop/DBus",
		"org.freedesktop.DBus", way->what[0], "s", "org.freedesktop.login1", NULL};
	struct tool tool;

	if (!ask(scene, &tool, finding, words))
		return;
	if (tool.status == 0 && (tool.text[0] == 'u' || strstr(tool.text, "ProcessID")))
		tell(finding, OPEN, "the bus tells the pid of whoever is connected to it: %s",
			tool_first_line(&tool));
	else
		tell(finding, NOT_TESTED, "%s: %s", way->what[0], tool_first_line(&tool));
	tool_free(&tool);
}

void try_logind(const struct scene *scene, const struct way *way, struct finding *finding)
{
	const char *const words[] = {"org.freedesktop.login1", "/org/freedesktop/login1",
		"org.freedesktop.login1.Manager", "ListSessions", NULL};
	struct tool tool;

	(void)way;
	if (!ask(scene, &tool, finding, words))
		return;
	tell(finding, NOT_PROMISED,
		"logind tells who is logged in, and the pid that opened each session: %.120s",
		tool_first_line(&tool));
	tool_free(&tool);
}

void try_machined(const struct scene *scene, const struct way *way, struct finding *finding)
{
	const char *const words[] = {"org.freedesktop.machine1", "/org/freedesktop/machine1",
		"org.freedesktop.machine1.Manager", "ListMachines", NULL};
	struct tool tool;

	(void)way;
	if (!ask(scene, &tool, finding, words))
		return;
	tell(finding, tool.status == 0 ? CLOSED : NOT_TESTED, "machined: %.100s",
		tool_first_line(&tool));
	tool_free(&tool);
}

static bool polkit_says(
	const struct scene *scene, pid_t pid, char *said, size_t size, struct finding *finding)
{
	char number[16];
	const char *const words[] = {"org.freedesktop.PolicyKit1",
		"/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority",
		"CheckAuthorization", "(sa{sv})sa{ss}us", "unix-process", "2", "pid", "u", number,
		"start-time", "t", "0", "org.freedesktop.policykit.exec", "0", "0", "", NULL};
	struct tool tool;

	(void)snprintf(number, sizeof(number), "%d", (int)pid);
	if (!ask(scene, &tool, finding, words))
		return false;
	(void)snprintf(said, size, "%s", tool_first_line(&tool));
	tool_free(&tool);
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

void try_polkit(const struct scene *scene, const struct way *way, struct finding *finding)
{
	const pid_t target = scene->targets[0].pid, nobody = 4194303;
	char one[256], other[256];

	(void)way;
	if (!polkit_says(scene, target, one, sizeof(one), finding) ||
		!polkit_says(scene, nobody, other, sizeof(other), finding))
		return;
	without_number(one, target);
	without_number(other, nobody);
	if (strcmp(one, other) == 0)
		tell(finding, CLOSED, "polkit says the same of a target as of nobody: %.150s", one);
	else
		tell(finding, OPEN, "polkit says '%.120s' of a target, '%.120s' of nobody", one,
			other);
}

/* ---- what systemd shows beside the bus ---------------------------------------------------------
 */

/* Each socket that answers to anybody is asked for units. */
void try_varlink(const struct scene *scene, const struct way *way, struct finding *finding)
{
	static const char path[] = "/run/systemd/io.systemd.Manager";
	static const char *const methods[] = {"io.systemd.Unit.List",
		"io.systemd.Manager.ListUnits", "io.systemd.Manager.Describe"};
	struct tool tool;
	unsigned int answered = 0;

	(void)way;
	if (!has_unit(scene, finding))
		return;
	if (access(path, F_OK) < 0) {
		tell(finding, errno == ENOENT ? CLOSED : NOT_TESTED, "%s: %s", path,
			strerror(errno));
		return;
	}
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		const char *const argv[] = {
			"varlinkctl", "--more", "--no-pager", "call", path, methods[i], "{}", NULL};

		tool = (struct tool){.limit_s = LIMIT_S};
		if (tool_run(&tool, argv) < 0) {
			tell(finding, NOT_TESTED, "there is no varlinkctl");
			return;
		}
		answered += tool.status == 0 && !tool.too_long;
		if (look_for_secret(scene, tool.text, tool.n)) {
			tell(finding, OPEN, "%s of %s shows the command line of a unit", methods[i],
				path);
			tool_free(&tool);
			return;
		}
		if (tool.status != 0 && finding->verdict == NOT_TESTED) {
			if (strstr(tool.text, "Permission denied"))
				tell(finding, CLOSED, "%s: %s", path, tool_first_line(&tool));
			else
				tell(finding, NOT_TESTED, "%s: %s", methods[i],
					tool_first_line(&tool));
		}
		tool_free(&tool);
	}
	if (answered > 0)
		tell(finding, CLOSED, "%u methods of %s answer without a command line", answered,
			path);
}

void try_unit_file(const struct scene *scene, const struct way *way, struct finding *finding)
{
	char path[160], text[4096];
	ssize_t n = -1;
	int fd AUTO_CLOSE = -1;

	(void)way;
	if (!has_unit(scene, finding))
		return;
	(void)snprintf(path, sizeof(path), "/run/systemd/transient/%s", scene->unit);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, text, sizeof(text));
	if (fd < 0 && errno == EACCES)
		tell(finding, CLOSED, "%s: Permission denied", path);
	else if (n > 0 && look_for_secret(scene, text, (size_t)n))
		tell(finding, OPEN, "%s has the command line of a unit that was started by command",
			path);
	else
		tell(finding, NOT_TESTED, "%s: %s", path,
			n < 0 ? strerror(errno) : "nothing is in it");
}

/* SPDX-License-Identifier: MIT */
/*
 * Probes of what systemd tells about a system unit with a decoy: on the system bus, and in a file.
 */
#include "probes.h"

#include "bus_call.h"
#include "common/syscalls.h"
#include "proc_scan.h"

#include <stdio.h>
#include <string.h>

/* An answer about the unit must contain the decoy's secret. One that neither does nor is refused
   proves nothing. */
static void judge_unit(const struct audit_context *context, const char *what,
	struct subprocess *program, struct result *result)
{
	if (find_secret(context, program->text, program->n))
		result_set(
			result, OPEN, "%s shows the command line of a system unit's process", what);
	else
		result_set(result, NOT_TESTED,
			"%s is not denied, but shows nothing of the unit: %s", what,
			subprocess_first_line(program));
	subprocess_free(program);
}

static void systemctl_status(const struct audit_context *context, struct result *result)
{
	const char *const argv[] = {
		"systemctl", "--no-pager", "--full", "--lines=0", "status", context->unit, NULL};
	struct subprocess program = {.limit_s = PROGRAM_LIMIT_S};
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

/* arguments: a method of systemd's manager and its arguments, "UNIT" for the name of the unit; or
   none, for systemctl status. */
void probe_unit_method(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *words[16] = {SYSTEMD, MANAGER_PATH, MANAGER};
	struct subprocess program;

	if (!has_unit(context, result))
		return;
	if (!probe->arguments[0]) {
		systemctl_status(context, result);
		return;
	}
	for (size_t i = 0;
		i < sizeof(probe->arguments) / sizeof(*probe->arguments) && probe->arguments[i];
		i++)
		words[3 + i] = strcmp(probe->arguments[i], "UNIT") == 0 ? context->unit
									: probe->arguments[i];
	if (bus_call(context, &program, result, words))
		judge_unit(context, probe->arguments[0], &program, result);
}

/* The object path of the unit, whose name has letters and digits only before its suffix. */
static void unit_path(const struct audit_context *context, char *path, size_t size)
{
	(void)snprintf(path, size, MANAGER_PATH "/unit/%.*s_2eservice",
		(int)strcspn(context->unit, "."), context->unit);
}

/* arguments: the interface, Unit or Service. */
void probe_unit_properties(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	char path[160], interface[64];
	const char *const words[] = {
		SYSTEMD, path, "org.freedesktop.DBus.Properties", "GetAll", "s", interface, NULL};
	struct subprocess program;

	if (!has_unit(context, result))
		return;
	unit_path(context, path, sizeof(path));
	(void)snprintf(interface, sizeof(interface), SYSTEMD ".%s", probe->arguments[0]);
	if (bus_call(context, &program, result, words))
		judge_unit(context, "GetAll", &program, result);
}

void probe_unit_by_pid(
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
	if (!bus_call(context, &program, result, words))
		return;
	if (program.status == 0 && strstr(program.text, MANAGER_PATH "/unit/"))
		result_set(result, OPEN, "GetUnitByPID finds the decoy: %s",
			subprocess_first_line(&program));
	else
		result_set(result, NOT_TESTED, "GetUnitByPID: %s", subprocess_first_line(&program));
	subprocess_free(&program);
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
		result_set(result, OPEN, "%s has the command line of a transient unit", path);
	else
		result_set(result, NOT_TESTED, "%s: %s", path,
			n < 0 ? strerror(errno) : "nothing is in it");
}

/* SPDX-License-Identifier: MIT */
/*
 * Probes of service managers: the user's own, which starts programs on the host, its bus, and the
 * system's.
 */
#include "probes.h"

#include "common/syscalls.h"
#include "outside_scan.h"

#include <stdio.h>
#include <string.h>

/* Tells whether there is a user manager; else the result says why not. */
static bool has_manager(const struct audit_context *context, struct result *result)
{
	if (!context->systemd)
		result_set(result, NOT_TESTED, "systemd does not run this machine");
	else if (strcmp(context->manager, "active") == 0)
		return true;
	else if (strcmp(context->manager, "exec-condition") == 0)
		result_set(result, CLOSED,
			"systemd starts no user manager for %s: a condition of user@.service",
			context->user);
	else
		result_set(result, NOT_TESTED, "no user manager: %s", context->manager);
	return false;
}

static struct subprocess of_the_bus(const struct audit_context *context)
{
	return (struct subprocess){.limit_s = PROGRAM_LIMIT_S,
		.user = context->user,
		.home = context->home,
		.bus_of = context->uid};
}

/* Whatever the tool prints, what counts is whether the program has run. */
static void judge_start(const struct audit_context *context, const char *where,
	struct subprocess *program, const char *path, struct result *result)
{
	scan_await(context, where, path, program->status == 0 ? 60 : 5,
		subprocess_first_line(program), result);
	subprocess_free(program);
}

void probe_run_user(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *argv[16] = {"systemd-run", "--user", "--quiet", "--collect", NULL};
	char path[128];
	struct scan_command command;
	struct subprocess program = of_the_bus(context);

	(void)probe;
	if (!has_manager(context, result))
		return;
	scan_path(context, "from-systemd-run", path, sizeof(path));
	scan_command(context, path, &command);
	append(argv, 16, command.argv);
	if (subprocess_run(&program, argv) < 0)
		result_set(result, NOT_TESTED, "systemd-run is not installed");
	else
		judge_start(context, "systemd-run --user", &program, path, result);
}

/* ---- files of the user manager ----------------------------------------------------------------
 */

/* Write a file below the user's runtime directory, and make the directories above it. */
static bool write_runtime(const struct audit_context *context, const char *directory,
	const char *name, const char *text)
{
	char path[256];
	int fd AUTO_CLOSE = -1;

	for (const char *end = directory; end; end = strchr(end + 1, '/')) {
		const char *next = strchr(end + 1, '/');

		(void)snprintf(path, sizeof(path), "/run/user/%u/%.*s", context->uid,
			next ? (int)(next - directory) : (int)strlen(directory), directory);
		(void)mkdir(path, 0700);
	}
	(void)snprintf(path, sizeof(path), "/run/user/%u/%s/%s", context->uid, directory, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static void remove_runtime(
	const struct audit_context *context, const char *directory, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "/run/user/%u/%s/%s", context->uid, directory, name);
	(void)unlink(path);
}

/* A file from which a daemon of the user's starts the program. */
struct recipe {
	const char *directory, *name; /* below the user's runtime directory */
	const char *text;
	const char *const *reload, *const *start; /* commands */
	const char *where, *path;		  /* of the report */
};

static void run_recipe(
	const struct audit_context *context, const struct recipe *recipe, struct result *result)
{
	struct subprocess program = of_the_bus(context);

	if (!write_runtime(context, recipe->directory, recipe->name, recipe->text)) {
		result_set(result, NOT_TESTED, "nothing can be written to /run/user/%u/%s",
			context->uid, recipe->directory);
		return;
	}
	(void)subprocess_run(&program, recipe->reload);
	subprocess_free(&program);
	if (subprocess_run(&program, recipe->start) < 0)
		result_set(result, NOT_TESTED, "%s cannot be run", recipe->start[0]);
	else
		judge_start(context, recipe->where, &program, recipe->path, result);
	remove_runtime(context, recipe->directory, recipe->name);
}

void probe_unit_user(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	char unit[80], path[128], line[1024], text[1100];
	const char *const reload[] = {"systemctl", "--user", "daemon-reload", NULL};
	const char *const start[] = {"systemctl", "--user", "start", unit, NULL};
	const struct recipe recipe = {
		.directory = "systemd/user",
		.name = unit,
		.text = text,
		.reload = reload,
		.start = start,
		.where = "a unit of the user manager",
		.path = path,
	};

	(void)probe;
	if (!has_manager(context, result))
		return;
	(void)snprintf(unit, sizeof(unit), "pamunshareaudit%s.service", context_id(context));
	scan_path(context, "from-unit", path, sizeof(path));
	scan_line(context, path, line, sizeof(line));
	(void)snprintf(text, sizeof(text), "[Service]\nType=oneshot\nExecStart=%s\n", line);
	run_recipe(context, &recipe, result);
}

void probe_activation(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	char name[80], file[100], path[128], line[1024], text[1200];
	const char *const reload[] = {"busctl", "--user", "call", "org.freedesktop.DBus", "/",
		"org.freedesktop.DBus", "ReloadConfig", NULL};
	/* the program takes no name on the bus, so the call fails when it has run */
	const char *const start[] = {"busctl", "--user", "--timeout=20", "call",
		"org.freedesktop.DBus", "/", "org.freedesktop.DBus", "StartServiceByName", "su",
		name, "0", NULL};
	const struct recipe recipe = {
		.directory = "dbus-1/services",
		.name = file,
		.text = text,
		.reload = reload,
		.start = start,
		.where = "a service that the user's bus activates",
		.path = path,
	};

	(void)probe;
	if (!has_manager(context, result))
		return;
	(void)snprintf(name, sizeof(name), "com.example.PamUnshareAudit%s", context_id(context));
	(void)snprintf(file, sizeof(file), "%s.service", name);
	scan_path(context, "from-activation", path, sizeof(path));
	scan_line(context, path, line, sizeof(line));
	(void)snprintf(text, sizeof(text), "[D-BUS Service]\nName=%s\nExec=%s\n", name, line);
	run_recipe(context, &recipe, result);
}

/* ---- on the buses -----------------------------------------------------------------------------
 */

void probe_bus_user(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	char unit[80], path[128];
	const char *argv[32] = {"busctl", "--user", "--no-pager", "--timeout=90", "call",
		"org.freedesktop.systemd1", "/org/freedesktop/systemd1",
		"org.freedesktop.systemd1.Manager", "StartTransientUnit", "ssa(sv)a(sa(sv))", unit,
		"replace", "2", "CollectMode", "s", "inactive-or-failed", "ExecStart", "a(sasb)",
		"1", context->command, "5", NULL};
	static const char *const rest[] = {"false", "0", NULL};
	struct scan_command command;
	struct subprocess program = of_the_bus(context);

	(void)probe;
	if (!has_manager(context, result))
		return;
	(void)snprintf(unit, sizeof(unit), "pamunshareauditbus%s.service", context_id(context));
	scan_path(context, "from-bus", path, sizeof(path));
	scan_command(context, path, &command);
	append(argv, 32, command.argv);
	append(argv, 32, rest);
	if (subprocess_run(&program, argv) < 0)
		result_set(result, NOT_TESTED, "busctl is not installed");
	else
		judge_start(
			context, "StartTransientUnit on the user's bus", &program, path, result);
}

void probe_run_system(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *argv[16] = {"systemd-run", "--no-ask-password", "--quiet", "--collect", NULL};
	char path[128];
	struct scan_command command;
	struct subprocess program = {
		.limit_s = PROGRAM_LIMIT_S, .user = context->user, .home = context->home};
	int err;

	(void)probe;
	if (!context->systemd) {
		result_set(result, NOT_TESTED, "systemd does not run this machine");
		return;
	}
	scan_path(context, "from-system", path, sizeof(path));
	scan_command(context, path, &command);
	append(argv, 16, command.argv);
	err = subprocess_run(&program, argv);
	if (err < 0)
		result_set(result, NOT_TESTED, "systemd-run: %s", strerror(-err));
	else if (program.status != 0 &&
		 (strcasestr(program.text, "authentication") || strcasestr(program.text, "denied")))
		result_set(result, CLOSED, "systemd refuses: %s", subprocess_first_line(&program));
	else
		judge_start(context, "systemd-run", &program, path, result);
	subprocess_free(&program);
}

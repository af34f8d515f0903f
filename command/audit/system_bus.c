/* SPDX-License-Identifier: MIT */
#include "system_bus.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ADDRESS "unix:path=/run/dbus/system_bus_socket"
#define UNIT_INTERFACE "org.freedesktop.systemd1.Unit"
#define SERVICE_INTERFACE "org.freedesktop.systemd1.Service"
#define LIMIT_US (120 * 1000000ULL)

#define AUTO_MESSAGE __attribute__((cleanup(sd_bus_message_unrefp)))

int system_bus_open(sd_bus **bus)
{
	sd_bus *AUTO_BUS made = NULL;
	int err = sd_bus_new(&made);

	if (err >= 0)
		err = sd_bus_set_address(made, ADDRESS);
	if (err >= 0)
		err = sd_bus_set_bus_client(made, true);
	if (err >= 0)
		err = sd_bus_start(made);
	if (err < 0)
		return err;
	*bus = made;
	made = NULL;
	return 0;
}

/* ---- jobs -------------------------------------------------------------------------------------
 */

struct job {
	char path[128];	 /* of its object; "": not known yet */
	char result[32]; /* "done", "failed" and others; "": it has not ended */
};

static int on_job_removed(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct job *job = data;
	const char *path, *unit, *result;
	uint32_t id;

	(void)error;
	if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) >= 0 &&
		strcmp(path, job->path) == 0)
		(void)snprintf(job->result, sizeof(job->result), "%s", result);
	return 0;
}

static uint64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Tells whether the job has succeeded. A unit whose condition does not hold is "skipped". */
static bool await_job(sd_bus *bus, const struct job *job)
{
	const uint64_t until = now_us() + LIMIT_US;

	while (job->result[0] == '\0') {
		const uint64_t now = now_us();
		int n = sd_bus_process(bus, NULL);

		if (n == 0 && now < until)
			n = sd_bus_wait(bus, until - now);
		if (n < 0 || now >= until)
			return false;
	}
	return strcmp(job->result, "done") == 0 || strcmp(job->result, "skipped") == 0;
}

/* Call a method that makes a job, and wait for its end. */
static bool run_job(sd_bus *bus, sd_bus_message *call)
{
	sd_bus_message *AUTO_MESSAGE reply = NULL;
	struct job job = {.path = ""};
	const char *path;

	/* before the call, so that the end of the job cannot be missed */
	if (sd_bus_match_signal(bus, NULL, SYSTEMD, MANAGER_PATH, MANAGER, "JobRemoved",
		    on_job_removed, &job) < 0 ||
		sd_bus_call(bus, call, LIMIT_US, NULL, &reply) < 0 ||
		sd_bus_message_read(reply, "o", &path) < 0)
		return false;
	(void)snprintf(job.path, sizeof(job.path), "%s", path);
	return await_job(bus, &job);
}

static int new_call(sd_bus *bus, sd_bus_message **call, const char *method)
{
	return sd_bus_message_new_method_call(bus, call, SYSTEMD, MANAGER_PATH, MANAGER, method);
}

static bool change_unit(const char *method, const char *name)
{
	sd_bus *AUTO_BUS bus = NULL;
	sd_bus_message *AUTO_MESSAGE call = NULL;

	return system_bus_open(&bus) >= 0 && new_call(bus, &call, method) >= 0 &&
	       sd_bus_message_append(call, "ss", name, "replace") >= 0 && run_job(bus, call);
}

bool unit_start(const char *name)
{
	return change_unit("StartUnit", name);
}

void unit_stop(const char *name)
{
	(void)change_unit("StopUnit", name);
}

/* ---- a transient unit -------------------------------------------------------------------------
 */

static bool append_strings(sd_bus_message *call, const char *const strings[])
{
	if (sd_bus_message_open_container(call, 'a', "s") < 0)
		return false;
	for (size_t i = 0; strings[i]; i++)
		if (sd_bus_message_append(call, "s", strings[i]) < 0)
			return false;
	return sd_bus_message_close_container(call) >= 0;
}

/* The property ExecStart: (sv), where v is a(sasb), a list of path, arguments, ignore-failure. */
static bool append_command(sd_bus_message *call, const char *const argv[])
{
	return sd_bus_message_open_container(call, 'r', "sv") >= 0 &&
	       sd_bus_message_append(call, "s", "ExecStart") >= 0 &&
	       sd_bus_message_open_container(call, 'v', "a(sasb)") >= 0 &&
	       sd_bus_message_open_container(call, 'a', "(sasb)") >= 0 &&
	       sd_bus_message_open_container(call, 'r', "sasb") >= 0 &&
	       sd_bus_message_append(call, "s", argv[0]) >= 0 && append_strings(call, argv) &&
	       sd_bus_message_append(call, "b", false) >= 0 &&
	       sd_bus_message_close_container(call) >= 0 &&
	       sd_bus_message_close_container(call) >= 0 &&
	       sd_bus_message_close_container(call) >= 0 &&
	       sd_bus_message_close_container(call) >= 0;
}

/* The arguments of StartTransientUnit: name, mode, properties a(sv), and no auxiliary units. The
   description is the command line, as from systemd-run. */
static bool append_unit(sd_bus_message *call, const struct transient_unit *unit)
{
	const uint64_t limit_us =
		unit->limit_s > 0 ? unit->limit_s * (uint64_t)1000000 : UINT64_MAX;
	char description[512] = "";
	size_t n = 0;

	for (size_t i = 0; unit->argv[i] && n < sizeof(description); i++)
		n += (size_t)snprintf(description + n, sizeof(description) - n, "%s%s",
			i > 0 ? " " : "", unit->argv[i]);
	return sd_bus_message_append(call, "ss", unit->name, "fail") >= 0 &&
	       sd_bus_message_open_container(call, 'a', "(sv)") >= 0 &&
	       sd_bus_message_append(call, "(sv)", "Description", "s", description) >= 0 &&
	       sd_bus_message_append(call, "(sv)", "Type", "s", unit->type) >= 0 &&
	       sd_bus_message_append(call, "(sv)", "CollectMode", "s", "inactive-or-failed") >= 0 &&
	       sd_bus_message_append(call, "(sv)", "RuntimeMaxUSec", "t", limit_us) >= 0 &&
	       append_command(call, unit->argv) && sd_bus_message_close_container(call) >= 0 &&
	       sd_bus_message_append(call, "a(sa(sv))", 0) >= 0;
}

bool unit_run(const struct transient_unit *unit)
{
	sd_bus *AUTO_BUS bus = NULL;
	sd_bus_message *AUTO_MESSAGE call = NULL;

	return system_bus_open(&bus) >= 0 && new_call(bus, &call, "StartTransientUnit") >= 0 &&
	       append_unit(call, unit) && run_job(bus, call);
}

/* ---- properties -------------------------------------------------------------------------------
 */

/* Get a property of a unit, which systemd loads if need be. @return a reply, or NULL */
static sd_bus_message *unit_property(sd_bus *bus, const char *name, const char *interface,
	const char *property, const char *type)
{
	sd_bus_message *AUTO_MESSAGE unit = NULL;
	sd_bus_message *reply = NULL;
	const char *path;

	if (sd_bus_call_method(
		    bus, SYSTEMD, MANAGER_PATH, MANAGER, "LoadUnit", NULL, &unit, "s", name) < 0 ||
		sd_bus_message_read(unit, "o", &path) < 0 ||
		sd_bus_get_property(bus, SYSTEMD, path, interface, property, NULL, &reply, type) <
			0)
		return NULL;
	return reply;
}

bool unit_active_state(const char *name, char *state, size_t size)
{
	sd_bus *AUTO_BUS bus = NULL;
	sd_bus_message *AUTO_MESSAGE reply = NULL;
	const char *text;

	if (system_bus_open(&bus) < 0)
		return false;
	reply = unit_property(bus, name, UNIT_INTERFACE, "ActiveState", "s");
	if (!reply || sd_bus_message_read(reply, "s", &text) < 0)
		return false;
	(void)snprintf(state, size, "%s", text);
	return true;
}

bool unit_has_condition(const char *name)
{
	sd_bus *AUTO_BUS bus = NULL;
	sd_bus_message *AUTO_MESSAGE reply = NULL;

	if (system_bus_open(&bus) < 0)
		return false;
	reply = unit_property(bus, name, SERVICE_INTERFACE, "ExecCondition", "a(sasbttttuii)");
	return reply && sd_bus_message_enter_container(reply, 'a', "(sasbttttuii)") >= 0 &&
	       sd_bus_message_at_end(reply, false) == 0;
}

pid_t unit_main_pid(const char *name)
{
	sd_bus *AUTO_BUS bus = NULL;
	sd_bus_message *AUTO_MESSAGE reply = NULL;
	uint32_t pid = 0;

	if (system_bus_open(&bus) < 0)
		return 0;
	reply = unit_property(bus, name, SERVICE_INTERFACE, "MainPID", "u");
	return reply && sd_bus_message_read(reply, "u", &pid) >= 0 ? (pid_t)pid : 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * The probe of systemd's signals on the system bus. busctl(1) asks for everything that passes,
 * which the bus refuses to users. Whoever asks for the signals of one sender is a client like any
 * other: this does so by sd-bus(3), as the user.
 */
#include "probes.h"

#include "bus_call.h"
#include "decoy_client.h"
#include "system_bus.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* What the signals tell of the unit that the decoy starts. */
struct signals {
	const char *unit; /* its name */
	const char *id;	  /* its name without the suffix, as in its object path */
	bool main_pid;	  /* the pid of its process */
	bool unit_new;	  /* that there is a new unit, this one or another */
	bool job_removed; /* that its job has ended */
};

/* PropertiesChanged has the signature sa{sv}as: the second is what changed. Tells whether the main
   pid is in it. */
static bool has_main_pid(sd_bus_message *message)
{
	const char *name;

	if (sd_bus_message_skip(message, "s") < 0 ||
		sd_bus_message_enter_container(message, 'a', "{sv}") < 0)
		return false;
	while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
		if (sd_bus_message_read(message, "s", &name) < 0)
			return false;
		if (strcmp(name, "ExecMainPID") == 0)
			return true;
		if (sd_bus_message_skip(message, "v") < 0 ||
			sd_bus_message_exit_container(message) < 0)
			return false;
	}
	return false;
}

static int on_signal(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct signals *signals = data;
	const char *path = sd_bus_message_get_path(message), *object, *unit, *result;
	uint32_t id;

	(void)error;
	if (sd_bus_message_is_signal(message, MANAGER, "UnitNew") > 0)
		signals->unit_new = true;
	else if (sd_bus_message_is_signal(message, MANAGER, "JobRemoved") > 0)
		signals->job_removed |=
			sd_bus_message_read(message, "uoss", &id, &object, &unit, &result) >= 0 &&
			strcmp(unit, signals->unit) == 0;
	else if (sd_bus_message_is_signal(
			 message, "org.freedesktop.DBus.Properties", "PropertiesChanged") > 0)
		signals->main_pid |= path && strstr(path, signals->id) && has_main_pid(message);
	return 0;
}

/* Take signals until none has come for three seconds; at most for a minute. */
static void listen_until_quiet(sd_bus *bus)
{
	const time_t until = time(NULL) + 60;

	while (time(NULL) < until) {
		int n = sd_bus_process(bus, NULL);

		if (n == 0)
			n = sd_bus_wait(bus, 3000000);
		if (n <= 0)
			return;
	}
}

static void judge_signals(const struct signals *signals, struct result *result)
{
	if (signals->main_pid)
		result_set(result, OPEN, "systemd broadcasts the pids of a unit's processes");
	else if (signals->unit_new)
		result_set(result, OPEN,
			"systemd broadcasts the names of new units, and systemd-run puts its pid into the name");
	else if (signals->job_removed)
		result_set(result, CLOSED,
			"of a unit that root starts, only the end of its job is broadcast");
	else
		result_set(result, NOT_TESTED, "no signal about a unit that root started arrives");
}

/* The decoy starts a unit and waits for its end: after that, what has come is all. */
void probe_unit_signals(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	char unit[80], id[80];
	struct signals signals = {.unit = unit, .id = id};
	sd_bus *AUTO_BUS bus = NULL;
	int err;

	(void)probe;
	if (!has_unit(context, result))
		return;
	(void)snprintf(id, sizeof(id), "pamunshareauditstarted%s", context_id(context));
	(void)snprintf(unit, sizeof(unit), "pamunshareauditstarted%s.service", context_id(context));
	err = system_bus_open(&bus);
	if (err >= 0)
		err = sd_bus_match_signal(
			bus, NULL, SYSTEMD, NULL, NULL, NULL, on_signal, &signals);
	if (err < 0) {
		result_set(
			result, NOT_TESTED, "no connection to the system bus: %s", strerror(-err));
		return;
	}
	if (!decoy_ask(context, DECOY_START_UNIT)) {
		result_set(result, NOT_TESTED, "root could not start a unit");
		return;
	}
	listen_until_quiet(bus);
	judge_signals(&signals, result);
}

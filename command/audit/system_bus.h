/* SPDX-License-Identifier: MIT */
/*
 * The system bus, by sd-bus(3), for what the command itself has to say there.
 */
#ifndef PAM_UNSHARE_SYSTEM_BUS_H
#define PAM_UNSHARE_SYSTEM_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#define SYSTEMD "org.freedesktop.systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define MANAGER_PATH "/org/freedesktop/systemd1"

/* A connection that is closed when its scope is left. */
#define AUTO_BUS __attribute__((cleanup(sd_bus_flush_close_unrefp)))

/**
 * Connect to the system bus at its fixed address, whatever the environment says.
 *
 * @param bus  set on success
 * @return 0 or -errno
 */
int system_bus_open(sd_bus **bus);

/* ---- units of the system's systemd; these need root -------------------------------------------
 */

/* A command in a unit of its own, as systemd-run(1) starts it. */
struct transient_unit {
	const char *name; /* with its suffix ".service" */
	const char *type; /* systemd.service(5), Type=: when it counts as started */
	const char *const *argv;
	unsigned int limit_s; /* RuntimeMaxSec=, seconds; 0: none */
};

/** Start it, and wait until it has started. @return whether it has, within two minutes */
bool unit_run(const struct transient_unit *unit);

/** Start a unit, and wait. @return whether the job succeeded, within two minutes */
bool unit_start(const char *name);

/** Stop a unit, and wait, at most two minutes. */
void unit_stop(const char *name);

/** Copy a unit's ActiveState. @return false: systemd cannot be asked */
bool unit_active_state(const char *name, char *state, size_t size);

/** Tell whether a service has an ExecCondition=. */
bool unit_has_condition(const char *name);

/** The pid of a service's main process; 0: none, or systemd cannot be asked. */
pid_t unit_main_pid(const char *name);

#endif

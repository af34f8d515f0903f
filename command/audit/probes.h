/* SPDX-License-Identifier: MIT */
/*
 * The probes of pam-unshare audit: each tries one known way to see processes of other users. They
 * run inside the session, each in a process of its own, as the user; or as root, if the probe
 * changes the user itself.
 */
#ifndef PAM_UNSHARE_PROBES_H
#define PAM_UNSHARE_PROBES_H

#include "context.h"

#include <stdbool.h>
#include <stddef.h>

/* How long a program that a probe runs may take, in seconds: a guest without KVM is slow. */
#define PROGRAM_LIMIT_S 100

enum verdict { NOT_TESTED, CLOSED, OPEN, NOT_PROMISED };

struct result {
	enum verdict verdict;
	char seen[384]; /* printable ASCII */
};

/* What closes a probe that is open. */
enum closed_by {
	BY_NOBODY, /* nothing of this project; the kernel or the distribution may do so already */
	BY_MODULE,
	BY_MODE,  /* of USER_DIRECTORY */
	BY_WORDS, /* of the configuration file, private= and hide= */
	BY_BUS,	  /* this and the following are parts of pam-unshare harden */
	BY_UNITS,
	BY_MANAGER,
	BY_CRON,
	BY_ATD,
	BY_MAIL,
	BY_PROCESS_EVENTS,
	BY_LOGINS,
	CLOSERS, /* how many */
};

enum probe_mode {
	AS_USER,
	AS_ROOT,       /* in the session, but before the change to the user */
	IN_BACKGROUND, /* as the user, while the other probes run */
};

struct probe {
	const char *name; /* as printed, and for --only */
	void (*run)(const struct audit_context *context, const struct probe *probe,
		struct result *result);
	enum closed_by closed_by;
	enum probe_mode mode;
	bool needs_sharing;	  /* runs where the service has scope=user, or if it is named */
	const char *never_open;	  /* why a stock machine is not open to it; NULL: it is */
	const char *arguments[8]; /* for run: a program or a method with its arguments, and so on */
};

extern const struct probe probes[];

/** How many there are. */
size_t probes_count(void);

/** Tell whether the probe of this name is wanted. */
bool probe_is_wanted(const struct audit_context *context, const char *name);

/**
 * Run the wanted probes of one kind: those AS_ROOT, or all others. One runs after the other; those
 * IN_BACKGROUND run all the time.
 *
 * Runs in the session, as the user, or as root for AS_ROOT.
 *
 * @param results  one for each probe, shared with the process that reports
 */
void probes_run(const struct audit_context *context, struct result *results, bool as_root);

/** Set a result. Characters that are not printable ASCII become "?". */
__attribute__((format(printf, 3, 4))) void result_set(
	struct result *result, enum verdict verdict, const char *format, ...);

/** For a probe IN_BACKGROUND: it has started what it waits for; the next probe may begin. */
void probe_started(void);

/* The functions of the table, by file. */

typedef void probe_function(
	const struct audit_context *context, const struct probe *probe, struct result *result);

/* probes_proc.c, probes_proc_files.c, probes_procfs.c */
probe_function probe_proc, probe_proc_pid, probe_proc_file, probe_other_procfs, probe_descriptors,
	probe_own_descriptors;

/* probes_pids.c, probes_cgroup.c, probes_socket.c, probes_namespace.c, probes_events.c */
probe_function probe_call, probe_kill_range, probe_kill_timing, probe_cgroup, probe_socket,
	probe_user_namespace, probe_process_events;

/* probes_shared.c */
probe_function probe_shared_list, probe_shared_socket, probe_shared_enter, probe_shared_end;

/* probes_systemd.c, probes_signals.c, probes_logind.c, probes_bus.c, probes_varlink.c */
probe_function probe_unit_method, probe_unit_properties, probe_unit_by_pid, probe_unit_file,
	probe_unit_signals, probe_logind_by_pid, probe_inhibitors, probe_inhibitor_files,
	probe_bus_peers, probe_bus_refusal, probe_polkit, probe_machined, probe_varlink;

/* probes_programs.c, probes_logins.c, probes_jobs.c, probes_mail.c, probes_manager.c */
probe_function probe_program, probe_setuid, probe_journal, probe_su, probe_ssh, probe_server,
	probe_cron, probe_at, probe_forward, probe_run_user, probe_unit_user, probe_bus_user,
	probe_activation, probe_run_system;

/* probes_unpromised.c */
probe_function probe_login_records, probe_logind_sessions, probe_cgroup_names, probe_places,
	probe_counters;

#endif

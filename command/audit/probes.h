/* SPDX-License-Identifier: MIT */
/*
 * The ways in which a user may see processes of others: what pam-unshare audit tries. They run in
 * the session, as the user or as a root that becomes a user, each in a process of its own.
 */
#ifndef PAM_UNSHARE_WAYS_H
#define PAM_UNSHARE_WAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TARGETS 4
#define WAYS_MAX 96

/* A process of somebody else's, on the host, whose command line has a secret. */
struct target {
	pid_t pid;
	char secret[33];
};

/* What a way knows. Root writes it; it does not read it back from where the user could write. */
struct scene {
	char directory[64]; /* the audit's own, root's; "user" in it is the user's */
	char command[256];  /* the path of this program */
	char service[64], user[64], home[256];
	uid_t uid;
	gid_t gid;
	bool without;	  /* no session was opened */
	bool systemd;	  /* it runs this machine */
	char unit[64];	  /* of systemd's, with the last target; "": none */
	char manager[64]; /* of the user: "active", or why systemd starts none; "": no systemd */
	unsigned short ssh_port; /* where a sshd of the audit's listens; 0: nowhere */
	char ssh_reason[128];	 /* why there is none */
	struct target targets[TARGETS];
	size_t n_targets;
	bool lock, segment;    /* the first target has them */
	bool inhibitor;	       /* one has logind delay nothing, and its secret is told there */
	bool descriptors;      /* the application has opened some that must not be inherited */
	char cron_reason[128]; /* why the user's crontab is left alone; "": it is not */
	bool wanted[WAYS_MAX];
};

enum verdict { NOT_TESTED, CLOSED, OPEN, NOT_PROMISED };

struct finding {
	enum verdict verdict;
	char seen[384];
};

/* Who or what closes a way. */
enum closed_by {
	BY_NOBODY, /* the kernel or the distribution, on a stock machine already */
	BY_MODULE,
	BY_BUS, /* the parts of pam-unshare harden */
	BY_UNITS,
	BY_MANAGER,
	BY_CRON,
	BY_ATD,
	BY_MAIL,
	BY_KERNEL,
};

struct way {
	const char *name;
	void (*run)(const struct scene *scene, const struct way *way, struct finding *finding);
	enum closed_by closed_by;
	enum { AS_USER, AS_ROOT, SLOWLY } how;
	const char *never;   /* why a stock machine does not show it open; NULL: it does */
	const char *what[8]; /* for run: a program or a method, with its arguments */
};

extern const struct way ways[];

/** How many there are. */
size_t ways_count(void);

/** Letters and digits that are this audit's, and in the names of what it makes. */
const char *scene_id(const struct scene *scene);

/**
 * Try the ways that are wanted and run so, one after the other; the slow ones all the time.
 *
 * Runs in the session, as the user, or as root for AS_ROOT.
 *
 * @param findings  one for each way, shared with the process that reports
 */
void ways_try(const struct scene *scene, struct finding *findings, bool as_root);

/** Say what was found. Text that is not printable is made so. */
__attribute__((format(printf, 3, 4))) void tell(
	struct finding *finding, enum verdict verdict, const char *format, ...);

/** Have the target do something, and wait: 'u' start a unit. Tells whether it has. */
bool ask_target(const struct scene *scene, char question);

/** Of a slow way: what it starts has been started, and others may begin. */
void ways_started(void);

/* The functions of the table, by the file that they are in. */

/* probes_kernel.c */
typedef void way_function(
	const struct scene *scene, const struct way *way, struct finding *finding);
way_function try_proc, try_proc_pid, try_call, try_kill_range, try_kill_timing, try_other_procfs,
	try_descriptors, try_own_descriptors, try_proc_file, try_cgroup, try_socket,
	try_user_namespace, try_connector, try_utmp, try_counters;

/* probes_bus.c */
way_function try_bus, try_bus_properties, try_bus_by_pid, try_bus_peers, try_logind, try_machined,
	try_logind_by_pid, try_inhibitors, try_inhibitor_files, try_signals, try_polkit,
	try_varlink, try_unit_file;

/* probes_places.c: where a program of the user's may come to run */
way_function try_program, try_setuid, try_journal, try_su, try_ssh, try_server, try_cron, try_at,
	try_forward, try_run_user, try_unit_user, try_bus_user, try_activation, try_run_system;

#endif

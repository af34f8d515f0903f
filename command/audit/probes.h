/* SPDX-License-Identifier: MIT */
/*
 * The probes in which a user may see processes of others: what pam-unshare audit tries. They run in
 * the session, as the user or as a root that becomes a user, each in a process of its own.
 */
#ifndef PAM_UNSHARE_PROBES_H
#define PAM_UNSHARE_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define DECOYS 4
#define PROBES_MAX 96

/* A process of somebody else's, on the host, whose command line has a secret. */
struct decoy {
	pid_t pid;
	char secret[33];
};

/* What a probe knows. Root writes it; it does not read it back from where the user could write. */
struct audit_context {
	char directory[64]; /* the audit's own, root's; "user" in it is the user's */
	char command[256];  /* the path of this program */
	char service[64], user[64], home[256];
	uid_t uid;
	gid_t gid;
	bool without;	  /* no session was opened */
	bool systemd;	  /* it runs this machine */
	char unit[64];	  /* of systemd's, with the last decoy; "": none */
	char manager[64]; /* of the user: "active", or why systemd starts none; "": no systemd */
	unsigned short ssh_port; /* where a sshd of the audit's listens; 0: nowhere */
	char ssh_reason[128];	 /* why there is none */
	struct decoy decoys[DECOYS];
	size_t n_decoys;
	bool lock, segment;    /* the first decoy has them */
	bool inhibitor;	       /* one has logind delay nothing, and its secret is told there */
	bool descriptors;      /* the application has opened some that must not be inherited */
	char cron_reason[128]; /* why the user's crontab is left alone; "": it is not */
	bool wanted[PROBES_MAX];
};

enum verdict { NOT_TESTED, CLOSED, OPEN, NOT_PROMISED };

struct result {
	enum verdict verdict;
	char seen[384];
};

/* Who or what closes a probe. */
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

struct probe {
	const char *name;
	void (*run)(const struct audit_context *context, const struct probe *probe,
		struct result *result);
	enum closed_by closed_by;
	enum { AS_USER, AS_ROOT, SLOWLY } how;
	const char *never;   /* why a stock machine does not show it open; NULL: it does */
	const char *what[8]; /* for run: a program or a method, with its arguments */
};

extern const struct probe probes[];

/** How many there are. */
size_t probes_count(void);

/** Letters and digits that are this audit's, and in the names of what it makes. */
const char *context_id(const struct audit_context *context);

/**
 * Try the probes that are wanted and run so, one after the other; the slow ones all the time.
 *
 * Runs in the session, as the user, or as root for AS_ROOT.
 *
 * @param results  one for each probe, shared with the process that reports
 */
void probes_run(const struct audit_context *context, struct result *results, bool as_root);

/** Say what was found. Text that is not printable is made so. */
__attribute__((format(printf, 3, 4))) void result_set(
	struct result *result, enum verdict verdict, const char *format, ...);

/** Have the decoy do something, and wait: 'u' start a unit. Tells whether it has. */
bool ask_decoy(const struct audit_context *context, char question);

/** Of a slow probe: what it starts has been started, and others may begin. */
void probe_started(void);

/* The functions of the table, by the file that they are in. */

/* probes_kernel.c */
typedef void probe_function(
	const struct audit_context *context, const struct probe *probe, struct result *result);
probe_function probe_proc, probe_proc_pid, probe_call, probe_kill_range, probe_kill_timing,
	probe_other_procfs, probe_descriptors, probe_own_descriptors, probe_proc_file, probe_cgroup,
	probe_socket, probe_user_namespace, probe_connector, probe_utmp, probe_counters;

/* probes_bus.c */
probe_function probe_bus, probe_bus_properties, probe_bus_by_pid, probe_bus_peers, probe_logind,
	probe_machined, probe_logind_by_pid, probe_inhibitors, probe_inhibitor_files, probe_signals,
	probe_polkit, probe_varlink, probe_unit_file;

/* probes_places.c: where a program of the user's may come to run */
probe_function probe_program, probe_setuid, probe_journal, probe_su, probe_ssh, probe_server,
	probe_cron, probe_at, probe_forward, probe_run_user, probe_unit_user, probe_bus_user,
	probe_activation, probe_run_system;

#endif

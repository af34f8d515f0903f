/* SPDX-License-Identifier: MIT */
#include "proc_scan.h"

#include "command/lib/file.h"
#include "command/lib/printable.h"
#include "common/syscalls.h"
#include "init/init.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* Read a file of a process; null bytes and newlines become spaces. */
static void read_file(int proc, const char *pid, const char *name, char *text, size_t size)
{
	char path[300];
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/%s", pid, name);
	n = file_read_start(proc, path, text, size);
	for (size_t i = 0; i < n; i++)
		if (text[i] == '\0' || text[i] == '\n')
			text[i] = ' ';
}

/* Tell whether a process is one that this one descends from: it is the session's, whoever it is. */
static bool is_ancestor(int proc, const char *pid)
{
	const long wanted = strtol(pid, NULL, 10);
	char text[2048], number[32];
	const char *parent;
	long next = getpid();

	for (int i = 0; i < 64 && next > 0 && next != wanted; i++) {
		(void)snprintf(number, sizeof(number), "%ld", next);
		read_file(proc, number, "status", text, sizeof(text));
		parent = strstr(text, "PPid:");
		next = parent ? strtol(parent + strlen("PPid:"), NULL, 10) : 0;
	}
	return next == wanted;
}

static bool is_kin(int proc, const char *pid)
{
	char comm[64];

	read_file(proc, pid, "comm", comm, sizeof(comm));
	if (strcmp(pid, "1") == 0 && strncmp(comm, INIT_NAME " ", strlen(INIT_NAME " ")) == 0)
		return true; /* the session's own init */
	return is_ancestor(proc, pid);
}

bool proc_scan_is_kin(pid_t pid)
{
	char number[32];
	int proc AUTO_CLOSE = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)snprintf(number, sizeof(number), "%d", (int)pid);
	return is_kin(proc, number);
}

static void keep_secret(struct proc_scan *scan, const char *text)
{
	const char *word = strstr(text, " " DECOY_WORD " ");

	if (!word || scan->n_secrets > DECOYS_MAX)
		return;
	printable(scan->secrets[scan->n_secrets++], sizeof(*scan->secrets),
		word + strlen(" " DECOY_WORD " "), strcspn(word + strlen(" " DECOY_WORD " "), " "));
}

static void scan_process(int proc, const char *pid, uid_t user, struct proc_scan *scan)
{
	char text[4096], comm[64];
	struct stat st;

	if (fstatat(proc, pid, &st, 0) < 0)
		return;
	scan->listed++;
	if (strtol(pid, NULL, 10) == getpid())
		scan->self = true;
	read_file(proc, pid, "cmdline", text, sizeof(text));
	keep_secret(scan, text);
	if (st.st_uid == getuid() || st.st_uid == user || is_kin(proc, pid))
		return;
	read_file(proc, pid, "comm", comm, sizeof(comm));
	if (scan->others++ == 0 || strstr(text, DECOY_WORD))
		(void)snprintf(scan->sample, sizeof(scan->sample), "%s of uid %u: %.80s", pid,
			st.st_uid, text[0] ? text : comm);
}

void proc_scan_run(int proc, uid_t user, struct proc_scan *scan)
{
	const struct dirent *entry;
	DIR *list = fdopendir(proc);

	*scan = (struct proc_scan){0};
	if (!list) {
		close_fd(&proc);
		return;
	}
	while ((entry = readdir(list)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			scan_process(dirfd(list), entry->d_name, user, scan);
	(void)closedir(list);
}

int proc_scan_report(const char *path, const char *uid, const char *pids)
{
	FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "wxe");
	struct proc_scan scan;
	char *end;
	long pid;

	if (!file)
		return 1;
	proc_scan_run(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		(uid_t)strtoul(uid, NULL, 10), &scan);
	(void)fprintf(file, "self=%d\nlisted=%u\nothers=%u\nsample=%s\n", scan.self, scan.listed,
		scan.others, scan.sample);
	for (size_t i = 0; i < scan.n_secrets; i++)
		(void)fprintf(file, "secret=%s\n", scan.secrets[i]);
	for (; (pid = strtol(pids, &end, 10)) > 0; pids = end + (*end == ','))
		if (kill((pid_t)pid, 0) == 0 || errno == EPERM)
			(void)fprintf(file, "alive=%ld\n", pid);
	(void)fprintf(file, "end\n");
	return fclose(file) == 0 ? 0 : 1;
}

void proc_scan_arguments(const struct audit_context *context, const char *path, char strings[2][64],
	const char *arguments[6])
{
	size_t n = 0;

	(void)snprintf(strings[0], sizeof(strings[0]), "%u", context->uid);
	strings[1][0] = '\0';
	for (size_t i = 0; i < context->n_decoys; i++)
		n += (size_t)snprintf(strings[1] + n, sizeof(strings[1]) - n, "%s%d",
			i > 0 ? "," : "", (int)context->decoys[i].pid);
	arguments[0] = context->command;
	arguments[1] = "audit-scan";
	arguments[2] = path;
	arguments[3] = strings[0];
	arguments[4] = strings[1];
	arguments[5] = NULL;
}

static bool is_secret(const struct audit_context *context, const char *text)
{
	for (size_t i = 0; i < context->n_decoys; i++)
		if (strncmp(text, context->decoys[i].secret, strlen(context->decoys[i].secret)) ==
			0)
			return true;
	return false;
}

const struct decoy *find_secret(const struct audit_context *context, const char *text, size_t n)
{
	for (size_t i = 0; i < context->n_decoys; i++)
		if (memmem(text, n, context->decoys[i].secret, strlen(context->decoys[i].secret)))
			return &context->decoys[i];
	return NULL;
}

/* What follows the key in its line; NULL: there is no such line, or no more. */
static const char *value_of(const char *text, const char *key)
{
	for (; text; text = strchr(text, '\n'), text = text ? text + 1 : NULL)
		if (strncmp(text, key, strlen(key)) == 0)
			return text + strlen(key);
	return NULL;
}

static void decide(const char *where, bool self, unsigned long listed, unsigned long others,
	unsigned int secrets, unsigned int alive, const char *sample, struct result *result)
{
	if (secrets > 0 || others > 0)
		result_set(result, OPEN,
			"%s shows %lu processes of other users, and %u of the secrets: %.100s",
			where, others, secrets, sample);
	else if (alive > 0)
		result_set(result, OPEN,
			"%s shows no process of another user, but kill(2) finds %u decoys", where,
			alive);
	else if (!self)
		result_set(result, NOT_TESTED, "%s does not show the process that scans it", where);
	else
		result_set(result, CLOSED, "%s shows %lu processes, none of another user", where,
			listed);
}

void proc_scan_judge_report(const struct audit_context *context, const char *where,
	const char *text, struct result *result)
{
	const char *self = value_of(text, "self="), *listed = value_of(text, "listed="),
		   *others = value_of(text, "others="), *sample = value_of(text, "sample=");
	unsigned int secrets = 0, alive = 0;
	char shown[128] = "";

	if (!self || !listed || !others || !sample || !value_of(text, "end\n")) {
		result_set(result, NOT_TESTED, "%s did not run the scan: %.100s", where, text);
		return;
	}
	for (const char *s = text; (s = value_of(s, "secret="));)
		secrets += is_secret(context, s);
	for (const char *s = text; (s = value_of(s, "alive="));)
		alive += context_decoy(context, strtol(s, NULL, 10)) != NULL;
	printable(shown, sizeof(shown), sample, strcspn(sample, "\n"));
	decide(where, self[0] == '1', strtoul(listed, NULL, 10), strtoul(others, NULL, 10), secrets,
		alive, shown, result);
}

void proc_scan_judge(const struct audit_context *context, const char *where,
	const struct proc_scan *scan, struct result *result)
{
	unsigned int secrets = 0;

	for (size_t i = 0; i < scan->n_secrets; i++)
		secrets += is_secret(context, scan->secrets[i]);
	decide(where, scan->self, scan->listed, scan->others, secrets, 0, scan->sample, result);
}

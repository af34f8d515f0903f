/* SPDX-License-Identifier: MIT */
/*
 * The probes that run a program somewhere: one of the distribution's in the session, or this one's
 * proc_scan_report(), started by a daemon on the host.
 */
#include "probes.h"

#include "command/lib/subprocess.h"
#include "common/syscalls.h"
#include "fixture.h"
#include "proc_scan.h"

#include <arpa/inet.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <syslog.h>
#include <time.h>

#define LIMIT_S 100

/* Words of an argument list that ends with NULL, after others. */
static void append(const char *argv[], size_t size, const char *const more[])
{
	size_t n = 0;

	while (argv[n])
		n++;
	for (size_t i = 0; more[i] && n + 1 < size; i++)
		argv[n++] = more[i];
	argv[n] = NULL;
}

/* ---- programs in the session ------------------------------------------------------------------
 */

/* Whether a line begins with the number. */
static bool lists(const char *text, pid_t pid)
{
	for (; text; text = strchr(text, '\n'), text = text ? text + 1 : NULL)
		if (strtol(text, NULL, 10) == pid)
			return true;
	return false;
}

void probe_program(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *argv[9] = {NULL};
	struct subprocess program = {.limit_s = LIMIT_S};
	int err;

	for (size_t i = 0; i < 8; i++)
		argv[i] = probe->what[i];
	err = subprocess_run(&program, argv);
	if (err < 0)
		result_set(result, NOT_TESTED, "%s: %s", argv[0], strerror(-err));
	else if (find_secret(context, program.text, program.n))
		result_set(result, OPEN, "%s prints the command line of a decoy", argv[0]);
	else if (program.status != 0 || !lists(program.text, getpid()))
		result_set(result, NOT_TESTED, "%s does not print the process that runs it: %s",
			argv[0], subprocess_first_line(&program));
	else
		result_set(result, CLOSED, "%s prints the process that runs it, and no decoy",
			argv[0]);
	subprocess_free(&program);
}

/* The setuid and setgid programs of Debian that print something without being asked who one is. */
void probe_setuid(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	static const char *const programs[][6] = {
		{"crontab", "-l"},
		{"at", "-l"},
		{"mount"},
		{"screen", "-ls"},
		{"sudo", "-n", "-l"},
		{"fusermount3", "-V"},
		{"pkexec", "--version"},
		{"newgrp", "--help"},
		{"chage", "-l", "root"},
	};
	char said[256] = "";
	unsigned int n = 0;

	(void)probe;
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		struct subprocess program = {
			.limit_s = LIMIT_S, .user = context->user, .home = context->home};
		const char *path = subprocess_find(programs[i][0]);
		struct stat st;

		if (!path || stat(path, &st) < 0 || !(st.st_mode & (S_ISUID | S_ISGID)) ||
			subprocess_run(&program, programs[i]) < 0)
			continue;
		if (find_secret(context, program.text, program.n)) {
			result_set(result, OPEN, "%s prints the command line of a decoy",
				programs[i][0]);
			subprocess_free(&program);
			return;
		}
		if (program.status >= 0) {
			n++;
			(void)snprintf(said + strlen(said), sizeof(said) - strlen(said), " %s",
				programs[i][0]);
		}
		subprocess_free(&program);
	}
	if (n == 0)
		result_set(result, NOT_TESTED, "none of those that are known is installed");
	else
		result_set(result, CLOSED, "%u setuid programs print no decoy:%s", n, said);
}

void probe_journal(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *const argv[] = {
		"journalctl", "--no-pager", "-o", "cat", "-b", "-t", DECOY_LOG, NULL};
	struct subprocess program = {.limit_s = LIMIT_S};
	char own[128];
	int err;

	(void)probe;
	if (!context->systemd) {
		result_set(result, NOT_TESTED, "systemd does not run this machine");
		return;
	}
	(void)snprintf(own, sizeof(own), "pam-unshare audit of %s: journal", context->directory);
	openlog(DECOY_LOG, 0, LOG_USER);
	syslog(LOG_INFO, "%s", own);
	err = subprocess_run(&program, argv);
	if (err < 0)
		result_set(result, NOT_TESTED, "journalctl: %s", strerror(-err));
	else if (find_secret(context, program.text, program.n))
		result_set(result, OPEN, "journalctl shows what a process of root's has logged");
	else if (program.status == 0 && strstr(program.text, own))
		result_set(
			result, CLOSED, "journalctl shows one's own messages, and not a decoy's");
	else if (strstr(program.text, "insufficient permissions") ||
		 strstr(program.text, "not seeing messages"))
		result_set(result, CLOSED, "journalctl: %s", subprocess_first_line(&program));
	else
		result_set(result, NOT_TESTED, "journalctl shows nothing: %s",
			subprocess_first_line(&program));
	subprocess_free(&program);
}

/* ---- a program elsewhere ----------------------------------------------------------------------
 */

static void nap(void)
{
	const struct timespec tenth = {.tv_nsec = 100000000};

	(void)nanosleep(&tenth, NULL);
}

/* Where the program that runs elsewhere writes to. */
static void report_path(
	const struct audit_context *context, const char *name, char *path, size_t size)
{
	(void)snprintf(path, size, "%s/user/%s", context->directory, name);
}

/* The program that runs elsewhere and its arguments as a line. */
static void look_line(
	const struct audit_context *context, const char *path, char *line, size_t size)
{
	const char *arguments[6];
	char strings[2][64];

	proc_scan_arguments(context, path, strings, arguments);
	(void)snprintf(line, size, "%s %s %s %s %s", arguments[0], arguments[1], arguments[2],
		arguments[3], arguments[4]);
}

/* Wait for the file of a report, whole, and judge it. */
static void await_report(const struct audit_context *context, const char *where, const char *path,
	int limit_s, const char *hint, struct result *result)
{
	char text[8192] = "";
	ssize_t n = 0;

	for (int i = 0; i < limit_s * 10 && !strstr(text, "\nend\n"); i++) {
		int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

		n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		close_fd(&fd);
		nap();
	}
	if (text[0] == '\0')
		result_set(result, NOT_TESTED, "%s has not run the program within %d s: %.150s",
			where, limit_s, hint);
	else
		proc_scan_judge_report(context, where, text, result);
}

/* Run something that runs the program before it ends, with its output. */
static void judge_output(const struct audit_context *context, const char *where,
	struct subprocess *program, struct result *result)
{
	if (program->too_long)
		result_set(result, NOT_TESTED, "%s does not end", where);
	else
		proc_scan_judge_report(context, where, program->text, result);
	subprocess_free(program);
}

/* As root, in the session: another user's program. */
void probe_su(const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *su[16] = {"su", "nobody", "-s", context->command, "--", NULL};
	const char *sudo[16] = {"sudo", "-n", "-u", "nobody", "--", context->command, NULL};
	const char **argv = strcmp(probe->what[0], "su") == 0 ? su : sudo;
	const char *arguments[6];
	char strings[2][64], where[64];
	struct subprocess program = {.limit_s = LIMIT_S};
	int err;

	proc_scan_arguments(context, "-", strings, arguments);
	append(argv, 16, arguments + 1);
	(void)snprintf(where, sizeof(where), "%s to nobody", probe->what[0]);
	err = subprocess_run(&program, argv);
	if (err < 0)
		result_set(result, NOT_TESTED, "%s: %s", probe->what[0], strerror(-err));
	else
		judge_output(context, where, &program, result);
}

void probe_ssh(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	char port[16], key[96], known[128], address[300];
	const char *argv[28] = {"ssh", "-F", "/dev/null", "-p", port, "-i", key, "-o",
		"BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", known, "-o",
		"LogLevel=ERROR", "-o", "IdentitiesOnly=yes", address, NULL};
	const char *arguments[6];
	char strings[2][64];
	struct subprocess program = {.limit_s = LIMIT_S};
	int err;

	(void)probe;
	if (context->ssh_port == 0) {
		result_set(result, NOT_TESTED, "%s", context->ssh_reason);
		return;
	}
	(void)snprintf(port, sizeof(port), "%u", context->ssh_port);
	(void)snprintf(key, sizeof(key), "%s/user/key", context->directory);
	(void)snprintf(
		known, sizeof(known), "UserKnownHostsFile=%s/known_hosts", context->directory);
	(void)snprintf(address, sizeof(address), "%s@127.0.0.1", context->user);
	proc_scan_arguments(context, "-", strings, arguments);
	append(argv, 28, arguments);
	err = subprocess_run(&program, argv);
	if (err < 0)
		result_set(result, NOT_TESTED, "ssh: %s", strerror(-err));
	else
		judge_output(context, "a second ssh login", &program, result);
}

/* A terminal server that the user has started in another session of the same service. */
void probe_server(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const bool tmux = strcmp(probe->what[0], "tmux") == 0;
	char socket[96], path[128], directory[128];
	const char *with_tmux[20] = {
		"tmux", "-S", socket, "-f", "/dev/null", "new-window", "-d", NULL};
	const char *with_screen[20] = {"screen", "-S", "audit", "-X", "screen", NULL};
	const char **argv = tmux ? with_tmux : with_screen;
	const char *arguments[6];
	char strings[2][64];
	struct subprocess program = {
		.limit_s = LIMIT_S, .home = context->home, .user = context->user};
	int err;

	report_path(context, tmux ? "tmux-socket" : "screen", socket, sizeof(socket));
	report_path(context, tmux ? "from-tmux" : "from-screen", path, sizeof(path));
	proc_scan_arguments(context, path, strings, arguments);
	append(argv, 20, arguments);
	(void)snprintf(directory, sizeof(directory), "SCREENDIR=%s", socket);
	program.more = tmux ? NULL : directory;
	err = subprocess_run(&program, argv);
	if (err < 0)
		result_set(result, NOT_TESTED, "%s: %s", probe->what[0], strerror(-err));
	else if (program.status != 0)
		result_set(result, NOT_TESTED, "%s: %s", probe->what[0],
			subprocess_first_line(&program));
	else
		await_report(context,
			tmux ? "a tmux server of another session" : "a screen of another session",
			path, 30, subprocess_first_line(&program), result);
	subprocess_free(&program);
}

/* ---- jobs -------------------------------------------------------------------------------------
 */

void probe_cron(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *const crontab[] = {"crontab", "-", NULL};
	const char *const list[] = {"crontab", "-l", NULL};
	char path[128], line[1024], input[16384];
	struct subprocess old = {.limit_s = LIMIT_S, .user = context->user, .home = context->home},
			  program = {
				  .limit_s = LIMIT_S, .user = context->user, .home = context->home};
	bool written = false;

	(void)probe;
	if (context->cron_reason[0] != '\0') {
		result_set(result, NOT_TESTED, "%s", context->cron_reason);
		return;
	}
	report_path(context, "from-cron", path, sizeof(path));
	look_line(context, path, line, sizeof(line));
	if (subprocess_run(&old, list) < 0) {
		result_set(result, NOT_TESTED, "there is no crontab");
		return;
	}
	/* a last line without an end stays a line of its own */
	(void)snprintf(input, sizeof(input), "%.12000s%s* * * * * %s\n",
		old.status == 0 ? old.text : "",
		old.status == 0 && old.n > 0 && old.text[old.n - 1] != '\n' ? "\n" : "", line);
	program.input = input;
	if (old.status == 0 && old.n > 12000)
		result_set(result, NOT_TESTED, "the user's crontab is too long to add a line");
	else if (subprocess_run(&program, crontab) < 0 || program.status != 0)
		result_set(result, NOT_TESTED, "crontab: %s", subprocess_first_line(&program));
	else
		written = true;
	probe_started();
	if (written)
		await_report(context, "a cron job", path, 150, "cron does not run?", result);
	subprocess_free(&old);
	subprocess_free(&program);
}

void probe_at(const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *const argv[] = {"at", "now", NULL};
	char path[128], line[1024], input[1100];
	struct subprocess program = {
		.limit_s = LIMIT_S, .user = context->user, .home = context->home};
	int err;

	(void)probe;
	report_path(context, "from-at", path, sizeof(path));
	look_line(context, path, line, sizeof(line));
	(void)snprintf(input, sizeof(input), "exec %s\n", line);
	program.input = input;
	err = chdir("/") < 0 ? -errno : subprocess_run(&program, argv); /* the job begins there */
	probe_started();
	if (err < 0)
		result_set(result, NOT_TESTED, "at: %s", strerror(-err));
	else if (program.status != 0)
		result_set(result, NOT_TESTED, "at: %s", subprocess_first_line(&program));
	else
		await_report(context, "an at job (a batch job is the same daemon's)", path, 120,
			"atd does not run?", result);
	subprocess_free(&program);
}

/* ---- mail -------------------------------------------------------------------------------------
 */

/* The user's ~/.forward as it is, with a line more; none is like one that names the user. */
static const char *write_forward(const struct audit_context *context, const char *line)
{
	char forward[FORWARD_MAX], other[FORWARD_MAX], old[12001] = "";
	int there AUTO_CLOSE = -1, fd AUTO_CLOSE = -1;
	struct stat st;
	ssize_t n = 0;

	forward_paths(context, forward, other);
	there = open(forward, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (there >= 0)
		n = read(there, old, sizeof(old) - 1);
	if (n < 0 || (there < 0 && (errno != ENOENT || lstat(forward, &st) == 0)) ||
		n == (ssize_t)sizeof(old) - 1)
		return "the user's ~/.forward cannot be read";
	old[n] = '\0';
	if (old[0] == '#')
		return "the user's ~/.forward is a filter";
	fd = open(other, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || fchmod(fd, 0644) < 0 ||
		dprintf(fd, "%s%s%s%s\n", there < 0 ? "\\" : "", there < 0 ? context->user : old,
			n > 0 && old[n - 1] == '\n' ? "" : "\n", line) < 0 ||
		renameat2(AT_FDCWD, other, AT_FDCWD, forward,
			there < 0 ? RENAME_NOREPLACE : RENAME_EXCHANGE) < 0)
		return "the user's ~/.forward cannot be written";
	return NULL;
}

/* The next line that it says is the answer. */
static bool says(FILE *server, const char *code)
{
	char line[512] = "";

	while (fgets(line, sizeof(line), server) && strlen(line) > 3 && line[3] == '-')
		;
	return strncmp(line, code, strlen(code)) == 0;
}

/* To the mailer's own port: what it takes there it delivers on the host. */
static bool send_to_port(const struct audit_context *context, const char *subject)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(25),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct timeval limit = {.tv_sec = 60};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *server = NULL;
	bool sent;

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
		connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		server = fdopen(fd, "r+e");
	if (!server) {
		close_fd(&fd);
		return false;
	}
	sent = says(server, "220") && fprintf(server, "HELO localhost\r\n") > 0 &&
	       fflush(server) == 0 && says(server, "250") &&
	       fprintf(server, "MAIL FROM:<%s@localhost>\r\n", context->user) > 0 &&
	       fflush(server) == 0 && says(server, "250") &&
	       fprintf(server, "RCPT TO:<%s@localhost>\r\n", context->user) > 0 &&
	       fflush(server) == 0 && says(server, "250") && fprintf(server, "DATA\r\n") > 0 &&
	       fflush(server) == 0 && says(server, "354") &&
	       fprintf(server, "Subject: %s\r\n\r\nDelete it.\r\n.\r\n", subject) > 0 &&
	       fflush(server) == 0 && says(server, "250");
	(void)fclose(server);
	return sent;
}

static bool send_by_program(const struct audit_context *context, const char *subject)
{
	char message[256];
	const char *const argv[] = {"sendmail", context->user, NULL};
	struct subprocess program = {
		.input = message, .limit_s = LIMIT_S, .user = context->user, .home = context->home};
	bool sent;

	(void)snprintf(message, sizeof(message), "Subject: %s\n\nDelete it.\n", subject);
	sent = subprocess_run(&program, argv) == 0 && program.status == 0;
	subprocess_free(&program);
	return sent;
}

/* The mail, or what came back of it, is in the user's mailbox. */
static bool has_come(const struct audit_context *context, const char *subject)
{
	char path[300], text[65536];
	int fd AUTO_CLOSE = -1;
	ssize_t n = -1;
	struct stat st;

	(void)snprintf(path, sizeof(path), "/var/mail/%s", context->user);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0)
		n = pread(fd, text, sizeof(text),
			st.st_size > (off_t)sizeof(text) ? st.st_size - (off_t)sizeof(text) : 0);
	return n > 0 && memmem(text, (size_t)n, subject, strlen(subject));
}

/* Until the program has run, or for some seconds more after the mail has come without it. */
static void await_mail(const struct audit_context *context, const char *path, const char *subject,
	struct result *result)
{
	bool come = false;

	for (int i = 0, left = 900; i < left && access(path, F_OK) < 0; i++) {
		if (!come && has_come(context, subject)) {
			come = true;
			left = i + 100;
		}
		nap();
	}
	if (access(path, F_OK) == 0)
		await_report(context, "a program in ~/.forward", path, 60, "", result);
	else if (come)
		result_set(result, CLOSED, "mail comes, and no program in ~/.forward is run");
	else
		result_set(result, NOT_TESTED, "no mail comes to /var/mail/%s", context->user);
}

void probe_forward(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	char path[128], command[1024], line[1100], subject[64];
	const char *failed;

	(void)probe;
	if (!subprocess_find("sendmail")) {
		result_set(result, CLOSED, "this machine has no mailer");
		return;
	}
	report_path(context, "from-forward", path, sizeof(path));
	look_line(context, path, command, sizeof(command));
	(void)snprintf(line, sizeof(line), "\"|%s\"", command);
	(void)snprintf(subject, sizeof(subject), "pam-unshare audit %s", context_id(context));
	failed = write_forward(context, line);
	probe_started();
	if (failed)
		result_set(result, NOT_TESTED, "%s", failed);
	else if (!send_to_port(context, subject) && !send_by_program(context, subject))
		result_set(result, NOT_TESTED, "the mailer takes no mail");
	else
		await_mail(context, path, subject, result);
	(void)forward_restore(context); /* or the cleaner says it */
}

/* ---- the user manager -------------------------------------------------------------------------
 */

/* Tell that there is none, and why. */
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
	return (struct subprocess){.limit_s = LIMIT_S,
		.user = context->user,
		.home = context->home,
		.bus_of = context->uid};
}

/* Whatever the tool says, it counts whether the program has run. */
static void judge_start(const struct audit_context *context, const char *where,
	struct subprocess *program, const char *path, struct result *result)
{
	await_report(context, where, path, program->status == 0 ? 60 : 5,
		subprocess_first_line(program), result);
	subprocess_free(program);
}

void probe_run_user(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *argv[16] = {"systemd-run", "--user", "--quiet", "--collect", NULL};
	char path[128];
	const char *arguments[6];
	char strings[2][64];
	struct subprocess program = of_the_bus(context);

	(void)probe;
	if (!has_manager(context, result))
		return;
	report_path(context, "from-systemd-run", path, sizeof(path));
	proc_scan_arguments(context, path, strings, arguments);
	append(argv, 16, arguments);
	if (subprocess_run(&program, argv) < 0)
		result_set(result, NOT_TESTED, "there is no systemd-run");
	else
		judge_start(context, "systemd-run --user", &program, path, result);
}

/* Write a file of the user's, below the user's runtime directory. */
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

/* A file of the user's from which a daemon of the user's runs the program. */
struct recipe {
	const char *directory, *name; /* below the user's runtime directory */
	const char *text;
	const char *const *reload, *const *start;
	const char *where, *path; /* of the report */
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
		"systemd/user", unit, text, reload, start, "a unit of the user manager", path};

	(void)probe;
	if (!has_manager(context, result))
		return;
	(void)snprintf(unit, sizeof(unit), "pamunshareaudit%s.service", context_id(context));
	report_path(context, "from-unit", path, sizeof(path));
	look_line(context, path, line, sizeof(line));
	(void)snprintf(text, sizeof(text), "[Service]\nType=oneshot\nExecStart=%s\n", line);
	run_recipe(context, &recipe, result);
}

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
	const char *arguments[6];
	char strings[2][64];
	struct subprocess program = of_the_bus(context);

	(void)probe;
	if (!has_manager(context, result))
		return;
	(void)snprintf(unit, sizeof(unit), "pamunshareauditbus%s.service", context_id(context));
	report_path(context, "from-bus", path, sizeof(path));
	proc_scan_arguments(context, path, strings, arguments);
	append(argv, 32, arguments);
	append(argv, 32, rest);
	if (subprocess_run(&program, argv) < 0)
		result_set(result, NOT_TESTED, "there is no busctl");
	else
		judge_start(
			context, "StartTransientUnit on the user's bus", &program, path, result);
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
	const struct recipe recipe = {"dbus-1/services", file, text, reload, start,
		"a service that the user's bus activates", path};

	(void)probe;
	if (!has_manager(context, result))
		return;
	(void)snprintf(name, sizeof(name), "com.example.PamUnshareAudit%s", context_id(context));
	(void)snprintf(file, sizeof(file), "%s.service", name);
	report_path(context, "from-activation", path, sizeof(path));
	look_line(context, path, line, sizeof(line));
	(void)snprintf(text, sizeof(text), "[D-BUS Service]\nName=%s\nExec=%s\n", name, line);
	run_recipe(context, &recipe, result);
}

void probe_run_system(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *argv[16] = {"systemd-run", "--no-ask-password", "--quiet", "--collect", NULL};
	char path[128];
	const char *arguments[6];
	char strings[2][64];
	struct subprocess program = {
		.limit_s = LIMIT_S, .user = context->user, .home = context->home};
	int err;

	(void)probe;
	if (!context->systemd) {
		result_set(result, NOT_TESTED, "systemd does not run this machine");
		return;
	}
	report_path(context, "from-system", path, sizeof(path));
	proc_scan_arguments(context, path, strings, arguments);
	append(argv, 16, arguments);
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

/* SPDX-License-Identifier: MIT */
/*
 * The probe of mail: a mailer on the host may run a program that the user's ~/.forward names.
 */
#include "probes.h"

#include "common/syscalls.h"
#include "forward.h"
#include "outside_scan.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/* Put another ~/.forward in place: what the user's has, and one more line. A user without one gets
   one that names the user, which delivers the same. Returns NULL, or why it cannot be done. */
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

/* Read an answer of the server, of one line or several; tells whether it has this code. */
static bool says(FILE *server, const char *code)
{
	char line[512] = "";

	while (fgets(line, sizeof(line), server) && strlen(line) > 3 && line[3] == '-')
		;
	return strncmp(line, code, strlen(code)) == 0;
}

/* Returns a connection to the mailer's port on the loopback address, or NULL. */
static FILE *connect_to_mailer(void)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(25),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct timeval limit = {.tv_sec = 60};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *server = NULL;

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
		connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		server = fdopen(fd, "r+e");
	if (!server)
		close_fd(&fd);
	return server;
}

/* Send a command of SMTP; tells whether the answer has the code. */
static bool say(FILE *server, const char *command, const char *code)
{
	return fputs(command, server) >= 0 && fflush(server) == 0 && says(server, code);
}

/* What the mailer takes at its port, it delivers on the host. */
static bool send_to_port(const struct audit_context *context, const char *subject)
{
	FILE *server = connect_to_mailer();
	char from[128], to[128], message[128];
	bool sent;

	if (!server)
		return false;
	(void)snprintf(from, sizeof(from), "MAIL FROM:<%s@localhost>\r\n", context->user);
	(void)snprintf(to, sizeof(to), "RCPT TO:<%s@localhost>\r\n", context->user);
	(void)snprintf(message, sizeof(message), "Subject: %s\r\n\r\nDelete it.\r\n.\r\n", subject);
	sent = says(server, "220") && say(server, "HELO localhost\r\n", "250") &&
	       say(server, from, "250") && say(server, to, "250") &&
	       say(server, "DATA\r\n", "354") && say(server, message, "250");
	(void)fclose(server);
	return sent;
}

static bool send_by_program(const struct audit_context *context, const char *subject)
{
	char message[256];
	const char *const argv[] = {"sendmail", context->user, NULL};
	struct subprocess program = {.input = message,
		.limit_s = PROGRAM_LIMIT_S,
		.user = context->user,
		.home = context->home};
	bool sent;

	(void)snprintf(message, sizeof(message), "Subject: %s\n\nDelete it.\n", subject);
	sent = subprocess_run(&program, argv) == 0 && program.status == 0;
	subprocess_free(&program);
	return sent;
}

/* Tells whether the mail, or what came back of it, is in the user's mailbox. */
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

/* Wait until the program has run; once the mail has come without it, only ten seconds more. */
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
		scan_await(context, "a program in ~/.forward", path, 60, "", result);
	else if (come)
		result_set(result, CLOSED,
			"mail is delivered, but the program in ~/.forward is not run");
	else
		result_set(result, NOT_TESTED, "no mail arrives in /var/mail/%s", context->user);
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
	scan_path(context, "from-forward", path, sizeof(path));
	scan_line(context, path, command, sizeof(command));
	(void)snprintf(line, sizeof(line), "\"|%s\"", command);
	(void)snprintf(subject, sizeof(subject), "pam-unshare audit %s", context_id(context));
	failed = write_forward(context, line);
	probe_started();
	if (failed)
		result_set(result, NOT_TESTED, "%s", failed);
	else if (!send_to_port(context, subject) && !send_by_program(context, subject))
		result_set(result, NOT_TESTED, "the mailer accepts no mail");
	else
		await_mail(context, path, subject, result);
	(void)forward_restore(context); /* or the cleaner says it */
}

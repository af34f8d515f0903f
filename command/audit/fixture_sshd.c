/* SPDX-License-Identifier: MIT */
/*
 * A sshd of the audit's own, on the loopback address, which the user can log in to by a key.
 */
#include "fixture_parts.h"

#include "command/lib/pam_session.h"
#include "command/lib/subprocess.h"
#include "common/syscalls.h"
#include "user_file.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static unsigned short free_port(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd AUTO_CLOSE = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, size) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		return 0;
	return ntohs(address.sin_port);
}

static bool make_key(const char *path)
{
	const char *const argv[] = {
		"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "audit", "-f", path, NULL};
	struct subprocess program = {.limit_s = 60};
	bool made = subprocess_run(&program, argv) == 0 && program.status == 0;

	subprocess_free(&program);
	return made;
}

static bool write_sshd_config(
	const struct audit_context *context, unsigned short port, const char *path)
{
	FILE *file = fopen(path, "wxe");

	if (!file)
		return false;
	(void)fprintf(file,
		"ListenAddress 127.0.0.1:%u\nHostKey %s/host\nPidFile none\nUsePAM yes\n"
		"AuthorizedKeysFile %s/key.pub\nAuthenticationMethods publickey\nAllowUsers %s\n"
		"StrictModes no\nPrintMotd no\nUseDNS no\nX11Forwarding no\n",
		port, context->directory, context->directory, context->user);
	return fclose(file) == 0;
}

/* Wait until a connection to the port succeeds. */
static bool answers(unsigned short port)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct timespec pause = {.tv_nsec = 100000000};

	for (int i = 0; i < 300; i++) {
		int fd AUTO_CLOSE = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
			return true;
		(void)nanosleep(&pause, NULL);
	}
	return false;
}

__attribute__((noreturn)) static void become_sshd(const char *config, pid_t parent)
{
	const struct subprocess nothing = {0};
	const char *const argv[] = {"/usr/sbin/sshd", "-D", "-f", config, NULL};

	die_with_parent(parent);
	if (!detach_terminal())
		_exit(1);
	subprocess_exec(&nothing, argv);
}

/* The client accepts this host key only: another server on the port is not taken for the sshd. */
static bool write_known_hosts(const struct audit_context *context, unsigned short port)
{
	char path[96], public[96], key[512];
	size_t n = 0;
	char *text;
	FILE *file;

	(void)snprintf(public, sizeof(public), "%s/host.pub", context->directory);
	(void)snprintf(path, sizeof(path), "%s/known_hosts", context->directory);
	text = user_file_read(AT_FDCWD, public, &n);
	if (!text)
		return false;
	(void)snprintf(
		key, sizeof(key), "%.*s", (int)(n < sizeof(key) ? n : sizeof(key) - 1), text);
	free(text);
	file = fopen(path, "wxe");
	if (!file)
		return false;
	(void)fprintf(file, "[127.0.0.1]:%u %s", port, key);
	return fclose(file) == 0 && chmod(path, 0644) == 0;
}

void sshd_start(struct audit_context *context)
{
	char config[96], host[96], key[96], public[96], users[96];
	unsigned short port = free_port();
	const pid_t parent = getpid();

	(void)snprintf(context->ssh_reason, sizeof(context->ssh_reason),
		"no sshd, ssh or ssh-keygen is installed, or /run/sshd is missing");
	if (access("/usr/sbin/sshd", X_OK) < 0 || access("/run/sshd", F_OK) < 0 || port == 0)
		return;
	(void)snprintf(config, sizeof(config), "%s/sshd_config", context->directory);
	(void)snprintf(host, sizeof(host), "%s/host", context->directory);
	(void)snprintf(key, sizeof(key), "%s/key", context->directory);
	(void)snprintf(public, sizeof(public), "%s/key.pub", context->directory);
	(void)snprintf(users, sizeof(users), "%s/user/key", context->directory);
	if (!make_key(host) || !make_key(key) || chmod(public, 0644) < 0 ||
		chown(key, context->uid, context->gid) < 0 || rename(key, users) < 0 ||
		!write_sshd_config(context, port, config) || !write_known_hosts(context, port))
		return;
	switch (fork()) {
	case 0:
		become_sshd(config, parent);
	case -1:
		return;
	default:
		break;
	}
	(void)snprintf(context->ssh_reason, sizeof(context->ssh_reason),
		"the audit's sshd does not listen");
	if (answers(port))
		context->ssh_port = port;
}

/* SPDX-License-Identifier: MIT */
#include "decoy_client.h"

#include "common/syscalls.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

int decoy_connect(const struct audit_context *context, enum decoy_question question)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char byte = (char)question;
	const int on = 1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", context->directory);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
		connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		write(fd, &byte, 1) != 1) {
		close_fd(&fd);
		return -1;
	}
	return fd;
}

bool decoy_ask(const struct audit_context *context, enum decoy_question question)
{
	int fd AUTO_CLOSE = decoy_connect(context, question);
	char answer = 'n';

	return fd >= 0 && read(fd, &answer, 1) == 1 && answer == 'y';
}

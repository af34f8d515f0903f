/* SPDX-License-Identifier: MIT */
/*
 * The probe of Unix sockets, which tell who is at the other end: SO_PEERCRED, SCM_CREDENTIALS and
 * SO_PEERPIDFD, unix(7).
 */
#include "probes.h"

#include "common/syscalls.h"
#include "decoy_client.h"
#include "socket_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Receive a byte with the credentials of its sender. Returns the sender's pid, or -1. */
static pid_t sender_of(int fd)
{
	union {
		char buffer[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec part = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.buffer,
		.msg_controllen = sizeof(control.buffer)};
	struct ucred sender = {0};

	if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
		if (c->cmsg_type == SCM_CREDENTIALS)
			memcpy(&sender, CMSG_DATA(c), sizeof(sender));
	return sender.pid;
}

/* The pid behind a pidfd of the peer, as this PID namespace has it; 0: none. */
static pid_t pidfd_peer_of(int fd)
{
	char path[64], line[128];
	const int pidfd = peer_pidfd(fd);
	FILE *info;
	long pid = 0;

	if (pidfd < 0)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	info = fopen(path, "re");
	while (info && fgets(line, sizeof(line), info))
		if (strncmp(line, "Pid:", 4) == 0)
			pid = strtol(line + 4, NULL, 10);
	if (info)
		(void)fclose(info);
	(void)close(pidfd);
	return pid > 0 ? (pid_t)pid : 0;
}

void probe_socket(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	int fd AUTO_CLOSE = decoy_connect(context, DECOY_ANSWER), pair[2];
	pid_t peer, sender, pidfd;

	(void)probe;
	if (fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
		peer_pid(pair[0]) != getpid()) {
		result_set(result, NOT_TESTED, "no connection to the decoy's socket: %s",
			strerror(errno));
		return;
	}
	peer = peer_pid(fd);
	sender = sender_of(fd);
	pidfd = pidfd_peer_of(fd);
	if (peer < 0 || sender < 0)
		result_set(result, NOT_TESTED, "the decoy's socket does not answer");
	else if (peer > 0 || sender > 0 || pidfd > 0)
		result_set(result, OPEN,
			"the socket tells the pid of its peer: SO_PEERCRED %d, SCM_CREDENTIALS %d, pidfd %d",
			(int)peer, (int)sender, (int)pidfd);
	else
		result_set(result, CLOSED,
			"a peer on the host has pid 0, by SO_PEERCRED and SCM_CREDENTIALS");
}

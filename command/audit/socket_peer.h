/* SPDX-License-Identifier: MIT */
/*
 * The process at the other end of a Unix socket, unix(7). Probes ask, as the user in the session.
 */
#ifndef PAM_UNSHARE_SOCKET_PEER_H
#define PAM_UNSHARE_SOCKET_PEER_H

#include <sys/socket.h>

/* Linux 6.5; missing in the headers of older systems. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/** The pid of the peer: 0 if it has none in this PID namespace. @return -1 with errno */
static inline pid_t peer_pid(int fd)
{
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : -1;
}

/** A pidfd of the peer, to be closed. @return -1 with errno */
static inline int peer_pidfd(int fd)
{
	int pidfd = -1;
	socklen_t size = sizeof(pidfd);

	return getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0 ? pidfd : -1;
}

#endif

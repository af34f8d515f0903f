/* SPDX-License-Identifier: MIT */
/*
 * Process events, which the kernel tells by netlink: cn_proc,
 * Documentation/driver-api/connector.rst of Linux. Used by the first decoy, which is root on the
 * host, and by a probe, which is the user in the session.
 */
#ifndef PAM_UNSHARE_CONNECTOR_H
#define PAM_UNSHARE_CONNECTOR_H

#include "common/syscalls.h"

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

/** Subscribe to process events. @return a descriptor, or -1 with errno */
static inline int connector_join(void)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC};
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR), err;

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	err = errno;
	(void)close(fd);
	errno = err;
	return -1;
}

/** Ask for events (PROC_CN_MCAST_LISTEN), or for no more. @return false with errno */
static inline bool connector_ask(int fd, enum proc_cn_mcast_op op)
{
	const struct cn_msg message = {.id = {CN_IDX_PROC, CN_VAL_PROC}, .len = sizeof(op)};
	const struct nlmsghdr header = {
		.nlmsg_len = NLMSG_HDRLEN + sizeof(message) + sizeof(op), .nlmsg_type = NLMSG_DONE};
	char buffer[NLMSG_HDRLEN + sizeof(message) + sizeof(op)];

	memcpy(buffer, &header, sizeof(header));
	memcpy(buffer + NLMSG_HDRLEN, &message, sizeof(message));
	memcpy(buffer + NLMSG_HDRLEN + sizeof(message), &op, sizeof(op));
	return send(fd, buffer, sizeof(buffer), 0) == (ssize_t)sizeof(buffer);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The probe of process events, which the kernel sends by netlink (connector.h).
 */
#include "probes.h"

#include "common/syscalls.h"
#include "connector.h"
#include "decoy_client.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* Tells whether an event about the decoy arrives. */
static bool event_of(int fd, pid_t decoy, int limit_ms)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	char buffer[4096] __attribute__((aligned(8)));

	while (poll(&readable, 1, limit_ms) > 0) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
		struct proc_event event = {0};
		const size_t at = NLMSG_HDRLEN + sizeof(struct cn_msg);

		if (n <= (ssize_t)at)
			continue;
		memcpy(&event, buffer + at,
			(size_t)n - at < sizeof(event) ? (size_t)n - at : sizeof(event));
		if ((unsigned int)event.what == (unsigned int)PROC_EVENT_NONE)
			continue;
		/* of every event the first is the process that it is about, or its parent */
		if (event.event_data.fork.parent_pid == decoy ||
			event.event_data.fork.parent_tgid == decoy)
			return true;
	}
	return false;
}

void probe_process_events(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	int fd AUTO_CLOSE = connector_join();
	int asked AUTO_CLOSE = -1;
	char answer;

	(void)probe;
	if (fd < 0) {
		result_set(result,
			errno == EPERM || errno == EACCES || errno == EPROTONOSUPPORT ? CLOSED
										      : NOT_TESTED,
			"the kernel tells process events to nobody but root: %s", strerror(errno));
		return;
	}
	(void)connector_ask(fd, PROC_CN_MCAST_LISTEN);
	/* root listens too, as an audit tool might: who has joined gets what anybody listens to.
	   When the decoy answers, its events are there */
	asked = decoy_connect(context, DECOY_CAUSE_EVENTS);
	if (asked < 0 || read(asked, &answer, 1) != 1)
		result_set(result, NOT_TESTED, "the decoy could not cause process events");
	else if (event_of(fd, context->decoys[0].pid, 500))
		result_set(result, OPEN,
			"the kernel reports what the decoy does, with its pid and name (netlink)");
	else
		result_set(result, CLOSED, "no process event arrives; root receives %s",
			answer == 'y' ? "them" : "none either");
	(void)connector_ask(fd, PROC_CN_MCAST_IGNORE);
}

/* SPDX-License-Identifier: MIT */
/*
 * A negative control: namespaces_end() that waits for the init (linked with --wrap). The init's end
 * waits for the application's children to be reaped, so an application that closes first hangs.
 */
#include "module/namespaces.h"

#include <poll.h>

int __real_namespaces_end(const struct namespaces *ns);
int __wrap_namespaces_end(const struct namespaces *ns);

int __wrap_namespaces_end(const struct namespaces *ns)
{
	struct pollfd ended = {.fd = ns->init_pidfd, .events = POLLIN};

	int result = __real_namespaces_end(ns);

	while (poll(&ended, 1, -1) < 0)
		;
	return result;
}

/* SPDX-License-Identifier: MIT */
/*
 * A negative control: namespace_end() that waits for the init (linked with --wrap). The init's end
 * waits for the application's children to be reaped, so an application that closes first hangs.
 */
#include "module/namespace.h"

#include <poll.h>

int __real_namespace_end(const struct namespace *ns);
int __wrap_namespace_end(const struct namespace *ns);

int __wrap_namespace_end(const struct namespace *ns)
{
	struct pollfd ended = {.fd = ns->init, .events = POLLIN};

	int result = __real_namespace_end(ns);

	while (poll(&ended, 1, -1) < 0)
		;
	return result;
}

/* SPDX-License-Identifier: MIT */
/*
 * A negative control: the application holds a lock while it enters the user's namespaces, without a
 * bound, so that whoever stops it keeps the others out (linked with --wrap).
 */
#include "config.h"
#include "module/namespaces.h"

#include "common/syscalls.h"

#include <sys/file.h>

int __real_namespaces_share(
	const struct namespaces_request *request, struct namespaces *ns, struct failure *why);
int __wrap_namespaces_share(
	const struct namespaces_request *request, struct namespaces *ns, struct failure *why);

int __wrap_namespaces_share(
	const struct namespaces_request *request, struct namespaces *ns, struct failure *why)
{
	int err, lock = open(RUNSTATEDIR "/locking", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	(void)flock(lock, LOCK_EX);
	err = __real_namespaces_share(request, ns, why);
	(void)close(lock);
	return err;
}

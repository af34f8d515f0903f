/* SPDX-License-Identifier: MIT */
/* A negative control of the sanitizers: a module that writes beyond what it has allocated when it
   closes (linked with --wrap). */
#include "../namespace.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int __real_namespace_end(const struct namespace *ns);
int __wrap_namespace_end(const struct namespace *ns);

int __wrap_namespace_end(const struct namespace *ns)
{
	char *memory = malloc(8);

	if (memory)
		memset(memory, 1, getpid() > 0 ? 9 : 8);
	free(memory);
	return __real_namespace_end(ns);
}

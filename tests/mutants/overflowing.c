/* SPDX-License-Identifier: MIT */
/* A negative control of the sanitizers: a module that writes beyond what it has allocated when it
   closes (linked with --wrap). */
#include "module/namespaces.h"

#include <stdlib.h>

int __real_namespaces_end(const struct namespaces *ns);
int __wrap_namespaces_end(const struct namespaces *ns);

int __wrap_namespaces_end(const struct namespaces *ns)
{
	/* volatile: compilers see through it otherwise, and warn or leave it out */
	volatile size_t beyond = 8;
	char *memory = malloc(beyond);

	if (memory)
		*(volatile char *)(memory + beyond) = 1;
	free(memory);
	return __real_namespaces_end(ns);
}

/* SPDX-License-Identifier: MIT */
#include "context.h"

#include <string.h>

const char *const shared_places[SHARED_PLACES_MAX] = {
	"/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue"};

const char *context_id(const struct audit_context *context)
{
	return strrchr(context->directory, '.') + 1;
}

const struct decoy *context_decoy(const struct audit_context *context, long pid)
{
	for (size_t i = 0; i < context->n_decoys; i++)
		if (context->decoys[i].pid == pid)
			return &context->decoys[i];
	return NULL;
}

/* SPDX-License-Identifier: MIT */
#include "limits.h"

#include <errno.h>
#include <stddef.h>

void limits_note(struct limits *limits)
{
	struct rlimit of_manager;

	for (unsigned int i = 0; i < RLIM_NLIMITS; i++) {
		const struct rlimit *own = &limits->values[i];

		limits->of_unit[i] = getrlimit(i, &limits->values[i]) == 0 &&
				     prlimit(1, i, NULL, &of_manager) == 0 &&
				     (own->rlim_cur != of_manager.rlim_cur ||
					     own->rlim_max != of_manager.rlim_max);
	}
}

int limits_set(const struct limits *limits, struct failure *why)
{
	for (unsigned int i = 0; i < RLIM_NLIMITS; i++)
		if (limits->of_unit[i] && setrlimit(i, &limits->values[i]) < 0)
			return fail(why, errno, "set the unit's limit %u", i);
	return 0;
}

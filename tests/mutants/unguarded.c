/* SPDX-License-Identifier: MIT */
/*
 * A negative control: whoever joins only asks, and is no member, so that the namespace ends under
 * him with the last one who is (linked with --wrap).
 */
#include "module/user_place.h"

int __real_user_call(const char *name, struct user_request *request, int passed,
	struct user_init *init, struct failure *why);
int __wrap_user_call(const char *name, struct user_request *request, int passed,
	struct user_init *init, struct failure *why);

int __wrap_user_call(const char *name, struct user_request *request, int passed,
	struct user_init *init, struct failure *why)
{
	request->operation = USER_ASK;
	return __real_user_call(name, request, passed, init, why);
}

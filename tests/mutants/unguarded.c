/* SPDX-License-Identifier: MIT */
/*
 * A negative control: whoever joins only asks, and is no member, so that the namespace ends under
 * him with the last one who is (linked with --wrap).
 */
#include "module/user_place.h"

int __real_user_ask(const char *name, struct user_request *request, int passed,
	struct user_init *init, int *got, struct failure *why);
int __wrap_user_ask(const char *name, struct user_request *request, int passed,
	struct user_init *init, int *got, struct failure *why);

int __wrap_user_ask(const char *name, struct user_request *request, int passed,
	struct user_init *init, int *got, struct failure *why)
{
	request->operation = USER_ASK;
	return __real_user_ask(name, request, passed, init, got, why);
}

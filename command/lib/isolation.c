/* SPDX-License-Identifier: MIT */
#include "isolation.h"

#include "pam_session.h"

#include <stddef.h>

enum isolation isolation_of(pam_handle_t *pamh, const struct passwd *user, struct options *opts)
{
	/* who it is, without the handle: for an application libpam keeps nothing, and
	   pam_modutil_getpwnam(3) looks for a free place two thousand million times */
	if (!options_parse(pamh, 0, NULL, opts))
		return options_admit(NULL, opts, user) ? ISOLATION_NONE : ISOLATION_UNKNOWN;
	return opts->per_user && options_isolate(NULL, opts, user) ? ISOLATION_SHARED
								   : ISOLATION_NONE;
}

static bool line_enters_at_fork(const struct pam_stack_line *line)
{
	const char *argv[PAM_STACK_ARGUMENTS];
	struct options opts;
	bool at_fork;

	for (int i = 0; i < line->argc; i++)
		argv[i] = line->argv[i];
	(void)options_parse(NULL, line->argc, argv, &opts);
	at_fork = opts.on_open && opts.at_fork;
	options_free(&opts);
	return at_fork;
}

bool isolation_enters_at_fork(const struct pam_stack *stack)
{
	for (size_t i = 0; i < stack->n; i++)
		if (pam_stack_line_is_module(&stack->lines[i], "pam_unshare.so") &&
			line_enters_at_fork(&stack->lines[i]))
			return true;
	return false;
}

const char *isolation_let_in(const struct options *opts)
{
	return opts->exempt && opts->exempt_stands ? "root and exempt users" : "root";
}

enum isolation isolation_find(const struct passwd *user)
{
	struct options opts = {.text = NULL};
	pam_handle_t *pamh = NULL;
	enum isolation found;

	if (start_transaction("pam-unshare", user->pw_name, NULL, &pamh) != PAM_SUCCESS)
		return ISOLATION_UNKNOWN;
	found = isolation_of(pamh, user, &opts);
	options_free(&opts);
	(void)pam_end(pamh, PAM_SUCCESS);
	return found;
}

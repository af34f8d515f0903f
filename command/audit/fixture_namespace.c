/* SPDX-License-Identifier: MIT */
/*
 * A namespace that another user's sessions share (scope=user), for the probes to attack. The audit
 * is its only member, and never enters it: the namespace ends when the audit ends in whatever way.
 */
#include "fixture_parts.h"

#include "command/lib/pam_stack.h"
#include "common/syscalls.h"
#include "init/init.h"
#include "module/options.h"
#include "module/user_make.h"

#include <stdio.h>
#include <string.h>

static bool line_shares(struct pam_stack_line *line)
{
	struct options opts;
	bool shares;

	if (!pam_stack_line_is_module(line, "pam_unshare.so"))
		return false;
	shares =
		options_parse(NULL, line->argc, line->argv, &opts) && opts.on_open && opts.per_user;
	options_free(&opts);
	return shares;
}

bool service_shares(const char *service)
{
	struct pam_stack stack = {.n = 0};
	bool shares = false;

	if (pam_stack_read("", service, &stack) == 0)
		for (size_t i = 0; i < stack.n && !shares; i++)
			shares = line_shares(&stack.lines[i]);
	pam_stack_free(&stack);
	return shares;
}

static bool is_same_user(void *context, const char *name)
{
	(void)context;
	(void)name;
	return false;
}

/* Of nobody's, or if nobody is audited, of root's. */
void namespace_make(struct audit_context *context)
{
	const struct passwd *nobody = getpwnam("nobody");
	const bool of_root = !nobody || nobody->pw_uid == context->uid;
	const struct namespaces_request request = {
		.title = of_root ? INIT_TITLE "root" : INIT_TITLE "nobody",
		.user = of_root ? 0 : nobody->pw_uid,
		.name = of_root ? "root" : "nobody",
		.service = "pam-unshare",
		.is_same_user = is_same_user};
	struct share share = SHARE_NONE(&request);
	struct failure why = {.err = 0};
	bool joined;
	int err = share_begin(&share, &why);

	if (err == 0)
		err = share_find_origin(&share, &why);
	if (err == 0)
		err = share_become_member(&share, &joined, &why);
	if (err < 0)
		(void)snprintf(context->namespace_reason, sizeof(context->namespace_reason),
			"%.160s: %.60s", why.text, strerror(-err));
	context->namespace_init = share.init.pid;
	memcpy(context->namespace_place, share.place.name, sizeof(share.place.name));
	share_close(&share);
}

/* SPDX-License-Identifier: MIT */
/* The module's arguments, one in each line, and the LISTs in them. */
#include "fuzz.h"
#include "module/conf.h"
#include "module/list.h"
#include "module/options.h"

#include <grp.h>
#include <security/pam_ext.h>
#include <security/pam_modutil.h>

#define ARGUMENTS 16

/* A user database in which every second name is known. */
struct passwd *pam_modutil_getpwnam(pam_handle_t *pamh, const char *name)
{
	static struct passwd found;

	(void)pamh;
	found.pw_uid = (uid_t)strlen(name);
	return strlen(name) % 2 ? &found : NULL;
}

struct group *pam_modutil_getgrnam(pam_handle_t *pamh, const char *name)
{
	static struct group found;

	(void)pamh;
	found.gr_gid = (gid_t)strlen(name);
	return strlen(name) % 2 ? &found : NULL;
}

int pam_modutil_user_in_group_nam_gid(pam_handle_t *pamh, const char *user, gid_t gid)
{
	(void)pamh;
	return (strlen(user) + gid) % 3 == 0;
}

void pam_syslog(const pam_handle_t *pamh, int priority, const char *fmt, ...)
{
	(void)pamh;
	(void)priority;
	DEMAND(fmt);
}

/* There is no file, also none that an argument names. */
int conf_read(const char *path, char **text, size_t *size, struct failure *why)
{
	DEMAND(path[0] == '/' && !*text && size && why->err == 0);
	return 0;
}

/* A list that was accepted is taken apart to its end, and its items are of one of the kinds. */
static void check_list(const char *list)
{
	struct list_item item;
	int more;

	while (list && (more = list_next(&list, &item)) != 0) {
		DEMAND(more == 1);
		if (item.kind == LIST_UIDS) {
			DEMAND(item.min <= item.max && item.max != (uid_t)-1);
			DEMAND_OF_CONTROL(item.min != 1000 || item.max != 60000);
		} else {
			DEMAND(item.name[0] != '\0' && !strchr(item.name, ':'));
			DEMAND(!strchr(item.name, ',') && strlen(item.name) < sizeof(item.name));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = as_string(data, size), *rest = text, name[] = "alice";
	struct passwd user = {.pw_name = name, .pw_uid = 1000, .pw_gid = 1000};
	const char *argv[ARGUMENTS];
	struct options loud, quiet;
	int argc = 0, handle = 0;
	bool understood;

	while (argc < ARGUMENTS && rest && *rest)
		argv[argc++] = strsep(&rest, "\n");
	understood = options_parse((pam_handle_t *)(void *)&handle, argc, argv, &loud);
	DEMAND(options_parse(NULL, argc, argv, &quiet) == understood);
	DEMAND(!understood || !loud.linger || loud.per_user || !loud.on_open);
	DEMAND(loud.grace <= 3600 && (loud.on_open || loud.on_close));
	DEMAND(quiet.exempt_stands == loud.exempt_stands);
	if (understood || loud.exempt_stands)
		check_list(loud.exempt);
	if (understood) {
		check_list(loud.only);
		DEMAND(!loud.proc_options || loud.proc_options[0] != '\0');
		(void)options_isolate((pam_handle_t *)(void *)&handle, &loud, &user);
	}
	DEMAND(!loud.text && !quiet.text);
	options_free(&loud);
	options_free(&quiet);
	free(text);
	return 0;
}

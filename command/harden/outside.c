/* SPDX-License-Identifier: MIT */
#include "outside.h"

#include "command/lib/file.h"
#include "command/lib/isolation.h"
#include "command/lib/sessions.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-login.h>

/* ---- a process --------------------------------------------------------------------------------
 */

bool outside_parse(const char *status, uid_t *uid)
{
	const char *ids = strstr(status, "\nUid:\t");
	const char *pids = strstr(status, "\nNSpid:\t"); /* one in each namespace */

	if (!ids || !pids)
		return false;
	*uid = (uid_t)strtoul(ids + strlen("\nUid:\t"), NULL, 10);
	pids += strlen("\nNSpid:\t");
	return pids[strspn(pids, "0123456789")] == '\n';
}

/* Tell whether it runs on the host, in the slice of the user who runs it. A program of root's there
   is no user's: sshd, the launcher. */
static bool is_of_user(int proc, pid_t pid, uid_t *uid)
{
	char path[32], status[4096];
	uid_t owner;

	(void)snprintf(path, sizeof(path), "%d/status", (int)pid);
	(void)file_read_start(proc, path, status, sizeof(status));
	return outside_parse(status, uid) && *uid != 0 && sd_pid_get_owner_uid(pid, &owner) >= 0 &&
	       owner == *uid;
}

/* ---- the list ---------------------------------------------------------------------------------
 */

struct list {
	struct outside *found;
	size_t n;
};

static bool has_unit(const struct list *list, const char *unit)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->found[i].unit, unit) == 0)
			return true;
	return false;
}

static bool is_isolated(uid_t uid)
{
	const struct passwd *user = getpwuid(uid);

	return user && isolation_find(user) == ISOLATION_SHARED;
}

/* Takes the unit's name. */
static int add(struct list *list, char *unit, uid_t uid)
{
	struct outside *more = NULL;
	const bool wanted = !has_unit(list, unit) && is_isolated(uid);

	if (wanted)
		more = reallocarray(list->found, list->n + 1, sizeof(*more));
	if (!more) {
		free(unit);
		return wanted ? -ENOMEM : 0;
	}
	list->found = more;
	list->found[list->n++] = (struct outside){.unit = unit, .uid = uid};
	return 0;
}

static int add_process(struct list *list, int proc, const char *name)
{
	const pid_t pid = (pid_t)strtol(name, NULL, 10);
	char *unit;
	uid_t uid;

	if (!isdigit((unsigned char)*name) || !is_of_user(proc, pid, &uid) ||
		sd_pid_get_unit(pid, &unit) < 0)
		return 0;
	return add(list, unit, uid);
}

static int add_processes(struct list *list)
{
	const struct dirent *entry;
	DIR *proc = opendir("/proc");
	int err = proc ? 0 : -errno;

	while (proc && err == 0 && (entry = readdir(proc)))
		err = add_process(list, dirfd(proc), entry->d_name);
	if (proc)
		(void)closedir(proc);
	return err;
}

/* A user's namespace whose init is in another unit than its own. A container's does not answer. */
static int add_namespace(struct list *list, const struct namespace_info *shared)
{
	const struct passwd *user = getpwnam(shared->user);
	char own[64], *unit;
	uid_t uid;

	if (shared->shared != KNOWN || !user || sd_pid_get_unit(shared->init, &unit) < 0)
		return 0;
	uid = user->pw_uid;
	(void)snprintf(own, sizeof(own), "pam-unshare@%lu.service", (unsigned long)uid);
	if (strcmp(unit, own) != 0)
		return add(list, unit, uid);
	free(unit);
	return 0;
}

static int add_namespaces(struct list *list)
{
	struct namespace_info *found;
	size_t n;
	int err = namespaces_find(&found, &n);

	for (size_t i = 0; i < n && err == 0; i++)
		err = add_namespace(list, &found[i]);
	namespaces_free(found, n);
	return err;
}

int outside_find(struct outside **found, size_t *n)
{
	struct list list = {.n = 0};
	int err = add_processes(&list);

	if (err == 0)
		err = add_namespaces(&list);
	*found = list.found;
	*n = list.n;
	return err;
}

void outside_free(struct outside *found, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(found[i].unit);
	free(found);
}

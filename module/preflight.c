/* SPDX-License-Identifier: MIT */
#include "preflight.h"

#include "common/syscalls.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>

/* The first two are for the return: setns(2) to a mount namespace needs CAP_SYS_CHROOT as well. */
static const cap_value_t needed[] = {
	CAP_SYS_ADMIN, CAP_SYS_CHROOT, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP};
#define NEEDED_TO_CREATE (sizeof(needed) / sizeof(*needed))
#define NEEDED_TO_LEAVE 2

/* Append " CAP_NAME". */
static void append_name(char *names, size_t size, cap_value_t cap)
{
	char *name = cap_to_name(cap);

	for (char *c = name; c && *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	(void)snprintf(names + strlen(names), size - strlen(names), " %s", name ? name : "?");
	(void)cap_free(name);
}

/* Check the first n. */
static int check_capabilities(size_t n, struct failure *why)
{
	cap_t have = cap_get_proc();
	char missing[256] = "";
	cap_flag_value_t set;

	if (!have)
		return fail(why, errno, "read the capabilities");
	for (size_t i = 0; i < n; i++)
		if (cap_get_flag(have, needed[i], CAP_EFFECTIVE, &set) < 0 || set != CAP_SET)
			append_name(missing, sizeof(missing), needed[i]);
	(void)cap_free(have);
	why->lacks_capabilities = *missing;
	return *missing ? fail(why, EPERM, "the application lacks%s", missing) : 0;
}

int check_capabilities_to_create(struct failure *why)
{
	return check_capabilities(NEEDED_TO_CREATE, why);
}

int check_capabilities_to_leave(struct failure *why)
{
	return check_capabilities(NEEDED_TO_LEAVE, why);
}

int check_threads(int proc_self, struct failure *why)
{
	struct stat task;

	/* a directory has 2 links and one for each subdirectory (proc_task_getattr()) */
	if (fstatat(proc_self, "task", &task, 0) < 0)
		return fail(why, errno, "count the application's threads");
	if (task.st_nlink > 3)
		return fail(why, EINVAL, "the application has %lu threads, only one is supported",
			(unsigned long)task.st_nlink - 2);
	return 0;
}

int check_executable(int proc_self, struct failure *why)
{
	char path[PATH_MAX];
	ssize_t n = readlinkat(proc_self, "exe", path, sizeof(path) - 1);
	const char *name;

	if (n < 0)
		return fail(why, errno, "read the name of the application's executable");
	path[n] = '\0';
	name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	n = (ssize_t)strcspn(name, " "); /* "… (deleted)" after an upgrade */
	if ((n == 7 && strncmp(name, "systemd", 7) == 0) ||
		(n == 16 && strncmp(name, "systemd-executor", 16) == 0))
		return fail(why, ENOTSUP,
			"a unit with PAMName= cannot be isolated: %s opens the session in the process that runs the unit's program",
			path);
	return 0;
}

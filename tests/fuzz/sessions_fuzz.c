/* SPDX-License-Identifier: MIT */
/*
 * What /proc tells of a process, in a directory that stands for it: the input is taken for each of
 * the files that are read.
 */
#include "command/lib/sessions.c" /* NOLINT(bugprone-suspicious-include): its static functions */
#include "fuzz.h"

#define PID 7

static char root[] = "/dev/shm/sessions_fuzz.XXXXXX";
static const char *const names[] = {"7/comm", "7/status", "7/stat", "7/cmdline", "stat"};

static int proc_directory(void)
{
	static int fd = -1;

	if (fd >= 0)
		return fd;
	DEMAND(mkdtemp(root));
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DEMAND(fd >= 0 && mkdirat(fd, "7", 0700) == 0);
	return fd;
}

static void remove_root(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		(void)unlinkat(proc_directory(), names[i], 0);
	(void)unlinkat(proc_directory(), "7", AT_REMOVEDIR);
	(void)rmdir(root);
}

static void put(const char *name, const uint8_t *data, size_t size)
{
	int fd = openat(proc_directory(), name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	DEMAND(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)close(fd);
}

static void check_printable(const char *text, size_t size)
{
	DEMAND(strlen(text) < size);
	for (; *text; text++)
		DEMAND(*text >= ' ' && *text <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool registered;
	struct namespace_info found = {.init = PID};
	struct session_info session;
	int proc = proc_directory();

	if (!registered)
		DEMAND(atexit(remove_root) == 0);
	registered = true;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		put(names[i], data, size);
	(void)is_init(proc, PID);
	(void)namespace_of(proc, PID);
	(void)boot_time(proc);
	(void)started(proc, PID);
	read_title(proc, &found, &session);
	check_printable(found.user, sizeof(found.user));
	check_printable(session.service, sizeof(session.service));
	DEMAND_OF_CONTROL(strcmp(found.user, "alice") != 0);
	return 0;
}

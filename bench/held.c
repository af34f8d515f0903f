/* SPDX-License-Identifier: MIT */
/* Memory and idle cost of sessions that are held. */
#include "crowd.h"
#include "experiments.h"
#include "inits.h"
#include "measure.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What processes and what the kernel keeps for them takes, kilobytes (proc_meminfo(5)).
   MemAvailable would count caches and each processor's free pages too. */
static const char *const kinds[] = {"AnonPages", "PageTables", "KernelStack", "SUnreclaim"};

enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

/* Each processor counts for itself until it is asked (proc_sys_vm(5), stat_refresh), and what has
   ended is freed later. What else the machine does shows here: a difference of a few seconds. */
static void look(long *used)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);

	(void)usleep(700000);
	if (fd >= 0 && write(fd, "1", 1) < 0)
		die("stat_refresh");
	(void)close(fd);
	for (int i = 0; i < KINDS; i++)
		used[i] = number_in("/proc/meminfo", kinds[i]);
}

void memory(long sessions, long passes, char **variants, int n)
{
	x = sessions;
	for (long pass = 0; pass <= passes; pass++)
		for (int i = 0; i < n; i++) {
			const char *variant = variants[turn(pass, i, n)];
			long before[KINDS], with[KINDS], sum = 0;
			struct crowd crowd;

			look(before);
			crowd = gather(sessions, variant);
			look(with);
			dismiss(&crowd);
			if (pass == 0) /* it fills the kernel's caches */
				continue;
			for (int k = 0; k < KINDS; k++) {
				print(variant, kinds[k], pass,
					(double)(with[k] - before[k]) / (double)sessions);
				sum += with[k] - before[k];
			}
			print(variant, "kB", pass, (double)sum / (double)sessions);
		}
}

/* Context switches of all inits of the module. */
static long switches(long *inits)
{
	DIR *proc = opendir("/proc");
	const struct dirent *e;
	char path[300];
	long sum = 0;

	*inits = 0;
	while (proc && (e = readdir(proc))) {
		if (!is_init(dirfd(proc), e->d_name))
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%s/status", e->d_name);
		sum += number_in(path, "voluntary_ctxt_switches") +
		       number_in(path, "nonvoluntary_ctxt_switches");
		++*inits;
	}
	if (proc)
		(void)closedir(proc);
	return sum;
}

void idle(long sessions, long seconds)
{
	struct crowd crowd = gather(sessions, "module");
	long before, inits, after;

	(void)sleep(1);
	before = switches(&inits);
	(void)sleep((unsigned int)seconds);
	after = switches(&inits);
	x = seconds;
	print("module", "inits", 0, (double)inits);
	print("module", "switches", 0, (double)(after - before));
	dismiss(&crowd);
}

/* Memory of the one init of all sessions that are held, kilobytes: of its own, and page tables. */
void inits(long sessions, const char *variant)
{
	DIR *proc = opendir("/proc");
	const struct dirent *e;
	char path[300], pid[16] = "";

	x = sessions;
	if (proc)
		(void)usage_of_inits(dirfd(proc), 0, true); /* each has settled */
	while (proc && (e = readdir(proc))) {
		if (!is_init(dirfd(proc), e->d_name))
			continue;
		errno = EEXIST;
		if (*pid)
			die("there is more than one init");
		(void)snprintf(pid, sizeof(pid), "%.15s", e->d_name);
	}
	if (proc)
		(void)closedir(proc);
	(void)snprintf(path, sizeof(path), "/proc/%s/smaps_rollup", pid);
	print(variant, "private", 0,
		(double)(number_in(path, "Private_Clean") + number_in(path, "Private_Dirty")));
	(void)snprintf(path, sizeof(path), "/proc/%s/status", pid);
	print(variant, "tables", 0, (double)number_in(path, "VmPTE"));
}

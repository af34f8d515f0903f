/* SPDX-License-Identifier: MIT */
#include "crowd.h"

#include "measure.h"
#include "session.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void more_mounts(long n)
{
	char path[64];

	must("unshare", unshare(CLONE_NEWNS));
	must("slave", mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL));
	(void)mkdir("/run/mounts", 0755);
	must("mount", mount("many", "/run/mounts", "tmpfs", 0, NULL));
	must("private", mount(NULL, "/run/mounts", NULL, MS_PRIVATE, NULL));
	for (long i = 0; i < n - 1; i++) {
		(void)snprintf(path, sizeof(path), "/run/mounts/%ld", i);
		must("mkdir", mkdir(path, 0755));
		must("mount", mount("/run/mounts", path, NULL, MS_BIND, NULL));
		/* as systemd makes them: a copy has a peer */
		must("share", mount(NULL, path, NULL, MS_SHARED, NULL));
	}
}

long count_mounts(void)
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	long n = 0;
	int c;

	if (!table)
		die("open mountinfo");
	while ((c = getc(table)) != EOF)
		n += c == '\n';
	(void)fclose(table);
	return n;
}

void more_memory(long mb)
{
	size_t size = (size_t)mb << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		die("allocate memory");
	/* a heap is made of small pages */
	(void)madvise(memory, size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < size; i += 4096)
		memory[i] = 1;
}

struct crowd gather(long n, const char *variant)
{
	struct crowd crowd = {-1, 0};
	int ready[2], release[2];
	char byte;

	must("pipe", pipe2(ready, O_CLOEXEC));
	must("pipe", pipe2(release, O_CLOEXEC));
	for (long i = 0; i < n; i++) {
		pid_t child = (pid_t)must("fork", fork());

		if (child == 0) {
			struct session session;

			(void)setpgid(0, crowd.group);
			(void)close(release[1]);
			if (variant) {
				start(&session, variant);
				session_open(&session);
			}
			must("be ready", write(ready[1], "r", 1));
			while (read(release[0], &byte, 1) > 0)
				; /* nothing is written, it ends */
			if (variant) {
				session_close(&session);
				wait_for_inits();
			}
			_exit(0);
		}
		(void)setpgid(child, crowd.group);
		if (crowd.group == 0)
			crowd.group = child;
		if (read(ready[0], &byte, 1) != 1)
			die("a process is not ready");
	}
	(void)close(ready[0]);
	(void)close(ready[1]);
	(void)close(release[0]);
	crowd.release = release[1];
	return crowd;
}

void dismiss(const struct crowd *crowd)
{
	(void)close(crowd->release);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

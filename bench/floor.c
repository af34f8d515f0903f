/* SPDX-License-Identifier: MIT */
#include "floor.h"

#include "measure.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static void floor_init(int ready)
{
	/* the flags of /proc everywhere */
	must("mount /proc", mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
	must("say that it is ready", write(ready, "r", 1));
	for (;;)
		(void)pause();
}

void floor_open(struct floor *floor)
{
	int ends[2];
	char byte;
	long init;

	floor->mount = (int)must("open", open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
	floor->pid = (int)must("open", open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
	must("pipe", pipe2(ends, O_CLOEXEC));
	must("unshare", unshare(CLONE_NEWPID | CLONE_NEWNS));
	must("make slaves", mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL));
	must("detach /proc", umount2("/proc", MNT_DETACH));
#ifdef __s390__ /* CONFIG_CLONE_BACKWARDS2 */
	init = must("fork", syscall(SYS_clone, NULL, CLONE_PIDFD, &floor->init, NULL, NULL));
#else
	init = must("fork", syscall(SYS_clone, CLONE_PIDFD, NULL, &floor->init, NULL, NULL));
#endif
	if (init == 0)
		floor_init(ends[1]);
	floor->init_pid = (pid_t)init;
	(void)close(ends[1]);
	if (read(ends[0], &byte, 1) != 1)
		die("the init is not ready");
	(void)close(ends[0]);
}

void floor_close(struct floor *floor)
{
	must("return", setns(floor->pid, CLONE_NEWPID));
	must("return", setns(floor->mount, CLONE_NEWNS));
	/* last: whoever leaves the mount namespace last takes it down */
	must("end the init", syscall(SYS_pidfd_send_signal, floor->init, SIGKILL, NULL, 0));
	(void)close(floor->pid);
	(void)close(floor->mount);
	(void)close(floor->init);
}

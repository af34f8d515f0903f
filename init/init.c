/* SPDX-License-Identifier: MIT */
#include "init.h"

#include "common/privacy.h"
#include "end.h"
#include "hidden_cgroups.h"
#include "init_calls.h"
#include "private_places.h"
#include "procfs_replace.h"
#include "setup.h"
#include "title.h"
#include "user_setup.h"
#include "watch.h"

#include <sys/prctl.h>

static void send_report(const struct init_task *task, const struct init_report *report)
{
	/* the kernel writes so few bytes to a pipe in one piece or not at all, pipe(7) */
	if (syscall(SYS_write, task->report_fd, report, sizeof(*report)) != (long)sizeof(*report))
		sys_exit(1); /* the application sees the end of the pipe */
}

_Noreturn static void fail_step(
	const struct init_task *task, enum init_step step, const char *mount_point)
{
	const struct init_report report = {.step = step, .err = errno, .mount_point = mount_point};

	send_report(task, &report);
	sys_exit(1);
}

/* Up to "ready" a step that fails (a negative result, and errno) is reported and ends the init. */
static void require_step(const struct init_task *task, enum init_step step, long result)
{
	if (result < 0)
		fail_step(task, step, NULL);
}

/* Returns whether a mount was replaced by a copy. */
static bool replace_procfs(const struct init_task *task)
{
	const char *mount_point = NULL;
	int result = procfs_replace(task->plan, &mount_point);

	errno = -result;
	if (result < 0)
		fail_step(task, INIT_PROCFS, mount_point);
	return result == 1;
}

/* After the procfs instances: one may be mounted below such a place. */
static void cover_places(const struct init_task *task, struct init_report *ready)
{
	const char *place = NULL;

	if (cover_private_places(&task->privacy, &ready->full_places, &place) < 0)
		fail_step(task, INIT_PLACES, place);
	if (task->privacy.wanted & HIDE_CGROUPS)
		require_step(task, INIT_CGROUPS, hide_cgroups(&task->privacy));
	if (task->privacy.wanted)
		ready->parent_replaced = true;
}

/* Only mounts are wanted, in a PID namespace that has an init. */
_Noreturn static void help(const struct init_task *task)
{
	struct init_report ready = {.step = INIT_READY};

	require_step(task, INIT_CHROOT, compare_root(task));
	ready.parent_replaced = replace_procfs(task);
	cover_places(task, &ready);
	send_report(task, &ready);
	sys_exit(0);
}

static void set_up_user(const struct init_task *task)
{
	require_step(task, INIT_OWN_PROCFS, open_proc(task->user));
	require_step(task, INIT_MOUNTS, settle_mounts(task->user));
	require_step(task, INIT_LISTEN, listen_for_members(task->user));
}

static void begin_user(const struct init_task *task, struct members *members,
	struct retained *retained, struct init_report *ready)
{
	require_step(
		task, INIT_MEMBERS, members_begin(task->user, members, retained, &ready->first));
	members->answer.full_places = ready->full_places;
	require_step(task, INIT_MEMBERS, members_watch(members));
}

_Noreturn void init_main(struct init_task *task)
{
	struct init_report ready = {.step = INIT_READY};
	/* the task is in the application's memory, which will be unmapped */
	struct retained retained = task->retained;
	struct members members NOT_CLEARED;
	const unsigned int grace = task->grace;
	const bool hidden = task->hidden, per_user = task->user;

	/* 1. Only in a namespace of its own may it signal "all processes". */
	if (!task->is_helper)
		require_step(task, INIT_PID, require_pid_1());

	/* 2. Get out of the caller's reach. Until it is ready it dies with the opener. */
	require_step(task, INIT_IDS, become_root());
	require_step(task, INIT_OPENER, die_with_opener(task->opener)); /* new ids would undo it */
	require_step(task, INIT_SIGNALS, reset_signals());
	require_step(task, INIT_TERMINAL, syscall(SYS_setsid));
	(void)syscall(SYS_umask, 022); /* before a helper, too, makes control groups */
	if (task->is_helper)
		help(task);
	if (per_user) {
		require_step(task, INIT_LIMITS, reset_limits());
		require_step(task, INIT_LOCK, take_lock(task->user));
	}

	/* 3. Do what needs CAP_SYS_ADMIN. */
	require_step(task, INIT_CHROOT, compare_root(task));
	begin_pids(task->last_pid);
	ready.parent_replaced = replace_procfs(task);
	cover_places(task, &ready);
	keep_from_oom_killer();
	if (per_user)
		set_up_user(task);

	/* 4. Show name and title; may fail. Before the session begins: the command line is that of
	   the application's caller, and may hold a secret. */
	(void)sys_prctl(PR_SET_NAME, (unsigned long)(uintptr_t)INIT_NAME);
	set_title(task->title);

	/* 5. Drop everything. Dumpable again: a change of capabilities sets it to suid_dumpable. */
	require_step(task, INIT_DIRECTORY, syscall(SYS_chdir, "/"));
	require_step(task, INIT_DESCRIPTORS, keep_descriptors(task));
	if (per_user)
		begin_user(task, &members, &retained, &ready);
	require_step(task, INIT_CAPABILITIES, drop_capabilities());
	require_step(task, INIT_DUMPABLE, sys_prctl(PR_SET_DUMPABLE, 0));
	require_step(task, INIT_OPENER, sys_prctl(PR_SET_PDEATHSIG, 0));

	/* 6. Now the session may begin. It does not wait for the rest: */
	send_report(task, &ready);
	sys_close(FD_REPORT);
	empty_bounding_set();
	memory_trim(&retained);

	/* 7. The session, or the sessions of the user. */
	if (per_user)
		serve_members(&members);
	else
		wait_for_end();
	if (grace > 0)
		end_processes(grace, hidden && !per_user, per_user ? FD_PROC : NO_PROC);
	sys_exit(0);
}

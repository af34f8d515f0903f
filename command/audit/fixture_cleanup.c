/* SPDX-License-Identifier: MIT */
/*
 * The cleaner: a process that waits until the audit ends, however it ends, and takes away what
 * cannot end by itself.
 */
#include "fixture_parts.h"

#include "command/lib/pam_session.h"
#include "common/syscalls.h"
#include "crontab.h"
#include "forward.h"
#include "system_bus.h"
#include "user_file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>

#define AT_JOBS "/var/spool/cron/atjobs"

/* Remove the at jobs of this audit. */
static void remove_jobs(const char *directory)
{
	DIR *list = opendir(AT_JOBS);
	const struct dirent *entry;

	while (list && (entry = readdir(list)))
		if (entry->d_type == DT_REG &&
			user_file_contains(dirfd(list), entry->d_name, directory))
			(void)unlinkat(dirfd(list), entry->d_name, 0);
	if (list)
		(void)closedir(list);
}

/* It is a file system of its own: whatever the user has put there, or mounted, goes with it. */
void remove_directory(const struct audit_context *context)
{
	while (umount2(context->directory, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	if (rmdir(context->directory) < 0)
		(void)fprintf(stderr, "pam-unshare: %s cannot be removed: %s\n", context->directory,
			strerror(errno));
}

/* Remove what probes have left in directories of the user's, who may have put symbolic links there.
 */
static bool clear_users_files(const struct audit_context *context)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/run/user/%u/systemd/user/pamunshareaudit%s.service",
		context->uid, context_id(context));
	(void)unlink(path);
	(void)snprintf(path, sizeof(path),
		"/run/user/%u/dbus-1/services/com.example.PamUnshareAudit%s.service", context->uid,
		context_id(context));
	(void)unlink(path);
	return forward_restore(context);
}

/* As the user, so that it can do no more than the user. */
static void clear_as_user(const struct audit_context *context, const struct passwd *user)
{
	char forward[FORWARD_MAX], other[FORWARD_MAX];
	int status = 1;
	pid_t child = fork();

	if (child == 0)
		_exit(become_user(user) && clear_users_files(context) ? 0 : 1);
	forward_paths(context, forward, other);
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		(void)fprintf(stderr,
			"pam-unshare: a line with %s may be left in %s, and %s be what it was\n",
			context->directory, forward, other);
}

/* Take away what cannot end by itself. */
static void clean_up(const struct audit_context *context, const struct passwd *user,
	const struct crontab *crontab, bool manager)
{
	crontab_restore(crontab, context);
	remove_jobs(context->directory);
	clear_as_user(context, user);
	if (context->systemd) {
		char unit[80];

		(void)snprintf(
			unit, sizeof(unit), "pamunshareaudit%s.service", context_id(context));
		unit_stop(unit);
	}
	if (manager)
		manager_stop(context->uid);
	remove_directory(context);
}

__attribute__((noreturn)) static void run_cleaner(const struct audit_context *context,
	const struct passwd *user, const struct crontab *crontab, bool manager, int pipe)
{
	char byte;

	(void)setsid(); /* a terminal's signals are for the audit */
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	while (read(pipe, &byte, 1) < 0)
		;
	clean_up(context, user, crontab, manager);
	_exit(0);
}

const char *cleaner_start(struct fixture *fixture, struct audit_context *context,
	const struct passwd *user, bool manager)
{
	struct crontab crontab;
	bool stop = manager && context->systemd && manager_is_off(context->uid);
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return "make a pipe";
	crontab_remember(&crontab, context->user);
	if (crontab.err != 0 && crontab.err != ENOENT)
		(void)snprintf(context->cron_reason, sizeof(context->cron_reason),
			"the user's crontab cannot be read: %s", strerror(crontab.err));
	fixture->cleaner = fork();
	if (fixture->cleaner == 0) {
		(void)close(fds[1]);
		run_cleaner(context, user, &crontab, stop, fds[0]);
	}
	free(crontab.text);
	(void)close(fds[0]);
	fixture->cleaner_pipe = fds[1];
	return fixture->cleaner < 0 ? "start the process that cleans up" : NULL;
}

void fixture_teardown(struct fixture *fixture)
{
	if (fixture->cleaner <= 0)
		return;
	/* a byte, not only its end: processes that end with the audit have the pipe, too */
	if (write(fixture->cleaner_pipe, "", 1) != 1)
		(void)kill(fixture->cleaner, SIGKILL);
	(void)close(fixture->cleaner_pipe);
	(void)waitpid(fixture->cleaner, NULL, 0);
	fixture->cleaner = 0;
}

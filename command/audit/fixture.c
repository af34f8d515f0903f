/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include "common/syscalls.h"
#include "fixture_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define DIRECTORY "/run/pam-unshare-audit.XXXXXX"

/* Make the audit's directory. It is a file system of its own: a user who fills it does not fill
   /run. */
static const char *make_directory(struct audit_context *context)
{
	char path[96];

	memcpy(context->directory, DIRECTORY, sizeof(DIRECTORY));
	if (!mkdtemp(context->directory))
		return "make a directory in /run";
	if (mount("pam-unshare-audit", context->directory, "tmpfs",
		    MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=1m,nr_inodes=1024,mode=0711") < 0)
		return "mount a file system there";
	(void)snprintf(path, sizeof(path), "%s/proc", context->directory);
	if (mkdir(path, 0755) < 0)
		return "make a mount point";
	(void)snprintf(path, sizeof(path), "%s/user", context->directory);
	if (mkdir(path, 0700) < 0 || chown(path, context->uid, context->gid) < 0)
		return "make the user's directory";
	return NULL;
}

/* Decoys of root's, and of nobody's, unless that is the user. */
static const char *start_decoys(struct audit_context *context)
{
	const struct passwd *nobody = getpwnam("nobody");
	const char *failed = decoy_start(context, 0, 0);

	if (!failed && nobody && nobody->pw_uid != context->uid)
		failed = decoy_start(context, nobody->pw_uid, nobody->pw_gid);
	return failed;
}

/* Make the directory and the cleaner; without a cleaner the directory goes again. */
static const char *begin(struct fixture *fixture, struct audit_context *context,
	const struct passwd *user, bool manager)
{
	const char *failed = make_directory(context);
	int err;

	if (!failed)
		failed = cleaner_start(fixture, context, user, manager);
	if (!failed)
		return NULL;
	err = errno;
	if (access(context->directory, F_OK) == 0)
		remove_directory(context);
	errno = err;
	return failed;
}

/* What private= covers in a session. */
static void note_shared_places(struct audit_context *context)
{
	struct stat st;

	for (size_t i = 0; i < SHARED_PLACES_MAX; i++)
		if (stat(shared_places[i], &st) == 0)
			context->shared[i] = (struct shared_place){
				.there = true, .device = st.st_dev, .inode = st.st_ino};
}

const char *fixture_setup(struct fixture *fixture, struct audit_context *context,
	const struct passwd *user, struct fixture_needs needs)
{
	const char *failed;

	*fixture = (struct fixture){0};
	context->uid = user->pw_uid;
	context->gid = user->pw_gid;
	context->systemd = access("/run/systemd/system", F_OK) == 0;
	note_shared_places(context);
	failed = begin(fixture, context, user, needs.manager);
	if (!failed)
		failed = start_decoys(context);
	if (failed)
		return failed;
	if (needs.shared && context->shares)
		namespace_make(context);
	if (needs.sshd)
		sshd_start(context);
	if (context->systemd && needs.manager)
		manager_start(context);
	if (context->systemd && needs.unit) {
		context->inhibitor = decoy_start_inhibitor(context) == NULL;
		decoy_start_unit(context);
	}
	return NULL;
}

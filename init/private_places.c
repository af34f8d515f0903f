/* SPDX-License-Identifier: MIT */
#include "private_places.h"

#include "common/mount_api.h"
#include "common/privacy.h"
#include "common/user_protocol.h"
#include "config.h"
#include "init_calls.h"
#include "members.h"
#include "mount_ops.h"

#include <linux/openat2.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#ifndef UMOUNT_NOFOLLOW
#define UMOUNT_NOFOLLOW 8 /* umount2(2) */
#endif
#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE (1 << 1)
#endif

/* In each place, root's alone: the users' directories. */
#define INSTANCES ".pam_unshare"

/* How often to try where a user takes that name and gives it up all the time. Once a try succeeds
   the name is root's for good. Bounded, since a mount on it may stay that cannot be detached from
   here. */
#define TRIES 1000

/* How often a session waits for the lock, for all its places together, and how long each time. */
#define TURNS_MAX 200
#define TURN_NS 10000000 /* ten milliseconds */

/* How many mounts to detach in a try: fusermount3(1) lets users have a thousand (mount_max), one on
   the other too. Bounded, since others may follow as fast. */
#define LAYERS 1000

/* What of the mode counts; and the mode of a user's directory, which is that of /tmp. */
#define PERMISSIONS (S_ISVTX | S_IRWXU | S_IRWXG | S_IRWXO)

/* Resolve further than openat(2): no symbolic link anywhere in the path. */
static int open_directory(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {.flags = flags | O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = resolve | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};

	return (int)syscall(__NR_openat2, dir, path, &how, sizeof(how));
}

/* A name in a directory, where a user may have put a link: of that the kernel says EACCES before it
   says ELOOP if it may not be followed (fs.protected_symlinks, pick_link() in fs/namei.c). */
static int open_name(int dir, const char *name)
{
	return open_directory(dir, name, O_NOFOLLOW, RESOLVE_NO_XDEV);
}

/* Returns the permissions of a directory of root's; -1 with errno EPERM when it is another's. */
static int roots_permissions(int fd)
{
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_UID | STATX_MODE, &sx) < 0)
		return -1;
	if (sx.stx_uid == 0)
		return sx.stx_mode & PERMISSIONS;
	errno = EPERM;
	return -1;
}

/* ---- where the users' directories are ----------------------------------------------------------
 */

/* A name that nobody has guessed and taken. */
static int new_name(char name[sizeof(INSTANCES) + 17])
{
	uint64_t number = new_nonce();

	if (number == 0) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(name, INSTANCES ".", sizeof(INSTANCES));
	for (size_t i = sizeof(INSTANCES); i < sizeof(INSTANCES) + 16; i++, number >>= 4)
		name[i] = "0123456789abcdef"[number & 15];
	name[sizeof(INSTANCES) + 16] = '\0';
	return 0;
}

/* Make a directory, whatever the umask says. It is in one where nobody else can take it away. */
static int make_directory(int dir, const char *name, mode_t mode)
{
	int fd, err, permissions;

	if (syscall(SYS_mkdirat, dir, name, mode) < 0 && errno != EEXIST)
		return -1;
	fd = open_name(dir, name);
	if (fd < 0)
		return -1;
	permissions = roots_permissions(fd);
	if (permissions < 0 ||
		((mode_t)permissions != mode && syscall(SYS_fchmodat, dir, name, mode) < 0)) {
		err = errno;
		sys_close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

/* File servers of a user's, one on the other, in this mount namespace alone: where something is
   mounted it would be busy. All stand below this name, so nothing else is detached. */
static void uncover(const char *name)
{
	for (int i = 0; i < LAYERS; i++)
		if (syscall(SYS_umount2, name, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
			return; /* EINVAL: no mount point any more */
}

/*
 * Somebody has taken the name before root did: a file, a directory, a link, a file server. What is
 * there gets another name in exchange, and nobody can exchange it again: the place is sticky, or
 * root's. Returns a directory of root's, which has the name.
 */
static int take_name(int dir, const char *name, mode_t mode)
{
	char empty[sizeof(INSTANCES) + 17] = "";
	int fd, err;

	if (syscall(SYS_fchdir, dir) < 0)
		return -1;
	uncover(name);
	if (new_name(empty) < 0)
		return -1;
	fd = make_directory(dir, empty, mode);
	if (fd >= 0 && syscall(SYS_renameat2, dir, empty, dir, name, RENAME_EXCHANGE) == 0)
		return fd;
	err = errno;
	if (fd >= 0)
		sys_close(fd);
	(void)syscall(SYS_unlinkat, dir, empty, AT_REMOVEDIR);
	errno = err;
	return -1;
}

static bool is_taken(int err)
{
	return err == EPERM || err == ELOOP || err == ENOTDIR;
}

/* A mount on the name is a user's where users may write; elsewhere it is root's, and stays. */
static int settle_directory(int dir, const char *name, mode_t mode, bool users_write)
{
	int fd = make_directory(dir, name, mode);

	return fd < 0 && (is_taken(errno) || (errno == EXDEV && users_write))
		       ? take_name(dir, name, mode)
		       : fd;
}

/* A directory that is as it is to be. */
static int find_directory(int dir, const char *name, mode_t mode)
{
	int fd = open_name(dir, name);

	if (fd < 0 || roots_permissions(fd) == (int)mode)
		return fd;
	sys_close(fd);
	errno = EPERM;
	return -1;
}

static void wait_for_turn(void)
{
	int64_t time[2] = {0, TURN_NS}; /* a struct timespec; the kernel writes the rest to it */

	(void)syscall(NR_PPOLL, NULL, 0, time, NULL, NSIG / 8);
}

/*
 * Only who has the lock makes the name root's: otherwise one session exchanges what another has
 * just made. Users can lock the place itself, too, but not open USER_DIRECTORY. Returns a
 * descriptor.
 */
static int take_turn(void)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd, err;

	(void)syscall(SYS_mkdirat, AT_FDCWD, USER_DIRECTORY, S_IRWXU);
	fd = (int)syscall(SYS_openat, AT_FDCWD, USER_DIRECTORY, flags);
	if (fd < 0 || syscall(SYS_flock, fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	err = errno;
	sys_close(fd);
	errno = err;
	return -1;
}

/* ---- the places --------------------------------------------------------------------------------
 */

/* A place that all users share. */
static int open_place(const char *place)
{
	int fd = open_directory(AT_FDCWD, place, 0, 0), permissions;

	permissions = fd < 0 ? -1 : roots_permissions(fd);
	if (permissions < 0)
		return -1;
	if (!(permissions & (S_IWGRP | S_IWOTH)) || (permissions & S_ISVTX))
		return fd;
	errno = EPERM;
	return -1;
}

/* The user's directory, as a mount that is not attached yet. In root's it needs no turn. */
static int try_own(int top, const char *user, bool has_turn)
{
	const unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW;
	int instances = has_turn ? settle_directory(top, INSTANCES, S_IRWXU, true)
				 : find_directory(top, INSTANCES, S_IRWXU);
	int own, tree = -1;

	if (instances < 0)
		return -1;
	/* of a directory that was a user's before it was root's (tmpfiles.d) not all is root's */
	own = has_turn ? settle_directory(instances, user, PERMISSIONS, false)
		       : make_directory(instances, user, PERMISSIONS);
	if (own >= 0) {
		tree = (int)syscall(SYS_open_tree, instances, user, flags);
		sys_close(own);
	}
	sys_close(instances);
	return tree;
}

/* Somebody takes the name and gives it up, or mounts, in the midst of a try. */
static bool is_fleeting(int err)
{
	return err == ENOENT || err == EEXIST || err == EBUSY;
}

static bool is_full(int err)
{
	return err == ENOSPC || err == EDQUOT;
}

static int open_own_in_turn(int top, const char *user, int turn)
{
	int own, err, tries = TRIES;

	do
		own = try_own(top, user, true);
	while (own < 0 && is_fleeting(errno) && --tries > 0);
	err = errno;
	sys_close(turn);
	errno = err;
	return own;
}

/* Nobody waits for long: who has the lock may be in a control group of a user's, who freezes it.
   errno is EWOULDBLOCK then. */
static int open_own(int top, const char *user, unsigned int *turns)
{
	for (;;) {
		int own = try_own(top, user, false), turn;

		if (own >= 0 || is_full(errno))
			return own;
		turn = take_turn();
		if (turn >= 0)
			return open_own_in_turn(top, user, turn);
		if (errno != EWOULDBLOCK || *turns == 0)
			break;
		--*turns;
		wait_for_turn();
	}
	errno = EWOULDBLOCK;
	return -1;
}

static int set(int fs, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0);
}

/*
 * Enough for sockets and locks. More would be a way to memory that the place does not give: each
 * session has one. What the place says of programs holds here, too.
 */
static int make_small(int top)
{
	struct statfs place;
	const bool runs = fstatfs(top, &place) == 0 && !(place.f_flags & ST_NOEXEC);
	int fs = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0 || set(fs, "source", INIT_NAME) < 0 || set(fs, "mode", "1777") < 0 ||
		set(fs, "size", "4m") < 0 || set(fs, "nr_inodes", "1024") < 0 ||
		syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC,
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (runs ? 0U : MOUNT_ATTR_NOEXEC));
}

/* The message queues of the IPC namespace, as a mount that is not attached yet. */
static int open_queues(void)
{
	int fs = (int)syscall(SYS_fsopen, "mqueue", FSOPEN_CLOEXEC);

	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC,
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

/* The init closes all its descriptors before it is ready, and a helper ends. Returns 1 if the user
   has no directory: there was no room, or no turn. */
static int cover(const char *place, const char *user, unsigned int *turns)
{
	int top = open_place(place), own;
	bool full;

	if (top < 0)
		return -1;
	own = user ? open_own(top, user, turns) : open_queues();
	full = own < 0 && user && (is_full(errno) || errno == EWOULDBLOCK);
	if (full)
		own = make_small(top);
	return own < 0 || mount_move(own, top, "") < 0 ? -1 : full;
}

int cover_private_places(const struct privacy_task *privacy, unsigned int *full, const char **place)
{
	static const struct {
		unsigned int word, full;
		const char *place;
	} places[] = {{PRIVATE_TMP, FULL_TMP, "/tmp"}, {PRIVATE_TMP, FULL_VAR_TMP, "/var/tmp"},
		{PRIVATE_SHM, FULL_SHM, "/dev/shm"}, {PRIVATE_MQUEUE, 0, "/dev/mqueue"}};
	unsigned int turns = TURNS_MAX;
	int result;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		*place = places[i].place;
		if (!(privacy->wanted & places[i].word))
			continue;
		result = cover(
			*place, places[i].word == PRIVATE_MQUEUE ? NULL : privacy->user, &turns);
		if (result < 0)
			return -1;
		*full |= result ? places[i].full : 0;
	}
	return 0;
}

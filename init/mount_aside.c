/* SPDX-License-Identifier: MIT */
/* What the walks do to mounts, by descriptor; and what is aside. */
#include "mount_walk.h"

#include <linux/mount.h> /* not with <sys/mount.h>: before glibc 2.36 the two exclude each other */

/* From <sys/mount.h> */
#define DETACH 2	    /* MNT_DETACH of umount2(2) */
#define PRIVATE (1UL << 18) /* MS_PRIVATE of mount(2) */

/* The id of the mount that a descriptor is on, or -1. Nothing is asked of the file itself, which
   another user's file server (FUSE) would refuse. */
int walker_mount_of(int fd)
{
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, 0, &sx) < 0)
		return -1;
	if (!(sx.stx_mask & STATX_MNT_ID)) {
		errno = ENOSYS;
		return -1;
	}
	return (int)sx.stx_mnt_id;
}

int walker_move_to(int mount, int dir, const char *name)
{
	return (int)syscall(SYS_move_mount, mount, "", dir, name,
		MOVE_MOUNT_F_EMPTY_PATH | (*name ? 0U : MOVE_MOUNT_T_EMPTY_PATH));
}

/* A descriptor as a path below the fresh /proc, where the init is. */
static void put_link(char link[32], int fd)
{
	char *end = stpcpy(link, "self/fd/");
	unsigned int digits = 1;

	for (int rest = fd; rest >= 10; rest /= 10)
		digits++;
	for (unsigned int i = digits; i-- > 0; fd /= 10)
		end[i] = (char)('0' + fd % 10);
	end[digits] = '\0';
}

/*
 * umount2(2) takes no descriptor, but the fresh /proc has a link of it. It detaches what lies on
 * that root, if anything does, before the mount itself (LOOKUP_MOUNTPOINT), so it is called until
 * the mount is none of this namespace any more (EINVAL). Private: what a user goes on mounting
 * there comes no more.
 */
int walker_detach(const struct walker *walker, int fd)
{
	char link[32];

	put_link(link, fd);
	if (fchdir(walker->proc) < 0)
		return -errno;
	(void)syscall(SYS_mount, NULL, link, NULL, PRIVATE, NULL);
	if (syscall(SYS_umount2, link, DETACH) < 0)
		return -errno; /* EINVAL: in a container, one that is locked (mount_namespaces(7))
				*/
	while (syscall(SYS_umount2, link, DETACH) == 0)
		;
	return errno == EINVAL ? 0 : -errno;
}

/* There it is seen by nobody. Its place is what stood under it. */
int walker_move_aside(struct walker *walker, int cover, int dir, const char *name)
{
	struct aside *aside = &walker->aside[walker->n_aside];
	const bool room = walker->n_aside < ASIDE_MAX;

	/* it may have gone meanwhile, or be a file */
	if (!room || walker_move_to(cover, walker->root, "") < 0) {
		(void)close(cover);
		return room ? -EAGAIN : -ENXIO;
	}
	aside->cover = cover;
	aside->place = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	walker->n_aside++;
	return aside->place < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM) ? -errno
											   : 0;
}

/* Put back what went aside since then, the last first: each is mounted on the one before. What has
   no place any more goes. */
void walker_put_back(struct walker *walker, size_t since)
{
	while (walker->n_aside > since) {
		const struct aside aside = walker->aside[--walker->n_aside];

		if (aside.place < 0 || walker_move_to(aside.cover, aside.place, "") < 0)
			(void)walker_detach(walker, aside.cover);
		(void)close(aside.cover);
		if (aside.place >= 0)
			(void)close(aside.place);
	}
}

void walker_leave(struct walker *walker, struct place *place)
{
	walker_put_back(walker, place->n_aside);
	if (place->fd >= 0)
		(void)close(place->fd);
	if (place->dir >= 0)
		(void)close(place->dir);
	place->fd = place->dir = -1;
}

/* A mount has gone. What lay on its root stays where it stood, or goes with it. */
void walker_gone(struct walker *walker, int gone, const struct place *place, bool stays)
{
	for (size_t i = 0; i < walker->n_aside; i++) {
		struct aside *aside = &walker->aside[i];

		if (aside->place < 0 || walker_mount_of(aside->place) != gone)
			continue;
		(void)close(aside->place);
		aside->place =
			stays ? openat(place->dir, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC)
			      : -1;
	}
}

/* SPDX-License-Identifier: MIT */
/* Mounts that cover the way of a walk, moved aside and put back. */
#include "mount_ops.h"
#include "mount_walk.h"

int walker_move_aside(struct walker *walker, int cover, int dir, const char *name)
{
	struct aside *aside = &walker->aside[walker->n_aside];
	const bool room = walker->n_aside < ASIDE_MAX;

	/* it may have gone meanwhile, or be a file */
	if (!room || mount_move(cover, walker->root, "") < 0) {
		(void)close(cover);
		return room ? -EAGAIN : -ENXIO;
	}
	aside->cover = cover;
	aside->place = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	walker->n_aside++;
	if (aside->place < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		return -errno;
	return 0;
}

/* Put back all that went aside after the first so many, the last first: each is mounted on the one
   before. A cover without a place is detached. */
static void put_back(struct walker *walker, size_t since)
{
	while (walker->n_aside > since) {
		const struct aside aside = walker->aside[--walker->n_aside];

		if (aside.place < 0 || mount_move(aside.cover, aside.place, "") < 0)
			(void)mount_detach(walker->proc, aside.cover);
		(void)close(aside.cover);
		if (aside.place >= 0)
			(void)close(aside.place);
	}
}

void walker_leave(struct walker *walker, struct place *place)
{
	put_back(walker, place->n_aside);
	if (place->fd >= 0)
		(void)close(place->fd);
	if (place->dir >= 0)
		(void)close(place->dir);
	place->fd = place->dir = -1;
}

void walker_gone(struct walker *walker, int gone, const struct place *place, bool stays)
{
	for (size_t i = 0; i < walker->n_aside; i++) {
		struct aside *aside = &walker->aside[i];

		if (aside->place < 0 || mount_id_of(aside->place) != gone)
			continue;
		(void)close(aside->place);
		aside->place =
			stays ? openat(place->dir, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC)
			      : -1;
	}
}

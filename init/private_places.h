/* SPDX-License-Identifier: MIT */
/*
 * private=: the user's own /tmp, /var/tmp, /dev/shm and /dev/mqueue in the place of those that all
 * users share. Runs in the init until it is ready, in the session's mount namespace, after the
 * procfs instances have been replaced: one may be mounted below such a place.
 * Async-signal-safe.
 */
#ifndef PAM_UNSHARE_PRIVATE_PLACES_H
#define PAM_UNSHARE_PRIVATE_PLACES_H

#include "init.h"

/**
 * Cover the places. In the file system of the place itself, root's directory ".pam_unshare", which
 * nobody else may enter, has one for each user, by uid: there is as much room as before, and what
 * the user leaves stays as long as it would in the shared place. A place must be root's, and, where
 * others may write, sticky: then nobody can put anything else there in the meantime.
 *
 * Where there is no room for a user's directory, as when another user has filled the place, or
 * where somebody who makes root's directory has stopped and keeps the lock (flock(2) on
 * USER_DIRECTORY), the user gets a small empty file system there, which ends with the mount
 * namespace: nobody keeps others from logging in.
 *
 * @param privacy  what is wanted, and of whom
 * @param full     the places of which that is so are added: enum full_place
 * @param place    set to the place that failed
 * @return 0, or -1 with errno: EPERM (the place is not root's), ELOOP (it is a symbolic link), or
 *         that of the call that failed
 */
int cover_private_places(
	const struct privacy_task *privacy, unsigned int *full, const char **place);

#endif

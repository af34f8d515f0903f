/* SPDX-License-Identifier: MIT */
/*
 * What a session has of its own, or does not see, besides processes: the words of private= and
 * hide= as bits.
 */
#ifndef PAM_UNSHARE_PRIVACY_H
#define PAM_UNSHARE_PRIVACY_H

enum privacy {
	PRIVATE_TMP = 1 << 0,	 /* /tmp and /var/tmp */
	PRIVATE_SHM = 1 << 1,	 /* /dev/shm */
	PRIVATE_MQUEUE = 1 << 2, /* /dev/mqueue, in an IPC namespace */
	HIDE_CGROUPS = 1 << 3,	 /* of /sys/fs/cgroup only the user's branch */
};

/* Places where the user's directory could not be had: a small file system of the namespace's own is
   there instead. */
enum full_place {
	FULL_TMP = 1 << 0,
	FULL_VAR_TMP = 1 << 1,
	FULL_SHM = 1 << 2,
};

/* Where control groups are, and the user's branch there: systemd's slice of a uid. */
#define CGROUPS "/sys/fs/cgroup"
#define CGROUP_SLICE_FORMAT "user.slice/user-%lu.slice"

#endif

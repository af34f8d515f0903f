/* SPDX-License-Identifier: MIT */
/*
 * <linux/mount.h>, with the constants of <sys/mount.h> that are missing there. Before glibc 2.36
 * the two headers exclude each other.
 */
#ifndef PAM_UNSHARE_MOUNT_API_H
#define PAM_UNSHARE_MOUNT_API_H

#include <linux/mount.h>

#ifndef MNT_DETACH
#define MNT_DETACH 2 /* umount2(2) */
#endif

#endif

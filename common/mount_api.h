/* SPDX-License-Identifier: MIT */
/*
 * <linux/mount.h>, with the constants of <sys/mount.h> that are missing there. Never include both:
 * before glibc 2.36 the two headers exclude each other, and later ones have MNT_DETACH as an
 * enumerator.
 */
#ifndef PAM_UNSHARE_MOUNT_API_H
#define PAM_UNSHARE_MOUNT_API_H

#ifdef _SYS_MOUNT_H
#error "<sys/mount.h> and common/mount_api.h exclude each other"
#endif

#include <linux/mount.h>

#ifndef MNT_DETACH
#define MNT_DETACH 2 /* umount2(2) */
#endif
#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x200 /* move_mount(2), Linux 6.5 */
#endif

#endif

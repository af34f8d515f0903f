/* SPDX-License-Identifier: MIT */
/*
 * One mount, with the field names of proc_pid_mountinfo(5), and a parser of its lines. Users choose
 * mount points in part, so the lines are hostile as far as the kernel lets them.
 */
#ifndef PAM_UNSHARE_MOUNTINFO_H
#define PAM_UNSHARE_MOUNTINFO_H

/* What one line of /proc/self/mountinfo says, or statmount(2). The strings point into the line, or
   into the answer. */
struct mount {
	int id, parent;
	const char *root;	   /* the mounted part of the file system; "/": all of it */
	const char *mount_point;   /* relative to the root directory of the process */
	const char *mount_options; /* of this mount */
	const char *fs_type;
	const char *super_options; /* of the file system */
};

/**
 * Parse a line of mountinfo in place, and undo the octal escapes of its paths.
 *
 * Runs in the application, in the init until it is ready, and in the command. Async-signal-safe.
 *
 * @param line   one line without its newline; is written to
 * @param mount  filled in
 * @return 0, or -EINVAL when the line does not have the documented form
 */
int mountinfo_parse(char *line, struct mount *mount);

#endif

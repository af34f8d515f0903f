/* SPDX-License-Identifier: MIT */
/*
 * Files where a user may have put anything: a symbolic link, a FIFO, null bytes. Read by root on
 * the host, and by the user, on the host and in the session.
 */
#ifndef PAM_UNSHARE_USER_FILE_H
#define PAM_UNSHARE_USER_FILE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Read a whole file. A symbolic link at its end is not followed, and a FIFO is not waited for.
 *
 * @param dir  directory descriptor or AT_FDCWD
 * @param n    its length, which is filled in
 * @return its bytes; free(3) them. NULL with errno; EFBIG when it is larger than a megabyte
 */
char *user_file_read(int dir, const char *name, size_t *n);

/** Tell whether a file contains a string. One that cannot be read does not. */
bool user_file_contains(int dir, const char *name, const char *string);

#endif

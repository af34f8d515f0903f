/* SPDX-License-Identifier: MIT */
#ifndef PAM_UNSHARE_AUDIT_FILES_H
#define PAM_UNSHARE_AUDIT_FILES_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Read a whole file, without following a symbolic link at its end.
 *
 * @param dir  directory descriptor or AT_FDCWD
 * @return its n bytes, for free(3); or NULL with errno, EFBIG above a megabyte
 */
char *read_at(int dir, const char *name, size_t *n);

/** Tell whether a file names the directory of an audit. */
bool names_directory(int dir, const char *name, const char *directory);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Reads files, and replaces them in one step. Runs in the command, as root, and in its children, as
 * the user whose session it is.
 */
#ifndef PAM_UNSHARE_FILE_H
#define PAM_UNSHARE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* More than any file has that the command reads as a whole: 256 KiB. */
#define FILE_SIZE_MAX (1 << 18)

/**
 * Read a whole file of the configuration.
 *
 * @return its text, terminated; free(3) it. NULL with errno set: as by open(2) and read(2), ENOMEM,
 *         or EFBIG when it is larger than FILE_SIZE_MAX
 */
char *file_read(const char *path);

/**
 * Read the beginning of a small file, as those of procfs are. A file that cannot be read, as those
 * of a process that has ended, counts as empty.
 *
 * @param directory  that the path is relative to, openat(2)
 * @param text       filled in, always terminated
 * @param size       of text
 * @return how many bytes were read; null bytes may be among them
 */
size_t file_read_start(int directory, const char *path, char *text, size_t size);

/**
 * Replace a file in one step: whoever opens it sees the old one or the new one, also after a
 * crash. The new one has the owner and mode of the old one.
 *
 * @param new   path that the text is written to first, in the same directory; what is there goes
 * @param text  n bytes
 * @param mode  of a file that is not there yet; its owner is this process's then; 0: it must be
 *              there, a regular file
 * @return false with errno set; the old file is then still there, and none at new
 */
bool file_replace(const char *path, const char *new, const char *text, size_t n, mode_t mode);

#endif

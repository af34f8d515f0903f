/* SPDX-License-Identifier: MIT */
/*
 * The configuration file, unshare.conf(5): read as a whole, and taken apart word by word. What the
 * words mean is known to options.c.
 *
 * Runs in the application, and in the command.
 */
#ifndef PAM_UNSHARE_CONF_H
#define PAM_UNSHARE_CONF_H

#include "failure.h"

#include <stddef.h>

/* More than anybody writes into it: 64 KiB. A login reads no more. */
#define CONF_SIZE_MAX 65536

/* What is still to be taken of a file's text. */
struct conf {
	char *at, *end;	   /* the byte at end may be written to, too */
	unsigned int line; /* number of the line that was taken last; the first one is 1 */
};

/**
 * Read the whole file: a regular one, which nobody but root can write to.
 *
 * @param path  absolute
 * @param text  filled in when the file was read; free(3) it. It has one byte more than size.
 * @param size  filled in when the file was read, in bytes; at most CONF_SIZE_MAX
 * @param why   filled in on failure
 * @return 1: it was read; 0: there is no such file; or -errno: as by open(2) and read(2), ENOMEM,
 *         EFBIG, EINVAL when it is no regular file, EPERM when others than root can write to it
 */
int conf_read(const char *path, char **text, size_t *size, struct failure *why);

/**
 * Take the next word, as an argument of the module would be written: `key` or `key=value`. White
 * space around it, and around each "=" and ",", is left out; "#" begins a comment. A line has one
 * word or none.
 *
 * @param conf  advanced past the word; the text is written to
 * @param word  filled in; it lives as long as the text
 * @return 1: a word, 0: the text is at its end, -1: a line that holds a NUL byte was left out
 */
int conf_next(struct conf *conf, char **word);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What the types of parts share. What was in a file before "enable" is there again after "disable",
 * byte for byte: a copy of what was written is kept, and only that is taken out again.
 */
#ifndef PAM_UNSHARE_PART_H
#define PAM_UNSHARE_PART_H

#include "parts.h"

#include <stdbool.h>

/** The state of a part. */
enum part_state part_state(const struct part *part);

/**
 * Enable or disable a part; one that this machine does not have needs no enabling. Given again, it
 * completes what was interrupted.
 *
 * @return whether that went well; what failed is on standard error
 */
bool part_change(const struct part *part, bool enable);

/** Tell whether it is the first entry of its name. */
bool part_is_first(const struct part_set *set, size_t i);

/* What a part with a source finds, as text; free it with part_texts_free(). */
struct part_texts {
	char *there;   /* the file at its path; NULL: none that can be read */
	int err;       /* errno of that; 0: it is there */
	char *wanted;  /* what "enable" writes; NULL: the package's file is missing */
	char *written; /* what was written, maybe by another version of the package; NULL: nothing
			*/
};

/** Read the texts of a part; what cannot be read is NULL. Free them with part_texts_free(). */
void part_texts_read(const struct part *part, struct part_texts *texts);

/** Free the texts of a part. */
void part_texts_free(struct part_texts *texts);

/**
 * Replace the part's file, in one step; a symbolic link stays one. The directory is made if only
 * that is missing.
 *
 * @return NULL, or what failed
 */
const char *part_write(const struct part *part, const char *text);

/** Remove what an interrupted part_write() left. */
void part_clean(const struct part *part);

/** Keep a copy of what was written: as part_write(). */
const char *part_keep_copy(const struct part *part, const char *text);

/** Remove the copy. */
void part_drop_copy(const struct part *part);

/**
 * Keep the modes of what the part changes, unless they are kept already: as part_write(). The
 * directory of the copies is there.
 */
const char *part_keep_modes(const struct part *part);

/** What the part's revert is told: its own input, and the modes. @return free it; NULL: no memory
 */
char *part_revert_input(const struct part *part);

/** Forget the modes, and remove the file that the part made, if it is empty. */
void part_drop_modes(const struct part *part);

/**
 * Run a command of a part, if what it needs is there. NULL: there is none.
 *
 * @return NULL, or what failed; the output of the command is on standard error
 */
const char *part_run(const struct part_command *command, const char *input);

/* ---- text -------------------------------------------------------------------------------------
 */

/** Where the next line begins, or the end of the text. */
const char *next_line(const char *line);

/** Find a block of whole lines; NULL: it is not there. */
char *find_lines(char *text, const char *block);

/** Take a block of whole lines out, once, if it is there. */
void remove_lines(char *text, const char *block);

/** Tell whether the last line of a text is terminated. */
bool ends_with_newline(const char *text);

#endif

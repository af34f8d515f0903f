/* SPDX-License-Identifier: MIT */
/*
 * The parts of "harden": what each one is, and what it is made of. A part with several files is
 * several entries of the table with one name.
 */
#ifndef PAM_UNSHARE_PARTS_H
#define PAM_UNSHARE_PARTS_H

#include <stdbool.h>
#include <stddef.h>

enum part_state {
	PART_OFF,
	PART_ON,
	PART_OWN,    /* the administrator has something there already, which is left alone */
	PART_ABSENT, /* this machine does not have what the part changes */
};

struct part;

/* How a part is put into place. Each function runs as root, on the host. */
struct part_type {
	enum part_state (*state)(const struct part *part);
	/* both return NULL, or what failed; given again, they complete what was interrupted */
	const char *(*enable)(const struct part *part);
	const char *(*disable)(const struct part *part);
	const char *own; /* what PART_OWN means */
};

extern const struct part_type part_file;  /* the whole file is the part's */
extern const struct part_type part_block; /* lines of the package's, in somebody else's file */
extern const struct part_type part_lines; /* the two lines of the module in a file of PAM */

/* A command that makes the system take notice. */
struct part_command {
	const char *needs; /* run only if this exists */
	const char *argv[7];
};

/* It is there where systemd runs, sd_booted(3). */
#define SYSTEMD "/run/systemd/system"

struct part {
	const char *name, *about;
	const struct part_type *type;
	const char *path;  /* the file that is written or changed */
	const char *needs; /* without this the part is PART_ABSENT */
	/* part_file, part_block */
	const char *source;		   /* the package's file */
	const struct part_command *apply;  /* run after enable */
	const struct part_command *revert; /* run after disable */
	const char *revert_input;	   /* its standard input; NULL: none */
	/* part_file: patterns of glob(3), whose modes are kept for revert's input; NULL: none */
	const char *const *modes_of;
	const char *makes; /* a file that apply makes; disable removes an empty one; NULL: none */
	/* part_block */
	const char *below;   /* the line that the block follows; "": at the end */
	const char *setting; /* what the block sets; a file that sets it already is PART_OWN */
	const char *overridden_by; /* a file that is read instead of the path; NULL: none */
	/* part_lines */
	const char *marked_by; /* the command that the lines name */
	const char
		*included; /* what the file includes; with the module in it the part is PART_OWN */
	/* any */
	const char *works;	   /* without this it is PART_OFF; NULL: nothing shows it */
	const char *(*note)(void); /* what the running system says of it; NULL: nothing */
	bool is_unit;		   /* part_file, part_block: systemd reads it: units are reloaded */
	bool only_by_name;	   /* "enable" that names no part leaves it out */
	bool made; /* part_block: the file is made if it is not there, and removed again */
};

/* Parts of one command. They are disabled in the reverse order. */
struct part_set {
	const struct part *parts;
	size_t n;
	bool is_chain; /* a part uses those before it: they are not taken out while it is there */
	const struct part_command *after_enable, *before_disable; /* NULL: none */
};

extern const struct part_set hardening; /* of "harden" */
extern const struct part_set inside;	/* of "enable": the user's life in one namespace */

#endif

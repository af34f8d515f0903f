/* SPDX-License-Identifier: MIT */
/*
 * Tables for people and JSON for programs, from the same rows, with the options of lsns(8) and
 * lsblk(8). libsmartcols prints both, and escapes whatever is not printable. Runs in the command,
 *as root; --help needs no privilege.
 *
 *	static const struct table_column columns[] = {
 *		{.name = "USER", .about = "whose session it is"},
 *		{.name = "PID", .about = "of the init", .type = TABLE_NUMBER},
 *	};
 *	const struct table_layout list_table = {
 *		.name = "sessions", .columns = columns, .n_columns = 2};
 *
 *	struct table *table = table_new(&list_table, &options);
 *
 *	if (!table)
 *		return 2;
 *	for (...)
 *		table_add(table, (const char *const[]){user, pid});
 *	return table_print(table) == 0 ? 0 : 2;
 */
#ifndef PAM_UNSHARE_TABLE_H
#define PAM_UNSHARE_TABLE_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* How JSON shows the cells of a column. A boolean's cells are "0" and "1". */
enum table_type { TABLE_STRING, TABLE_NUMBER, TABLE_BOOLEAN };

struct table_column {
	const char *name;     /* the heading; in small letters, the member's name in JSON */
	const char *about;    /* what the cells say, for table_help() */
	enum table_type type; /* numbers are aligned to the right */
	bool wrap;	      /* a terminal that is too narrow breaks the cells into lines */
	bool tree; /* text draws the tree of the rows here; without this column there is none */
};

struct table_layout {
	const char *name; /* of the array in JSON */
	const struct table_column *columns;
	size_t n_columns;
};

/* What the user wants of a table; all zero: every column, as text, with headings. */
struct table_options {
	bool json, noheadings;
	const char *columns; /* names, separated by commas, in the order wanted; NULL: all */
};

/* For getopt_long(3): the options that every table has. */
#define TABLE_SHORT_OPTIONS "Jno:"
/* clang-format off */
#define TABLE_LONG_OPTIONS \
	{"json", no_argument, NULL, 'J'}, \
	{"noheadings", no_argument, NULL, 'n'}, \
	{"output", required_argument, NULL, 'o'}
/* clang-format on */

/**
 * Take one of these options.
 *
 * @param option    what getopt_long(3) returned
 * @param argument  its optarg, which must remain valid
 * @return false: it is none of them
 */
bool table_option(int option, const char *argument, struct table_options *options);

/** Print the known columns, one a line, for a command's --help. */
void table_help(FILE *to, const struct table_layout *layout);

struct table;

/**
 * Begin a table. An unknown column is reported on standard error, with the known ones: do this
 * before any work, so that a typing error is seen at once.
 *
 * @param layout  must remain valid as long as the table
 * @return NULL when the options are wrong or memory is short; standard error has the reason
 */
struct table *table_new(const struct table_layout *layout, const struct table_options *options);

/**
 * Add a row. Memory that is short is remembered, and reported by table_print().
 *
 * @param cells  one for each column of the layout, chosen or not; copied. In JSON, NULL and "" are
 *               null
 */
void table_add(struct table *table, const char *const cells[]);

/** The same, below the row that table_add() added last: in JSON, one of its "children". */
void table_add_below(struct table *table, const char *const cells[]);

/**
 * Print the table to standard output, and free it.
 *
 * @return 0, or -1 when it could not be written; standard error has the reason
 */
int table_print(struct table *table);

/** Free a table that is not printed; NULL is none. */
void table_free(struct table *table);

#endif

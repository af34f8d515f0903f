/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CHOSEN_MAX 32

struct table {
	struct libscols_table *scols;
	struct libscols_line *above; /* that table_add() added last */
	const struct table_layout *layout;
	size_t chosen[CHOSEN_MAX]; /* indices into the layout's columns */
	size_t n_chosen;
	int error; /* the first -errno; 0: none */
};

bool table_option(int option, const char *argument, struct table_options *options)
{
	switch (option) {
	case 'J':
		options->json = true;
		return true;
	case 'n':
		options->noheadings = true;
		return true;
	case 'o':
		options->columns = argument;
		return true;
	default:
		return false;
	}
}

void table_help(FILE *to, const struct table_layout *layout)
{
	for (size_t i = 0; i < layout->n_columns; i++)
		(void)fprintf(
			to, "  %-14s %s\n", layout->columns[i].name, layout->columns[i].about);
}

static int report_error(int err)
{
	(void)fprintf(stderr, "pam-unshare: cannot print the table: %s\n", strerror(-err));
	return -1;
}

/* ---- which columns ----------------------------------------------------------------------------
 */

static int report_unknown(const struct table *table, const char *name, size_t length)
{
	(void)fprintf(
		stderr, "pam-unshare: unknown column '%.*s'; the columns are", (int)length, name);
	for (size_t i = 0; i < table->layout->n_columns; i++)
		(void)fprintf(stderr, "%s %s", i > 0 ? "," : "", table->layout->columns[i].name);
	(void)fprintf(stderr, "\n");
	return -1;
}

static int choose_column(struct table *table, const char *name, size_t length)
{
	if (table->n_chosen == CHOSEN_MAX) {
		(void)fprintf(
			stderr, "pam-unshare: more than %d columns; name fewer\n", CHOSEN_MAX);
		return -1;
	}
	for (size_t i = 0; i < table->layout->n_columns; i++) {
		const char *known = table->layout->columns[i].name;

		if (strlen(known) != length || strncasecmp(known, name, length) != 0)
			continue;
		table->chosen[table->n_chosen++] = i;
		return 0;
	}
	return report_unknown(table, name, length);
}

/* The columns of a list "NAME,…", or all. */
static int choose_columns(struct table *table, const char *list)
{
	size_t length;

	if (!list) {
		for (size_t i = 0; i < table->layout->n_columns; i++)
			table->chosen[table->n_chosen++] = i;
		return 0;
	}
	for (;; list += length + 1) {
		length = strcspn(list, ",");
		if (choose_column(table, list, length) < 0)
			return -1;
		if (list[length] == '\0')
			return 0;
	}
}

/* ---- libsmartcols -----------------------------------------------------------------------------
 */

static int add_column(struct table *table, const struct table_column *column)
{
	static const int json_types[] = {
		[TABLE_STRING] = SCOLS_JSON_STRING,
		[TABLE_NUMBER] = SCOLS_JSON_NUMBER,
		[TABLE_BOOLEAN] = SCOLS_JSON_BOOLEAN,
	};
	const int flags = (column->type == TABLE_NUMBER ? SCOLS_FL_RIGHT : 0) |
			  (column->wrap ? SCOLS_FL_WRAP : 0) | (column->tree ? SCOLS_FL_TREE : 0);
	struct libscols_column *added =
		scols_table_new_column(table->scols, column->name, 0, flags);

	return added ? scols_column_set_json_type(added, json_types[column->type]) : -ENOMEM;
}

static int make_table(struct table *table, const struct table_options *options)
{
	int err;

	table->scols = scols_new_table();
	if (!table->scols)
		return -ENOMEM;
	err = scols_table_set_name(table->scols, table->layout->name);
	if (err == 0)
		err = scols_table_enable_json(table->scols, options->json);
	if (err == 0)
		err = scols_table_enable_noheadings(table->scols, options->noheadings);
	for (size_t i = 0; i < table->n_chosen && err == 0; i++)
		err = add_column(table, &table->layout->columns[table->chosen[i]]);
	return err;
}

struct table *table_new(const struct table_layout *layout, const struct table_options *options)
{
	struct table *table = calloc(1, sizeof(*table));
	int err;

	if (!table) {
		(void)report_error(-ENOMEM);
		return NULL;
	}
	table->layout = layout;
	if (choose_columns(table, options->columns) == 0) {
		err = make_table(table, options);
		if (err == 0)
			return table;
		(void)report_error(err);
	}
	table_free(table);
	return NULL;
}

static struct libscols_line *add_row(
	struct table *table, struct libscols_line *above, const char *const cells[])
{
	struct libscols_line *line = scols_table_new_line(table->scols, above);
	int err = line ? 0 : -ENOMEM;

	for (size_t i = 0; i < table->n_chosen && err == 0; i++)
		err = scols_line_set_data(line, i, cells[table->chosen[i]]);
	if (table->error == 0)
		table->error = err;
	return line;
}

void table_add(struct table *table, const char *const cells[])
{
	table->above = add_row(table, NULL, cells);
}

void table_add_below(struct table *table, const char *const cells[])
{
	(void)add_row(table, table->above, cells);
}

/* ---- printing ---------------------------------------------------------------------------------
 */

/* libsmartcols prints no headings where there are no rows. */
static void print_headings(const struct table *table)
{
	for (size_t i = 0; i < table->n_chosen; i++)
		printf("%s%s", i > 0 ? " " : "", table->layout->columns[table->chosen[i]].name);
	printf("\n");
}

static int print_rows(struct table *table)
{
	if (!scols_table_is_empty(table->scols) || scols_table_is_json(table->scols))
		return scols_print_table(table->scols);
	if (!scols_table_is_noheadings(table->scols))
		print_headings(table);
	return 0;
}

int table_print(struct table *table)
{
	int err = table->error;

	if (err == 0)
		err = print_rows(table);
	if (err == 0 && fflush(stdout) != 0)
		err = -errno;
	table_free(table);
	return err == 0 ? 0 : report_error(err);
}

void table_free(struct table *table)
{
	if (table)
		scols_unref_table(table->scols);
	free(table);
}

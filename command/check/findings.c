/* SPDX-License-Identifier: MIT */
#include "findings.h"

#include "command/lib/printable.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TEXT_MAX 5120

static const struct table_column columns[] = {
	{.name = "KIND", .about = "line, problem, note, log, message, session, process or result"},
	{.name = "FILE", .about = "the file that it is about"},
	{.name = "LINE", .about = "the line of the file", .type = TABLE_NUMBER},
	{.name = "TEXT", .about = "what was found", .wrap = true},
};

const struct table_layout check_table = {
	.name = "findings", .columns = columns, .n_columns = sizeof(columns) / sizeof(*columns)};

static const struct {
	const char *name, *prefix; /* the prefix of text */
} kinds[] = {
	[FINDING_LINE] = {.name = "line", .prefix = ""},
	[FINDING_PROBLEM] = {.name = "problem", .prefix = "problem: "},
	[FINDING_NOTE] = {.name = "note", .prefix = "note: "},
	[FINDING_LOG] = {.name = "log", .prefix = "log: "},
	[FINDING_MESSAGE] = {.name = "message", .prefix = "shown to the user: "},
	[FINDING_SESSION] = {.name = "session", .prefix = ""},
	[FINDING_PROCESS] = {.name = "process", .prefix = ""},
	[FINDING_RESULT] = {.name = "result", .prefix = "result: "},
};

static int table_failed(struct findings *findings)
{
	(void)fprintf(
		stderr, "pam-unshare: cannot keep the rows of the table: %s\n", strerror(errno));
	table_free(findings->table);
	return -1;
}

int findings_begin(struct findings *findings, const struct table_options *options)
{
	*findings = (struct findings){.rows = -1};
	if (!options->json && !options->noheadings && !options->columns)
		return 0;
	findings->table = table_new(&check_table, options);
	if (!findings->table)
		return -1;
	findings->rows = memfd_create("pam-unshare-check", MFD_CLOEXEC);
	return findings->rows < 0 ? table_failed(findings) : 0;
}

/* A row is a line of four fields, with tabs between them: printable text has neither. */
static void add_row(struct findings *findings, enum finding_kind kind, const char *file,
	unsigned int line, const char *text)
{
	char row[2 * TEXT_MAX], number[16] = "";
	int n;

	if (line > 0)
		(void)snprintf(number, sizeof(number), "%u", line);
	n = snprintf(row, sizeof(row), "%s\t%s\t%s\t%s\n", kinds[kind].name, file, number, text);
	if (write(findings->rows, row, (size_t)n) != n)
		(void)fprintf(stderr, "pam-unshare: a row of the table could not be kept: %s\n",
			strerror(errno));
}

static void add(struct findings *findings, enum finding_kind kind, const char *file,
	unsigned int line, const char *text)
{
	char printable_file[512], printable_text[TEXT_MAX];

	findings->problems += kind == FINDING_PROBLEM;
	if (!findings->table) {
		printf("%s%s\n", kinds[kind].prefix, text);
		return;
	}
	printable(printable_file, sizeof(printable_file), file, strlen(file));
	printable(printable_text, sizeof(printable_text), text, strlen(text));
	add_row(findings, kind, printable_file, line, printable_text);
}

void findings_add(struct findings *findings, enum finding_kind kind, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	add(findings, kind, "", 0, text);
}

void findings_add_at(struct findings *findings, enum finding_kind kind, const char *file,
	unsigned int line, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	add(findings, kind, file, line, text);
}

void findings_add_problem(
	struct findings *findings, const struct pam_stack_line *line, const char *format, ...)
{
	char text[TEXT_MAX / 2];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	findings_add_at(findings, FINDING_PROBLEM, line->file, line->number, "%s line %u%s",
		line->file, line->number, text);
}

void findings_text(const struct findings *findings, const char *text)
{
	if (!findings->table)
		printf("%s\n", text);
}

static void fill_table(struct table *table, FILE *rows)
{
	char *row = NULL;
	size_t size = 0;

	rewind(rows);
	while (getline(&row, &size, rows) >= 0) {
		const char *cells[sizeof(columns) / sizeof(*columns)];
		char *at = row;

		row[strcspn(row, "\n")] = '\0';
		for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++)
			cells[i] = strsep(&at, "\t");
		table_add(table, cells);
	}
	free(row);
}

int findings_end(struct findings *findings)
{
	FILE *rows;

	if (!findings->table)
		return fflush(stdout) == 0 ? 0 : -1;
	rows = fdopen(findings->rows, "r");
	if (!rows)
		return table_failed(findings);
	fill_table(findings->table, rows);
	(void)fclose(rows);
	return table_print(findings->table);
}

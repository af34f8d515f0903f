/* SPDX-License-Identifier: MIT */
#include "pam_stack.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX 16 /* libpam/pam_handlers.c, PAM_SUBSTACK_MAX_LEVEL */

/* Where Linux-PAM looks for a service, in this order. */
static const char *const directories[] = {"/etc/pam.d", "/usr/lib/pam.d"};
#define N_DIRECTORIES (sizeof(directories) / sizeof(*directories))

struct reader {
	const char *root;
	struct pam_stack *stack;
};

static int read_file(const struct reader *reader, const char *file, int depth);

/*
 * Add a fault, of a line unless that is NULL: the text continues "FILE line NUMBER" then. Faults
 * beyond the last are consequences of the others, and dropped. Returns 0.
 */
__attribute__((format(printf, 3, 4))) static int add_fault(
	struct pam_stack *stack, const struct pam_stack_line *line, const char *format, ...)
{
	struct pam_stack_fault *fault = &stack->faults[stack->n_faults];
	size_t n = 0;
	va_list args;

	if (stack->n_faults == PAM_STACK_FAULTS)
		return 0;
	stack->n_faults++;
	if (line) {
		(void)snprintf(fault->file, sizeof(fault->file), "%s", line->file);
		fault->number = line->number;
		(void)snprintf(
			fault->text, sizeof(fault->text), "%s line %u", line->file, line->number);
		n = strlen(fault->text);
	}
	va_start(args, format);
	(void)vsnprintf(fault->text + n, sizeof(fault->text) - n, format, args);
	va_end(args);
	return 0;
}

/* Keep a line, and its text. */
static int add_line(struct pam_stack *stack, struct pam_stack_line *line)
{
	struct pam_stack_line *to = &stack->lines[stack->n];

	if (stack->n == PAM_STACK_LINES)
		return add_fault(stack, NULL,
			"there are more than %d session lines: those from %s line %u on were not checked.",
			PAM_STACK_LINES, line->file, line->number);
	*to = *line;
	to->file_copy = strdup(line->file);
	if (!to->file_copy)
		return -ENOMEM;
	to->file = to->file_copy;
	line->text = NULL;
	stack->n++;
	return 0;
}

/* ---- one line ---------------------------------------------------------------------------------
 */

/*
 * Take the next word of a line. A word in brackets may contain spaces, and "\]" in it stands for a
 * bracket (libpam/pam_misc.c, _pam_tokenize() and _pam_mkargv()).
 */
static char *next_word(char **at, bool *brackets)
{
	char *s = *at + strspn(*at, " \t"), *word, *to;

	*brackets = *s == '[';
	if (*s == '\0')
		return NULL;
	if (!*brackets) {
		word = s;
		s += strcspn(s, " \t");
		if (*s != '\0')
			*s++ = '\0';
		*at = s;
		return word;
	}
	word = to = ++s;
	for (; *s != '\0' && *s != ']'; s++) {
		if (*s == '\\' && s[1] == ']')
			s++;
		*to++ = *s;
	}
	*at = *s == ']' ? s + 1 : s;
	*to = '\0';
	return word;
}

/* Files include files, DEPTH_MAX deep. NOLINTBEGIN(misc-no-recursion) */

/* Read an included file: from the directories of services, unless its name is a path. */
static int read_included(const struct reader *reader, const char *name, int depth)
{
	char path[512];
	int err = -ENOENT;

	if (name[0] == '/')
		return read_file(reader, name, depth);
	for (size_t i = 0; i < N_DIRECTORIES && err == -ENOENT; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", directories[i], name);
		err = read_file(reader, path, depth);
	}
	return err;
}

static int include(
	const struct reader *reader, const struct pam_stack_line *from, const char *name, int depth)
{
	int err;

	if (!name)
		return add_fault(reader->stack, from, " includes a file and names none.");
	if (depth >= DEPTH_MAX)
		return add_fault(reader->stack, from,
			" includes %s: files include each other more than %d times deep, and PAM refuses that.",
			name, DEPTH_MAX);
	err = read_included(reader, name, depth + 1);
	if (err != -ENOENT)
		return err;
	return add_fault(reader->stack, from,
		" includes %s, which does not exist: PAM then refuses everybody. Correct the name or take the line out.",
		name);
}

/* A line of another type does not count, unless it should have been one of the session's. */
static int take_other_type(
	const struct reader *reader, const struct pam_stack_line *line, const char *type)
{
	static const char *const types[] = {"auth", "account", "password"};
	bool known = false;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		known |= strcasecmp(type, types[i]) == 0;
	if (!known)
		return add_fault(reader->stack, line,
			" begins with '%s', which is no type: write session, auth, account or password.",
			type);
	if (line->module && strstr(line->module, "pam_unshare.so"))
		return add_fault(reader->stack, line,
			" lists pam_unshare.so with the type '%s', which it does not have: write 'session'.",
			type);
	return 0;
}

static bool is_include(const struct pam_stack_line *line)
{
	return !line->brackets && (strcasecmp(line->control, "include") == 0 ||
					  strcasecmp(line->control, "substack") == 0);
}

/* Take a line without comment and continuation: keep it if it is one of the session's. */
static int take_line(const struct reader *reader, struct pam_stack_line *line, int depth)
{
	bool brackets;
	char *at = line->text, *type = next_word(&at, &brackets), *word;

	if (!type)
		return 0;
	if (strcasecmp(type, "@include") == 0)
		return include(reader, line, next_word(&at, &brackets), depth);
	line->silent = type[0] == '-';
	type += line->silent;
	line->control = next_word(&at, &line->brackets);
	line->module = next_word(&at, &brackets);
	if (strcasecmp(type, "session") != 0)
		return take_other_type(reader, line, type);
	if (!line->module)
		return add_fault(reader->stack, line,
			" names no module: a line is 'session', a control such as 'requisite', and a module.");
	if (is_include(line))
		return include(reader, line, line->module, depth);
	while (line->argc < PAM_STACK_ARGUMENTS && (word = next_word(&at, &brackets)))
		line->argv[line->argc++] = word;
	return add_line(reader->stack, line);
}

/* ---- files ------------------------------------------------------------------------------------
 */

/*
 * Read one line, with those that continue it: "#" begins a comment, and "\" at the end joins the
 * next line (libpam/pam_handlers.c, _pam_assemble_line()). NULL at the end of the file.
 */
static char *read_line(FILE *file, unsigned int *number)
{
	char *whole = NULL, *part = NULL, *joined;
	size_t size = 0, n = 0, have;
	bool more = true;

	while (more && getline(&part, &size, file) >= 0) {
		++*number;
		have = strcspn(part, "#\n");
		more = have > 0 && part[have] != '#' && part[have - 1] == '\\';
		have -= more;
		joined = realloc(whole, n + have + 2);
		if (!joined)
			break;
		whole = joined;
		memcpy(whole + n, part, have);
		n += have;
		if (more)
			whole[n++] = ' ';
		whole[n] = '\0';
	}
	free(part);
	return whole;
}

/* Two files that include each other twice would be read 2^DEPTH_MAX times. Tells whether another
   file is too many. */
static bool too_many_files(struct pam_stack *stack)
{
	if (++stack->n_files == PAM_STACK_FILES + 1)
		(void)add_fault(stack, NULL,
			"more than %d files are included: do some include each other?",
			PAM_STACK_FILES);
	return stack->n_files > PAM_STACK_FILES;
}

/* "include" takes the lines of one type, "@include" all; only the session's are kept anyway. */
static int read_lines(const struct reader *reader, const char *name, FILE *file, int depth)
{
	struct pam_stack_line line = {.file = name};
	unsigned int number = 0;
	int err = 0;

	while (err >= 0 && (line.text = read_line(file, &number))) {
		line.number = number;
		line.argc = 0;
		err = take_line(reader, &line, depth);
		free(line.text);
	}
	return err < 0 ? -ENOMEM : 0;
}

static int read_file(const struct reader *reader, const char *name, int depth)
{
	char path[512];
	FILE *file;
	int err = 0;

	(void)snprintf(path, sizeof(path), "%s%s", reader->root, name);
	file = fopen(path, "re");
	if (!file && (errno == ENOENT || errno == ENOTDIR))
		return -ENOENT;
	if (!file)
		return add_fault(
			reader->stack, NULL, "%s cannot be read: %s.", name, strerror(errno));
	if (!too_many_files(reader->stack))
		err = read_lines(reader, name, file, depth);
	(void)fclose(file);
	return err;
}
/* NOLINTEND(misc-no-recursion) */

/* PAM uses the last component of the name, in lower case (libpam/pam_start.c). */
static int read_service(const struct reader *reader, const char *service, char *file, size_t size)
{
	const char *slash = strrchr(service, '/');
	int err = -ENOENT;

	for (size_t i = 0; i < N_DIRECTORIES && err == -ENOENT; i++) {
		(void)snprintf(file, size, "%s/%s", directories[i], slash ? slash + 1 : service);
		for (char *s = file; *s != '\0'; s++)
			*s = (char)tolower((unsigned char)*s);
		err = read_file(reader, file, 0);
	}
	if (err == -ENOENT)
		file[0] = '\0';
	return err;
}

int pam_stack_read(const char *root, const char *service, struct pam_stack *stack)
{
	const struct reader reader = {.root = root, .stack = stack};
	char other[64];
	int err;

	*stack = (struct pam_stack){0};
	err = read_service(&reader, service, stack->file, sizeof(stack->file));
	if (err == -ENOMEM)
		return err;
	if (err == -ENOENT)
		err = add_fault(stack, NULL,
			"there is no file /etc/pam.d/%s: PAM uses the lines of /etc/pam.d/other. Does the service have another name? The application's documentation has its PAM name.",
			service);
	else if (stack->n == 0)
		err = add_fault(stack, NULL,
			"%s has no session line: PAM uses those of /etc/pam.d/other. Add 'session' lines.",
			stack->file);
	if (err == 0 && stack->n == 0)
		err = read_service(&reader, "other", other, sizeof(other));
	return err == -ENOMEM ? err : 0;
}

void pam_stack_free(struct pam_stack *stack)
{
	for (size_t i = 0; i < stack->n; i++) {
		free(stack->lines[i].text);
		free(stack->lines[i].file_copy);
	}
}

bool pam_stack_line_is_module(const struct pam_stack_line *line, const char *name)
{
	const char *slash = strrchr(line->module, '/');

	return strcmp(slash ? slash + 1 : line->module, name) == 0;
}

bool pam_stack_line_has_argument(const struct pam_stack_line *line, const char *word)
{
	for (int i = 0; i < line->argc; i++)
		if (strcmp(line->argv[i], word) == 0)
			return true;
	return false;
}

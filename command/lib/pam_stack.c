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

struct reader {
	const char *root;
	struct pam_stack *stack;
};

static int read_file(const struct reader *reader, const char *file, int depth);

/* A fault that is one too many is a consequence of the others. */
__attribute__((format(printf, 2, 3))) static int add_fault(
	struct pam_stack *stack, const char *format, ...)
{
	va_list args;

	if (stack->n_faults == PAM_STACK_FAULTS)
		return 0;
	va_start(args, format);
	(void)vsnprintf(
		stack->faults[stack->n_faults].text, sizeof(stack->faults->text), format, args);
	va_end(args);
	stack->n_faults++;
	return 0;
}

/* Keep a line, and its text. */
static int add_line(struct pam_stack *stack, struct pam_stack_line *line)
{
	struct pam_stack_line *to = &stack->lines[stack->n];

	if (stack->n == PAM_STACK_LINES)
		return add_fault(stack,
			"there are more than %d session lines, what follows %s line %u was not looked at.",
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
 * Take the next word of a line. A word in brackets may hold spaces, and "\]" stands for a bracket
 * in it (libpam/pam_misc.c, _pam_tokenize() and _pam_mkargv()).
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

/* An included file: in the directory of services unless it is a path. */
static int include(
	const struct reader *reader, const struct pam_stack_line *from, const char *name, int depth)
{
	char path[512];
	int err;

	if (!name)
		return add_fault(reader->stack, "%s line %u includes a file and names none",
			from->file, from->number);
	if (depth >= DEPTH_MAX)
		return add_fault(reader->stack,
			"%s line %u includes %s: files include each other more than %d times deep, PAM refuses that",
			from->file, from->number, name, DEPTH_MAX);
	if (name[0] == '/') {
		err = read_file(reader, name, depth + 1);
	} else {
		err = -ENOENT;
		for (size_t i = 0; i < 2 && err == -ENOENT; i++) {
			(void)snprintf(path, sizeof(path), "%s/%s", directories[i], name);
			err = read_file(reader, path, depth + 1);
		}
	}
	if (err != -ENOENT)
		return err;
	return add_fault(reader->stack,
		"%s line %u includes %s, which does not exist: PAM then refuses everybody. Correct the name or take the line out.",
		from->file, from->number, name);
}

/* Take a line without comment and continuation: keep it when it is one of the session's. */
static int take_line(const struct reader *reader, struct pam_stack_line *line, int depth)
{
	static const char *const types[] = {"auth", "account", "password"};
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
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcasecmp(type, types[i]) == 0)
			return line->module && strstr(line->module, "pam_unshare.so")
				       ? add_fault(reader->stack,
						 "%s line %u lists pam_unshare.so with the type '%s', which it does not have: write 'session'.",
						 line->file, line->number, types[i])
				       : 0;
	if (strcasecmp(type, "session") != 0)
		return add_fault(reader->stack,
			"%s line %u begins with '%s', which is no type: write session, auth, account or password.",
			line->file, line->number, type);
	if (!line->module)
		return add_fault(reader->stack,
			"%s line %u names no module: a line is 'session', a control as 'requisite', and a module.",
			line->file, line->number);
	if (!line->brackets && (strcasecmp(line->control, "include") == 0 ||
				       strcasecmp(line->control, "substack") == 0))
		return include(reader, line, line->module, depth);
	while (line->argc < PAM_STACK_ARGUMENTS && (word = next_word(&at, &brackets)))
		line->argv[line->argc++] = word;
	return add_line(reader->stack, line);
}

/* ---- files ------------------------------------------------------------------------------------
 */

/*
 * Read one line, with those that continue it: without what follows a "#", a "\" at the end joins
 * (libpam/pam_handlers.c, _pam_assemble_line()). NULL at the end of the file.
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

/* "include" takes the lines of one type, "@include" all of them: here only the session's count. */
static int read_file(const struct reader *reader, const char *name, int depth)
{
	char path[512];
	struct pam_stack_line line = {.file = name};
	unsigned int number = 0;
	FILE *file;
	int err = 0;

	(void)snprintf(path, sizeof(path), "%s%s", reader->root, name);
	file = fopen(path, "re");
	if (!file && (errno == ENOENT || errno == ENOTDIR))
		return -ENOENT;
	if (!file)
		return add_fault(reader->stack, "%s cannot be read: %s.", name, strerror(errno));
	/* two files that include each other twice are read 2^DEPTH_MAX times */
	if (reader->stack->n_files++ >= PAM_STACK_FILES) {
		(void)fclose(file);
		return reader->stack->n_files > PAM_STACK_FILES + 1
			       ? 0
			       : add_fault(reader->stack,
					 "more than %d files are included: do some include each other?",
					 PAM_STACK_FILES);
	}
	while (err >= 0 && (line.text = read_line(file, &number))) {
		line.number = number;
		line.argc = 0;
		err = take_line(reader, &line, depth);
		free(line.text);
	}
	(void)fclose(file);
	return err < 0 ? -ENOMEM : 0;
}
/* NOLINTEND(misc-no-recursion) */

/* PAM takes a name's last component, in small letters (libpam/pam_start.c). */
static int read_service(const struct reader *reader, const char *service, char *file, size_t size)
{
	const char *slash = strrchr(service, '/');
	int err = -ENOENT;

	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories) && err == -ENOENT; i++) {
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
		err = add_fault(stack,
			"there is no file /etc/pam.d/%s: PAM uses those lines of /etc/pam.d/other. Is the service called differently? The application's documentation tells its PAM name.",
			service);
	else if (stack->n == 0)
		err = add_fault(stack,
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

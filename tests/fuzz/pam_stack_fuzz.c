/* SPDX-License-Identifier: MIT */
/* The files of a PAM service, which may include each other: their texts are separated by NUL. */
#include "command/lib/pam_stack.h"
#include "fuzz.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/dev/shm/stack_fuzz.XXXXXX";

static const char *const names[] = {"service", "other", "common", "a"};

static void remove_root(void)
{
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		(void)snprintf(path, sizeof(path), "%s/etc/pam.d/%s", root, names[i]);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof(path), "%s/etc/pam.d", root);
	(void)rmdir(path);
	(void)snprintf(path, sizeof(path), "%s/etc", root);
	(void)rmdir(path);
	(void)rmdir(root);
}

static void make_root(void)
{
	static bool made;
	char path[128];

	if (made)
		return;
	made = true;
	DEMAND(mkdtemp(root));
	(void)snprintf(path, sizeof(path), "%s/etc", root);
	DEMAND(mkdir(path, 0700) == 0);
	(void)snprintf(path, sizeof(path), "%s/etc/pam.d", root);
	DEMAND(mkdir(path, 0700) == 0);
	DEMAND(atexit(remove_root) == 0);
}

static void put(const char *name, const uint8_t *data, size_t size)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/etc/pam.d/%s", root, name);
	file = fopen(path, "we");
	DEMAND(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

static void check_stack(const struct pam_stack *stack)
{
	DEMAND(stack->n <= PAM_STACK_LINES && stack->n_faults <= PAM_STACK_FAULTS);
	for (size_t i = 0; i < stack->n; i++) {
		const struct pam_stack_line *line = &stack->lines[i];

		DEMAND(line->text && line->file && line->control && line->module);
		DEMAND(line->argc >= 0 && line->argc <= PAM_STACK_ARGUMENTS && line->number > 0);
		DEMAND(strlen(line->control) + strlen(line->module) + strlen(line->file) > 0);
		for (int k = 0; k < line->argc; k++)
			DEMAND(strlen(line->argv[k]) < 1U << 20);
		DEMAND_OF_CONTROL(!line->brackets || line->argc < 2);
	}
	for (size_t i = 0; i < stack->n_faults; i++)
		DEMAND(stack->faults[i].text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pam_stack stack;

	make_root();
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
		size_t n = end ? (size_t)(end - data) : size;

		put(names[i], data, n);
		n += end != NULL;
		data += n;
		size -= n;
	}
	DEMAND(pam_stack_read(root, "service", &stack) == 0);
	check_stack(&stack);
	pam_stack_free(&stack);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "outside_scan.h"

#include "common/syscalls.h"
#include "proc_scan.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void scan_command(
	const struct audit_context *context, const char *path, struct scan_command *command)
{
	proc_scan_arguments(context, path, command->strings, command->argv);
}

void scan_line(const struct audit_context *context, const char *path, char *line, size_t size)
{
	struct scan_command command;

	scan_command(context, path, &command);
	(void)snprintf(line, size, "%s %s %s %s %s", command.argv[0], command.argv[1],
		command.argv[2], command.argv[3], command.argv[4]);
}

void scan_path(const struct audit_context *context, const char *name, char *path, size_t size)
{
	(void)snprintf(path, size, "%s/user/%s", context->directory, name);
}

void append(const char *argv[], size_t size, const char *const more[])
{
	size_t n = 0;

	while (argv[n])
		n++;
	for (size_t i = 0; more[i] && n + 1 < size; i++)
		argv[n++] = more[i];
	argv[n] = NULL;
}

void nap(void)
{
	const struct timespec tenth = {.tv_nsec = 100000000};

	(void)nanosleep(&tenth, NULL);
}

void scan_await(const struct audit_context *context, const char *where, const char *path,
	int limit_s, const char *hint, struct result *result)
{
	char text[8192] = "";
	ssize_t n = 0;

	for (int i = 0; i < limit_s * 10 && !strstr(text, "\nend\n"); i++) {
		int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

		n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		close_fd(&fd);
		nap();
	}
	if (text[0] == '\0')
		result_set(result, NOT_TESTED, "%s has not run the program within %d s: %.150s",
			where, limit_s, hint);
	else
		proc_scan_judge_report(context, where, text, result);
}

void scan_judge_output(const struct audit_context *context, const char *where,
	struct subprocess *program, struct result *result)
{
	if (program->too_long)
		result_set(result, NOT_TESTED, "%s did not end in time", where);
	else
		proc_scan_judge_report(context, where, program->text, result);
	subprocess_free(program);
}

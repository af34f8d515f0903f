/* SPDX-License-Identifier: MIT */
/*
 * pam-unshare harden: the measures besides the module. What was there before is there again after
 * "disable", byte for byte: a file is removed only if it is the package's, and of a file of PAM
 * only those lines are taken out that were put in.
 */
#include "harden.h"

#include "../syscalls.h"
#include "tool.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1 << 18)
#define MARK " # pam-unshare harden\n"
#define FIRST_LINE "session requisite pam_unshare.so close" MARK
#define LAST_LINE "session requisite pam_unshare.so open" MARK

/* Beside the directory of this program. */
#define SOURCES "../share/pam-unshare/hardening"

struct part {
	const char *name, *about;
	const char *source; /* the file that is copied; NULL: lines in a file of PAM */
	const char *path;
	const char *needs;		  /* without this the part is for nothing here */
	const char *after[7], *undone[7]; /* what is run afterwards */
	const char *undone_input;
};

#define RELOAD_BUS                                                                     \
	{                                                                              \
		"busctl", "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", \
			"ReloadConfig"                                                 \
	}

static const struct part parts[] = {
	{.name = "bus",
		.about = "D-Bus: other users' units and processes",
		.source = "bus.conf",
		.path = "/etc/dbus-1/system.d/pam-unshare.conf",
		.needs = "/etc/dbus-1/system.d",
		.after = RELOAD_BUS,
		.undone = RELOAD_BUS},
	{.name = "units",
		.about = "files with the command lines of units",
		.source = "units.conf",
		.path = "/etc/tmpfiles.d/pam-unshare.conf",
		.needs = "/run/systemd/system",
		.after = {"systemd-tmpfiles", "--create", "/etc/tmpfiles.d/pam-unshare.conf"},
		.undone = {"systemd-tmpfiles", "--create", "-"},
		.undone_input =
			"z /run/systemd/transient 0755\nz /run/systemd/io.systemd.Manager 0666\n"},
	{.name = "user-manager",
		.about = "no user manager, but for sudo's members",
		.source = "user-manager.conf",
		.path = "/etc/systemd/system/user@.service.d/pam-unshare.conf",
		.needs = "/run/systemd/system",
		.after = {"systemctl", "daemon-reload"},
		.undone = {"systemctl", "daemon-reload"}},
	{.name = "cron",
		.about = "cron jobs are isolated",
		.path = "/etc/pam.d/cron",
		.needs = "/etc/pam.d/cron"},
	{.name = "atd",
		.about = "at jobs are isolated",
		.path = "/etc/pam.d/atd",
		.needs = "/etc/pam.d/atd"},
	{.name = "process-events",
		.about = "no process events, from the next boot on",
		.source = "process-events.cfg",
		.path = "/etc/default/grub.d/pam-unshare.cfg",
		.needs = "/etc/default/grub.d",
		.after = {"update-grub"},
		.undone = {"update-grub"}},
};

#define PARTS (sizeof(parts) / sizeof(*parts))

/* ---- files ------------------------------------------------------------------------------------
 */

/* A whole file, terminated; NULL with errno. */
static char *read_file(const char *path)
{
	int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : malloc(FILE_MAX + 1);
	ssize_t n = text ? read(fd, text, FILE_MAX + 1) : -1;

	if (n >= 0 && n <= FILE_MAX) {
		text[n] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

/* Replace a file, or make it, in one step, with the mode and owner that it had. */
static bool write_file(const char *path, const char *text)
{
	char new[256];
	struct stat st = {.st_mode = 0644};
	size_t n = strlen(text);
	int fd AUTO_CLOSE = -1;

	(void)stat(path, &st);
	(void)snprintf(new, sizeof(new), "%s.pam-unshare-new", path);
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && write(fd, text, n) == (ssize_t)n && fchown(fd, st.st_uid, st.st_gid) == 0 &&
		fchmod(fd, st.st_mode & 07777) == 0 && fsync(fd) == 0 && rename(new, path) == 0)
		return true;
	(void)unlink(new);
	return false;
}

/* The directory of a file, with its parent. */
static void make_directory(const char *path)
{
	char directory[256];
	char *slash;

	(void)snprintf(directory, sizeof(directory), "%s", path);
	slash = strrchr(directory, '/');
	*slash = '\0';
	(void)mkdir(directory, 0755);
}

static void source_path(const struct part *part, char *path, size_t size)
{
	char own[256];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);

	own[n > 0 ? n : 0] = '\0';
	if (strrchr(own, '/'))
		*strrchr(own, '/') = '\0';
	(void)snprintf(path, size, "%s/" SOURCES "/%s", own, part->source);
}

static void run_after(const char *const argv[], const char *input)
{
	struct tool tool = {.input = input};

	if (argv[0] && tool_run(&tool, argv) == 0) {
		if (tool.status != 0)
			(void)fprintf(stderr, "pam-unshare: %s: %s", argv[0], tool.text);
		tool_free(&tool);
	}
}

/* ---- parts that are a file --------------------------------------------------------------------
 */

enum state { OFF, ON, OTHERS, NOT_HERE };

static enum state file_state(const struct part *part, char **wanted)
{
	char path[512];
	char *there = read_file(part->path);
	enum state state = OFF;

	source_path(part, path, sizeof(path));
	*wanted = read_file(path);
	if (there)
		state = *wanted && strcmp(there, *wanted) == 0 ? ON : OTHERS;
	free(there);
	return state;
}

static const char *file_enable(const struct part *part)
{
	char *wanted;
	enum state state = file_state(part, &wanted);
	const char *failed = NULL;

	if (!wanted)
		failed = "the file that it is copied from is not there; install the package";
	else if (state == OTHERS)
		failed = "there is another file of that name; it is left as it is";
	else if (state == OFF) {
		make_directory(part->path);
		failed = write_file(part->path, wanted) ? NULL : strerror(errno);
	}
	free(wanted);
	if (!failed)
		run_after(part->after, NULL);
	return failed;
}

static const char *file_disable(const struct part *part)
{
	char *wanted;
	enum state state = file_state(part, &wanted);
	char directory[256];

	free(wanted);
	if (state == OTHERS)
		return "the file has been changed; remove it by hand";
	if (state != ON)
		return NULL;
	if (unlink(part->path) < 0)
		return strerror(errno);
	(void)snprintf(directory, sizeof(directory), "%s", part->path);
	*strrchr(directory, '/') = '\0';
	if (strstr(directory, ".service.d"))
		(void)rmdir(directory); /* unless it has another drop-in */
	run_after(part->undone, part->undone_input);
	return NULL;
}

/* ---- parts that are lines in a file of PAM ----------------------------------------------------
 */

static const char *line_after(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : line + strlen(line);
}

/* Where the session lines begin: before them everything is opened on the host. */
static bool begins_sessions(const char *line)
{
	line += strspn(line, " \t-");
	return strncasecmp(line, "session", 7) == 0 ||
	       strncmp(line, "@include common-session", 23) == 0;
}

static enum state lines_state(const char *text)
{
	enum state state = OFF;

	if (strstr(text, FIRST_LINE) && strstr(text, LAST_LINE))
		return ON;
	for (const char *line = text; *line != '\0'; line = line_after(line)) {
		const char *name = strstr(line, "pam_unshare.so");

		if (line[strspn(line, " \t")] != '#' && name && name < line_after(line))
			state = OTHERS;
	}
	return state;
}

static const char *lines_enable(const struct part *part)
{
	char *text = read_file(part->path), *new = NULL;
	const char *at = text, *failed = NULL;

	if (!text)
		return strerror(errno);
	while (*at != '\0' && !begins_sessions(at))
		at = line_after(at);
	if (lines_state(text) == OFF) {
		if (text[0] == '\0' || text[strlen(text) - 1] != '\n' ||
			asprintf(&new, "%.*s" FIRST_LINE "%s" LAST_LINE, (int)(at - text), text,
				at) < 0)
			failed = "its last line has no end; add the two lines by hand, "
				 "pam_unshare(8)";
		else if (!write_file(part->path, new))
			failed = strerror(errno);
	}
	free(new);
	free(text);
	return failed;
}

static void take_out(char *text, const char *line)
{
	char *at = strstr(text, line);

	if (at)
		memmove(at, at + strlen(line), strlen(at + strlen(line)) + 1);
}

static const char *lines_disable(const struct part *part)
{
	char *text = read_file(part->path);
	const char *failed = NULL;

	if (!text)
		return NULL;
	if (strstr(text, FIRST_LINE) || strstr(text, LAST_LINE)) {
		take_out(text, FIRST_LINE);
		take_out(text, LAST_LINE);
		failed = write_file(part->path, text) ? NULL : strerror(errno);
	}
	free(text);
	return failed;
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static bool in_kernel(void)
{
	char *line = read_file("/proc/cmdline");
	bool is = line && strstr(line, "initcall_blacklist=cn_proc_init");

	free(line);
	return is;
}

static enum state state_of(const struct part *part)
{
	char *text;
	enum state state;

	if (access(part->needs, F_OK) < 0)
		return NOT_HERE;
	if (part->source) {
		state = file_state(part, &text);
	} else {
		text = read_file(part->path);
		state = text ? lines_state(text) : NOT_HERE;
	}
	free(text);
	return state;
}

static int show(const struct part *part)
{
	static const char *const words[] = {
		[OFF] = "off", [ON] = "on", [OTHERS] = "own", [NOT_HERE] = "-"};
	const enum state state = state_of(part);
	const char *more = "";

	if (strcmp(part->name, "process-events") == 0)
		more = in_kernel() ? "; this kernel has none" : "; this kernel may have them";
	else if (state == OTHERS)
		more = part->source ? "; the file is not the package's" : "; by lines of your own";
	else if (state == NOT_HERE)
		more = "; not on this machine";
	printf("%-15s %-4s %s: %s%s\n", part->name, words[state], part->about, part->path, more);
	return 0;
}

static int change(const struct part *part, bool enable)
{
	const char *failed;

	if (access(part->needs, F_OK) < 0)
		return show(part);
	if (part->source)
		failed = enable ? file_enable(part) : file_disable(part);
	else
		failed = enable ? lines_enable(part) : lines_disable(part);
	if (!failed)
		return show(part);
	(void)fprintf(stderr, "pam-unshare: %s: %s: %s\n", part->name, part->path, failed);
	return 1;
}

static bool is_named(const char *name, char *const names[], int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return n == 0;
}

static bool all_known(char *const names[], int n)
{
	for (int i = 0; i < n; i++) {
		bool known = false;

		for (size_t k = 0; k < PARTS; k++)
			known |= strcmp(parts[k].name, names[i]) == 0;
		if (known)
			continue;
		(void)fprintf(
			stderr, "pam-unshare: there is no part '%s'; the parts are", names[i]);
		for (size_t k = 0; k < PARTS; k++)
			(void)fprintf(stderr, " %s", parts[k].name);
		(void)fprintf(stderr, "\n");
		return false;
	}
	return true;
}

int harden(const char *verb, char *const names[], int n)
{
	const bool enable = strcmp(verb, "enable") == 0;
	int status = 0;

	if (!all_known(names, n))
		return 2;
	for (size_t i = 0; i < PARTS; i++)
		if (is_named(parts[i].name, names, n))
			status |= strcmp(verb, "status") == 0 ? show(&parts[i])
							      : change(&parts[i], enable);
	return fflush(stdout) == 0 ? status : 2;
}

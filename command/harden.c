/* SPDX-License-Identifier: MIT */
/*
 * pam-unshare harden: the measures besides the module. What was there before is there again after
 * "disable", byte for byte: a file is removed only if it is as it was written, of which a copy is
 * kept, and of a file of PAM or of a mailer only those lines are taken out that were put in.
 * Whatever is interrupted is completed by the same command given again.
 */
#include "harden.h"

#include "command/lib/subprocess.h"
#include "common/syscalls.h"

#include <limits.h>
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

/* Files as they were written: an upgrade may bring others. */
#define COPIES "/var/lib/pam-unshare"

/* A file that is being replaced, and one that is gone while what it did is not yet undone. */
#define NEW ".pam-unshare-new"
#define GONE ".pam-unshare-gone"

#define LOCK "/run/pam-unshare-harden.lock"

/* update-grub looks for other systems on all disks. */
#define LIMIT_S 900

struct command {
	const char *running; /* without this it need not be run */
	const char *argv[7];
};

struct part {
	const char *name, *about;
	const char *source; /* the file that is copied, or put in; NULL: lines in a file of PAM */
	const char *path;
	const char *below; /* it is put in below this line, ""  at the end; NULL: it is the file */
	const char *setting;		      /* and sets this, unless somebody else has */
	const char *instead;		      /* where this is, nobody reads the file */
	const char *needs;		      /* without this the part is for nothing here */
	const struct command *after, *undone; /* what is run afterwards */
	const char *undone_input;
};

#define SYSTEMD "/run/systemd/system"

static const struct command reload_bus = {"/run/dbus/system_bus_socket",
	{"busctl", "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "ReloadConfig"}};

static const struct command make_files = {
	SYSTEMD, {"systemd-tmpfiles", "--create", "/etc/tmpfiles.d/pam-unshare.conf"}};

static const struct command give_modes = {SYSTEMD, {"systemd-tmpfiles", "--create", "-"}};

static const struct command reload_units = {SYSTEMD, {"systemctl", "daemon-reload"}};

/* exim executes itself anew for each delivery, so its daemon need not hear of it. */
static const struct command update_exim = {"/usr/sbin/update-exim4.conf", {"update-exim4.conf"}};

static const struct command reload_postfix = {
	SYSTEMD, {"systemctl", "try-reload-or-restart", "postfix.service"}};

static const struct command update_grub = {"/usr/sbin/update-grub", {"update-grub"}};

static const struct part parts[] = {
	{.name = "bus",
		.about = "D-Bus: other users' units and processes",
		.source = "bus.conf",
		.path = "/etc/dbus-1/system.d/pam-unshare.conf",
		.needs = "/etc/dbus-1/system.d",
		.after = &reload_bus,
		.undone = &reload_bus},
	{.name = "units",
		.about = "files with the command lines of units",
		.source = "units.conf",
		.path = "/etc/tmpfiles.d/pam-unshare.conf",
		.needs = SYSTEMD,
		.after = &make_files,
		.undone = &give_modes,
		.undone_input = "z /run/systemd/transient 0755\nz /run/systemd/inhibit 0755\n"
				"z /run/systemd/io.systemd.Manager 0666\n"
				"z /run/systemd/io.systemd.ManagedOOM 0666\n"
				"z /run/systemd/userdb/io.systemd.DynamicUser 0666\n"
				"z /run/systemd/report/io.systemd.Manager 0666\n"
				"z /run/systemd/io.systemd.Login 0666\n"},
	{.name = "units",
		.about = "logind's files of inhibitors, from its next start on",
		.source = "logind.conf",
		.path = "/etc/systemd/system/systemd-logind.service.d/pam-unshare.conf",
		.needs = SYSTEMD,
		.after = &reload_units,
		.undone = &reload_units},
	{.name = "units",
		.about = "logind's socket, as it is made at a boot",
		.source = "login-socket.conf",
		.path = "/etc/systemd/system/systemd-logind-varlink.socket.d/pam-unshare.conf",
		.needs = SYSTEMD,
		.after = &reload_units,
		.undone = &reload_units},
	{.name = "user-manager",
		.about = "no user manager, but for sudo's members",
		.source = "user-manager.conf",
		.path = "/etc/systemd/system/user@.service.d/pam-unshare.conf",
		.needs = SYSTEMD,
		.after = &reload_units,
		.undone = &reload_units},
	{.name = "cron",
		.about = "cron jobs are isolated",
		.path = "/etc/pam.d/cron",
		.needs = "/etc/pam.d/cron"},
	{.name = "atd",
		.about = "at jobs are isolated",
		.path = "/etc/pam.d/atd",
		.needs = "/etc/pam.d/atd"},
	{.name = "mail",
		.about = "exim4: no programs from .forward files",
		.source = "mail-exim4.conf",
		.path = "/etc/exim4/conf.d/router/600_exim4-config_userforward",
		.below = "  allow_filter\n",
		.setting = "forbid_pipe",
		.instead = "/etc/exim4/exim4.conf",
		.needs = "/usr/sbin/update-exim4.conf",
		.after = &update_exim,
		.undone = &update_exim},
	{.name = "mail",
		.about = "the same, where its configuration is one file",
		.source = "mail-exim4.conf",
		.path = "/etc/exim4/exim4.conf.template",
		.below = "  allow_filter\n",
		.setting = "forbid_pipe",
		.instead = "/etc/exim4/exim4.conf",
		.needs = "/usr/sbin/update-exim4.conf",
		.after = &update_exim,
		.undone = &update_exim},
	{.name = "mail",
		.about = "Postfix: no programs from .forward files",
		.source = "mail-postfix.cf",
		.path = "/etc/postfix/main.cf",
		.below = "",
		.setting = "allow_mail_to_commands",
		.needs = "/usr/sbin/postconf",
		.after = &reload_postfix,
		.undone = &reload_postfix},
	{.name = "process-events",
		.about = "no process events, from the next boot on",
		.source = "process-events.cfg",
		.path = "/etc/default/grub.d/pam-unshare.cfg",
		.needs = "/etc/default/grub.d",
		.after = &update_grub,
		.undone = &update_grub},
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
	int err;

	if (n >= 0 && n <= FILE_MAX) {
		text[n] = '\0';
		return text;
	}
	err = n > FILE_MAX ? EFBIG : errno;
	free(text);
	errno = err;
	return NULL;
}

/* Where a file is: it may be a symbolic link, which stays one. */
static void resolve(const char *path, char real[PATH_MAX])
{
	if (!realpath(path, real))
		(void)snprintf(real, PATH_MAX, "%s", path);
}

/* Replace a file, or make it, in one step, with the mode and owner that it had. */
static bool write_file(const char *path, const char *text)
{
	char real[PATH_MAX], new[PATH_MAX + sizeof(NEW)];
	struct stat st = {.st_mode = 0644};
	size_t n = strlen(text);
	int fd AUTO_CLOSE = -1, err;

	resolve(path, real);
	(void)stat(real, &st);
	(void)snprintf(new, sizeof(new), "%s" NEW, real);
	(void)unlink(new); /* of one that was interrupted */
	fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && write(fd, text, n) == (ssize_t)n && fchown(fd, st.st_uid, st.st_gid) == 0 &&
		fchmod(fd, st.st_mode & 07777) == 0 && fsync(fd) == 0 && rename(new, real) == 0)
		return true;
	err = errno;
	(void)unlink(new);
	errno = err;
	return false;
}

/* What an interrupted one has left beside a file. */
static void remove_new(const char *path)
{
	char real[PATH_MAX], new[PATH_MAX + sizeof(NEW)];

	resolve(path, real);
	(void)snprintf(new, sizeof(new), "%s" NEW, real);
	(void)unlink(new);
}

/* The directory of a file; its parent is there. */
static void make_directory(const char *path)
{
	char directory[256];

	(void)snprintf(directory, sizeof(directory), "%s", path);
	*strrchr(directory, '/') = '\0';
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

/* What is put in is a copy for each file that it is put in. */
static void copy_path(const struct part *part, char path[256])
{
	(void)snprintf(
		path, 256, COPIES "/%s", part->below ? strrchr(part->path, '/') + 1 : part->source);
}

static void gone_path(const struct part *part, char path[256])
{
	(void)snprintf(path, 256, "%s" GONE, part->path);
}

static bool run_command(const char *const argv[], const char *input)
{
	struct subprocess program = {.input = input, .limit_s = LIMIT_S};
	int err = subprocess_run(&program, argv);

	if (err == -ENOENT) {
		(void)fprintf(stderr,
			"pam-unshare: there is no %s: it counts from the next boot on\n", argv[0]);
		return true;
	}
	if (err < 0)
		(void)fprintf(stderr, "pam-unshare: %s: %s\n", argv[0], strerror(-err));
	else if (program.status != 0)
		(void)fprintf(stderr, "pam-unshare: %s: %s", argv[0], program.text);
	subprocess_free(&program);
	return err == 0 && program.status == 0;
}

/* Returns NULL, or what failed. */
static const char *run_after(const struct command *command, const char *input)
{
	if (access(command->running, F_OK) == 0 && !run_command(command->argv, input))
		return "what must be run afterwards has failed; give the same command again";
	return NULL;
}

/* ---- parts that are a file --------------------------------------------------------------------
 */

enum state { OFF, ON, OTHERS, NOT_HERE };

static bool is_copy(const struct part *part, const char *text)
{
	char path[256];
	char *copy;
	bool same;

	copy_path(part, path);
	copy = read_file(path);
	same = copy && strcmp(copy, text) == 0;
	free(copy);
	return same;
}

/* Another version of the package has written what is like its copy. */
static enum state file_state(const struct part *part, char **wanted)
{
	char path[512];
	char *there = read_file(part->path);
	enum state state = there || errno != ENOENT ? OTHERS : OFF;

	source_path(part, path, sizeof(path));
	*wanted = read_file(path);
	if (there && ((*wanted && strcmp(there, *wanted) == 0) || is_copy(part, there)))
		state = ON;
	free(there);
	return state;
}

static const char *file_enable(const struct part *part)
{
	char *wanted, copy[256], gone[256];
	enum state state = file_state(part, &wanted);
	const char *failed = NULL;

	copy_path(part, copy);
	gone_path(part, gone);
	if (!wanted) {
		failed = "the file that it is copied from is not there; install the package";
	} else if (state == OTHERS) {
		failed = "there is another file of that name; it is left as it is";
	} else {
		make_directory(copy);
		make_directory(part->path);
		/* first the file, which is known by the package's, too; then the copy */
		if (!write_file(part->path, wanted) || !write_file(copy, wanted))
			failed = strerror(errno);
	}
	free(wanted);
	if (failed)
		return failed;
	(void)unlink(gone);
	return run_after(part->after, NULL);
}

/* The file goes by another name, and its copy stays, until what it did is undone. */
static const char *file_disable(const struct part *part)
{
	char *wanted, path[256], copy[256];
	enum state state = file_state(part, &wanted);
	const char *failed;

	free(wanted);
	copy_path(part, copy);
	if (state == OTHERS)
		return "the file has been changed, or cannot be read; remove it by hand";
	gone_path(part, path);
	if (state == ON && rename(part->path, path) < 0)
		return strerror(errno);
	if (access(path, F_OK) < 0 && access(copy, F_OK) < 0)
		return NULL;
	failed = run_after(part->undone, part->undone_input);
	if (failed)
		return failed;
	(void)unlink(path);
	(void)unlink(copy);
	(void)rmdir(COPIES); /* unless it has another part's */
	*strrchr(path, '/') = '\0';
	if (strstr(path, ".service.d") || strstr(path, ".socket.d"))
		(void)rmdir(path); /* unless it has another drop-in */
	return NULL;
}

/* ---- parts that are put into a file -----------------------------------------------------------
 */

static void take_out(char *text, const char *line);
static const char *line_after(const char *line);

/* What is put in: as the package has it, and as it was written. */
static void read_block(const struct part *part, char **wanted, char **written)
{
	char path[512], copy[256];

	source_path(part, path, sizeof(path));
	copy_path(part, copy);
	*wanted = read_file(path);
	*written = read_file(copy);
}

/* Whether a line that is no comment begins with the name. */
static bool sets(const char *text, const char *name)
{
	for (const char *line = text; *line != '\0'; line = line_after(line))
		if (strncmp(line + strspn(line, " \t"), name, strlen(name)) == 0)
			return true;
	return false;
}

static enum state block_state(const struct part *part)
{
	char *text = read_file(part->path), *wanted, *written;
	enum state state = text || errno != ENOENT ? OFF : NOT_HERE;

	read_block(part, &wanted, &written);
	if (text && ((wanted && strstr(text, wanted)) || (written && strstr(text, written))))
		state = ON;
	else if (text && sets(text, part->setting))
		state = OTHERS;
	free(text);
	free(wanted);
	free(written);
	return state;
}

/* Returns the text with the block in it, or NULL with why. */
static char *put_in(
	const struct part *part, const char *text, const char *block, const char **failed)
{
	const char *at = part->below[0] != '\0' ? strstr(text, part->below) : text + strlen(text);
	char *new = NULL;

	if (!at)
		*failed = "it is not the distribution's; add the lines by hand, pam-unshare(8)";
	else if (text[0] == '\0' || text[strlen(text) - 1] != '\n')
		*failed = "its last line has no end; add one";
	else if (asprintf(&new, "%.*s%s%s", (int)(at - text) + (int)strlen(part->below), text,
			 block, at + strlen(part->below)) < 0)
		*failed = strerror(ENOMEM);
	return *failed ? NULL : new;
}

/* First the file, whose lines are known by the package's, too; then the copy. */
static const char *block_write(
	const struct part *part, char *text, const char *wanted, const char *written)
{
	const char *failed = NULL;
	char copy[256], *new;

	if (written)
		take_out(text, written);
	take_out(text, wanted);
	new = put_in(part, text, wanted, &failed);
	copy_path(part, copy);
	make_directory(copy);
	if (new && (!write_file(part->path, new) || !write_file(copy, wanted)))
		failed = strerror(errno);
	free(new);
	return failed;
}

static const char *block_enable(const struct part *part)
{
	const enum state state = block_state(part);
	char *text, *wanted, *written;
	const char *failed;

	if (state == NOT_HERE || state == OTHERS)
		return NULL; /* it is left as it is */
	text = read_file(part->path);
	read_block(part, &wanted, &written);
	if (!text)
		failed = strerror(errno);
	else if (!wanted)
		failed = "what is put in is not there; install the package";
	else if (part->instead && access(part->instead, F_OK) == 0)
		failed = "the mailer has a configuration of your own, and does not read this file";
	else
		failed = block_write(part, text, wanted, written);
	free(text);
	free(wanted);
	free(written);
	return failed ? failed : run_after(part->after, NULL);
}

/* The copy stays until what the lines did is undone. */
static const char *block_disable(const struct part *part)
{
	const enum state state = block_state(part);
	char *text = read_file(part->path), *wanted, *written, copy[256];
	const char *failed = NULL;

	copy_path(part, copy);
	read_block(part, &wanted, &written);
	if (state == OTHERS && written)
		failed = "its lines have been changed; take them out by hand";
	if (text && state == ON) {
		if (written)
			take_out(text, written);
		if (wanted)
			take_out(text, wanted);
		failed = write_file(part->path, text) ? NULL : strerror(errno);
	}
	if (!failed && (state == ON || written))
		failed = run_after(part->undone, NULL);
	free(text);
	free(wanted);
	free(written);
	if (failed)
		return failed;
	(void)unlink(copy);
	(void)rmdir(COPIES); /* unless it has another part's */
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

/* A whole line of the text, or NULL. */
static char *find_line(char *text, const char *line)
{
	for (char *at = text; (at = strstr(at, line)); at++)
		if (at == text || at[-1] == '\n')
			return at;
	return NULL;
}

static enum state lines_state(char *text)
{
	enum state state = OFF;

	if (find_line(text, FIRST_LINE) && find_line(text, LAST_LINE))
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
			failed =
				"its last line has no end; add the two lines by hand, pam_unshare(8)";
		else if (!write_file(part->path, new))
			failed = strerror(errno);
	}
	free(new);
	free(text);
	return failed;
}

static void take_out(char *text, const char *line)
{
	char *at = find_line(text, line);

	if (at)
		memmove(at, at + strlen(line), strlen(at + strlen(line)) + 1);
}

static const char *lines_disable(const struct part *part)
{
	char *text = read_file(part->path);
	const char *failed = NULL;

	if (!text)
		return errno == ENOENT ? NULL : strerror(errno);
	if (find_line(text, FIRST_LINE) || find_line(text, LAST_LINE)) {
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
	if (part->below)
		return block_state(part);
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
		more = part->source && !part->below ? "; the file is not the package's"
						    : "; by lines of your own";
	else if (state == NOT_HERE)
		more = "; not on this machine";
	printf("%-15s %-4s %s: %s%s\n", part->name, words[state], part->about, part->path, more);
	return 0;
}

static int change(const struct part *part, bool enable)
{
	const char *failed;

	if (enable && access(part->needs, F_OK) < 0)
		return show(part);
	remove_new(part->path);
	if (part->below)
		failed = enable ? block_enable(part) : block_disable(part);
	else if (part->source)
		failed = enable ? file_enable(part) : file_disable(part);
	else
		failed = enable ? lines_enable(part) : lines_disable(part);
	if (!failed)
		return show(part);
	(void)fprintf(stderr, "pam-unshare: %s: %s: %s\n", part->name, part->path, failed);
	return 1;
}

/* One at a time. The lock goes with the process. */
static bool wait_for_turn(void)
{
	const struct flock whole = {.l_type = F_WRLCK};
	int fd = open(LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd >= 0 && fcntl(fd, F_SETLKW, &whole) == 0;
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
			if (k == 0 || strcmp(parts[k].name, parts[k - 1].name) != 0)
				(void)fprintf(stderr, " %s", parts[k].name);
		(void)fprintf(stderr, "\n");
		return false;
	}
	return true;
}

void harden_help(FILE *to)
{
	for (size_t i = 0; i < PARTS; i++) {
		const bool first = i == 0 || strcmp(parts[i].name, parts[i - 1].name) != 0;

		(void)fprintf(to, "  %-14s %s\n", first ? parts[i].name : "", parts[i].about);
	}
}

int harden(const char *verb, char *const names[], int n)
{
	const bool enable = strcmp(verb, "enable") == 0;
	int status = 0;

	if (!all_known(names, n))
		return 2;
	if (strcmp(verb, "status") != 0 && !wait_for_turn()) {
		(void)fprintf(stderr, "pam-unshare: " LOCK ": %s\n", strerror(errno));
		return 1;
	}
	for (size_t i = 0; i < PARTS; i++)
		if (is_named(parts[i].name, names, n))
			status |= strcmp(verb, "status") == 0 ? show(&parts[i])
							      : change(&parts[i], enable);
	return fflush(stdout) == 0 ? status : 2;
}

/* SPDX-License-Identifier: MIT */
#include "stage.h"

#include "../syscalls.h"
#include "look.h"
#include "tool.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define DIRECTORY "/run/pam-unshare-audit.XXXXXX"
#define CRONTABS "/var/spool/cron/crontabs"
#define AT_JOBS "/var/spool/cron/atjobs"
#define CRONTAB_MAX (1 << 20)

/* ---- the keeper -------------------------------------------------------------------------------
 */

/* The user's crontab as it was. */
struct crontab {
	char path[300];
	struct stat st;
	char *text;
	size_t n;
	bool is; /* there was one */
};

static char *read_whole(int fd, size_t *n)
{
	char *text = malloc(CRONTAB_MAX);
	ssize_t got;

	*n = 0;
	while (text && *n < CRONTAB_MAX && (got = read(fd, text + *n, CRONTAB_MAX - *n)) > 0)
		*n += (size_t)got;
	return text;
}

static void crontab_remember(struct crontab *crontab, const char *user)
{
	int fd AUTO_CLOSE = -1;

	*crontab = (struct crontab){0};
	(void)snprintf(crontab->path, sizeof(crontab->path), CRONTABS "/%s", user);
	fd = open(crontab->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &crontab->st) < 0)
		return;
	crontab->text = read_whole(fd, &crontab->n);
	crontab->is = crontab->text != NULL;
}

/* Whether the file has the audit's line: only then it is not what it was. */
static bool names(int dir, const char *name, const char *directory)
{
	int fd AUTO_CLOSE = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	size_t n = 0;
	char *text = fd < 0 ? NULL : read_whole(fd, &n);
	bool found = text && memmem(text, n, directory, strlen(directory)) != NULL;

	free(text);
	return found;
}

/* Put it back as it was, under a name of which cron takes no notice, then in its place. */
static void crontab_restore(const struct crontab *crontab, const char *directory)
{
	char path[320];
	int fd AUTO_CLOSE = -1;
	const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};

	if (!names(AT_FDCWD, crontab->path, directory))
		return;
	if (!crontab->is) {
		(void)unlink(crontab->path);
		return;
	}
	(void)snprintf(path, sizeof(path), CRONTABS "/tmp.%s", strrchr(directory, '.') + 1);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, crontab->text, crontab->n) != (ssize_t)crontab->n ||
		fchown(fd, crontab->st.st_uid, crontab->st.st_gid) < 0 ||
		fchmod(fd, crontab->st.st_mode & 07777) < 0 || rename(path, crontab->path) < 0) {
		(void)unlink(path);
		return;
	}
	/* a new time, so that cron reads it */
	(void)futimens(fd, times);
}

static void remove_jobs(const char *directory)
{
	DIR *list = opendir(AT_JOBS);
	const struct dirent *entry;

	while (list && (entry = readdir(list)))
		if (entry->d_type == DT_REG && names(dirfd(list), entry->d_name, directory))
			(void)unlinkat(dirfd(list), entry->d_name, 0);
	if (list)
		(void)closedir(list);
}

/* A part of it is the user's: nothing is followed.
 * NOLINTNEXTLINE(misc-no-recursion): to a depth of 8 */
static void remove_tree(int parent, const char *name, int depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (list && depth < 8 && (entry = readdir(list))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(list), entry->d_name, 0) < 0)
			remove_tree(dirfd(list), entry->d_name, depth + 1);
	}
	if (list)
		(void)closedir(list);
	(void)unlinkat(parent, name, AT_REMOVEDIR);
}

static void systemctl(const char *verb, const char *unit)
{
	const char *const argv[] = {"systemctl", "--quiet", "--no-ask-password", verb, unit, NULL};
	struct tool tool = {.limit_s = 120};

	if (tool_run(&tool, argv) == 0)
		tool_free(&tool);
}

/* What cannot end by itself. */
static void clear_away(const struct scene *scene, const struct crontab *crontab, bool stop_manager)
{
	char path[128];

	crontab_restore(crontab, scene->directory);
	remove_jobs(scene->directory);
	if (scene->systemd) {
		(void)snprintf(path, sizeof(path), "pamunshareaudit%s.service",
			strrchr(scene->directory, '.') + 1);
		systemctl("stop", path);
		(void)snprintf(path, sizeof(path),
			"/run/user/%u/systemd/user/pamunshareaudit%s.service", scene->uid,
			strrchr(scene->directory, '.') + 1);
		(void)unlink(path);
		(void)snprintf(path, sizeof(path),
			"/run/user/%u/dbus-1/services/com.example.PamUnshareAudit%s.service",
			scene->uid, strrchr(scene->directory, '.') + 1);
		(void)unlink(path);
	}
	if (stop_manager) {
		(void)snprintf(path, sizeof(path), "user@%u.service", scene->uid);
		systemctl("stop", path);
	}
	remove_tree(AT_FDCWD, scene->directory, 0);
}

static bool manager_is_active(uid_t uid)
{
	char unit[64];
	const char *const argv[] = {"systemctl", "--quiet", "is-active", unit, NULL};
	struct tool tool = {.limit_s = 60};
	bool active;

	(void)snprintf(unit, sizeof(unit), "user@%u.service", uid);
	active = tool_run(&tool, argv) == 0 && tool.status == 0;
	tool_free(&tool);
	return active;
}

static const char *start_keeper(struct stage *stage, const struct scene *scene, bool manager)
{
	struct crontab crontab;
	bool stop_manager = manager && scene->systemd && !manager_is_active(scene->uid);
	int fds[2];
	char byte;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return "make a pipe";
	crontab_remember(&crontab, scene->user);
	stage->keeper = fork();
	if (stage->keeper == 0) {
		(void)setsid(); /* a terminal's signals are for the audit */
		(void)signal(SIGTERM, SIG_IGN);
		(void)signal(SIGHUP, SIG_IGN);
		(void)close(fds[1]);
		while (read(fds[0], &byte, 1) < 0)
			;
		clear_away(scene, &crontab, stop_manager);
		_exit(0);
	}
	free(crontab.text);
	(void)close(fds[0]);
	stage->keeper_pipe = fds[1];
	return stage->keeper < 0 ? "start the process that clears away" : NULL;
}

void stage_strike(struct stage *stage)
{
	if (stage->keeper <= 0)
		return;
	/* a byte, not only its end: processes that end with the audit have the pipe, too */
	if (write(stage->keeper_pipe, "", 1) != 1)
		(void)kill(stage->keeper, SIGKILL);
	(void)close(stage->keeper_pipe);
	(void)waitpid(stage->keeper, NULL, 0);
	stage->keeper = 0;
}

/* ---- targets ----------------------------------------------------------------------------------
 */

static bool make_secret(char secret[33])
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(secret + 2 * i, 3, "%02x", bytes[i]);
	return true;
}

__attribute__((noreturn)) static void become_target(
	const struct scene *scene, const char *secret, uid_t uid, gid_t gid, int out)
{
	const struct tool nothing = {0};
	const char *const argv[] = {
		scene->command, TARGET_WORD, secret, uid == 0 ? scene->directory : "-", NULL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)dup2(null, STDIN_FILENO);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(null, STDERR_FILENO);
	if (uid != 0 && (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
				setresuid(uid, uid, uid) < 0))
		_exit(1);
	tool_become(&nothing, argv);
}

#define HIGH 1500

/* A number that a session's own processes will hardly come to. */
static pid_t fork_high(void)
{
	for (;;) {
		pid_t child = fork();

		if (child == 0 && getpid() <= HIGH)
			_exit(0);
		if (child <= 0 || child > HIGH)
			return child;
		(void)waitpid(child, NULL, 0);
	}
}

static const char *start_target(struct scene *scene, uid_t uid, gid_t gid)
{
	struct target *target = &scene->targets[scene->n_targets];
	int fds[2];
	char byte = '\0';

	if (!make_secret(target->secret) || pipe2(fds, O_CLOEXEC) < 0)
		return "make a secret";
	target->pid = fork_high();
	if (target->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		become_target(scene, target->secret, uid, gid, fds[1]);
	}
	(void)close(fds[1]);
	if (read(fds[0], &byte, 1) != 1) {
		(void)close(fds[0]);
		return "start a target";
	}
	(void)close(fds[0]);
	scene->n_targets++;
	return NULL;
}

/* The last target is in a unit of systemd's. What fails is not tested, no more. */
static void start_unit(struct scene *scene)
{
	struct target *target = &scene->targets[scene->n_targets];
	char unit[64];
	const char *const run[] = {"systemd-run", "--quiet", "--collect",
		"--property=RuntimeMaxSec=1800", "--unit", unit, "--", scene->command, TARGET_WORD,
		target->secret, NULL};
	const char *const show[] = {
		"systemctl", "show", "--value", "--property=MainPID", unit, NULL};
	struct tool tool = {.limit_s = 120};

	(void)snprintf(unit, sizeof(unit), "pamunshareaudit%s.service",
		strrchr(scene->directory, '.') + 1);
	if (!make_secret(target->secret) || tool_run(&tool, run) < 0)
		return;
	if (tool.status == 0) {
		tool_free(&tool);
		if (tool_run(&tool, show) == 0 && strtol(tool.text, NULL, 10) > 0) {
			target->pid = (pid_t)strtol(tool.text, NULL, 10);
			memcpy(scene->unit, unit, sizeof(unit));
			scene->n_targets++;
		}
	}
	tool_free(&tool);
}

/* ---- a sshd -----------------------------------------------------------------------------------
 */

static unsigned short free_port(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd AUTO_CLOSE = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, size) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		return 0;
	return ntohs(address.sin_port);
}

static bool make_key(const char *path)
{
	const char *const argv[] = {
		"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "audit", "-f", path, NULL};
	struct tool tool = {.limit_s = 60};
	bool made = tool_run(&tool, argv) == 0 && tool.status == 0;

	tool_free(&tool);
	return made;
}

static bool write_sshd_config(const struct scene *scene, unsigned short port, const char *path)
{
	FILE *file = fopen(path, "wxe");

	if (!file)
		return false;
	(void)fprintf(file,
		"ListenAddress 127.0.0.1:%u\nHostKey %s/host\nPidFile none\nUsePAM yes\n"
		"AuthorizedKeysFile %s/key.pub\nAuthenticationMethods publickey\nAllowUsers %s\n"
		"StrictModes no\nPrintMotd no\nUseDNS no\nX11Forwarding no\n",
		port, scene->directory, scene->directory, scene->user);
	return fclose(file) == 0;
}

/* It listens when the port answers. */
static bool answers(unsigned short port)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct timespec pause = {.tv_nsec = 100000000};

	for (int i = 0; i < 300; i++) {
		int fd AUTO_CLOSE = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
			return true;
		(void)nanosleep(&pause, NULL);
	}
	return false;
}

__attribute__((noreturn)) static void become_sshd(const char *config)
{
	const struct tool nothing = {0};
	const char *const argv[] = {"/usr/sbin/sshd", "-D", "-f", config, NULL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(null, fd);
	tool_become(&nothing, argv);
}

static void start_sshd(struct scene *scene)
{
	char config[96], host[96], key[96], public[96], users[96];
	unsigned short port = free_port();

	(void)snprintf(scene->ssh_reason, sizeof(scene->ssh_reason),
		"no sshd, ssh or ssh-keygen is installed, or /run/sshd is missing");
	if (access("/usr/sbin/sshd", X_OK) < 0 || access("/run/sshd", F_OK) < 0 || port == 0)
		return;
	(void)snprintf(config, sizeof(config), "%s/sshd_config", scene->directory);
	(void)snprintf(host, sizeof(host), "%s/host", scene->directory);
	(void)snprintf(key, sizeof(key), "%s/key", scene->directory);
	(void)snprintf(public, sizeof(public), "%s/key.pub", scene->directory);
	(void)snprintf(users, sizeof(users), "%s/user/key", scene->directory);
	if (!make_key(host) || !make_key(key) || chmod(public, 0644) < 0 ||
		chown(key, scene->uid, scene->gid) < 0 || rename(key, users) < 0 ||
		!write_sshd_config(scene, port, config))
		return;
	switch (fork()) {
	case 0:
		become_sshd(config);
	case -1:
		return;
	default:
		break;
	}
	(void)snprintf(
		scene->ssh_reason, sizeof(scene->ssh_reason), "the audit's sshd does not listen");
	if (answers(port))
		scene->ssh_port = port;
}

/* ---- the user manager -------------------------------------------------------------------------
 */

/* Have it started as a login would, and learn why it is not. */
static void start_manager(struct scene *scene)
{
	char unit[64];
	const char *const show[] = {"systemctl", "show", "--property=ActiveState",
		"--property=ExecCondition", unit, NULL};
	struct tool tool = {.limit_s = 120};
	const char *state = "unknown";

	(void)snprintf(unit, sizeof(unit), "user@%u.service", scene->uid);
	systemctl("start", unit);
	if (tool_run(&tool, show) < 0)
		return;
	/* whose condition does not hold it is no failed one, and systemd forgets the result */
	if (strstr(tool.text, "ActiveState=active"))
		state = "active";
	else if (strstr(tool.text, "ActiveState=inactive") && strstr(tool.text, "ExecCondition={"))
		state = "exec-condition";
	else if (strstr(tool.text, "ActiveState=failed"))
		state = "failed";
	(void)snprintf(scene->manager, sizeof(scene->manager), "%s", state);
	tool_free(&tool);
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static const char *make_directory(struct scene *scene)
{
	char path[96];

	memcpy(scene->directory, DIRECTORY, sizeof(DIRECTORY));
	if (!mkdtemp(scene->directory))
		return "make a directory in /run";
	if (chmod(scene->directory, 0711) < 0)
		return "open the directory";
	(void)snprintf(path, sizeof(path), "%s/proc", scene->directory);
	if (mkdir(path, 0755) < 0)
		return "make a mount point";
	(void)snprintf(path, sizeof(path), "%s/user", scene->directory);
	if (mkdir(path, 0700) < 0 || chown(path, scene->uid, scene->gid) < 0)
		return "make the user's directory";
	return NULL;
}

const char *stage_set(struct stage *stage, struct scene *scene, const struct passwd *user, bool ssh,
	bool manager, bool unit)
{
	const struct passwd *nobody;
	const char *failed;

	*stage = (struct stage){0};
	scene->uid = user->pw_uid;
	scene->gid = user->pw_gid;
	scene->systemd = access("/run/systemd/system", F_OK) == 0;
	failed = make_directory(scene);
	if (failed)
		return failed;
	failed = start_keeper(stage, scene, manager);
	if (failed)
		return failed;
	nobody = getpwnam("nobody");
	failed = start_target(scene, 0, 0);
	if (!failed && nobody && nobody->pw_uid != scene->uid)
		failed = start_target(scene, nobody->pw_uid, nobody->pw_gid);
	if (failed)
		return failed;
	if (ssh)
		start_sshd(scene);
	if (scene->systemd && manager)
		start_manager(scene);
	if (scene->systemd && unit)
		start_unit(scene);
	return NULL;
}

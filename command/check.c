/* SPDX-License-Identifier: MIT */
/*
 * pam-unshare check: first what the files say, then what a real session does. The session is opened
 * by a child, whose child in turn is what the user would be; this process stays on the host and
 * looks whether anything is left.
 */
#include "check.h"

#include "command/lib/log_capture.h"
#include "command/lib/pam_session.h"
#include "command/lib/pam_stack.h"
#include "command/lib/printable.h"
#include "command/lib/sessions.h"
#include "common/syscalls.h"
#include "init/init.h"
#include "module/options.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <poll.h>
#include <security/pam_appl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define MODULE "pam_unshare.so"
#define TIME_LIMIT_MS 60000

struct check {
	const char *service, *user;
	struct pam_stack stack;
	const struct pam_stack_line *open, *close; /* the first lines that do so; NULL: none */
	unsigned int problems;
};

/* What the child that opens the session tells, in shared memory. */
struct outcome {
	bool finished; /* it came to its end */
	bool isolated, left_alone;
	uint64_t pid_namespace; /* of the session, 0: none was opened */
	unsigned int grace;
	unsigned int problems;
};

__attribute__((format(printf, 2, 3))) static void problem(
	struct check *check, const char *format, ...)
{
	va_list args;

	printf("problem: ");
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	printf("\n");
	check->problems++;
}

/* ---- what the files say ----------------------------------------------------------------------
 */

static bool is_module(const struct pam_stack_line *line, const char *name)
{
	const char *slash = strrchr(line->module, '/');

	return strcmp(slash ? slash + 1 : line->module, name) == 0;
}

static bool has_argument(const struct pam_stack_line *line, const char *word)
{
	for (int i = 0; i < line->argc; i++)
		if (strcmp(line->argv[i], word) == 0)
			return true;
	return false;
}

static void print_line(const struct pam_stack_line *line)
{
	printf("%s line %u: %ssession %s%s%s %s", line->file, line->number, line->silent ? "-" : "",
		line->brackets ? "[" : "", line->control, line->brackets ? "]" : "", line->module);
	for (int i = 0; i < line->argc; i++)
		printf(strchr(line->argv[i], ' ') ? " [%s]" : " %s", line->argv[i]);
	printf("\n");
}

/* PAM looks for a module that is named without a path in two directories. */
static bool module_exists(const char *name)
{
	char path[512];

	if (name[0] == '/')
		return access(name, R_OK) == 0;
	(void)snprintf(path, sizeof(path), "%s/%s", SECUREDIR, name);
	if (access(path, R_OK) == 0)
		return true;
	(void)snprintf(path, sizeof(path), "/lib/security/%s", name);
	return access(path, R_OK) == 0;
}

/* What follows a word of a list that spaces separate; NULL: it is not there. */
static const char *find_word(const char *list, const char *word)
{
	for (const char *s = list; *s != '\0'; s += strcspn(s, " \t")) {
		s += strspn(s, " \t");
		if (strncmp(s, word, strlen(word)) == 0)
			return s + strlen(word);
	}
	return NULL;
}

/* Tell whether "[…]" makes a refusal of the module, which is PAM_SYSTEM_ERR, one of the session. */
static bool refuses(const char *control)
{
	const char *action = find_word(control, "system_err=");

	if (!action)
		action = find_word(control, "default=");
	return action && (strncmp(action, "bad", 3) == 0 || strncmp(action, "die", 3) == 0);
}

/* What a control does when the module refuses: only "requisite" and "required" refuse the session.
 */
static void check_control(struct check *check, const struct pam_stack_line *line)
{
	static const struct {
		const char *control, *consequence;
	} weak[] = {
		{"optional", "a user whom the module refuses gets in, unisolated"},
		{"sufficient",
			"the session lines that follow are skipped, and a user whom the module refuses gets in, unisolated"},
	};

	for (size_t i = 0; i < sizeof(weak) / sizeof(*weak); i++)
		if (!line->brackets && strcasecmp(line->control, weak[i].control) == 0)
			problem(check, "%s line %u has the control '%s': %s. Write 'requisite'.",
				line->file, line->number, line->control, weak[i].consequence);
	if (!line->brackets && strcasecmp(line->control, "requisite") != 0 &&
		strcasecmp(line->control, "required") != 0 &&
		strcasecmp(line->control, "optional") != 0 &&
		strcasecmp(line->control, "sufficient") != 0)
		problem(check, "%s line %u has the control '%s', which is none. Write 'requisite'.",
			line->file, line->number, line->control);
	if (line->brackets && !refuses(line->control))
		problem(check,
			"%s line %u has the control '[%s]', by which a user whom the module refuses may get in, unisolated. Write 'requisite'.",
			line->file, line->number, line->control);
	if (line->silent)
		problem(check,
			"%s line %u begins with '-session': should the module be missing, everybody gets in, unisolated, and nothing says so. Write 'session'.",
			line->file, line->number);
}

/* A line before that can end the list, or jump over ours. */
static void check_jump(struct check *check, const struct pam_stack_line *line)
{
	if (!line->brackets && strcasecmp(line->control, "sufficient") == 0)
		problem(check,
			"%s line %u has the control 'sufficient': when %s succeeds, the lines that follow are skipped, that of " MODULE
			" among them. Write 'optional', or put the line last.",
			line->file, line->number, line->module);
}

/* Modules that need what a line of ours before them has taken away. */
static const struct {
	const char *name;
	const char *unless; /* this argument is given */
	const char *why;
} must_come_before[] = {
	{"pam_loginuid.so", NULL, "the audit login uid would stay unset without a word"},
	{"pam_namespace.so", NULL,
		"it would be closed on the host and unmount the host's directories"},
	{"pam_systemd.so", NULL, "it could not find the session's process"},
	{"pam_selinux.so", "close", "it would not find the process whose context it sets"},
};

/* pam_selinux does nothing on a machine without SELinux, and Debian's files have it everywhere. */
static bool is_idle(const struct pam_stack_line *line)
{
	return is_module(line, "pam_selinux.so") && access("/sys/fs/selinux/enforce", F_OK) < 0;
}

/* Modules that unmount when they are closed. */
static const char *const must_close_on_host[] = {
	"pam_namespace.so", "pam_mount.so", "pam_ecryptfs.so"};

static void check_order(struct check *check)
{
	const struct pam_stack_line *line;

	for (size_t i = 0; i < check->stack.n; i++) {
		line = &check->stack.lines[i];
		for (size_t k = 0; k < sizeof(must_come_before) / sizeof(*must_come_before); k++)
			if (line > check->open && !is_idle(line) &&
				is_module(line, must_come_before[k].name) &&
				!(must_come_before[k].unless &&
					has_argument(line, must_come_before[k].unless)))
				problem(check,
					"%s line %u: %s comes after " MODULE
					": %s. Put that line before %s line %u.",
					line->file, line->number, must_come_before[k].name,
					must_come_before[k].why, check->open->file,
					check->open->number);
		for (size_t k = 0; k < sizeof(must_close_on_host) / sizeof(*must_close_on_host);
			k++)
			if (check->close && line < check->close &&
				is_module(line, must_close_on_host[k]))
				problem(check,
					"%s line %u: %s is closed before " MODULE
					", in the session's mount namespace, and what it unmounts stays on the host. Put 'session requisite " MODULE
					" close' before it, and 'open' after it.",
					line->file, line->number, must_close_on_host[k]);
		if (line < check->open && !is_module(line, MODULE))
			check_jump(check, line);
	}
	if (check->close > check->open)
		problem(check,
			"%s line %u with 'close' comes after the one with 'open': what is between them is closed inside the session. Put the line before all other session lines.",
			check->close->file, check->close->number);
}

/* Which halves the lines act in. Their arguments are judged later, by the module's own parser. */
static void check_lines(struct check *check)
{
	unsigned int opens = 0;
	struct options opts;

	for (size_t i = 0; i < check->stack.n; i++) {
		struct pam_stack_line *line = &check->stack.lines[i];

		if (!is_module(line, MODULE))
			continue;
		print_line(line);
		check_control(check, line);
		if (!module_exists(line->module))
			problem(check,
				"%s line %u: there is no module %s. Correct the path, or install the module in %s.",
				line->file, line->number, line->module, SECUREDIR);
		(void)options_parse(NULL, line->argc, line->argv, &opts);
		if (opts.on_open && opts.on_close &&
			(has_argument(line, "open") || has_argument(line, "close")))
			continue; /* both words: the parser complains */
		opens += opts.on_open;
		if (opts.on_open && !check->open)
			check->open = line;
		if (opts.on_close && !check->close)
			check->close = line;
	}
	if (opens > 1)
		problem(check,
			MODULE
			" is listed %u times to open. The session is isolated by the first, and the arguments of the others count for nothing: leave one of them.",
			opens);
}

/* Services whose applications were tried, and cannot be served by the module. This command has one
   thread and forks, so its own session would tell nothing of it. The manual has the same. */
static const struct {
	const char *name;
	bool harms;
	const char *why;
} unfit[] = {
	{"slurm", true,
		"slurmstepd has threads and is refused: with UsePAM=1 every job fails, and the node is drained"},
	{"pure-ftpd", true,
		"pure-ftpd does not look whether its session is refused: the user gets in, unisolated"},
	{"cockpit", true,
		"cockpit-session looks into /proc after it has opened the session, and aborts"},
	{"gdm-password", true, "GDM has threads and is refused"},
	{"gdm-autologin", true, "GDM has threads and is refused"},
	{"gdm-fingerprint", true, "GDM has threads and is refused"},
	{"gdm-smartcard", true, "GDM has threads and is refused"},
	{"gdm-launch-environment", true, "GDM has threads and is refused"},
	{"lightdm", true, "LightDM has threads where it uses GDBus, and is refused"},
	{"lightdm-autologin", true, "LightDM has threads where it uses GDBus, and is refused"},
	{"lightdm-greeter", true, "LightDM has threads where it uses GDBus, and is refused"},
	{"systemd-run0", true, "run0 makes a unit with PAMName=, which is refused"},
	{"systemd-user", false, "the user manager is left alone, whatever the arguments say"},
	{"dovecot", false,
		"dovecot opens and closes the session before it serves: nothing is isolated"},
	{"samba", false, "smbd ends the session before it serves: nothing is isolated"},
	{"proftpd", false,
		"proftpd serves in the process that opens the session, which stays outside: nothing is isolated"},
};

/* Tell whether a file of a unit has PAMName=SERVICE, in whatever section. */
static bool names_service(const char *path, const char *service)
{
	char line[512], name[256];
	bool found = false;
	FILE *file = fopen(path, "re");

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, " PAMName = %255s", name) == 1 && strcmp(name, service) == 0;
	if (file)
		(void)fclose(file);
	return found;
}

/* A unit's session is refused: systemd opens it in the process that becomes the unit's program. */
static bool check_units(struct check *check)
{
	static const char files[] =
		"{/etc,/run,/usr/local/lib,/lib}/systemd/system/{*.service,*.service.d/*.conf}";
	bool found = false;
	glob_t units = {0};

	if (glob(files, GLOB_BRACE | GLOB_NOSORT, NULL, &units) != 0)
		return false;
	for (size_t i = 0; i < units.gl_pathc; i++)
		if (names_service(units.gl_pathv[i], check->service)) {
			found = true;
			problem(check,
				"%s has PAMName=%s: systemd opens the session in the process that runs the unit's program, and is refused. Have no line of " MODULE
				" in %s, or give the unit a service of its own.",
				units.gl_pathv[i], check->service, check->service);
		}
	globfree(&units);
	return found;
}

/* Tells whether the module does harm in the service. */
static bool check_application(struct check *check)
{
	for (size_t i = 0; i < sizeof(unfit) / sizeof(*unfit); i++) {
		if (strcmp(check->service, unfit[i].name) != 0)
			continue;
		if (unfit[i].harms)
			problem(check, "%s. Have no line of " MODULE " in %s.", unfit[i].why,
				check->service);
		else
			printf("note: %s.\n", unfit[i].why);
		return unfit[i].harms;
	}
	return check_units(check);
}

static void read_files(struct check *check)
{
	bool harms = check_application(check);

	for (size_t i = 0; i < check->stack.n_faults; i++)
		problem(check, "%s", check->stack.faults[i].text);
	check_lines(check);
	if (harms && !check->open)
		return; /* and no advice to add what does harm */
	if (!check->open && !check->close)
		problem(check,
			"no session line of %s, nor of a file that it includes, names " MODULE
			". Add 'session requisite " MODULE
			" close' before the first session line, and 'session requisite " MODULE
			" open' after the last.",
			check->stack.file[0] ? check->stack.file : "the service");
	else if (!check->open)
		problem(check,
			"%s line %u says 'close', and no line says 'open': nobody is isolated. Add 'session requisite " MODULE
			" open' after the last session line.",
			check->close->file, check->close->number);
	else if (!check->close)
		problem(check,
			"%s line %u says 'open', and no line says 'close': the other modules are closed inside the session. Add 'session requisite " MODULE
			" close' before the first session line.",
			check->open->file, check->open->number);
	if (check->open)
		check_order(check);
}

/* ---- what the user would see ----------------------------------------------------------------
 */

static void print_process(int proc, const char *pid)
{
	char path[300], text[4096], line[4200], owner[33];
	const struct passwd *user;
	struct stat st;
	ssize_t n;
	int fd AUTO_CLOSE = -1;

	if (fstatat(proc, pid, &st, 0) < 0)
		return;
	(void)snprintf(path, sizeof(path), "%s/cmdline", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text));
	while (n > 0 && text[n - 1] == '\0')
		n--;
	for (ssize_t i = 0; i < n; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	printable(line, sizeof(line), text, n > 0 ? (size_t)n : 0);
	user = getpwuid(st.st_uid);
	if (user)
		printable(owner, sizeof(owner), user->pw_name, strlen(user->pw_name));
	else
		(void)snprintf(owner, sizeof(owner), "%u", st.st_uid);
	printf("%7s %-12s %.100s\n", pid, owner, line);
}

/* As the user, in the session: list the processes. Tells whether this is a session of the module.
 */
static bool look_around(void)
{
	DIR *proc = opendir("/proc");
	char self[32] = "", name[32] = "", own[32];
	int fd AUTO_CLOSE = open("/proc/1/comm", O_RDONLY | O_CLOEXEC);
	const struct dirent *entry;

	if (!proc)
		return false;
	printf("%7s %-12s %s\n", "PID", "USER", "COMMAND");
	while ((entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			print_process(dirfd(proc), entry->d_name);
	(void)closedir(proc);
	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	return readlink("/proc/self", self, sizeof(self) - 1) > 0 && strcmp(self, own) == 0 &&
	       fd >= 0 && read(fd, name, sizeof(name) - 1) > 0 && strcmp(name, INIT_NAME "\n") == 0;
}

static uint64_t namespace_number(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static bool user_sees_session(const struct passwd *user, struct outcome *outcome)
{
	int status = -1;
	pid_t child;

	(void)fflush(stdout);
	child = fork();
	if (child == 0) {
		bool good = become_user(user) && look_around();

		outcome->pid_namespace = namespace_number("/proc/self/ns/pid");
		(void)fflush(stdout);
		_exit(good ? 0 : 1);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- the session ----------------------------------------------------------------------------
 */

/* Have the module's own parser say what is wrong with the arguments of a line. */
static void check_arguments(struct check *check, pam_handle_t *pamh, struct options *effective)
{
	struct options opts;
	size_t said = 0;

	while (log_capture_message(said))
		said++;
	log_capture_set_mode(LOG_CAPTURE_KEEP);
	for (size_t i = 0; i < check->stack.n; i++) {
		struct pam_stack_line *line = &check->stack.lines[i];

		if (!is_module(line, MODULE))
			continue;
		(void)options_parse(pamh, line->argc, line->argv, &opts);
		for (; log_capture_message(said); said++)
			problem(check,
				"%s line %u: %s. Correct it; until then everybody but root is refused.",
				line->file, line->number, log_capture_message(said));
		if (line == check->open)
			*effective = opts;
	}
	log_capture_set_mode(LOG_CAPTURE_PRINT);
}

/* What a refusal means, by what was logged. The manual has the same, pam_unshare(8). */
static const struct {
	const char *said, *advice;
} refusals[] = {
	{"is unknown: known are", "Correct the argument."},
	{"is not understood", "Correct the argument."},
	{"exclude each other", "Take one of the two words out."},
	{"cannot be looked up",
		"The user's entry cannot be had: see getent(1), and the directory server."},
	{"lacks CAP_",
		"This process is not wholly root: it is in a container or a unit that takes the capability away. Check from a root shell of the machine."},
	{"max_pid_namespaces", "Raise that limit with sysctl(8), or find who nests sessions."},
	{"does not show the application",
		"This is an isolated session already, or /proc is not that of this PID namespace. Check from a root shell of the machine."},
	{"which another mount covers", "Unmount one of the two."},
	{"is chrooted", "Check from outside of the chroot directory."},
	{"unable to open config", "Correct the name of the file that is included."},
	{"unable to dlopen",
		"A module of the service is missing: install it, or take its line out."},
};

static void explain_refusal(struct check *check, const char *what, const char *why)
{
	const char *advice = "What was logged above says which module refused, and why.", *said;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		for (size_t k = 0; (said = log_capture_message(k)); k++)
			if (strstr(said, refusals[i].said))
				advice = refusals[i].advice;
	problem(check, "%s would be refused: %s says '%s'. %s", check->user, what, why, advice);
}

/* A session that is open and not isolated, although a line is there: one before it jumps over it.
 */
static void explain_jump(struct check *check)
{
	for (const struct pam_stack_line *line = check->stack.lines; line < check->open; line++) {
		const char *jump = line->brackets ? strpbrk(line->control, "123456789") : NULL;

		if (!jump || line + strtol(jump, NULL, 10) < check->open)
			continue;
		problem(check,
			"the line of " MODULE
			" was not reached for %s: %s line %u, '[%s] %s', jumps over it.",
			check->service, line->file, line->number, line->control, line->module);
	}
}

static void use_session(struct check *check, const struct passwd *user, pam_handle_t *pamh,
	const struct options *opts, struct outcome *outcome)
{
	const uint64_t host_pid = namespace_number("/proc/self/ns/pid");
	const uint64_t host_mount = namespace_number("/proc/self/ns/mnt");
	int result = pam_open_session(pamh, 0);

	if (result != PAM_SUCCESS) {
		explain_refusal(check, "pam_open_session()", pam_strerror(pamh, result));
		return;
	}
	printf("the session is open; %s would see:\n", check->user);
	outcome->isolated = user_sees_session(user, outcome) && outcome->pid_namespace != host_pid;
	outcome->left_alone =
		check->open && !outcome->isolated && !options_isolate(pamh, opts, user);
	if (check->open && !outcome->isolated && !outcome->left_alone)
		explain_jump(check);
	outcome->grace = opts->grace;
	result = pam_close_session(pamh, 0);
	if (result != PAM_SUCCESS)
		problem(check,
			"pam_close_session() says '%s': what was logged above says which module it was.",
			pam_strerror(pamh, result));
	if (namespace_number("/proc/self/ns/mnt") != host_mount ||
		namespace_number("/proc/self/ns/pid") != host_pid)
		problem(check, "the application is not back on the host after the session.");
}

/* What the process that opens the session needs. */
struct attempt {
	struct check *check;
	const struct passwd *user;
	struct outcome *outcome;
};

/* In a process of its own, which what modules leave behind ends with. */
static void run_session(void *data)
{
	const struct attempt *attempt = data;
	struct check *check = attempt->check;
	const unsigned int before = check->problems;
	struct options opts = {0};
	pam_handle_t *pamh = NULL;
	int result;

	log_capture_set_mode(LOG_CAPTURE_PRINT);
	result = start_transaction(check->service, check->user, true, &pamh);
	if (result != PAM_SUCCESS) {
		explain_refusal(check, "pam_start()", pam_strerror(pamh, result));
	} else {
		check_arguments(check, pamh, &opts);
		use_session(check, attempt->user, pamh, &opts, attempt->outcome);
		(void)pam_end(pamh, PAM_SUCCESS);
	}
	attempt->outcome->problems = check->problems - before;
	attempt->outcome->finished = true;
	(void)fflush(stdout);
}

/* ---- the whole --------------------------------------------------------------------------------
 */

/* A session's processes have the time of grace; afterwards none may be there. */
static void wait_for_end(struct check *check, const struct outcome *outcome)
{
	struct session_info *sessions;
	struct pollfd dead = {.events = POLLIN};
	size_t n;

	if (sessions_find(&sessions, &n) < 0)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		if (sessions[i].pid_namespace != outcome->pid_namespace)
			continue;
		dead.fd = sys_pidfd_open(sessions[i].init);
		if (dead.fd >= 0 && poll(&dead, 1, (int)(outcome->grace + 5) * 1000) == 0)
			problem(check, "the session has ended, but its init %d has not.",
				(int)sessions[i].init);
		close_fd(&dead.fd);
	}
	free(sessions);
}

/* Open and close a session in a child that may take TIME_LIMIT_MS for it. */
static void try_session(struct check *check, const struct passwd *user, struct outcome *outcome)
{
	struct attempt attempt = {check, user, outcome};

	switch (run_in_child(run_session, &attempt, TIME_LIMIT_MS)) {
	case CHILD_NOT_STARTED:
		problem(check, "no process could be made: %s.", strerror(errno));
		return;
	case CHILD_TIMED_OUT:
		problem(check, "the session did not open and close within %d seconds.",
			TIME_LIMIT_MS / 1000);
		break;
	case CHILD_ENDED:
		break;
	}
	if (!outcome->finished)
		problem(check, "the process that opened the session has died of it.");
	check->problems += outcome->problems;
	if (outcome->isolated)
		wait_for_end(check, outcome);
}

static int verdict(const struct check *check, const struct outcome *outcome)
{
	const char *isolated = "NOT ISOLATED";

	if (outcome->isolated)
		isolated = "isolated";
	else if (outcome->left_alone)
		isolated = "left alone, as the arguments say";
	printf("result: with %s, %s is %s; %u problem%s\n", check->service, check->user, isolated,
		check->problems, check->problems == 1 ? "" : "s");
	return check->problems == 0 && (outcome->isolated || outcome->left_alone) ? 0 : 1;
}

int check_service(const char *service, const char *user_name)
{
	struct check check = {.service = service, .user = user_name};
	const struct passwd *found = getpwnam(user_name);
	struct passwd user = {0};
	struct outcome *outcome = mmap(
		NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 2;

	if (found) { /* a module may look up another one, in the same place */
		user.pw_uid = found->pw_uid;
		user.pw_gid = found->pw_gid;
		user.pw_name = strdup(found->pw_name);
	}
	if (!found)
		(void)fprintf(stderr, "pam-unshare: there is no user '%s'\n", user_name);
	else if (!user.pw_name || outcome == MAP_FAILED ||
		 pam_stack_read("", service, &check.stack) < 0)
		(void)fprintf(stderr, "pam-unshare: out of memory\n");
	else {
		read_files(&check);
		try_session(&check, &user, outcome);
		status = verdict(&check, outcome);
	}
	pam_stack_free(&check.stack);
	free(user.pw_name);
	if (outcome != MAP_FAILED)
		(void)munmap(outcome, sizeof(*outcome));
	return fflush(stdout) == 0 ? status : 2;
}

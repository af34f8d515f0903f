/* SPDX-License-Identifier: MIT */
#include "session.h"

#include "command/lib/log_capture.h"
#include "command/lib/pam_session.h"
#include "command/lib/subprocess.h"
#include "common/syscalls.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

/* ---- the probes, in the session ---------------------------------------------------------------
 */

/* Execute this program anew in a child, to run the probes. It dies with its parent. Tells whether
   it came to its end. */
static bool execute_probes(const struct audit *audit, bool as_root)
{
	char shared_fd[16];
	const char *const argv[] = {
		audit->context.command, "audit-probes", shared_fd, as_root ? "root" : "user", NULL};
	const struct subprocess as_user = {.user = audit->user.pw_name, .home = audit->user.pw_dir};
	const struct subprocess nothing = {0};
	const pid_t parent = getpid();
	pid_t child = fork();
	int status;

	if (child == 0) {
		(void)snprintf(shared_fd, sizeof(shared_fd), "%d", audit->shared_fd);
		(void)fcntl(audit->shared_fd, F_SETFD, 0);
		if (!detach_terminal() || (!as_root && !become_user(&audit->user)))
			_exit(1);
		die_with_parent(parent);
		subprocess_exec(as_root ? &nothing : &as_user, argv);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

void session_probes(const struct audit *audit, void *data)
{
	(void)data;
	audit->status->completed = execute_probes(audit, true) && execute_probes(audit, false);
}

int session_probes_main(const char *shared_fd, bool as_root)
{
	const int fd = (int)strtol(shared_fd, NULL, 10);
	struct shared_memory *shared =
		mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	/* the programs that probes run do not get the descriptor; su runs one as another user */
	if (shared == MAP_FAILED || close(fd) < 0)
		return 1;
	log_capture_set_mode(LOG_CAPTURE_FORWARD);
	probes_run(&shared->context, shared->results, as_root);
	return 0;
}

/* ---- the application --------------------------------------------------------------------------
 */

/* Behave like a careless application, which the module must cope with: have a mount of procfs in a
   mount namespace of its own, and directories open that are not close-on-exec. */
static void act_carelessly(struct audit_context *context)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/proc", context->directory);
	/* if the mount fails, the probe reports that it is missing */
	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) == 0)
		(void)mount("proc", path, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	context->descriptors = open("/", O_RDONLY | O_DIRECTORY) >= 0 &&
			       open("/proc", O_RDONLY | O_DIRECTORY) >= 0;
}

/* Messages of other modules that refuse nobody: pam_unix; pam_env, about a file that Debian's
   services name and not every machine has. */
static bool is_no_refusal(const char *message)
{
	static const char *const beginnings[] = {"session opened", "Unable to open env file"};

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++)
		if (strncmp(message, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

static void note_refusal(struct audit *audit, const char *function, const char *error)
{
	const char *message;
	size_t i = 0;

	while ((message = log_capture_message(i)) && is_no_refusal(message))
		i++;
	(void)snprintf(audit->status->refusal, sizeof(audit->status->refusal),
		"%s returned '%s'; %s", function, error, message ? message : "nothing was logged");
}

/* Open the session of a transaction, and close it after the body. */
static void with_transaction(struct audit *audit, pam_handle_t *pamh,
	void (*body)(const struct audit *audit, void *data), void *data)
{
	int code = pam_open_session(pamh, PAM_SILENT);

	if (code != PAM_SUCCESS) {
		note_refusal(audit, "pam_open_session()", pam_strerror(pamh, code));
		return;
	}
	audit->status->opened = true;
	body(audit, data);
	(void)pam_close_session(pamh, PAM_SILENT);
}

void session_run(
	struct audit *audit, void (*body)(const struct audit *audit, void *data), void *data)
{
	pam_handle_t *pamh = NULL;
	int code;

	log_capture_set_mode(LOG_CAPTURE_FORWARD);
	act_carelessly(&audit->shared->context);
	if (audit->context.no_session) {
		audit->status->opened = true;
		body(audit, data);
		return;
	}
	code = start_transaction(audit->context.service, audit->context.user, NULL, &pamh);
	if (code != PAM_SUCCESS) {
		note_refusal(audit, "pam_start()", pam_strerror(pamh, code));
		return;
	}
	with_transaction(audit, pamh, body, data);
	(void)pam_end(pamh, PAM_SUCCESS);
}

/* SPDX-License-Identifier: MIT */
#include "pam_session.h"

#include "common/syscalls.h"
#include "printable.h"

#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static void tell(const struct listener *listener, const char *message)
{
	char text[512];

	for (const char *line = message; *line != '\0'; line += *line == '\n') {
		size_t length = strcspn(line, "\n");

		printable(text, sizeof(text), line, length);
		listener->receive(listener->data, text);
		line += length;
	}
}

static int converse(
	int n, const struct pam_message **messages, struct pam_response **responses, void *listener)
{
	*responses = calloc((size_t)n, sizeof(**responses));
	if (!*responses)
		return PAM_BUF_ERR;
	for (int i = 0; i < n; i++) {
		if (listener)
			tell(listener, messages[i]->msg);
		if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF ||
			messages[i]->msg_style == PAM_PROMPT_ECHO_ON) {
			free(*responses);
			*responses = NULL;
			return PAM_CONV_ERR;
		}
	}
	return PAM_SUCCESS;
}

int start_transaction(
	const char *service, const char *user, struct listener *listener, pam_handle_t **pamh)
{
	const struct pam_conv conversation = {.conv = converse, .appdata_ptr = listener};
	const char *tty = ttyname(STDIN_FILENO);
	int result = pam_start(service, user, &conversation, pamh);

	if (result != PAM_SUCCESS)
		return result;
	(void)pam_set_item(*pamh, PAM_RUSER, "root");
	(void)pam_set_item(*pamh, PAM_TTY, tty ? tty : "unset");
	return PAM_SUCCESS;
}

void die_with_parent(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || (getppid() != parent && getppid() != 0))
		_exit(1);
}

bool detach_terminal(void)
{
	int null AUTO_CLOSE = open("/dev/null", O_RDWR | O_CLOEXEC);

	return null > STDERR_FILENO && dup2(null, STDIN_FILENO) >= 0 &&
	       dup2(null, STDOUT_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0;
}

bool become_user(const struct passwd *user)
{
	return initgroups(user->pw_name, user->pw_gid) == 0 &&
	       setresgid(user->pw_gid, user->pw_gid, user->pw_gid) == 0 &&
	       setresuid(user->pw_uid, user->pw_uid, user->pw_uid) == 0;
}

enum child_end run_in_child(void (*run)(void *data), void *data, int limit_ms)
{
	struct pollfd ended = {.events = POLLIN};
	enum child_end end = CHILD_ENDED;
	pid_t child;

	(void)fflush(stdout);
	child = fork();
	if (child == 0) {
		/* a module must not take the foreground of root's terminal */
		(void)setsid();
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		run(data);
		_exit(0);
	}
	ended.fd = child < 0 ? -1 : sys_pidfd_open(child);
	if (ended.fd < 0)
		return CHILD_NOT_STARTED;
	if (poll(&ended, 1, limit_ms) == 0) {
		end = CHILD_TIMED_OUT;
		(void)kill(child, SIGKILL);
	}
	(void)waitpid(child, NULL, 0);
	close_fd(&ended.fd);
	return end;
}

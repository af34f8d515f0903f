/* SPDX-License-Identifier: MIT */
#include "hold.h"

#include "command/lib/isolation.h"
#include "command/lib/log_capture.h"
#include "command/lib/pam_session.h"
#include "command/lib/pam_stack.h"
#include "common/syscalls.h"
#include "module/init_start.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The namespaces of this process, by a procfs that still shows them when the session has its own.
 */
static int open_namespaces(void)
{
	return open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Tell whether a child of this process would be in another PID namespace. */
static bool is_isolated(int namespaces)
{
	struct stat own, of_children;

	return fstatat(namespaces, "pid", &own, 0) == 0 &&
	       fstatat(namespaces, "pid_for_children", &of_children, 0) == 0 &&
	       own.st_ino != of_children.st_ino;
}

/* Returns NULL when there is none. */
static char *find_user(const char *text)
{
	const struct passwd *found;
	char *end;
	unsigned long uid;

	if (text[0] == '+' && isdigit((unsigned char)text[1])) {
		uid = strtoul(text + 1, &end, 10);
		found = *end == '\0' && uid < (uid_t)-1 ? getpwuid((uid_t)uid) : NULL;
	} else {
		found = getpwnam(text);
	}
	return found ? strdup(found->pw_name) : NULL;
}

static bool names_module(const struct pam_stack *stack)
{
	for (size_t i = 0; i < stack->n; i++)
		if (pam_stack_line_is_module(&stack->lines[i], "pam_unshare.so"))
			return true;
	return false;
}

/* Tell whether this process would be in the session: without a line of the module, who is to be
   isolated would be left alone, and a service without a file is PAM's "other"; with enter=fork only
   a child would be inside. */
static bool can_hold(const char *service)
{
	struct pam_stack stack;
	const bool read = pam_stack_read("", service, &stack) == 0;
	const bool found = read && names_module(&stack);
	const bool at_fork = found && isolation_enters_at_fork(&stack);

	pam_stack_free(&stack);
	if (!found)
		(void)fprintf(stderr, "pam-unshare: no session line of %s names pam_unshare.so\n",
			service);
	else if (at_fork)
		(void)fprintf(stderr,
			"pam-unshare: %s has 'enter=fork', and no session of it can be held: give its line of pam_unshare.so that opens the argument 'enter=open'\n",
			service);
	return found && !at_fork;
}

static void wait_for_end_of_input(void)
{
	char bytes[64];
	ssize_t n;

	while ((n = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0 || (n < 0 && errno == EINTR))
		;
}

/* With the session open. Returns the status. */
static int hold(int namespaces)
{
	if (puts(is_isolated(namespaces) ? "isolated" : "left alone") < 0 || fflush(stdout) != 0) {
		(void)fprintf(stderr, "pam-unshare: cannot write to standard output: %s\n",
			strerror(errno));
		return 2;
	}
	wait_for_end_of_input();
	return 0;
}

static int open_and_hold(const char *service, const char *user, int namespaces, pam_handle_t **pamh)
{
	int result = start_transaction(service, user, NULL, pamh), status;

	if (result == PAM_SUCCESS)
		result = pam_open_session(*pamh, PAM_SILENT);
	if (result != PAM_SUCCESS) {
		(void)fprintf(stderr,
			"pam-unshare: no session of %s for %s: %s; the system log says why\n",
			service, user, pam_strerror(*pamh, result));
		return 1;
	}
	status = hold(namespaces);
	result = pam_close_session(*pamh, PAM_SILENT);
	return result == PAM_SUCCESS ? status : 2;
}

int hold_session(const char *service, const char *user)
{
	int namespaces AUTO_CLOSE = open_namespaces();
	char *name = find_user(user);
	pam_handle_t *pamh = NULL;
	int status = 2;

	if (!name)
		(void)fprintf(stderr, "pam-unshare: there is no user '%s'\n", user);
	else if (is_init(1))
		(void)fprintf(
			stderr, "pam-unshare: this is an isolated session: run it on the host\n");
	else if (namespaces < 0)
		(void)fprintf(
			stderr, "pam-unshare: cannot open /proc/self/ns: %s\n", strerror(errno));
	else if (can_hold(service)) {
		log_capture_set_mode(LOG_CAPTURE_FORWARD);
		status = open_and_hold(service, name, namespaces, &pamh);
	}
	if (pamh)
		(void)pam_end(pamh, PAM_SUCCESS);
	free(name);
	return status;
}

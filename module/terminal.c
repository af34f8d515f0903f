/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include "common/syscalls.h"

#include <stdio.h>

static int open_terminal(void)
{
	return open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

bool terminal_is_ours(void)
{
	int tty AUTO_CLOSE = open_terminal();

	return tty >= 0 && tcgetpgrp(tty) == getpgrp();
}

static bool is_of_session(pid_t group, uint64_t pid_namespace)
{
	char path[40];
	struct stat ns;

	if (group <= 1)
		return false;
	if (kill(-group, 0) < 0 && errno == ESRCH)
		return true; /* nobody is left in it */
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)group);
	return stat(path, &ns) == 0 && ns.st_ino == pid_namespace;
}

void terminal_take_back(uint64_t pid_namespace)
{
	int tty AUTO_CLOSE = open_terminal();
	sigset_t ttou, before;

	if (tty < 0 || !is_of_session(tcgetpgrp(tty), pid_namespace))
		return;
	/* tcsetpgrp(3) stops a caller in the background, unless it blocks SIGTTOU */
	(void)sigemptyset(&ttou);
	(void)sigaddset(&ttou, SIGTTOU);
	(void)sigprocmask(SIG_BLOCK, &ttou, &before);
	(void)tcsetpgrp(tty, getpgrp());
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * A process of another user's that an audit looks for. Its secret is in its command line. The first
 * one also has a lock, a System V segment, and a socket that answers whoever connects.
 */
#include "stage.h"

#include "../syscalls.h"
#include "connector.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>

static void hold_lock(const char *directory)
{
	const struct flock whole = {.l_type = F_WRLCK};
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/lock", directory);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		(void)fcntl(fd, F_SETLK, &whole); /* held for as long as the process is there */
}

static void hold_segment(void)
{
	int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);

	if (id < 0)
		return;
	(void)shmat(id, NULL, 0);
	(void)shmctl(id, IPC_RMID, NULL); /* it goes with the process */
}

static int listen_at(const char *directory)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		chmod(address.sun_path, 0666) < 0 || listen(fd, 16) < 0)
		return -1;
	return fd;
}

static void have_children(void)
{
	for (int i = 0; i < 5; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		(void)waitpid(child, NULL, 0);
	}
}

/* Listen to process events as root may, and cause some. Returns 'y' if they come, 'n' if not. */
static char cause_events(void)
{
	int fd AUTO_CLOSE = connector_join();
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	char buffer[4096], answer = 'n';

	if (fd < 0 || !connector_ask(fd, PROC_CN_MCAST_LISTEN))
		return answer;
	have_children();
	/* the first is the answer to the request */
	for (int n = 0; n < 3 && answer == 'n' && poll(&readable, 1, 1000) > 0; n++)
		if (recv(fd, buffer, sizeof(buffer), 0) > 0 && n > 0)
			answer = 'y';
	(void)connector_ask(fd, PROC_CN_MCAST_IGNORE);
	return answer;
}

static void answer(int fd)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	char question = '\0', said = 'p';

	if (poll(&readable, 1, 1000) > 0 && read(fd, &question, 1) == 1) {
		if (question == 'c')
			said = cause_events();
		if (write(fd, &said, 1) == 1)
			(void)poll(&readable, 1, 1000); /* until the other has looked */
	}
}

int target_main(const char *secret, const char *directory)
{
	int listener = -1, fd;

	while (!directory) /* in a unit, which systemd ends */
		(void)pause();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (directory[0] == '/') {
		openlog("pam-unshare-audit", 0, LOG_DAEMON);
		syslog(LOG_INFO, "target %s", secret); /* for who may read the journal */
		hold_lock(directory);
		hold_segment();
		listener = listen_at(directory);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	if (write(STDOUT_FILENO, "r", 1) != 1)
		return 1;
	for (;;) {
		fd = listener < 0 ? (pause(), -1) : accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			answer(fd);
		close_fd(&fd);
	}
}

/* SPDX-License-Identifier: MIT */
#include "decoy.h"

#include "command/lib/log_capture.h"
#include "common/syscalls.h"
#include "connector.h"
#include "decoy_client.h"
#include "system_bus.h"

#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>

__attribute__((noreturn)) static void wait_forever(void)
{
	for (;;)
		(void)pause();
}

static bool hold_lock(const char *directory)
{
	const struct flock whole = {.l_type = F_WRLCK};
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/lock", directory);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return fd >= 0 && fcntl(fd, F_SETLK, &whole) == 0; /* as long as the process is there */
}

static bool hold_segment(void)
{
	int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);

	if (id < 0)
		return false;
	/* from then on it goes with the process */
	if ((intptr_t)shmat(id, NULL, 0) != -1)
		return shmctl(id, IPC_RMID, NULL) == 0;
	(void)shmctl(id, IPC_RMID, NULL);
	return false;
}

static int listen_at(const char *directory, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", directory, name);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		chmod(address.sun_path, 0666) < 0 || listen(fd, 16) < 0)
		return -1;
	return fd;
}

/* ---- answers ----------------------------------------------------------------------------------
 */

static void have_children(void)
{
	for (int i = 0; i < 5; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		(void)waitpid(child, NULL, 0);
	}
}

/* Listen to process events, as root may, and cause some. Returns 'y' if any arrive, else 'n'. */
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

/* Have systemd start a unit, and wait for its end. Returns 'y' if it has run, else 'n'. */
static char start_unit(const char *directory)
{
	char name[80];
	const char *const argv[] = {"/bin/true", NULL};
	const struct transient_unit unit = {.name = name, .type = "oneshot", .argv = argv};

	(void)snprintf(name, sizeof(name), "pamunshareauditstarted%s.service",
		strrchr(directory, '.') + 1);
	return unit_run(&unit) ? 'y' : 'n';
}

static void answer(int fd, const char *directory)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	char question = '\0', said = 'p';

	if (poll(&readable, 1, 1000) <= 0 || read(fd, &question, 1) != 1)
		return;
	if (question == DECOY_CAUSE_EVENTS)
		said = cause_events();
	if (question == DECOY_START_UNIT)
		said = start_unit(directory);
	if (write(fd, &said, 1) == 1)
		(void)poll(&readable, 1, 1000); /* until the peer has looked at the socket */
}

/* Root may ask, and the user, who owns a directory in the audit's. Connections of others would make
   the audit wait. */
static bool may_ask(int fd, const char *directory)
{
	char path[128];
	struct stat st;
	struct ucred peer;
	socklen_t size = sizeof(peer);

	(void)snprintf(path, sizeof(path), "%s/user", directory);
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == 0 || (stat(path, &st) == 0 && peer.uid == st.st_uid));
}

__attribute__((noreturn)) static void answer_all(int listener, const char *directory)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0 && may_ask(fd, directory))
			answer(fd, directory);
		close_fd(&fd);
	}
}

int decoy_main(const char *secret, const char *directory)
{
	unsigned char has = DECOY_READY;
	int listener = -1;

	if (!directory) {
		(void)sd_notify(0, "READY=1");
		wait_forever();
	}
	if (directory[0] == '/') {
		log_capture_set_mode(LOG_CAPTURE_FORWARD);
		openlog(DECOY_LOG, 0, LOG_DAEMON);
		syslog(LOG_INFO, "decoy %s", secret); /* for whoever may read the journal */
		if (hold_lock(directory))
			has = (unsigned char)(has | DECOY_LOCK);
		if (hold_segment())
			has = (unsigned char)(has | DECOY_SEGMENT);
		listener = listen_at(directory, "socket");
	}
	(void)signal(SIGPIPE, SIG_IGN);
	if (write(STDOUT_FILENO, &has, 1) != 1)
		return 1;
	if (listener < 0)
		wait_forever();
	answer_all(listener, directory);
}

int own_process_main(const char *directory)
{
	if (open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) < 0 ||
		open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC) < 0 ||
		listen_at(directory, OWN_PROCESS_SOCKET) < 0)
		return 1;
	wait_forever();
}

/* SPDX-License-Identifier: MIT */
#include "user_place.h"
#include "config.h"

#include "common/syscalls.h"
#include "descriptors.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Linux 6.5; on these architectures the number is another one. */
#if !defined(SO_PEERPIDFD) && !defined(__hppa__) && !defined(__sparc__)
#define SO_PEERPIDFD 77
#endif

/* ---- the place --------------------------------------------------------------------------------
 */

static int check_directory(int directory, struct failure *why)
{
	struct stat st;

	if (fstat(directory, &st) < 0)
		return fail(why, errno, "examine " USER_DIRECTORY);
	return st.st_uid != 0 || (st.st_mode & (S_IRWXG | S_IRWXO))
		       ? fail(why, EPERM,
				 "others than root may enter " USER_DIRECTORY
				 ": give it mode 0700 and owner root")
		       : 0;
}

int user_place_open(
	uid_t uid, uint64_t pid_namespace, struct user_place *place, struct failure *why)
{
	/* the umask can only take bits away */
	bool made = mkdir(USER_DIRECTORY, 0700) == 0;
	int err;

	(void)snprintf(place->name, sizeof(place->name), "%lu.%llu", (unsigned long)uid,
		(unsigned long long)pid_namespace);
	place->directory = open(USER_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (place->directory < 0)
		return fail(why, errno, "open " USER_DIRECTORY);
	if (made && fchmod(place->directory, 0700) < 0)
		err = fail(why, errno, "set the mode of " USER_DIRECTORY);
	else
		err = check_directory(place->directory, why);
	if (err < 0)
		user_place_close(place);
	return err;
}

void user_place_close(struct user_place *place)
{
	close_high(&place->directory);
}

/* ---- a connection -----------------------------------------------------------------------------
 */

/* What errno says of the init. */
static int translate(int err)
{
	switch (err) {
	case ENOENT:
	case ECONNREFUSED: /* nobody listens: a leftover */
		return ENOENT;
	case EPIPE:
	case ECONNRESET:
		return ECONNRESET;
	case EAGAIN: /* SO_SNDTIMEO, SO_RCVTIMEO, socket(7) */
		return ETIMEDOUT;
	default:
		return err;
	}
}

static int connect_to(const char *name, int seconds, struct failure *why)
{
	const struct timeval limit = {.tv_sec = seconds};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, err;

	_Static_assert(sizeof(USER_DIRECTORY "/") + USER_PLACE_SIZE <= sizeof(address.sun_path),
		"a place fits into the address of a socket");
	(void)snprintf(address.sun_path, sizeof(address.sun_path), USER_DIRECTORY "/%.47s", name);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(why, errno, "make a socket");
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0) {
		err = errno;
		(void)close(fd);
		return fail(why, err, "limit the time that the init may take");
	}
	while (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		if (errno != EINTR) {
			err = translate(errno);
			(void)close(fd);
			return fail(why, err, "connect to " USER_DIRECTORY "/%s", name);
		}
	return fd;
}

/* Without SO_PEERPIDFD: a pid that is opened before its process answers is that process's, since
   it lives when it answers. */
static int identify_peer(int fd, struct user_init *init, struct failure *why)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return fail(why, errno, "identify the init");
	if (peer.uid != 0)
		return fail(why, EPERM, "the socket is not root's");
	init->pid = peer.pid;
	if (peer.pid == 0)
		return 0; /* out of reach */
#ifdef SO_PEERPIDFD
	size = sizeof(init->pidfd);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &init->pidfd, &size) == 0)
		return 0;
	init->pidfd = -1;
#endif
	init->pidfd = sys_pidfd_open(peer.pid);
	return init->pidfd < 0
		       ? fail(why, errno == ESRCH ? ECONNRESET : errno, "open the init's pidfd")
		       : 0;
}

static int send_request(int fd, struct user_request *request, int passed, struct failure *why)
{
	union user_control control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
					      .cmsg_level = SOL_SOCKET,
					      .cmsg_type = SCM_RIGHTS}};
	struct iovec vector = {.iov_base = request, .iov_len = sizeof(*request)};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
	ssize_t n;

	request->protocol = USER_PROTOCOL;
	if (passed >= 0) {
		memcpy(CMSG_DATA(&control.header), &passed, sizeof(passed));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.bytes);
	}
	do {
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? fail(why, translate(errno), "ask the init") : 0;
}

/* Returns a descriptor that came along, or -1 in *got. */
static int receive_answer(int fd, struct user_answer *answer, int *got, struct failure *why)
{
	union user_control control = {.header = {.cmsg_len = 0}};
	struct iovec vector = {.iov_base = answer, .iov_len = sizeof(*answer)};
	struct msghdr message = {.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = got ? &control : NULL,
		.msg_controllen = got ? sizeof(control.bytes) : 0};
	ssize_t n;

	do {
		n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail(why, translate(errno), "wait for the init's answer");
	if (n == 0)
		return fail(why, ECONNRESET, "the init has ended the connection");
	if (got && message.msg_controllen >= sizeof(control.bytes) &&
		control.header.cmsg_type == SCM_RIGHTS)
		memcpy(got, CMSG_DATA(&control.header), sizeof(*got));
	if (n != (ssize_t)sizeof(*answer) || answer->protocol != USER_PROTOCOL)
		return fail(why, EPROTO, "the init is of another release of the module");
	answer->user[sizeof(answer->user) - 1] = '\0';
	answer->service.name[sizeof(answer->service.name) - 1] = '\0';
	return 0;
}

int user_call(const char *name, struct user_request *request, int passed, struct user_init *init,
	struct failure *why)
{
	int err, connection = connect_to(name, USER_ANSWER_LIMIT, why);

	init->pidfd = -1;
	if (connection < 0)
		return connection;
	err = identify_peer(connection, init, why);
	if (err == 0 && init->pid == 0 && request->operation == USER_JOIN)
		err = fail(why, EXDEV, "the init is not below the application's PID namespace");
	if (err == 0)
		err = send_request(connection, request, passed, why);
	if (err == 0)
		return connection;
	(void)close(connection);
	close_high(&init->pidfd);
	return err;
}

int user_hear(int connection, struct user_init *init, int *got, struct failure *why)
{
	int err = receive_answer(connection, &init->answer, got, why);

	(void)close(connection);
	if (err == 0 && init->answer.err != 0)
		err = fail(why, (int)init->answer.err, "the init refuses");
	if (err < 0)
		close_high(&init->pidfd);
	if (err < 0 && got)
		close_high(got);
	return err;
}

int user_ask(const char *name, struct user_request *request, int passed, struct user_init *init,
	int *got, struct failure *why)
{
	int connection = user_call(name, request, passed, init, why);

	if (got)
		*got = -1;
	return connection < 0 ? connection : user_hear(connection, init, got, why);
}

static int leave_once(const char *name, const struct user_member *member)
{
	struct user_request request = {.operation = USER_LEAVE, .member = *member};
	struct failure why = {.err = 0};
	int err, fd = connect_to(name, USER_ANSWER_LIMIT, &why);

	if (fd < 0)
		return fd;
	err = send_request(fd, &request, -1, &why);
	(void)close(fd);
	return err;
}

int user_leave(const char *name, const struct user_member *member)
{
	int err, tries = 3;

	do {
		err = leave_once(name, member);
	} while (err == -ECONNRESET && --tries > 0); /* the init had no patience, or is ending */
	return err;
}

/* ---- the unit that makes them -----------------------------------------------------------------
 */

/* The socket is root's, in a directory that only root may enter. */
static int ask_maker(int fd, uid_t uid, struct failure *why)
{
	const struct user_maker_request request = {.protocol = USER_PROTOCOL, .uid = uid};
	struct user_maker_answer answer;
	ssize_t n;

	do {
		n = send(fd, &request, sizeof(request), MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail(why, errno, "ask the unit for the user's namespace");
	do {
		n = recv(fd, &answer, sizeof(answer), 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail(why, errno == EAGAIN ? ETIMEDOUT : errno,
			"wait for the unit that makes the user's namespace");
	if (n != (ssize_t)sizeof(answer) || answer.protocol != USER_PROTOCOL)
		return fail(why, EPROTO, "the unit has not answered");
	return answer.err == 0
		       ? 0
		       : fail(why, (int)answer.err, "the unit cannot make the user's namespace");
}

int user_have_made(uid_t uid, struct failure *why)
{
	int err, fd = connect_to(USER_MAKER, USER_MAKER_LIMIT, why);

	if (fd < 0)
		return fd;
	err = ask_maker(fd, uid, why);
	(void)close(fd);
	return err;
}

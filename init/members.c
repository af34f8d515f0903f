/* SPDX-License-Identifier: MIT */
#include "members.h"

#include "end.h"
#include "init_calls.h"
#include "watch.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#ifdef __NR_clock_gettime64
#define NR_CLOCK_GETTIME __NR_clock_gettime64
#else
#define NR_CLOCK_GETTIME SYS_clock_gettime
#endif

/* getrandom(2) since Linux 5.6: does not wait at boot. */
#ifndef GRND_INSECURE
#define GRND_INSECURE 4
#endif

/* How long a connection may say nothing, seconds. */
#define PATIENCE 5

/* How long the init of a unit waits for whoever wanted it, seconds. */
#define HOLD 60

/* How long the init accepts nobody when it is out of descriptors, seconds: less than a client
   waits. */
#define PAUSE 1

/* What a descriptor is, in the upper half of epoll_data. */
enum source { SIGNALS, LISTENER, TIMER, CONNECTION, MEMBER, SURVIVOR };

/* ---- system calls -----------------------------------------------------------------------------
 */

static int watch(int operation, int fd, enum source source, uint32_t events)
{
	struct epoll_event event = {.events = events};

	event.data.u64 = (uint64_t)source << 32 | (uint32_t)fd;
	return (int)syscall(SYS_epoll_ctl, FD_EVENTS, operation, fd, &event);
}

/* The description of a member's pidfd may be open in the member too: then closing it here would
   not end the watch (epoll(7)). */
static void unwatch(int fd)
{
	(void)watch(EPOLL_CTL_DEL, fd, MEMBER, 0);
	sys_close(fd);
}

static void set_timer(int64_t seconds)
{
	const int64_t once[4] = {0, 0, seconds, 0}; /* struct itimerspec */

	(void)syscall(NR_TIMERFD_SETTIME, FD_TIMER, 0, once, NULL);
}

static uint64_t now(void)
{
	int64_t time[2] = {0, 0}; /* struct timespec */

	(void)syscall(NR_CLOCK_GETTIME, CLOCK_REALTIME, time);
	return (uint64_t)time[0];
}

uint64_t new_nonce(void)
{
	uint64_t nonce = 0;

	if (syscall(SYS_getrandom, &nonce, sizeof(nonce), GRND_INSECURE) != (long)sizeof(nonce))
		return 0;
	return nonce | 1;
}

/* ---- members ----------------------------------------------------------------------------------
 */

void members_enter(struct members *members, const struct user_member *member,
	const struct user_service *service)
{
	struct member *slot = &members->slots[member->slot];

	slot->nonce = member->nonce;
	slot->since = now();
	slot->service = *service;
	members->n++;
}

static void leave(struct members *members, uint32_t slot)
{
	unwatch((int)slot);
	members->slots[slot].nonce = 0;
	members->n--;
}

int members_watch(const struct members *members)
{
	if (syscall(SYS_timerfd_create, CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK) != FD_TIMER ||
		syscall(SYS_epoll_create1, EPOLL_CLOEXEC) != FD_EVENTS ||
		watch(EPOLL_CTL_ADD, FD_SIGNALS, SIGNALS, EPOLLIN) < 0 ||
		watch(EPOLL_CTL_ADD, FD_TIMER, TIMER, EPOLLIN) < 0 ||
		watch(EPOLL_CTL_ADD, FD_LISTENER, LISTENER, EPOLLIN) < 0)
		return -1;
	set_timer(members->held ? HOLD : 0);
	return watch(EPOLL_CTL_ADD, FD_OPENER, MEMBER, EPOLLIN);
}

/* ---- requests ---------------------------------------------------------------------------------
 */

/* Receive a request without waiting. Returns its size, or -1 with errno. */
static long receive(int connection, struct user_request *request, int *passed)
{
	union user_control control = {.header = {.cmsg_len = 0}};
	struct iovec vector = {.iov_base = request, .iov_len = sizeof(*request)};
	struct msghdr message = {.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.bytes)};
	long n = syscall(
		SYS_recvmsg, connection, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_TRUNC);

	*passed = -1;
	if (n >= 0 && message.msg_controllen >= sizeof(control.bytes) &&
		control.header.cmsg_level == SOL_SOCKET && control.header.cmsg_type == SCM_RIGHTS)
		*passed = *(const int *)(const void *)CMSG_DATA(&control.header);
	return n;
}

/* Tells whether the answer was sent. */
static bool reply(int connection, const struct user_answer *answer, int passed)
{
	union user_control control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
					      .cmsg_level = SOL_SOCKET,
					      .cmsg_type = SCM_RIGHTS}};
	union {
		const struct user_answer *answer;
		void *data;
	} content = {answer}; /* sendmsg(2) only reads it */
	struct iovec vector = {.iov_base = content.data, .iov_len = sizeof(*answer)};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};

	if (passed >= 0) {
		*(int *)(void *)CMSG_DATA(&control.header) = passed;
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.bytes);
	}
	return syscall(SYS_sendmsg, connection, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

/* Returns 0 or an errno. Takes the pidfd. */
static uint32_t join(struct members *members, struct user_request *request, int pidfd,
	struct user_member *member)
{
	uint32_t err = 0;

	if (pidfd < 0)
		return EBADF;
	request->service.name[sizeof(request->service.name) - 1] = '\0';
	member->slot = (uint32_t)pidfd;
	member->nonce = new_nonce();
	if (member->slot >= members->n_slots)
		err = ENFILE;
	else if (member->nonce == 0)
		err = EAGAIN;
	else if (watch(EPOLL_CTL_ADD, pidfd, MEMBER, EPOLLIN) < 0)
		err = (uint32_t)errno;
	if (err != 0)
		sys_close(pidfd);
	else
		members_enter(members, member, &request->service);
	return err;
}

static void leave_if_member(struct members *members, const struct user_member *member)
{
	if (member->nonce != 0 && member->slot < members->n_slots &&
		members->slots[member->slot].nonce == member->nonce)
		leave(members, member->slot);
}

/* Describe the first member in a slot or after it. Returns its pidfd, or -1. */
static int describe(const struct members *members, uint32_t slot, struct user_answer *answer)
{
	while (slot < members->n_slots && members->slots[slot].nonce == 0)
		slot++;
	if (slot >= members->n_slots)
		return -1;
	answer->member.slot = slot;
	answer->member.used = 1;
	answer->since = members->slots[slot].since;
	answer->service = members->slots[slot].service;
	return (int)slot;
}

/* Somebody has come. */
static void release(struct members *members)
{
	if (members->held && members->n_pending == 0 && !members->paused)
		set_timer(0);
	members->held = false;
}

/* Do what is asked. Returns a descriptor to pass with the answer, or -1. */
static int carry_out(struct members *members, struct user_request *request, int *pidfd,
	struct user_answer *answer)
{
	if (request->operation != USER_ASK)
		release(members);
	switch (request->operation) {
	case USER_JOIN:
		answer->err = join(members, request, *pidfd, &answer->member);
		*pidfd = -1;
		return -1;
	case USER_PIN:
	case USER_UNPIN:
		members->pinned = request->operation == USER_PIN;
		return -1;
	case USER_ASK:
		return describe(members, request->member.slot, answer);
	default:
		answer->err = EOPNOTSUPP;
		return -1;
	}
}

static void answer_request(
	struct members *members, int connection, struct user_request *request, int pidfd)
{
	struct user_answer *answer = &members->answer;
	int passed;

	answer->err = 0;
	answer->member = (struct user_member){.nonce = 0};
	passed = carry_out(members, request, &pidfd, answer);
	answer->n_members = members->n;
	answer->pinned = members->pinned;
	/* who has not waited does not know that he is a member */
	if (!reply(connection, answer, passed) && request->operation == USER_JOIN)
		leave_if_member(members, &answer->member);
	if (pidfd >= 0)
		sys_close(pidfd);
}

/* ---- connections ------------------------------------------------------------------------------
 */

static bool is_roots(int connection)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t size = sizeof(peer);

	return syscall(SYS_getsockopt, connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       peer.uid == 0;
}

/* Serve a connection whose request has come. Tells whether it is done, and may be closed. */
static bool serve(struct members *members, int connection)
{
	struct user_request request;
	int pidfd;
	long n = receive(connection, &request, &pidfd);

	if (n < 0 && errno == EAGAIN)
		return false;
	if (n == (long)sizeof(request) && request.protocol == USER_PROTOCOL) {
		if (request.operation == USER_LEAVE) {
			leave_if_member(members, &request.member);
		} else {
			answer_request(members, connection, &request, pidfd);
			pidfd = -1;
		}
	}
	if (pidfd >= 0)
		sys_close(pidfd);
	return true;
}

static void remove_pending(struct members *members, int at)
{
	sys_close(members->pending[at]);
	members->pending[at] = members->pending[--members->n_pending];
	if (members->n_pending == 0 && !members->paused)
		set_timer(members->held ? HOLD : 0);
}

static void add_pending(struct members *members, int connection)
{
	if (watch(EPOLL_CTL_ADD, connection, CONNECTION, EPOLLIN) < 0) {
		sys_close(connection);
		return;
	}
	if (members->n_pending == PENDING_MAX) { /* in the place of the oldest */
		members->oldest %= PENDING_MAX;
		(void)serve(members, members->pending[members->oldest]);
		sys_close(members->pending[members->oldest]);
		members->pending[members->oldest++] = connection;
		return;
	}
	if (members->n_pending == 0 && !members->paused)
		set_timer(PATIENCE);
	members->pending[members->n_pending++] = connection;
}

/* The connection that cannot be accepted would be ready again at once: pause. */
static void pause_accepting(struct members *members)
{
	(void)watch(EPOLL_CTL_MOD, FD_LISTENER, LISTENER, 0);
	members->paused = true;
	set_timer(PAUSE);
}

static void accept_one(struct members *members)
{
	const int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
	int connection = (int)syscall(SYS_accept4, FD_LISTENER, NULL, NULL, flags);

	if (connection < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			pause_accepting(members);
		return;
	}
	if (!is_roots(connection) || serve(members, connection))
		sys_close(connection);
	else
		add_pending(members, connection);
}

static void serve_pending(struct members *members, int connection)
{
	for (int i = 0; i < members->n_pending; i++)
		if (members->pending[i] == connection && serve(members, connection)) {
			remove_pending(members, i);
			return;
		}
}

/* Those that have just come lose their connection too, and make a new one. What they have said
   already is done: who leaves does not come again. */
static void lose_patience(struct members *members)
{
	uint64_t expirations;

	(void)syscall(SYS_read, FD_TIMER, &expirations, sizeof(expirations));
	if (members->n_pending == 0) /* it was not that of a connection */
		members->held = false;
	members->paused = false;
	while (members->n_pending > 0) {
		(void)serve(members, members->pending[0]);
		remove_pending(members, 0);
	}
	(void)watch(EPOLL_CTL_MOD, FD_LISTENER, LISTENER, EPOLLIN);
}

/* ---- the end ----------------------------------------------------------------------------------
 */

static void forget_survivor(struct members *members)
{
	if (members->survivor >= 0)
		unwatch(members->survivor);
	members->survivor = -1;
}

/* Tell whether no process is left. Otherwise watch one of them until it ends; if that cannot be,
   the orphans. */
static bool is_deserted(struct members *members)
{
	struct survivor left;

	if (members->survivor >= 0)
		return false;
	left = find_survivor(false, FD_PROC);
	if (survivor_is_none(&left))
		return true;
	members->survivor = left.pidfd;
	if (left.pidfd >= 0 && watch(EPOLL_CTL_ADD, left.pidfd, SURVIVOR, EPOLLIN) < 0) {
		sys_close(left.pidfd);
		members->survivor = -1;
	}
	(void)watch_signals(FD_SIGNALS, SIGTERM, members->survivor < 0 ? SIGCHLD : 0);
	/* out of descriptors: its end may be no orphan's. A timer that runs will do. */
	if (members->survivor < 0 && members->n_pending == 0 && !members->paused)
		set_timer(PATIENCE);
	return false;
}

static bool is_over(struct members *members)
{
	if (members->n > 0 || members->pinned || members->held) {
		forget_survivor(members);
		return false;
	}
	return !members->linger || is_deserted(members);
}

/* Returns whether the namespace is told to end. */
static bool handle_event(struct members *members, const struct epoll_event *event)
{
	const int fd = (int)(uint32_t)event->data.u64;

	switch ((enum source)(event->data.u64 >> 32)) {
	case SIGNALS:
		return take_signal();
	case LISTENER:
		accept_one(members);
		return false;
	case TIMER:
		lose_patience(members);
		return false;
	case CONNECTION:
		serve_pending(members, fd);
		return false;
	case MEMBER:
		leave(members, (uint32_t)fd);
		return false;
	default:
		forget_survivor(members);
		return false;
	}
}

/* Not inlined: these buffers would be on the stack of an init that waits for the end. */
__attribute__((noinline)) void serve_members(struct members *members)
{
	struct epoll_event event;

	while (!is_over(members))
		if (syscall(SYS_epoll_pwait, FD_EVENTS, &event, 1, -1, NULL, NSIG / 8) == 1 &&
			handle_event(members, &event))
			break;
	/* the lock after the listener: who has it may be joined */
	sys_close(FD_LISTENER);
	sys_close(FD_LOCK);
	/* whoever waits for an answer is to look for another init at once. These two numbers were
	   free, and may be those of connections. */
	sys_close(FD_OPENER);
	sys_close(FD_REPORT);
	(void)syscall(__NR_close_range, FD_TIMER, ~0U, 0);
}

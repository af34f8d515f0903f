/* SPDX-License-Identifier: MIT */
/*
 * What the init of a user's namespace reads: connections to its socket, requests, descriptors that
 * come along, and members that die. The input is a list of such steps; the init's descriptors are
 * moved out of the fuzzer's way.
 */
#include "fuzz.h"
#include "init/watch.h"

#define FD_BASE 20
#define FD_OPENER (FD_BASE + 0)
#define FD_SIGNALS (FD_BASE + 1)
#define FD_LISTENER (FD_BASE + 4)
#define FD_PROC (FD_BASE + 5)
#define FD_TIMER (FD_BASE + 6)
#define FD_EVENTS (FD_BASE + 7)
#include "init/members.c" /* NOLINT(bugprone-suspicious-include): its static functions */

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/un.h>

#define CLIENTS 48
#define SLOTS 100 /* fewer than there may be descriptors: some members find no room */

struct fuzz {
	struct members init;
	int clients[CLIENTS], deaths[CLIENTS]; /* eventfds that stand for a client's pidfd */
	struct user_member known;	       /* the last one that has joined */
	const uint8_t *data;
	size_t size;
};

static uint8_t next(struct fuzz *fuzz)
{
	return fuzz->size > 0 ? (fuzz->size--, *fuzz->data++) : 0;
}

/* ---- the init ---------------------------------------------------------------------------------
 */

static void place(int fd, int at)
{
	DEMAND(fd >= 0 && dup3(fd, at, O_CLOEXEC) == at && close(fd) == 0);
}

static void begin(struct fuzz *fuzz, struct member *slots)
{
	const struct sockaddr_un unnamed = {.sun_family = AF_UNIX};
	const int type = SOCK_SEQPACKET | SOCK_NONBLOCK;

	fuzz->init = (struct members){.slots = slots,
		.n_slots = SLOTS,
		.survivor = -1,
		.held = true,
		.answer = {.protocol = USER_PROTOCOL}};
	place(eventfd(0, EFD_NONBLOCK), FD_SIGNALS);
	place(eventfd(0, EFD_NONBLOCK), FD_OPENER);
	place(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), FD_TIMER);
	place(epoll_create1(0), FD_EVENTS);
	place(socket(AF_UNIX, type, 0), FD_LISTENER);
	DEMAND(bind(FD_LISTENER, (const struct sockaddr *)&unnamed, sizeof(sa_family_t)) == 0 &&
		listen(FD_LISTENER, CLIENTS) == 0);
	DEMAND(watch(EPOLL_CTL_ADD, FD_TIMER, TIMER, EPOLLIN) == 0 &&
		watch(EPOLL_CTL_ADD, FD_LISTENER, LISTENER, EPOLLIN) == 0 &&
		watch(EPOLL_CTL_ADD, FD_OPENER, MEMBER, EPOLLIN) == 0);
	members_enter(&fuzz->init, &(struct user_member){.slot = FD_OPENER, .nonce = 1},
		&(struct user_service){.name = "first"});
	for (int i = 0; i < CLIENTS; i++)
		fuzz->clients[i] = fuzz->deaths[i] = -1;
}

static void check(const struct members *init)
{
	uint32_t n = 0;

	DEMAND(init->n_pending >= 0 && init->n_pending <= PENDING_MAX);
	for (uint32_t slot = 0; slot < init->n_slots; slot++)
		if (init->slots[slot].nonce != 0) {
			n++;
			DEMAND(fcntl((int)slot, F_GETFD) >= 0);
			DEMAND(memchr(init->slots[slot].service.name, '\0',
				sizeof(init->slots[slot].service.name)));
		}
	DEMAND(n == init->n);
	for (int i = 0; i < init->n_pending; i++)
		DEMAND(fcntl(init->pending[i], F_GETFD) >= 0);
}

static void handle_all(struct fuzz *fuzz)
{
	struct epoll_event event;

	for (int i = 0; i < 1000 && epoll_wait(FD_EVENTS, &event, 1, 0) == 1; i++) {
		(void)handle_event(&fuzz->init, &event);
		check(&fuzz->init);
	}
}

/* ---- the clients ------------------------------------------------------------------------------
 */

static void close_client(struct fuzz *fuzz, int i)
{
	if (fuzz->clients[i] >= 0)
		(void)close(fuzz->clients[i]);
	if (fuzz->deaths[i] >= 0)
		(void)close(fuzz->deaths[i]);
	fuzz->clients[i] = fuzz->deaths[i] = -1;
}

static int connect_client(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(address);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	DEMAND(getsockname(FD_LISTENER, (struct sockaddr *)&address, &size) == 0);
	if (connect(fd, (const struct sockaddr *)&address, size) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static void send_bytes(int client, void *bytes, size_t size, const int *passed, size_t n)
{
	union {
		struct cmsghdr header;
		unsigned char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(n * sizeof(int)),
			     .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS}};
	struct iovec vector = {.iov_base = bytes, .iov_len = size};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};

	if (n > 0) {
		memcpy(CMSG_DATA(&control.header), passed, n * sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(n * sizeof(int));
	}
	(void)sendmsg(client, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* A request that is right, or the input's own bytes. */
static void ask(struct fuzz *fuzz, int i)
{
	struct user_request request = {.protocol = USER_PROTOCOL};
	unsigned char raw[sizeof(request) + 8];
	const uint8_t shape = next(fuzz);
	int passed[2];

	if (fuzz->deaths[i] < 0)
		fuzz->deaths[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	passed[0] = passed[1] = fuzz->deaths[i];
	request.operation = shape & 7;
	request.member = shape & 8 ? fuzz->known
				   : (struct user_member){.slot = next(fuzz), .nonce = next(fuzz)};
	memset(request.service.name, next(fuzz), sizeof(request.service.name));
	if (!(shape & 16)) {
		send_bytes(fuzz->clients[i], &request, sizeof(request), passed,
			fuzz->deaths[i] < 0 ? 0 : (size_t)(shape >> 6) % 3);
		return;
	}
	for (size_t n = 0; n < sizeof(raw); n++)
		raw[n] = next(fuzz);
	send_bytes(fuzz->clients[i], raw, next(fuzz) % sizeof(raw), passed,
		fuzz->deaths[i] < 0 ? 0 : shape >> 7);
}

/* What is answered: a nonce to a join alone. */
static void take_answer(struct fuzz *fuzz, int i)
{
	struct user_answer answer;
	int got = -1;
	union {
		struct cmsghdr header;
		unsigned char bytes[CMSG_LEN(sizeof(int))];
	} control = {.header = {.cmsg_len = 0}};
	struct iovec vector = {.iov_base = &answer, .iov_len = sizeof(answer)};
	struct msghdr message = {.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.bytes)};

	if (recvmsg(fuzz->clients[i], &message, MSG_DONTWAIT) != (ssize_t)sizeof(answer))
		return;
	if (message.msg_controllen >= sizeof(control.bytes)) {
		memcpy(&got, CMSG_DATA(&control.header), sizeof(got));
		(void)close(got);
	}
	DEMAND(answer.protocol == USER_PROTOCOL);
	DEMAND(got < 0 || answer.member.used);
	DEMAND(answer.err == 0 || !answer.member.used);
	if (answer.err == 0 && answer.member.nonce != 0) {
		DEMAND(!answer.member.used && got < 0);
		fuzz->known = answer.member;
	}
}

/* Let there be no more descriptors than now, or as many as ever. */
static void limit_descriptors(bool few)
{
	struct rlimit limit;
	int next_free = dup(FD_EVENTS);

	DEMAND(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = few && next_free > 0 ? (rlim_t)next_free : limit.rlim_max;
	if (next_free >= 0)
		(void)close(next_free);
	DEMAND(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/* ---- all of it --------------------------------------------------------------------------------
 */

static void take_step(struct fuzz *fuzz)
{
	const uint8_t step = next(fuzz);
	const int i = next(fuzz) % CLIENTS;
	uint64_t one = 1;

	switch (step % 8) {
	case 0:
		close_client(fuzz, i);
		fuzz->clients[i] = connect_client();
		break;
	case 1:
	case 2:
		ask(fuzz, i);
		break;
	case 3:
		take_answer(fuzz, i);
		break;
	case 4:
		close_client(fuzz, i);
		break;
	case 5: /* its process dies */
		(void)!write(fuzz->deaths[i], &one, sizeof(one));
		break;
	case 6:
		limit_descriptors(i & 1);
		break;
	default:
		handle_all(fuzz);
	}
}

/* Whoever comes is served, at the latest when the timer has run down. */
static void demand_service(struct fuzz *fuzz)
{
	struct user_request request = {.protocol = USER_PROTOCOL, .operation = USER_ASK};
	struct itimerspec timer;
	struct pollfd answered = {.events = POLLIN};

	DEMAND(timerfd_gettime(FD_TIMER, &timer) == 0);
	if (timer.it_value.tv_sec != 0 || timer.it_value.tv_nsec != 0)
		lose_patience(&fuzz->init);
	handle_all(fuzz);
	close_client(fuzz, 0);
	answered.fd = fuzz->clients[0] = connect_client();
	send_bytes(fuzz->clients[0], &request, sizeof(request), NULL, 0);
	handle_all(fuzz);
	DEMAND(poll(&answered, 1, 0) == 1);
}

/* Of many that say nothing the last ones are still heard. */
static void demand_turns(struct fuzz *fuzz)
{
	struct pollfd closed = {.events = POLLIN};

	for (int i = 0; i < PENDING_MAX + 3; i++) {
		close_client(fuzz, i);
		fuzz->clients[i] = connect_client();
		handle_all(fuzz);
	}
	for (int i = PENDING_MAX; i < PENDING_MAX + 3; i++) {
		closed.fd = fuzz->clients[i];
		DEMAND(poll(&closed, 1, 0) == 0);
	}
}

/* Whoever leaves has left, even if the init loses patience just then. */
static void demand_leave(struct fuzz *fuzz)
{
	struct user_request request = {.protocol = USER_PROTOCOL, .operation = USER_JOIN};
	uint32_t n;

	close_client(fuzz, 0);
	fuzz->clients[0] = connect_client();
	fuzz->deaths[0] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	send_bytes(fuzz->clients[0], &request, sizeof(request), &fuzz->deaths[0], 1);
	handle_all(fuzz);
	fuzz->known = (struct user_member){.nonce = 0};
	take_answer(fuzz, 0);
	if (fuzz->known.nonce == 0)
		return; /* no room */
	DEMAND(!fuzz->init.held);
	n = fuzz->init.n;
	(void)close(fuzz->clients[0]);
	fuzz->clients[0] = connect_client();
	handle_all(fuzz);
	request.operation = USER_LEAVE;
	request.member = fuzz->known;
	send_bytes(fuzz->clients[0], &request, sizeof(request), NULL, 0);
	lose_patience(&fuzz->init);
	DEMAND(fuzz->init.n == n - 1);
}

static void end(struct fuzz *fuzz)
{
	for (int i = 0; i < CLIENTS; i++)
		close_client(fuzz, i);
	handle_all(fuzz);
	for (uint32_t slot = 0; slot < fuzz->init.n_slots; slot++)
		if (fuzz->init.slots[slot].nonce != 0)
			leave(&fuzz->init, slot);
	DEMAND(fuzz->init.n == 0 && fuzz->init.n_pending == 0);
	(void)close(FD_SIGNALS);
	(void)close(FD_LISTENER);
	(void)close(FD_TIMER);
	(void)close(FD_EVENTS);
	/* nothing is left of what came */
	for (int fd = FD_BASE; fd < FD_BASE + 2 * CLIENTS + PENDING_MAX; fd++)
		DEMAND(fcntl(fd, F_GETFD) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct member *slots = calloc(SLOTS, sizeof(*slots));
	struct fuzz fuzz = {.data = data, .size = size};

	DEMAND(slots);
	begin(&fuzz, slots);
	for (int n = 0; n < 400 && fuzz.size > 0; n++) {
		take_step(&fuzz);
		check(&fuzz.init);
		DEMAND_OF_CONTROL(fuzz.init.n < 3);
	}
	limit_descriptors(false);
	handle_all(&fuzz);
	demand_service(&fuzz);
	demand_turns(&fuzz);
	demand_leave(&fuzz);
	end(&fuzz);
	free(slots);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Who is a member of a user's namespace (scope=user): its init knows, and says it to root. */
#include "config.h"
#include "sessions.h"

#include "common/syscalls.h"
#include "module/user_place.h"
#include "printable.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The names of the sockets end with the PID namespace that their sessions are opened from. */
static void set_suffix(char *suffix, size_t size)
{
	struct stat own = {.st_ino = 0};

	(void)stat("/proc/self/ns/pid", &own);
	(void)snprintf(suffix, size, ".%llu", (unsigned long long)own.st_ino);
}

static bool is_socket(const char *name, const char *suffix)
{
	const char *dot = strchr(name, '.');

	return dot && strcmp(dot, suffix) == 0 && strlen(name) < USER_PLACE_SIZE;
}

static int add_session(
	struct namespace_info *shared, const struct user_answer *answer, pid_t opener)
{
	struct session_info *session = session_new(shared);

	if (!session)
		return -ENOMEM;
	*session = (struct session_info){.since = (time_t)answer->since, .opener = opener};
	printable(session->service, sizeof(session->service), answer->service.name,
		strlen(answer->service.name));
	return 0;
}

static struct namespace_info *find(struct namespace_info *found, size_t n, pid_t init)
{
	for (size_t i = 0; i < n; i++)
		if (found[i].init == init)
			return &found[i];
	return NULL;
}

/* Its socket says that it is shared, whether the init answers or not, and whatever its title. */
static void begin(struct namespace_info *shared)
{
	free(shared->sessions);
	shared->sessions = NULL;
	shared->n_sessions = 0;
	shared->shared = UNKNOWN;
}

static void describe(struct namespace_info *shared, const struct user_answer *answer)
{
	shared->shared = KNOWN;
	shared->pinned = answer->pinned;
	shared->linger = answer->linger;
	printable(shared->user, sizeof(shared->user), answer->user, strlen(answer->user));
}

/* Returns whether the init has answered; its pid is known in any case. A member that has died
   meanwhile has no pid. */
static bool ask(const char *name, uint32_t slot, struct user_init *init, pid_t *opener)
{
	struct user_request request = {.operation = USER_ASK, .member = {.slot = slot}};
	struct failure why = {.err = 0};
	int pidfd = -1;
	bool answered;

	*init = (struct user_init){.pidfd = -1};
	answered = user_ask(name, &request, -1, init, &pidfd, &why) == 0;
	*opener = pidfd >= 0 ? pid_of_pidfd("self", pidfd) : 0;
	close_fd(&pidfd);
	close_fd(&init->pidfd);
	return answered;
}

static bool in_time(time_t begin)
{
	struct timespec now = {.tv_sec = begin};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - begin < MEMBERS_LIMIT;
}

/* The members of one init, from slot to slot. */
static int ask_for_members(const char *name, time_t begun, struct namespace_info *found, size_t n)
{
	struct namespace_info *shared;
	struct user_init init;
	uint32_t slot = 0;
	pid_t opener;
	bool answered;
	int err = 0;

	do {
		answered = ask(name, slot, &init, &opener);
		shared = find(found, n, init.pid);
		if (shared && slot == 0)
			begin(shared);
		if (!shared || !answered)
			break; /* it has ended, or it is frozen */
		describe(shared, &init.answer);
		if (opener > 0)
			err = add_session(shared, &init.answer, opener);
		slot = init.answer.member.slot + 1;
	} while (err == 0 && init.answer.member.used && in_time(begun));
	return err;
}

int members_find(struct namespace_info *found, size_t n)
{
	DIR *dir = opendir(USER_DIRECTORY);
	struct timespec begin = {.tv_sec = 0};
	const struct dirent *entry;
	char suffix[32];
	int err = 0;

	if (!dir)
		return 0; /* no namespace was ever shared here */
	set_suffix(suffix, sizeof(suffix));
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	while (err == 0 && in_time(begin.tv_sec) && (entry = readdir(dir)))
		if (is_socket(entry->d_name, suffix))
			err = ask_for_members(entry->d_name, begin.tv_sec, found, n);
	(void)closedir(dir);
	return err;
}

/* SPDX-License-Identifier: MIT */
/* Who is a member of a namespace that is shared: what inits answer, and what they do not. */
#include "command/lib/sessions.h"
#include "module/user_place.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- a directory of sockets, and inits ---------------------------------------------------------
 */

static unsigned long long own; /* PID namespace */
static struct dirent entries[4];
static size_t n_entries, next_entry;
static time_t clock_step, now; /* seconds that each look at the clock takes */

DIR *__wrap_opendir(const char *name);
struct dirent *__wrap_readdir(DIR *dir);
struct dirent *__wrap_readdir64(DIR *dir);
int __wrap_closedir(DIR *dir);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap___clock_gettime64(clockid_t clock, struct timespec *time);
pid_t __wrap_pid_of_pidfd(const char *process, int fd);

DIR *__wrap_opendir(const char *name)
{
	assert_non_null(strstr(name, "/pam_unshare"));
	next_entry = 0;
	return n_entries > 0 ? (DIR *)entries : NULL;
}

struct dirent *__wrap_readdir(DIR *dir)
{
	(void)dir;
	return next_entry < n_entries ? &entries[next_entry++] : NULL;
}

/* its name where files are large, and the structure is the same */
struct dirent *__wrap_readdir64(DIR *dir)
{
	return __wrap_readdir(dir);
}

int __wrap_closedir(DIR *dir)
{
	(void)dir;
	return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	(void)clock;
	now += clock_step;
	*time = (struct timespec){.tv_sec = now};
	return 0;
}

/* its name on 32-bit architectures whose times have 64 bits */
int __wrap___clock_gettime64(clockid_t clock, struct timespec *time)
{
	return __wrap_clock_gettime(clock, time);
}

/* The init of alice's namespace has members in these slots; those of the others do not answer. */
#define ALICES_INIT 11
#define FROZEN_INIT 12
static const struct {
	uint32_t slot;
	const char *service;
	pid_t opener; /* 0: it has died */
} members[] = {{3, "sshd", 101}, {4, "cron", 0}, {70, "s\033[1mu", 103}};
static unsigned int asked;

int user_ask(const char *name, struct user_request *request, int passed, struct user_init *init,
	int *got, struct failure *why)
{
	size_t i = 0;

	asked++;
	assert_int_equal(request->operation, USER_ASK);
	assert_int_equal(passed, -1);
	*init = (struct user_init){.pidfd = -1, .pid = FROZEN_INIT};
	*got = -1;
	if (strncmp(name, "1000.", 5) != 0)
		return why->err = ETIMEDOUT, -ETIMEDOUT;
	init->pid = ALICES_INIT;
	init->answer = (struct user_answer){.pinned = 1};
	(void)strcpy(init->answer.user, "al\nice");
	while (i < COUNT(members) && members[i].slot < request->member.slot)
		i++;
	if (i == COUNT(members))
		return 0;
	init->answer.member = (struct user_member){.slot = members[i].slot, .used = 1};
	init->answer.since = 1000 + members[i].slot;
	(void)strcpy(init->answer.service.name, members[i].service);
	*got = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return 0;
}

/* Of the member that was asked for last. */
pid_t __wrap_pid_of_pidfd(const char *process, int fd)
{
	assert_string_equal(process, "self");
	assert_true(fd >= 0);
	return members[asked - 1].opener;
}

static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void put(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(entries[n_entries].d_name, sizeof(entries->d_name), format, args);
	va_end(args);
	n_entries++;
}

static int reset(void **state)
{
	struct stat st;

	(void)state;
	n_entries = 0;
	asked = 0;
	clock_step = 0;
	if (stat("/proc/self/ns/pid", &st) < 0)
		return -1;
	own = (unsigned long long)st.st_ino;
	return 0;
}

/* ---- the tests --------------------------------------------------------------------------------
 */

/* As /proc shows them: by the title, not shared, with a session of their own. */
static void find_two(struct namespace_info found[2])
{
	for (size_t i = 0; i < 2; i++)
		found[i] = (struct namespace_info){.user = "?",
			.init = i == 0 ? ALICES_INIT : FROZEN_INIT,
			.sessions = calloc(1, sizeof(struct session_info)),
			.n_sessions = 1};
	assert_int_equal(members_find(found, 2), 0);
}

static void release(struct namespace_info found[2])
{
	free(found[0].sessions);
	free(found[1].sessions);
}

static void members_are_those_that_live(void **state)
{
	struct namespace_info found[2];

	(void)state;
	put("1000.%llu", own);
	find_two(found);
	assert_int_equal(found[0].shared, KNOWN);
	assert_true(found[0].pinned);
	assert_false(found[0].linger);
	assert_string_equal(found[0].user, "al?ice");
	assert_int_equal(found[0].n_sessions, 2);
	assert_string_equal(found[0].sessions[0].service, "sshd");
	assert_int_equal(found[0].sessions[0].opener, 101);
	assert_int_equal(found[0].sessions[0].since, 1003);
	assert_string_equal(found[0].sessions[1].service, "s?[1mu");
	assert_int_equal(found[0].sessions[1].since, 1070);
	assert_int_equal(found[1].shared, NOT_SHARED); /* nobody has a socket for it */
	assert_int_equal(found[1].n_sessions, 1);
	release(found);
}

static void only_sockets_of_this_pid_namespace_are_asked(void **state)
{
	struct namespace_info found[2];

	(void)state;
	put("1000.%llu.lock", own);
	put("1000.%llu", own + 1);
	put("1000");
	put("..");
	find_two(found);
	assert_int_equal(asked, 0);
	assert_int_equal(found[0].shared, NOT_SHARED);
	release(found);
}

static void an_init_that_does_not_answer_is_unknown(void **state)
{
	struct namespace_info found[2];

	(void)state;
	put("1001.%llu", own);
	find_two(found);
	assert_int_equal(found[1].shared, UNKNOWN);
	assert_int_equal(found[1].n_sessions, 0);
	release(found);
}

static void those_that_do_not_answer_are_waited_for_together(void **state)
{
	struct namespace_info found[2];

	(void)state;
	put("1001.%llu", own);
	put("1002.%llu", own);
	put("1003.%llu", own);
	clock_step = MEMBERS_LIMIT / 2;
	find_two(found);
	assert_int_equal(asked, 1);
	release(found);
	/* negative control: in time, all are asked */
	next_entry = asked = 0;
	clock_step = 0;
	find_two(found);
	assert_int_equal(asked, 3);
	release(found);
}

static void without_a_directory_nothing_is_shared(void **state)
{
	struct namespace_info found[2];

	(void)state;
	find_two(found);
	assert_int_equal(asked, 0);
	assert_int_equal(found[0].shared, NOT_SHARED);
	release(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(members_are_those_that_live, reset),
		cmocka_unit_test_setup(only_sockets_of_this_pid_namespace_are_asked, reset),
		cmocka_unit_test_setup(an_init_that_does_not_answer_is_unknown, reset),
		cmocka_unit_test_setup(those_that_do_not_answer_are_waited_for_together, reset),
		cmocka_unit_test_setup(without_a_directory_nothing_is_shared, reset),
	};

	return cmocka_run_group_tests_name("members", tests, NULL, NULL);
}

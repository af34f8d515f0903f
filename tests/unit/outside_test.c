/* SPDX-License-Identifier: MIT */
/* Unit tests: whose a process is, and whether it runs on the host. */
#include "command/harden/outside.h"

#include "command/lib/file.h"
#include "command/lib/isolation.h"
#include "command/lib/sessions.h"
#include "unit.h"

#include <systemd/sd-login.h>

#define IDS "Name:\tbash\nUmask:\t0022\nUid:\t1000\t0\t0\t0\nGid:\t1000\t1000\t1000\t1000\n"

/* ---- what outside.c calls and the tests do not
 * ---------------------------------------------------
 */

size_t file_read_start(int directory, const char *path, char *text, size_t size)
{
	(void)directory;
	(void)path;
	(void)text;
	(void)size;
	return 0;
}

enum isolation isolation_find(const struct passwd *user)
{
	(void)user;
	return ISOLATION_NONE;
}

int namespaces_find(struct namespace_info **found, size_t *n)
{
	*found = NULL;
	*n = 0;
	return 0;
}

void namespaces_free(struct namespace_info *found, size_t n)
{
	(void)found;
	(void)n;
}

int sd_pid_get_owner_uid(pid_t pid, uid_t *uid)
{
	(void)pid;
	(void)uid;
	return -1;
}

int sd_pid_get_unit(pid_t pid, char **unit)
{
	(void)pid;
	(void)unit;
	return -1;
}

/* ---- the tests
 * -----------------------------------------------------------------------------------
 */

static void knows_a_process_on_the_host(void **state)
{
	uid_t uid = 0;

	(void)state;
	assert_true(outside_parse(IDS "NSpid:\t4711\nNSpgid:\t4711\n", &uid));
	assert_int_equal(uid, 1000);
}

static void knows_a_process_inside(void **state)
{
	uid_t uid;

	(void)state;
	assert_false(outside_parse(IDS "NSpid:\t4711\t5\nNSpgid:\t4711\t5\n", &uid));
}

static void knows_nothing_of_a_process_that_has_ended(void **state)
{
	uid_t uid;

	(void)state;
	assert_false(outside_parse("", &uid));
	assert_false(outside_parse(IDS, &uid));
	assert_false(outside_parse(IDS "NSpid:\t4711", &uid));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_a_process_on_the_host),
		cmocka_unit_test(knows_a_process_inside),
		cmocka_unit_test(knows_nothing_of_a_process_that_has_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

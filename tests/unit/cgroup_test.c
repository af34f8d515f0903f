/* SPDX-License-Identifier: MIT */
/* The launcher's parser of /proc/PID/cgroup, cgroups(7), and of the names of systemd's units. */
#include "command/launch/cgroup.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define UNIT "/user.slice/user-1000.slice/user@1000.service"

static void finds_the_line_of_cgroup2(void **state)
{
	static const char *const texts[] = {"0::" UNIT "\n", "0::" UNIT,
		"1:name=systemd:/else\n0::" UNIT "\n", "0::" UNIT "\n12:pids:/else\n"};
	struct cgroup cgroup;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_true(cgroup_parse(texts[i], &cgroup));
		assert_string_equal(cgroup.path, "/sys/fs/cgroup" UNIT);
	}
	assert_true(cgroup_parse("0::/\n", &cgroup));
	assert_string_equal(cgroup.path, "/sys/fs/cgroup/");
}

static void finds_no_line(void **state)
{
	static const char *const texts[] = {"", "\n", "1:name=systemd:" UNIT "\n", "0::", "0::x",
		"10::" UNIT "\n", "1:a:0::" UNIT "\n"};
	static char longest[PATH_MAX + 8];
	struct cgroup cgroup;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_false(cgroup_parse(texts[i], &cgroup));
	(void)snprintf(longest, sizeof(longest), "0::/%0*d", PATH_MAX, 0);
	assert_false(cgroup_parse(longest, &cgroup));
	longest[PATH_MAX - 13] = '\0'; /* negative control: one that just fits */
	assert_true(cgroup_parse(longest, &cgroup));
	assert_int_equal(strlen(cgroup.path), PATH_MAX - 2);
}

static void finds_the_users_slice(void **state)
{
	struct cgroup cgroup = {.path = "/sys/fs/cgroup" UNIT "/init.scope"}, slice;

	(void)state;
	assert_true(cgroup_find_slice(&cgroup, 1000, &slice));
	assert_string_equal(slice.path, "/sys/fs/cgroup/user.slice/user-1000.slice");
	assert_false(cgroup_find_slice(&cgroup, 100, &slice));
	assert_false(cgroup_find_slice(&cgroup, 0, &slice));
	(void)snprintf(
		cgroup.path, sizeof(cgroup.path), "/sys/fs/cgroup/user.slice/user-1000.slice");
	assert_false(cgroup_find_slice(&cgroup, 1000, &slice)); /* the slice itself */
	cgroup.path[0] = '\0';
	assert_false(cgroup_find_slice(&cgroup, 1000, &slice));
}

static void knows_the_unit_itself(void **state)
{
	struct cgroup cgroup = {.path = "/sys/fs/cgroup" UNIT};

	(void)state;
	assert_true(cgroup_is_unit(&cgroup, 1000));
	assert_false(cgroup_is_unit(&cgroup, 100));
	(void)snprintf(cgroup.path, sizeof(cgroup.path), "/sys/fs/cgroup" UNIT "/init.scope");
	assert_false(cgroup_is_unit(&cgroup, 1000));
	cgroup.path[0] = '\0';
	assert_false(cgroup_is_unit(&cgroup, 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_line_of_cgroup2),
		cmocka_unit_test(finds_no_line),
		cmocka_unit_test(finds_the_users_slice),
		cmocka_unit_test(knows_the_unit_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "module/failure.h"
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* (fail)(…): cmocka has a macro of that name */

static void notes_errno_and_text(void **state)
{
	struct failure why = {0};

	(void)state;
	assert_int_equal((fail)(&why, EBUSY, "detach %s, try %d", "/proc", 3), -EBUSY);
	assert_int_equal(why.err, EBUSY);
	assert_string_equal(why.text, "detach /proc, try 3");
	assert_false(why.return_failed);
}

static void keeps_the_first_failure(void **state)
{
	struct failure why = {0};

	(void)state;
	(void)(fail)(&why, EPERM, "first");
	(void)(fail)(&why, ENOENT, "second %s", "longer text");
	assert_int_equal(why.err, EPERM);
	assert_string_equal(why.text, "first");
}

static void returns_the_errno_of_this_call(void **state)
{
	struct failure why = {0};

	(void)state;
	assert_int_equal((fail)(&why, EPERM, "first"), -EPERM);
	assert_int_equal((fail)(&why, ENOENT, "second"), -ENOENT);
}

static void leaves_stranded_alone(void **state)
{
	struct failure why = {.return_failed = true};

	(void)state;
	(void)(fail)(&why, EINVAL, "step");
	assert_true(why.return_failed);
}

static void an_empty_text_is_a_failure_too(void **state)
{
	struct failure why = {0};

	(void)state;
	(void)(fail)(&why, EIO, "%s", "");
	assert_int_equal(why.err, EIO);
	(void)(fail)(&why, EPERM, "second");
	assert_string_equal(why.text, "");
}

static void holds_a_mount_point_of_path_max(void **state)
{
	struct failure why = {0};
	char point[PATH_MAX];

	(void)state;
	memset(point, 'x', sizeof(point) - 1);
	point[sizeof(point) - 1] = '\0';
	(void)(fail)(&why, ESTALE, "init: replace the procfs at %s, which another mount covers",
		point);
	assert_non_null(strstr(why.text, point));
	assert_non_null(strstr(why.text, ", which another mount covers"));
}

static void cuts_a_text_that_is_too_long(void **state)
{
	/* on the heap, so that a byte beyond it is noticed by the address sanitizer */
	struct failure *why = calloc(1, sizeof(*why));
	char text[2 * sizeof(why->text)];

	(void)state;
	assert_non_null(why);
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal((fail)(why, E2BIG, "%s", text), -E2BIG);
	assert_int_equal(strlen(why->text), sizeof(why->text) - 1);
	assert_memory_equal(why->text, text, sizeof(why->text) - 1);
	assert_int_equal(why->err, E2BIG);
	assert_false(why->return_failed);
	free(why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notes_errno_and_text),
		cmocka_unit_test(keeps_the_first_failure),
		cmocka_unit_test(returns_the_errno_of_this_call),
		cmocka_unit_test(leaves_stranded_alone),
		cmocka_unit_test(an_empty_text_is_a_failure_too),
		cmocka_unit_test(holds_a_mount_point_of_path_max),
		cmocka_unit_test(cuts_a_text_that_is_too_long),
	};

	return cmocka_run_group_tests_name("failure", tests, NULL, NULL);
}

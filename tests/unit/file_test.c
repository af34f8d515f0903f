/* SPDX-License-Identifier: MIT */
/* Reading files, and replacing them in one step, in a directory of the test's own. */
#include "command/lib/file.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/file_test.XXXXXX";

static int make_root(void **state)
{
	(void)state;
	return mkdtemp(root) && chdir(root) == 0 ? 0 : -1;
}

static int remove_root(void **state)
{
	static const char *const names[] = {"file", "new", "link", "large"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		(void)unlink(names[i]);
	return chdir("/") == 0 ? rmdir(root) : -1;
}

static int remove_files(void **state)
{
	(void)state;
	(void)unlink("file");
	(void)unlink("new");
	(void)unlink("link");
	return 0;
}

static void expect_text(const char *path, const char *wanted)
{
	char *text = file_read(path);

	assert_non_null(text);
	assert_string_equal(text, wanted);
	free(text);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode;
}

static void a_new_file_gets_the_mode(void **state)
{
	(void)state;
	assert_true(file_replace("file", "new", "text", 4, 0640));
	expect_text("file", "text");
	assert_int_equal(mode_of("file"), S_IFREG | 0640);
	assert_int_equal(access("new", F_OK), -1);
}

static void a_file_that_is_there_keeps_its_mode(void **state)
{
	(void)state;
	assert_true(file_replace("file", "new", "old", 3, 0604));
	assert_true(file_replace("file", "new", "longer", 6, 0640));
	expect_text("file", "longer");
	assert_int_equal(mode_of("file"), S_IFREG | 0604);
}

static void mode_0_needs_a_file(void **state)
{
	(void)state;
	assert_false(file_replace("file", "new", "text", 4, 0));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(access("file", F_OK), -1);
	assert_int_equal(access("new", F_OK), -1);
}

static void what_was_interrupted_is_replaced(void **state)
{
	(void)state;
	assert_true(file_replace("new", "other", "half", 4, 0600));
	assert_true(file_replace("file", "new", "text", 4, 0600));
	expect_text("file", "text");
	assert_int_equal(access("new", F_OK), -1);
}

static void no_link_is_followed(void **state)
{
	(void)state;
	assert_true(file_replace("file", "other", "text", 4, 0600));
	assert_int_equal(symlink("file", "new"), 0);
	assert_int_equal(symlink("file", "link"), 0);
	assert_true(file_replace("link", "new", "mine", 4, 0600));
	assert_int_equal(mode_of("link"), S_IFREG | 0600);
	expect_text("link", "mine");
	expect_text("file", "text");
}

static void the_old_file_stays_when_the_new_one_cannot_be(void **state)
{
	(void)state;
	assert_true(file_replace("file", "new", "old", 3, 0600));
	assert_false(file_replace("file", "nowhere/new", "text", 4, 0600));
	assert_int_equal(errno, ENOENT);
	expect_text("file", "old");
}

static void a_file_that_is_too_large(void **state)
{
	(void)state;
	assert_true(file_replace("large", "new", "", 0, 0600));
	assert_int_equal(truncate("large", FILE_SIZE_MAX), 0);
	free(file_read("large"));
	assert_int_equal(truncate("large", FILE_SIZE_MAX + 1), 0);
	assert_null(file_read("large"));
	assert_int_equal(errno, EFBIG);
}

static void a_file_that_is_missing(void **state)
{
	char text[4] = "old";

	(void)state;
	assert_null(file_read("file"));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(file_read_start(AT_FDCWD, "file", text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

static void the_start_of_a_file(void **state)
{
	char text[4];

	(void)state;
	assert_true(file_replace("file", "new", "a\0cdef", 6, 0600));
	assert_int_equal(file_read_start(AT_FDCWD, "file", text, sizeof(text)), 3);
	assert_memory_equal(text, "a\0c", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_new_file_gets_the_mode, remove_files),
		cmocka_unit_test_teardown(a_file_that_is_there_keeps_its_mode, remove_files),
		cmocka_unit_test_teardown(mode_0_needs_a_file, remove_files),
		cmocka_unit_test_teardown(what_was_interrupted_is_replaced, remove_files),
		cmocka_unit_test_teardown(no_link_is_followed, remove_files),
		cmocka_unit_test_teardown(
			the_old_file_stays_when_the_new_one_cannot_be, remove_files),
		cmocka_unit_test_teardown(a_file_that_is_too_large, remove_files),
		cmocka_unit_test_teardown(a_file_that_is_missing, remove_files),
		cmocka_unit_test_teardown(the_start_of_a_file, remove_files),
	};

	return cmocka_run_group_tests_name("file", tests, make_root, remove_root);
}

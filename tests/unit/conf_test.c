/* SPDX-License-Identifier: MIT */
#include "module/conf.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- words ------------------------------------------------------------------------------------
 */

#define NUL_BYTE "(NUL)"

/* All words of n bytes, as "LINE word|LINE word|". The text is on the heap without a byte to spare
   but the one that may be written to: an access beyond is noticed. */
static void check_bytes(const char *bytes, size_t n, const char *expected)
{
	char *text = malloc(n + 1), *word;
	struct conf conf = {.at = text, .end = text + n};
	char found[512] = "";
	int more;

	assert_non_null(text);
	memcpy(text, bytes, n);
	while ((more = conf_next(&conf, &word)) != 0)
		(void)snprintf(found + strlen(found), sizeof(found) - strlen(found), "%u %s|",
			conf.line, more < 0 ? NUL_BYTE : word);
	assert_string_equal(found, expected);
	assert_int_equal(conf_next(&conf, &word), 0);
	free(text);
}

static void check(const char *text, const char *expected)
{
	check_bytes(text, strlen(text), expected);
}

static void nothing_is_nothing(void **state)
{
	(void)state;
	check("", "");
	check("\n", "");
	check("\n\n \n\t\n", "");
	check("   ", "");
	check("# a comment", "");
	check("  # a comment\n#\n##\n", "");
}

static void a_word_on_each_line(void **state)
{
	(void)state;
	check("debug\n", "1 debug|");
	check("debug", "1 debug|"); /* no newline at the end */
	check("debug\nipc\n", "1 debug|2 ipc|");
	check("\n# about it\n\ndebug\n\nipc", "4 debug|6 ipc|");
}

static void white_space_around_a_word_is_left_out(void **state)
{
	(void)state;
	check(" debug", "1 debug|");
	check("debug ", "1 debug|");
	check("\t debug \t\n", "1 debug|");
	check("debug\r\nipc\r\n", "1 debug|2 ipc|");
}

static void a_comment_ends_with_its_line(void **state)
{
	(void)state;
	check("debug # why\nipc", "1 debug|2 ipc|");
	check("debug#why", "1 debug|");
	check("grace = 5 # not 6", "1 grace=5|");
	check("exempt = a#b", "1 exempt=a|");
}

static void white_space_around_the_equals_sign_is_left_out(void **state)
{
	(void)state;
	check("grace=5", "1 grace=5|");
	check("grace = 5", "1 grace=5|");
	check("grace =5", "1 grace=5|");
	check("grace= 5", "1 grace=5|");
	check("\tgrace\t \t=\t \t5\t", "1 grace=5|");
	check("proc_options = hidepid = 2", "1 proc_options=hidepid=2|");
}

static void white_space_around_commas_is_left_out(void **state)
{
	(void)state;
	check("exempt = alice, @sudo ,bob , 5", "1 exempt=alice,@sudo,bob,5|");
	check("exempt = alice,", "1 exempt=alice,|");
	check("exempt = , alice", "1 exempt=,alice|");
	check("exempt = , , ", "1 exempt=,,|");
}

static void white_space_inside_a_name_stays(void **state)
{
	(void)state;
	check("exempt = @domain admins, a  b", "1 exempt=@domain admins,a  b|");
	check("debug ipc", "1 debug ipc|");
	check("grace 5", "1 grace 5|");
}

static void what_is_incomplete_is_handed_on(void **state)
{
	(void)state;
	check("grace =", "1 grace=|");
	check("= 5", "1 =5|");
	check(" = ", "1 =|");
	check("grace == 5", "1 grace==5|");
	check(",", "1 ,|");
}

static void bytes_that_are_no_ascii_stay(void **state)
{
	(void)state;
	check("exempt = m\xc3\xbcller", "1 exempt=m\xc3\xbcller|");
	check("\xef\xbb\xbf"
	      "debug",
		"1 \xef\xbb\xbf"
		"debug|");
	check("exempt = a\xa0", "1 exempt=a\xa0|"); /* a space in some locales */
	check("exempt = %s%n", "1 exempt=%s%n|");
	check("exempt = DOM\\user", "1 exempt=DOM\\user|");
	check("debug \\\nipc", "1 debug \\|2 ipc|"); /* a line is not continued */
}

#define CHECK_BYTES(bytes, expected) check_bytes(bytes, sizeof(bytes) - 1, expected)

static void a_line_with_a_nul_byte_is_named(void **state)
{
	(void)state;
	CHECK_BYTES("\0", "1 " NUL_BYTE "|");
	CHECK_BYTES("debug\0", "1 " NUL_BYTE "|");
	CHECK_BYTES("debug\nip\0c\nipc", "1 debug|2 " NUL_BYTE "|3 ipc|");
	CHECK_BYTES("# a comment\0\n", "1 " NUL_BYTE "|");
	CHECK_BYTES("d\0e\0\n\0", "1 " NUL_BYTE "|2 " NUL_BYTE "|");
}

static void a_line_of_the_whole_file(void **state)
{
	char *text = malloc(CONF_SIZE_MAX + 1), *word;
	struct conf conf = {.at = text, .end = text + CONF_SIZE_MAX};

	(void)state;
	assert_non_null(text);
	memset(text, 'x', CONF_SIZE_MAX);
	assert_int_equal(conf_next(&conf, &word), 1);
	assert_int_equal(strlen(word), CONF_SIZE_MAX);
	assert_int_equal(conf_next(&conf, &word), 0);
	free(text);
}

/* ---- files ------------------------------------------------------------------------------------
 */

static char directory[] = "/tmp/conf_test.XXXXXX";
static char path[64];

static int make_directory(void **state)
{
	(void)state;
	(void)umask(077);
	if (!mkdtemp(directory))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/unshare.conf", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	return rmdir(directory);
}

static int remove_file(void **state)
{
	(void)state;
	(void)unlink(path);
	return 0;
}

static void write_file(const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(close(fd), 0);
}

/* It is read, and holds these bytes. */
static void check_read(const void *bytes, size_t n)
{
	struct failure why = {0};
	char *text = NULL;
	size_t size = 0;

	if (conf_read(path, &text, &size, &why) != 1)
		fail_msg("not read: %s: %s", why.text, strerror(why.err));
	assert_int_equal(why.err, 0);
	assert_int_equal(size, n);
	assert_memory_equal(text, bytes, n);
	text[size] = '\0'; /* there is room */
	free(text);
}

/* It is not read, and the reason names the file. */
static void check_fails(const char *file, int err, const char *reason)
{
	struct failure why = {0};
	char *text = NULL;
	size_t size;

	assert_int_equal(conf_read(file, &text, &size, &why), -err);
	assert_int_equal(why.err, err);
	if (!strstr(why.text, reason) || !strstr(why.text, file))
		fail_msg("'%s' is not said, but: %s", reason, why.text);
	assert_null(text);
}

static void a_file_is_read_as_it_is(void **state)
{
	static const char bytes[] = "grace = 5\n\0\xff no newline";

	(void)state;
	write_file(bytes, sizeof(bytes) - 1);
	check_read(bytes, sizeof(bytes) - 1);
}

static void an_empty_file_is_a_file(void **state)
{
	(void)state;
	write_file("", 0);
	check_read("", 0);
}

static void no_file_is_no_failure(void **state)
{
	struct failure why = {0};
	char *text;
	size_t size;

	(void)state;
	assert_int_equal(conf_read(path, &text, &size, &why), 0);
	assert_int_equal(conf_read("/nowhere/unshare.conf", &text, &size, &why), 0);
	assert_int_equal(why.err, 0);
}

static void the_largest_file_is_read_and_a_larger_one_is_not(void **state)
{
	char *bytes = malloc(CONF_SIZE_MAX + 1);

	(void)state;
	assert_non_null(bytes);
	memset(bytes, '#', CONF_SIZE_MAX + 1);
	write_file(bytes, CONF_SIZE_MAX);
	check_read(bytes, CONF_SIZE_MAX);
	write_file(bytes, CONF_SIZE_MAX + 1);
	check_fails(path, EFBIG, "is larger than 65536 bytes");
	free(bytes);
}

static void a_symbolic_link_is_followed_unless_it_leads_nowhere(void **state)
{
	char target[80];

	(void)state;
	(void)snprintf(target, sizeof(target), "%s/target", directory);
	assert_int_equal(symlink(target, path), 0);
	check_fails(path, ENOENT, "open the configuration file");
	write_file("ipc", 3); /* through the link */
	check_read("ipc", 3);
	assert_int_equal(unlink(target), 0);
}

static void what_is_no_regular_file_is_refused_and_does_not_block(void **state)
{
	(void)state;
	check_fails(directory, EINVAL, "is no regular file");
	check_fails("/dev/null", EINVAL, "is no regular file");
	assert_int_equal(mkfifo(path, 0600), 0);
	check_fails(path, EINVAL, "is no regular file");
}

static void a_socket_cannot_be_opened(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	check_fails(path, ENXIO, "open the configuration file");
	assert_int_equal(close(fd), 0);
}

static void a_path_through_a_file_is_a_failure(void **state)
{
	char below[80];

	(void)state;
	write_file("", 0);
	(void)snprintf(below, sizeof(below), "%s/below", path);
	check_fails(below, ENOTDIR, "open the configuration file");
}

static void a_file_that_others_can_write_to_is_refused(void **state)
{
	(void)state;
	write_file("ipc", 3);
	assert_int_equal(chmod(path, 0646), 0);
	check_fails(path, EPERM, "others than root can write to");
	assert_int_equal(chmod(path, 0644), 0);
	check_read("ipc", 3); /* negative control */
	if (geteuid() != 0)
		return;
	assert_int_equal(chmod(path, 0664), 0);
	check_read("ipc", 3); /* root's group */
	assert_int_equal(chown(path, 0, 1), 0);
	check_fails(path, EPERM, "others than root can write to");
	assert_int_equal(chmod(path, 0644), 0);
	check_read("ipc", 3);
	assert_int_equal(chown(path, 1, 0), 0);
	check_fails(path, EPERM, "others than root can write to");
}

static void the_descriptor_is_closed(void **state)
{
	struct stat st;
	int next = dup(0);

	(void)state;
	assert_int_equal(close(next), 0);
	write_file("ipc", 3);
	check_read("ipc", 3);
	check_fails(directory, EINVAL, "is no regular file");
	assert_int_equal(fstat(next, &st), -1);
	assert_int_equal(errno, EBADF);
}

#define FILE_TEST(name) cmocka_unit_test_teardown(name, remove_file)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_nothing),
		cmocka_unit_test(a_word_on_each_line),
		cmocka_unit_test(white_space_around_a_word_is_left_out),
		cmocka_unit_test(a_comment_ends_with_its_line),
		cmocka_unit_test(white_space_around_the_equals_sign_is_left_out),
		cmocka_unit_test(white_space_around_commas_is_left_out),
		cmocka_unit_test(white_space_inside_a_name_stays),
		cmocka_unit_test(what_is_incomplete_is_handed_on),
		cmocka_unit_test(bytes_that_are_no_ascii_stay),
		cmocka_unit_test(a_line_with_a_nul_byte_is_named),
		cmocka_unit_test(a_line_of_the_whole_file),
		FILE_TEST(a_file_is_read_as_it_is),
		FILE_TEST(an_empty_file_is_a_file),
		FILE_TEST(no_file_is_no_failure),
		FILE_TEST(the_largest_file_is_read_and_a_larger_one_is_not),
		FILE_TEST(a_symbolic_link_is_followed_unless_it_leads_nowhere),
		FILE_TEST(what_is_no_regular_file_is_refused_and_does_not_block),
		FILE_TEST(a_socket_cannot_be_opened),
		FILE_TEST(a_path_through_a_file_is_a_failure),
		FILE_TEST(a_file_that_others_can_write_to_is_refused),
		FILE_TEST(the_descriptor_is_closed),
	};

	return cmocka_run_group_tests_name("conf", tests, make_directory, remove_directory);
}

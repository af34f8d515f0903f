/* SPDX-License-Identifier: MIT */
#include "command/lib/pam_stack.h"
#include "config.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/stack_test.XXXXXX";
static struct pam_stack stack;

/* ---- files ------------------------------------------------------------------------------- */

static const char *const names[] = {"etc/pam.d/service", "etc/pam.d/other", "etc/pam.d/common",
	"etc/pam.d/loop", "usr/lib/pam.d/vendor", "etc/pam.d/common-vendor",
	"usr/lib/pam.d/common-vendor"};

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int make_root(void **state)
{
	static const char *const directories[] = {
		"etc", "etc/pam.d", "usr", "usr/lib", "usr/lib/pam.d"};
	char path[128];

	(void)state;
	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < COUNT(directories); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", root, directories[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	return 0;
}

static int remove_root(void **state)
{
	static const char *const directories[] = {
		"usr/lib/pam.d", "usr/lib", "usr", "etc/pam.d", "etc", ""};
	char path[128];

	(void)state;
	for (size_t i = 0; i < COUNT(directories); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", root, directories[i]);
		assert_int_equal(rmdir(path), 0);
	}
	return 0;
}

static int clean(void **state)
{
	char path[128];

	(void)state;
	pam_stack_free(&stack);
	for (size_t i = 0; i < COUNT(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", root, names[i]);
		(void)unlink(path);
	}
	return 0;
}

static void read_service(const char *text)
{
	put("etc/pam.d/service", text);
	assert_int_equal(pam_stack_read(root, "service", &stack), 0);
}

/* What was read, each line as FILE:NUMBER and its words. */
static void expect(const char *lines)
{
	char text[4096] = "", one[512];

	for (size_t i = 0; i < stack.n; i++) {
		const struct pam_stack_line *line = &stack.lines[i];

		(void)snprintf(one, sizeof(one), "%s:%u %s%s%s %s", strrchr(line->file, '/') + 1,
			line->number, line->silent ? "-" : "", line->brackets ? "[]" : "",
			line->control, line->module);
		strncat(text, one, sizeof(text) - strlen(text) - 1);
		for (int k = 0; k < line->argc; k++) {
			(void)snprintf(one, sizeof(one), " <%s>", line->argv[k]);
			strncat(text, one, sizeof(text) - strlen(text) - 1);
		}
		strncat(text, "\n", sizeof(text) - strlen(text) - 1);
	}
	assert_string_equal(text, lines);
}

static void expect_fault(const char *part)
{
	for (size_t i = 0; i < stack.n_faults; i++)
		if (strstr(stack.faults[i].text, part))
			return;
	fail_msg("no fault has '%s', of %zu", part, stack.n_faults);
}

/* ---- tests ------------------------------------------------------------------------------- */

static void only_session_lines(void **state)
{
	(void)state;
	read_service("# a comment\n"
		     "auth required pam_permit.so\n"
		     "\n"
		     "session required pam_a.so one two\n"
		     "account required pam_permit.so\n"
		     " \tSESSION\toptional\tpam_b.so # a comment\n"
		     "-session [success=ok default=bad] /lib/pam_c.so\n");
	expect("service:4 required pam_a.so <one> <two>\n"
	       "service:6 optional pam_b.so\n"
	       "service:7 -[]success=ok default=bad /lib/pam_c.so\n");
	assert_int_equal(stack.n_faults, 0);
	assert_string_equal(stack.file, "/etc/pam.d/service");
}

static void arguments_in_brackets(void **state)
{
	(void)state;
	read_service("session required pam_a.so [exempt=@domain admins,bob] [a\\]b] c\n");
	expect("service:1 required pam_a.so <exempt=@domain admins,bob> <a]b> <c>\n");
}

static void continued_lines(void **state)
{
	(void)state;
	read_service("session required \\\n pam_a.so \\\n one\nsession optional pam_b.so\\\n");
	expect("service:3 required pam_a.so <one>\nservice:4 optional pam_b.so\n");
}

static void included_files(void **state)
{
	(void)state;
	put("etc/pam.d/common", "auth required pam_x.so\nsession required pam_c.so\n");
	put("usr/lib/pam.d/vendor", "session required pam_v.so\n");
	put("usr/lib/pam.d/common-vendor", "session required pam_wrong.so\n");
	put("etc/pam.d/common-vendor", "session required pam_right.so\n");
	read_service("@include common\n"
		     "session include common\n"
		     "auth include missing\n"
		     "session substack vendor\n"
		     "@include common-vendor\n"
		     "session required pam_a.so\n");
	expect("common:2 required pam_c.so\n"
	       "common:2 required pam_c.so\n"
	       "vendor:1 required pam_v.so\n"
	       "common-vendor:1 required pam_right.so\n"
	       "service:6 required pam_a.so\n");
	assert_int_equal(stack.n_faults, 0);
}

static void a_missing_include(void **state)
{
	(void)state;
	read_service("session required pam_a.so\n@include nowhere\nsession include\n");
	expect("service:1 required pam_a.so\n");
	expect_fault("/etc/pam.d/service line 2 includes nowhere, which does not exist");
	expect_fault("line 3 names no module");
}

static void files_that_include_each_other(void **state)
{
	(void)state;
	put("etc/pam.d/loop", "session include loop\n");
	read_service("session include loop\n");
	expect("");
	expect_fault("more than 16 times deep");
}

/* As often as they could, they would be read 4^16 times. */
static void files_that_include_each_other_often(void **state)
{
	(void)state;
	put("etc/pam.d/loop",
		"@include loop\nsession include loop\n@include loop\n@include loop\n");
	read_service("@include loop\nsession required pam_unshare.so\n");
	assert_int_equal(stack.n, 1);
	assert_true(stack.n_files < 10000);
	assert_true(stack.n_faults > 1);
	assert_non_null(strstr(stack.faults[stack.n_faults - 1].text, "include"));
}

static void the_service_is_found(void **state)
{
	(void)state;
	put("usr/lib/pam.d/vendor", "session required pam_v.so\n");
	assert_int_equal(pam_stack_read(root, "/usr/bin/Vendor", &stack), 0);
	assert_string_equal(stack.file, "/usr/lib/pam.d/vendor");
	expect("vendor:1 required pam_v.so\n");
	assert_int_equal(stack.n_faults, 0);
}

static void a_missing_service_is_other(void **state)
{
	(void)state;
	put("etc/pam.d/other", "session required pam_deny.so\n");
	assert_int_equal(pam_stack_read(root, "service", &stack), 0);
	assert_string_equal(stack.file, "");
	expect("other:1 required pam_deny.so\n");
	expect_fault("there is no file /etc/pam.d/service");
}

static void a_service_without_session_is_other(void **state)
{
	(void)state;
	put("etc/pam.d/other", "session required pam_deny.so\n");
	read_service("auth required pam_permit.so\n");
	expect("other:1 required pam_deny.so\n");
	expect_fault("has no session line");
}

static void what_is_no_line(void **state)
{
	(void)state;
	read_service("sesion required pam_a.so\n"
		     "auth required pam_unshare.so\n"
		     "session\n"
		     "session required\n"
		     "session required pam_a.so");
	expect("service:5 required pam_a.so\n");
	expect_fault("line 1 begins with 'sesion', which is no type");
	expect_fault("line 2 lists pam_unshare.so with the type 'auth'");
	expect_fault("line 3 names no module");
	expect_fault("line 4 names no module");
}

/* More of everything than there is room for: what is too much is said, or left out. */
static void too_much(void **state)
{
	static char text[200000];

	(void)state;
	text[0] = '\0';
	for (int i = 0; i < PAM_STACK_LINES + 10; i++)
		strcat(text, "session required pam_a.so\n");
	read_service(text);
	assert_int_equal(stack.n, PAM_STACK_LINES);
	expect_fault("more than 256 session lines");
	pam_stack_free(&stack);

	(void)strcpy(text, "session required pam_a.so");
	for (int i = 0; i < PAM_STACK_ARGUMENTS + 10; i++)
		strcat(text, " word");
	read_service(text);
	assert_int_equal(stack.lines[0].argc, PAM_STACK_ARGUMENTS);
	pam_stack_free(&stack);

	text[0] = '\0';
	for (int i = 0; i < 1000; i++)
		strcat(text, "@include nowhere\n");
	read_service(text);
	assert_int_equal(stack.n_faults, PAM_STACK_FAULTS);
}

/* Of a build for another machine, in its own tree, the path is that of the machine. */
static void modules_are_looked_for_where_they_are(void **state)
{
	(void)state;
	assert_int_equal(access(SECUREDIR "/pam_permit.so", R_OK), 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_teardown(function, clean)
	const struct CMUnitTest tests[] = {
		TEST(only_session_lines),
		TEST(arguments_in_brackets),
		TEST(continued_lines),
		TEST(included_files),
		TEST(a_missing_include),
		TEST(files_that_include_each_other),
		TEST(files_that_include_each_other_often),
		TEST(the_service_is_found),
		TEST(a_missing_service_is_other),
		TEST(a_service_without_session_is_other),
		TEST(what_is_no_line),
		TEST(too_much),
		TEST(modules_are_looked_for_where_they_are),
	};

	return cmocka_run_group_tests_name("pam_stack", tests, make_root, remove_root);
}

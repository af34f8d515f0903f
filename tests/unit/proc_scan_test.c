/* SPDX-License-Identifier: MIT */
/*
 * How the audit judges the report of a program that ran elsewhere. What the user could write there
 * must not make "closed" of anything but a whole report.
 */
#include "command/audit/proc_scan.h"
#include "unit.h"

#include <stdarg.h>
#include <string.h>

void result_set(struct result *result, enum verdict verdict, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(result->seen, sizeof(result->seen), format, args);
	va_end(args);
	result->verdict = verdict;
}

static const struct audit_context context = {
	.decoys = {{.pid = 2001, .secret = "00112233445566778899aabbccddeeff"},
		{.pid = 2002, .secret = "ffeeddccbbaa99887766554433221100"}},
	.n_decoys = 2,
};

static enum verdict judge(const char *text)
{
	struct result result = {.verdict = OPEN};

	proc_scan_judge_report(&context, "a test", text, &result);
	return result.verdict;
}

#define GOOD "self=1\nlisted=3\nothers=0\nsample=\n"

static void test_whole(void **state)
{
	(void)state;
	assert_int_equal(judge(GOOD "end\n"), CLOSED);
	/* said before by a program that warns */
	assert_int_equal(judge("warning: something\n" GOOD "end\n"), CLOSED);
}

static void test_not_whole(void **state)
{
	(void)state;
	assert_int_equal(judge(""), NOT_TESTED);
	assert_int_equal(judge("Failed to connect to bus\n"), NOT_TESTED);
	assert_int_equal(judge(GOOD), NOT_TESTED);
	assert_int_equal(judge("self=1\nlisted=3\nothers=0\nend\n"), NOT_TESTED);
	assert_int_equal(judge("self=0\nlisted=0\nothers=0\nsample=\nend\n"), NOT_TESTED);
}

static void test_open(void **state)
{
	(void)state;
	assert_int_equal(judge("self=1\nlisted=9\nothers=1\nsample=1 of uid 0: init\nend\n"), OPEN);
	assert_int_equal(judge(GOOD "secret=ffeeddccbbaa99887766554433221100\nend\n"), OPEN);
	assert_int_equal(judge(GOOD "alive=2002\nend\n"), OPEN);
	/* without the list, too: a process that sees no /proc */
	assert_int_equal(judge("self=0\nlisted=0\nothers=0\nsample=\nalive=2001\nend\n"), OPEN);
}

static void test_others(void **state)
{
	(void)state;
	/* a secret or a pid that is no decoy's */
	assert_int_equal(judge(GOOD "secret=ffeeddccbbaa99887766554433221101\nend\n"), CLOSED);
	assert_int_equal(judge(GOOD "alive=2003\nend\n"), CLOSED);
}

static void test_secret_in_text(void **state)
{
	static const char text[] = "x\0y 00112233445566778899aabbccddeeff z";

	(void)state;
	assert_ptr_equal(find_secret(&context, text, sizeof(text)), &context.decoys[0]);
	assert_null(find_secret(&context, text, 20));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_not_whole),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_secret_in_text),
	};

	return cmocka_run_group_tests_name("proc_scan", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What the init keeps of the application's memory. */
#include "init/memory.h"
#include "unit.h"

#include <sys/auxv.h>

/* Functions that the linker has --wrap for. */
unsigned long __real_getauxval(unsigned long type);
unsigned long __wrap_getauxval(unsigned long type);

static unsigned long name_of_program; /* on top of the stack; 0: where it is */

unsigned long __wrap_getauxval(unsigned long type)
{
	return type == AT_EXECFN && name_of_program > 0 ? name_of_program : __real_getauxval(type);
}

static void everything_where_libraries_are_above_the_stack(void **state)
{
	struct retained retained;
	void *stack = init_stack_new();

	(void)state;
	assert_non_null(stack);
	name_of_program = (unsigned long)(uintptr_t)memory_trim - (1 << 20);
	memory_retain(&retained, stack);
	assert_int_equal(retained.n, 0);
	name_of_program = 0; /* negative control */
	memory_retain(&retained, stack);
	assert_int_equal(retained.n > 0, !MEMORY_IS_KEPT);
	init_stack_free(stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_where_libraries_are_above_the_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

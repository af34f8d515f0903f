/* SPDX-License-Identifier: MIT */
/*
 * What every unit test includes, after the headers of the project: cmocka makes fail() a macro
 * without parameters, which the declaration in failure.h would not survive.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* needs the four above */
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#endif

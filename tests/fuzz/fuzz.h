/* SPDX-License-Identifier: MIT */
/*
 * What the fuzzers share. Each checks what must hold of any input, besides what the sanitizers
 * find. With NEGATIVE_CONTROL defined it also demands something that an unusual input breaks, so
 * that a run shows that such inputs are tried and that a broken demand is reported.
 */
#ifndef PAM_UNSHARE_FUZZ_H
#define PAM_UNSHARE_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEMAND(condition)         \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

#ifdef NEGATIVE_CONTROL
#define DEMAND_OF_CONTROL(condition) DEMAND(condition)
#else
#define DEMAND_OF_CONTROL(condition) (void)(condition)
#endif

/** The input as a string of its own, which a sanitizer watches the end of; free(3) it. */
static inline char *as_string(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	DEMAND(text);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

#endif

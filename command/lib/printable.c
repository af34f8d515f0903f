/* SPDX-License-Identifier: MIT */
#include "printable.h"

void printable(char *to, size_t size, const char *from, size_t n)
{
	size_t i;

	for (i = 0; i < n && i + 1 < size; i++)
		to[i] = (char)(from[i] >= ' ' && from[i] <= '~' ? from[i] : '?');
	to[i] = '\0';
}

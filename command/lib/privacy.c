/* SPDX-License-Identifier: MIT */
#include "privacy.h"

#include "common/privacy.h"

#include <stdio.h>

const char *privacy_words(unsigned int bits, char words[PRIVACY_WORDS_SIZE])
{
	static const struct {
		unsigned int bit;
		const char *word;
	} known[] = {{PRIVATE_TMP, "tmp"}, {PRIVATE_SHM, "shm"}, {PRIVATE_MQUEUE, "mqueue"},
		{HIDE_CGROUPS, "cgroups"}};
	size_t n = 0;

	words[0] = '\0';
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (bits & known[i].bit)
			n += (size_t)snprintf(words + n, PRIVACY_WORDS_SIZE - n, "%s%s",
				n > 0 ? "," : "", known[i].word);
	return words;
}

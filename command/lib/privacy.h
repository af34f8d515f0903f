/* SPDX-License-Identifier: MIT */
/*
 * The words of private= and hide=, for whoever reads them.
 */
#ifndef PAM_UNSHARE_COMMAND_PRIVACY_H
#define PAM_UNSHARE_COMMAND_PRIVACY_H

#define PRIVACY_WORDS_SIZE 64

/** Put the words of bits (enum privacy) into a list with commas; "" if there is none. */
const char *privacy_words(unsigned int bits, char words[PRIVACY_WORDS_SIZE]);

#endif

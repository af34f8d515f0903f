/* SPDX-License-Identifier: MIT */
#ifndef PAM_UNSHARE_HARDEN_H
#define PAM_UNSHARE_HARDEN_H

#include <stdio.h>

/**
 * Close what the module does not, take that back, or say what is closed. Each part is a file that
 * is copied to where it works, or two lines in a file of PAM.
 *
 * Runs as root, on the host.
 *
 * @param verb   enable, disable or status
 * @param parts  n names; none: all
 * @return the exit status: 0, 1 a part could not be, 2 not understood
 */
int harden(const char *verb, char *const parts[], int n);

/** Print the parts, for --help. */
void harden_help(FILE *to);

#endif

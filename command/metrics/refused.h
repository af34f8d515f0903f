/* SPDX-License-Identifier: MIT */
/*
 * How many sessions the module has refused since the machine was booted: by the journal, since the
 * module writes no file. Runs as root, on the host.
 */
#ifndef PAM_UNSHARE_REFUSED_H
#define PAM_UNSHARE_REFUSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Tell whether an entry of the journal is a refusal.
 *
 * @param message     n bytes
 * @param of_command  pam-unshare has logged it, whose sessions are tests, but for the user managers
 */
bool refused_is(const char *message, size_t n, bool of_command);

/**
 * Count them. What was counted before is kept in RUNSTATEDIR, with the place in the journal: the
 * count does not fall when old entries go, and each call reads what is new.
 *
 * @param count  filled in on success
 * @return 1; 0: this machine has no journal; or -errno
 */
int refused_count(uint64_t *count);

#endif

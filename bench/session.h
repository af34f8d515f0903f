/* SPDX-License-Identifier: MIT */
/*
 * A session of any variant:
 *
 *     floor           the system calls that nobody can do without, see floor.h
 *     SERVICE[:USER]  a PAM service: the session lines of /run/pam.d/SERVICE, for alice, or USER
 */
#ifndef BENCH_SESSION_H
#define BENCH_SESSION_H

#include "floor.h"

#include <security/pam_appl.h>
#include <stdbool.h>

struct session {
	bool is_floor; /* and not a service */
	struct floor floor;
	pam_handle_t *pamh;
};

/** What an application does before it opens a session: it has looked up its user, written to the
    log, and PAM has loaded the modules. */
void start(struct session *session, const char *variant);

void session_open(struct session *session);
void session_close(struct session *session);
void end(struct session *session);

/** An init that ends in the background would fall on the next measurement. */
void wait_for_inits(void);

/** The first child in a session: what su and sshd do next. */
void fork_once(void);

void look_user_up(void);
void write_to_log(void);

#endif

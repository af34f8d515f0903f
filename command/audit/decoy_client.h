/* SPDX-License-Identifier: MIT */
/*
 * Questions to the first decoy, which answers at its socket: decoy.c. Probes ask, as the user in
 * the session.
 */
#ifndef PAM_UNSHARE_DECOY_CLIENT_H
#define PAM_UNSHARE_DECOY_CLIENT_H

#include "context.h"

/* What a decoy can be asked: to answer at once; to cause process events; to start a unit. */
enum decoy_question { DECOY_ANSWER = 'p', DECOY_CAUSE_EVENTS = 'c', DECOY_START_UNIT = 'u' };

/**
 * Connect to the first decoy and ask it something.
 *
 * @return a descriptor, from which its answer, one byte, can be read: 'y', it has done so; 'n', it
 *         could not; 'p' to DECOY_ANSWER. Or -1
 */
int decoy_connect(const struct audit_context *context, enum decoy_question question);

/** Ask and wait. @return whether it has done so */
bool decoy_ask(const struct audit_context *context, enum decoy_question question);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef PAM_UNSHARE_TITLE_H
#define PAM_UNSHARE_TITLE_H

/**
 * Show a command line of our own in ps(1), and no environment. Best effort: a kernel without
 * PR_SET_MM_MAP goes on showing the application's command line. The name, PR_SET_NAME, is set in
 * any case.
 *
 * Runs in the init until it is ready.
 *
 * @param title  stays where it is for as long as the init lives
 */
void set_title(const char *title);

#endif

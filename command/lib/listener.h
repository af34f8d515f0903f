/* SPDX-License-Identifier: MIT */
#ifndef PAM_UNSHARE_LISTENER_H
#define PAM_UNSHARE_LISTENER_H

/* Who is told what modules say; the text is printable and one line. */
struct listener {
	void (*hear)(void *data, const char *text);
	void *data;
};

#endif

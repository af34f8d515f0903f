/* SPDX-License-Identifier: MIT */
#ifndef PAM_UNSHARE_METRICS_H
#define PAM_UNSHARE_METRICS_H

/**
 * Print what a monitoring system watches, in the text format of Prometheus: sessions, namespaces,
 * refused sessions, parts of "enable" that are off. No user's name is in it.
 *
 * Runs as root, on the host.
 *
 * @param path  file that is replaced in one step; what is there meanwhile ends with "-new". NULL:
 *              standard output
 * @return the exit status: 0; 2 something could not be found out or written; the file is as before
 */
int metrics(const char *path);

#endif

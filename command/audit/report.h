/* SPDX-License-Identifier: MIT */
/*
 * What an audit prints: a table of the results, or JSON, and a line that counts them. Runs as root,
 * on the host.
 */
#ifndef PAM_UNSHARE_REPORT_H
#define PAM_UNSHARE_REPORT_H

#include "audit.h"
#include "session.h"

struct report {
	struct table *table;
	bool as_json;
	bool as_text; /* the default columns */
	bool counts;  /* print the line that counts */
};

/** Begin a report. @return false: the options are wrong; standard error says why */
bool report_begin(struct report *report, const struct table_options *options);

/** Print the results of the wanted probes, and end the report. @return the exit status of the
 * command */
int report_print(struct report *report, const struct audit *audit);

/** End a report that is not printed. */
void report_drop(struct report *report);

#endif

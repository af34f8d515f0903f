/* SPDX-License-Identifier: MIT */
#include "refused.h"

#include "command/harden/parts.h"
#include "command/lib/file.h"
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#define KEPT RUNSTATEDIR "/pam-unshare-refused"

/* ---- one entry --------------------------------------------------------------------------------
 */

/* Parts of the messages by which a session is refused, one of each session. `make lint` demands
   that a message of the module has it (tests/faults/failure_table.py). */
static const struct {
	const char *logged;
} refusals[] = {
	{.logged = "session refused: "},
	{.logged = "refused: correct the configuration"},
	{.logged = "cannot isolate the session"},
	{.logged = "cannot allocate the state of the session"},
	{.logged = "cannot hide the state from forked children"},
	{.logged = "cannot keep the state of the session"},
};

#define OF_MODULE "pam_unshare("
#define OF_MANAGER OF_MODULE "systemd-user:"

static bool begins_with(const char *text, size_t n, const char *start)
{
	return n >= strlen(start) && memcmp(text, start, strlen(start)) == 0;
}

bool refused_is(const char *message, size_t n, bool of_command)
{
	if (!begins_with(message, n, of_command ? OF_MANAGER : OF_MODULE))
		return false;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		if (memmem(message, n, refusals[i].logged, strlen(refusals[i].logged)))
			return true;
	return false;
}

/* ---- the journal ------------------------------------------------------------------------------
 */

/* Find a field of the entry; an entry without it has an empty one. */
static const char *field(sd_journal *journal, const char *name, size_t *n)
{
	const size_t skip = strlen(name) + 1;
	const void *data;

	*n = 0;
	if (sd_journal_get_data(journal, name, &data, n) < 0 || *n < skip) {
		*n = 0;
		return "";
	}
	*n -= skip;
	return (const char *)data + skip;
}

static bool is_refusal(sd_journal *journal)
{
	static const char command[] = "pam-unshare";
	size_t n_by, n;
	const char *by = field(journal, "SYSLOG_IDENTIFIER", &n_by);
	const bool of_command = n_by == strlen(command) && begins_with(by, n_by, command);
	const char *message = field(journal, "MESSAGE", &n);

	return refused_is(message, n, of_command);
}

/* What root's processes have logged since boot as the module logs a refusal: LOG_ERR of
   LOG_AUTHPRIV. The journal itself says whose an entry is. */
static int choose(sd_journal *journal)
{
	static const char *const fields[] = {"_UID=0", "PRIORITY=3", "SYSLOG_FACILITY=10"};
	char boot[16 + SD_ID128_STRING_MAX] = "_BOOT_ID=";
	sd_id128_t id;
	int err = sd_id128_get_boot(&id);

	if (err < 0)
		return err;
	(void)sd_id128_to_string(id, boot + strlen(boot));
	err = sd_journal_add_match(journal, boot, 0);
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields) && err >= 0; i++)
		err = sd_journal_add_match(journal, fields[i], 0);
	return err;
}

/* What was counted, and the entry that was counted last; NULL: none. */
struct kept {
	uint64_t count;
	char *cursor;
};

/* Count the entry, and remember it. */
static int count_entry(sd_journal *journal, struct kept *kept)
{
	kept->count += is_refusal(journal);
	free(kept->cursor);
	kept->cursor = NULL;
	return sd_journal_get_cursor(journal, &kept->cursor);
}

/* Go on behind the last entry; should it be gone, at the first that is left. */
static int count_new(sd_journal *journal, struct kept *kept)
{
	int found = kept->cursor ? sd_journal_seek_cursor(journal, kept->cursor)
				 : sd_journal_seek_head(journal);

	while (found >= 0 && (found = sd_journal_next(journal)) > 0)
		if (!kept->cursor || sd_journal_test_cursor(journal, kept->cursor) == 0)
			found = count_entry(journal, kept);
	return found;
}

static int count_in_journal(struct kept *kept)
{
	sd_journal *journal;
	int err = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);

	if (err < 0)
		return err;
	err = choose(journal);
	if (err >= 0)
		err = count_new(journal, kept);
	sd_journal_close(journal);
	return err < 0 ? err : 0;
}

/* ---- what is kept -----------------------------------------------------------------------------
 */

/* "COUNT CURSOR"; a file that is not there, or not so, counts as none. */
static int read_kept(struct kept *kept)
{
	char *text = file_read(KEPT), *end;

	*kept = (struct kept){.count = 0};
	if (!text)
		return errno == ENOENT ? 0 : -errno;
	kept->count = strtoull(text, &end, 10);
	if (end != text && *end == ' ') {
		end[1 + strcspn(end + 1, "\n")] = '\0';
		kept->cursor = strdup(end + 1);
	}
	free(text);
	if (!kept->cursor)
		kept->count = 0;
	return 0;
}

static int write_kept(const struct kept *kept)
{
	char text[1024];
	int n = snprintf(text, sizeof(text), "%" PRIu64 " %s\n", kept->count, kept->cursor);

	if (n < 0 || (size_t)n >= sizeof(text))
		return -EFBIG;
	return file_replace(KEPT, KEPT ".new", text, (size_t)n, 0600) ? 0 : -errno;
}

int refused_count(uint64_t *count)
{
	struct kept kept;
	int err;

	if (access(SYSTEMD, F_OK) < 0)
		return 0;
	err = read_kept(&kept);
	if (err == 0)
		err = count_in_journal(&kept);
	if (err == 0 && kept.cursor)
		err = write_kept(&kept);
	*count = kept.count;
	free(kept.cursor);
	return err == 0 ? 1 : err;
}

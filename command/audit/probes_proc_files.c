/* SPDX-License-Identifier: MIT */
/*
 * Probes of files below /proc that have a line for each object of the kernel: locks, segments of
 * System V shared memory, keys, and so on.
 */
#include "probes.h"

#include "common/syscalls.h"
#include "proc_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct listing {
	const char *path;
	int column; /* that has a pid, from 1; 0: none */
	unsigned int lines;
	bool has_own; /* a line has the pid of this process */
};

/* Copy the word in a column, from 1; "" if there is none. */
static void column_of(const char *line, int column, char *word, size_t size)
{
	word[0] = '\0';
	for (int i = 1; *line != '\0'; i++) {
		size_t n;

		line += strspn(line, " \t");
		n = strcspn(line, " \t\n");
		if (i == column && n < size) {
			memcpy(word, line, n);
			word[n] = '\0';
			return;
		}
		line += n;
		if (*line == '\n' || *line == '\0')
			return;
	}
}

/* Read the lines, up to one that names a decoy. */
static void read_lines(const struct audit_context *context, FILE *file, struct listing *listing,
	struct result *result)
{
	char line[4096], word[32];

	while (fgets(line, sizeof(line), file)) {
		long pid;

		listing->lines++;
		column_of(line, listing->column, word, sizeof(word));
		pid = strtol(word, NULL, 10);
		listing->has_own |= pid == getpid();
		if (!context_decoy(context, pid) && !find_secret(context, line, strlen(line)))
			continue;
		result_set(result, OPEN, "%s names a decoy: %.100s", listing->path, line);
		return;
	}
}

/* Hold a lock of this process's own while the file is read. */
static void read_with_lock(const struct audit_context *context, FILE *file, struct listing *listing,
	struct result *result)
{
	const struct flock whole = {.l_type = F_WRLCK};
	FILE *lock = tmpfile();

	if (lock)
		(void)fcntl(fileno(lock), F_SETLK, &whole);
	read_lines(context, file, listing, result);
	if (lock)
		(void)fclose(lock);
}

static bool is_refusal(int err)
{
	return err == EACCES || err == EPERM || err == ENOENT;
}

/*
 * arguments: the path; the column of each line that has a pid, or every line is searched for the
 * secrets only; and "lock" or "segment", which the decoy must hold. For locks, this process must
 * find its own in the file.
 */
void probe_proc_file(
	const struct audit_context *context, const struct probe *probe, struct result *result)
{
	const char *kind = probe->arguments[2];
	const bool locks = kind && strcmp(kind, "lock") == 0;
	struct listing listing = {.path = probe->arguments[0]};
	FILE *file = fopen(listing.path, "re");

	if (!file) {
		result_set(result, is_refusal(errno) ? CLOSED : NOT_TESTED, "%s: %s", listing.path,
			strerror(errno));
		return;
	}
	if (probe->arguments[1])
		listing.column = (int)strtol(probe->arguments[1], NULL, 10);
	if (locks)
		read_with_lock(context, file, &listing, result);
	else
		read_lines(context, file, &listing, result);
	(void)fclose(file);
	if (result->verdict == OPEN)
		return;
	if (locks && !listing.has_own)
		result_set(
			result, NOT_TESTED, "%s does not list the probe's own lock", listing.path);
	else if (kind && !(locks ? context->lock : context->segment))
		result_set(result, NOT_TESTED, "the decoy could not get a %s", kind);
	else
		result_set(result, CLOSED, "%s has %u lines; none names a decoy", listing.path,
			listing.lines);
}

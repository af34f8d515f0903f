/* SPDX-License-Identifier: MIT */
/* Where a mount is, asked of the kernel. */
#include "mount_walk.h"

#include <sys/mman.h>

/* Longer paths are not walked, and larger tables are not read. Bytes. */
#define PATH_LIMIT (1 << 20)
#define TABLE_LIMIT (64 << 20)

static int enlarge(struct walker *walker, size_t limit)
{
	const size_t size = walker->buffer ? walker->size * 4 : 16384;
	void *new;

	if (size > limit)
		return -ENAMETOOLONG;
	new = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (new == MAP_FAILED)
		return -ENOMEM;
	if (walker->buffer)
		(void)munmap(walker->buffer, walker->size);
	walker->buffer = new;
	walker->size = size;
	return 0;
}

/* Read the mount table as far as the buffer goes. Returns how much was read, or -1 with errno. */
static ssize_t read_table(const struct walker *walker)
{
	size_t used = 0;
	ssize_t n;

	if (lseek(walker->plan->mountinfo, 0, SEEK_SET) < 0)
		return -1;
	do {
		n = read(walker->plan->mountinfo, walker->buffer + used, walker->size - used - 1);
		used += n > 0 ? (size_t)n : 0;
	} while (n > 0 && used < walker->size - 1);
	walker->buffer[used] = '\0';
	return n < 0 ? -1 : (ssize_t)used;
}

/* Read the whole table, if need be with a larger buffer. */
static int read_whole_table(struct walker *walker)
{
	int err = walker->buffer ? 0 : enlarge(walker, TABLE_LIMIT);
	ssize_t n;

	while (err == 0) {
		n = read_table(walker);
		if (n < 0 || (size_t)n < walker->size - 1)
			return n < 0 ? -errno : 0;
		err = enlarge(walker, TABLE_LIMIT);
	}
	return err;
}

/* Find the mount point in the table as text. */
static int look_up_path(struct walker *walker, int id, const char **path)
{
	int err = read_whole_table(walker);
	char *rest = walker->buffer, *line;
	struct mount mount;

	while (err == 0 && (line = strsep(&rest, "\n")))
		if (mountinfo_parse(line, &mount) == 0 && mount.id == id) {
			*path = mount.mount_point;
			return 0;
		}
	return err < 0 ? err : -ENOENT; /* or no path leads there: the table does not tell */
}

int walker_find_procfs(struct walker *walker, int *parent)
{
	int err = read_whole_table(walker);
	char *rest = walker->buffer, *line;
	struct mount mount;

	while (err == 0 && (line = strsep(&rest, "\n"))) {
		const bool parsed = mountinfo_parse(line, &mount) == 0;

		if (!parsed || procfs_role(&mount) == PROCFS_NONE)
			continue;
		*parent = mount.parent;
		return 1;
	}
	return err;
}

int walker_ask_path(struct walker *walker, const struct mount_entry *wanted, const char **path)
{
	struct mount_text text;
	int err = 0;

	if (wanted->unique == 0)
		return look_up_path(walker, wanted->id, path);
	if (!walker->buffer)
		err = enlarge(walker, PATH_LIMIT);
	while (err == 0) {
		err = mount_ask_text(wanted->unique, walker->buffer, walker->size, &text);
		*path = text.mount_point;
		if (err != -EOVERFLOW)
			return err;
		err = enlarge(walker, PATH_LIMIT);
	}
	return err;
}

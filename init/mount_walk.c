/* SPDX-License-Identifier: MIT */
#include "mount_walk.h"

#include <linux/openat2.h>
#include <sys/mman.h>
#include <time.h>

/* After so many tries a walk begins at the root again: it may have left the way. */
#define TRIES_BEFORE_ROOT 16

/* What any walk has, even if others have taken all the time. */
#define LEAST_MS 50

/* Longer paths are not walked, and larger tables not read. */
#define PATH_LIMIT (1 << 20)
#define TABLE_LIMIT (64 << 20)

/* A walk that is under way. */
struct walk {
	const struct entry *target;
	int dir, mount;	   /* where it is: a directory, and the id of its mount */
	const char *whole; /* the path as it was told */
	const char *path;  /* what of it is left */
	size_t below;	   /* how many names were left at the root of the target's parent */
	size_t reach;	   /* how many to try at once */
	long long until;   /* when it is given up, in milliseconds */
	enum cover cover;
};

static long long now_ms(void)
{
	struct timespec now = {0, 0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- where a mount is -------------------------------------------------------------------------
 */

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

/* Read the mount table to the buffer's end, or its own. Returns how much is there. */
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

/* Read the whole table, with a larger buffer if need be. */
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
			*path = mount.point;
			return 0;
		}
	return err < 0 ? err : -ENOENT; /* or no path leads there: this table does not tell */
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

int walker_ask_path(struct walker *walker, const struct entry *target, const char **path)
{
	struct mount_text text;
	int err = 0;

	if (target->unique == 0)
		return look_up_path(walker, target->id, path);
	if (!walker->buffer)
		err = enlarge(walker, PATH_LIMIT);
	while (err == 0) {
		err = mount_ask_text(target->unique, walker->buffer, walker->size, &text);
		*path = text.point;
		if (err != -EOVERFLOW)
			return err;
		err = enlarge(walker, PATH_LIMIT);
	}
	return err;
}

/* ---- the walk ---------------------------------------------------------------------------------
 */

static size_t count_names(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

/* The last so many names of a path, each with its "/". */
static const char *last_names(const char *path, size_t n)
{
	const char *s = path + strlen(path);

	while (s > path && n > 0)
		n -= *--s == '/';
	return s;
}

/* Copy up to n names from the beginning of a path, as a relative one, as far as there is room; more
   than one must leave the last. Returns how many, and their length. */
static size_t first_names(const char *path, size_t n, char *names, size_t size, size_t *length)
{
	const char *end = path;
	size_t taken = 0;

	while (taken < n && *end == '/') {
		const char *next = end + 1 + strcspn(end + 1, "/");

		if ((size_t)(next - path) > size || (taken > 0 && *next == '\0'))
			break;
		end = next;
		taken++;
	}
	*length = (size_t)(end - path);
	if (taken > 0) /* without the first "/" */
		memcpy(names, path + 1, *length - 1);
	names[taken > 0 ? *length - 1 : 0] = '\0';
	return taken;
}

/* Go on to a directory. */
static void advance(struct walk *walk, int dir, int mount, size_t names)
{
	(void)close(walk->dir);
	walk->dir = dir;
	for (; names > 0; names--)
		walk->path += 1 + strcspn(walk->path + 1, "/");
	if (mount != walk->mount && mount == walk->target->parent)
		walk->below = count_names(walk->path);
	walk->mount = mount;
}

/* What an error of a name's look-up means: that it is not what it was, or that nothing helps. */
static int stale_or(int err)
{
	return err == ENOENT || err == ENOTDIR || err == ELOOP || err == ESTALE ? -EAGAIN : -err;
}

static bool is_found(const struct procfs_plan *plan, const struct walk *walk, int mount)
{
	return mount == walk->target->id ||
	       (walk->cover == COVER_TAKEN &&
		       plan_is_above(plan, walk->target->id, plan_entry(plan, mount)));
}

/* One name, which may lead into another mount. Not O_DIRECTORY: that would trigger an automount. */
static int step(struct walker *walker, struct walk *walk, struct place *place)
{
	char name[NAME_MAX + 1];
	size_t length;
	int fd, mount;
	bool last;

	if (first_names(walk->path, 1, name, sizeof(name), &length) == 0)
		return *walk->path ? -ENXIO : -EAGAIN; /* no name is so long in a directory */
	last = walk->path[length] == '\0';
	fd = openat(walk->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return stale_or(errno);
	mount = walker_mount_of(fd);
	if (last && is_found(walker->plan, walk, mount)) {
		place->fd = fd;
		place->dir = walk->dir;
		walk->dir = -1;
		memcpy(place->name, name, strlen(name) + 1);
		return 1;
	}
	if (mount == walk->mount || plan_is_above(walker->plan, mount, walk->target)) {
		if (last) { /* it is not there any more */
			(void)close(fd);
			return -EAGAIN;
		}
		advance(walk, fd, mount, 1);
		return 0;
	}
	if (walk->cover == COVER_NONE) {
		(void)close(fd);
		return -ESTALE;
	}
	if (is_foreign(walker->plan, plan_entry(walker->plan, mount))) {
		const int err = walker_detach(walker, fd); /* it need not be in this session */

		(void)close(fd);
		return err == 0 ? 0 : -EAGAIN;
	}
	return walker_move_aside(walker, fd, walk->dir, name);
}

/* As many names as can be at once, but the last, within this mount. Half of them where that fails.
 */
static bool stride(struct walk *walk)
{
	struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	char names[PATH_MAX];
	size_t n, length;
	int dir;

	while (walk->reach > 0) {
		n = first_names(walk->path, walk->reach, names, sizeof(names), &length);
		if (n == 0 || walk->path[length] == '\0')
			return false;
		dir = (int)syscall(__NR_openat2, walk->dir, names, &how, sizeof(how));
		if (dir >= 0) {
			advance(walk, dir, walk->mount, n);
			walk->reach = n * 2;
			return true;
		}
		walk->reach = n / 2;
	}
	walk->reach = 1;
	return false;
}

/* From where the walk is to the target. Returns 1, -EAGAIN when a name is not there any more, or
   another -errno. */
static int go_on(struct walker *walker, struct walk *walk, struct place *place)
{
	int result;

	do {
		result = stride(walk) ? 0 : step(walker, walk, place);
	} while (result == 0 && now_ms() < walk->until);
	return result == 0 ? -ETIMEDOUT : result;
}

/* Begin, or begin again, at the root. */
static int begin_at_root(const struct walker *walker, struct walk *walk)
{
	if (walk->dir >= 0)
		(void)close(walk->dir);
	walk->dir = fcntl(walker->root, F_DUPFD_CLOEXEC, 0);
	walk->mount = walker->root_mount;
	walk->path = walk->whole;
	walk->reach = PATH_MAX;
	walk->below = walk->mount == walk->target->parent ? count_names(walk->path) : 0;
	return walk->dir < 0 ? -errno : 0;
}

/* Ask for the path anew, and take up the walk with as many names as were left, or from the root. */
static int resume(struct walker *walker, struct walk *walk, unsigned int tries)
{
	const size_t left = count_names(walk->path);
	int err = walker_ask_path(walker, walk->target, &walk->whole);

	if (err < 0)
		return err;
	if (walk->whole[0] != '/')
		return -ENXIO;
	if (tries % TRIES_BEFORE_ROOT == 0 || count_names(walk->whole) < left)
		return begin_at_root(walker, walk);
	walk->path = last_names(walk->whole, left);
	return 0;
}

/* Note the path from the root of the target's parent, where that is a procfs: nobody renames there,
   and no path is long. */
static void note_below(const struct walk *walk, struct place *place)
{
	const char *below = last_names(walk->whole, walk->below);
	const size_t length = strlen(below);

	place->below[0] = '\0';
	if (length > 0 && length <= sizeof(place->below)) /* without the first "/" */
		memcpy(place->below, below + 1, length);
}

int walker_find(struct walker *walker, const struct entry *target, const char *known,
	enum cover cover, struct place *place)
{
	struct walk walk = {.target = target, .dir = -1, .whole = known, .cover = cover};
	const long long at_least = now_ms() + LEAST_MS;
	int err = known ? 0 : walker_ask_path(walker, target, &walk.whole);

	walk.until = at_least > walker->until ? at_least : walker->until;
	place->fd = place->dir = -1;
	place->n_aside = walker->n_aside;
	if (err == 0)
		err = walk.whole && walk.whole[0] == '/' ? begin_at_root(walker, &walk) : -ENXIO;
	for (unsigned int tries = 1; err == 0; tries++) {
		err = go_on(walker, &walk, place);
		if (err == -EAGAIN)
			err = now_ms() < walk.until ? resume(walker, &walk, tries) : -ETIMEDOUT;
	}
	if (walk.dir >= 0)
		(void)close(walk.dir);
	if (err < 0) {
		walker_leave(walker, place);
		return err;
	}
	note_below(&walk, place);
	return 0;
}

int walker_begin(struct walker *walker, struct procfs_plan *plan, int proc)
{
	*walker = (struct walker){.plan = plan,
		.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC),
		.proc = proc,
		.until = now_ms() + WALK_LIMIT_MS};
	if (walker->root < 0 || proc < 0)
		return walker->root < 0 ? -errno : -ESTALE;
	walker->root_mount = walker_mount_of(walker->root);
	return walker->root_mount < 0 ? -errno : 0;
}

/* SPDX-License-Identifier: MIT */
#include "mount_walk.h"

#include "mount_ops.h"

#include <linux/openat2.h>
#include <time.h>

/* After so many tries a walk starts again at the root: it may be on a wrong way. */
#define TRIES_BEFORE_ROOT 16

/* How long each walk may take, even if others have used up all the time. */
#define LEAST_MS 50

/* A walk that is under way. */
struct walk {
	const struct mount_entry *wanted;
	int dir, mount;	   /* where it is: a directory, and the id of its mount */
	const char *whole; /* the path as the kernel reports it */
	const char *path;  /* the rest of it */
	size_t below;	   /* how many names were left at the root of the wanted's parent */
	size_t reach;	   /* how many to try at once */
	long long until;   /* when it is given up: CLOCK_MONOTONIC, milliseconds */
	enum cover cover;
};

static long long now_ms(void)
{
	struct timespec now = {0, 0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
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

/* The last n names of a path, each with its "/". */
static const char *last_names(const char *path, size_t n)
{
	const char *s = path + strlen(path);

	while (s > path && n > 0)
		n -= *--s == '/';
	return s;
}

/* Copy up to n names from the start of a path into a relative path, as far as there is room. Of
   several names the last of the path is not taken. Returns how many, and their length. */
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
	if (mount != walk->mount && mount == walk->wanted->parent)
		walk->below = count_names(walk->path);
	walk->mount = mount;
}

/* EAGAIN for an error that says that the name is not what it was. */
static int stale_or(int err)
{
	return err == ENOENT || err == ENOTDIR || err == ELOOP || err == ESTALE ? -EAGAIN : -err;
}

static bool is_found(const struct procfs_plan *plan, const struct walk *walk, int mount)
{
	return mount == walk->wanted->id ||
	       (walk->cover == COVER_TAKEN &&
		       plan_is_above(plan, walk->wanted->id, plan_entry(plan, mount)));
}

/* Get a mount out of the way that covers a name. Takes its descriptor. */
static int pass_cover(
	struct walker *walker, const struct walk *walk, int cover, int mount, const char *name)
{
	int err = -ESTALE;

	if (walk->cover != COVER_NONE &&
		!is_other_users_fuse(walker->plan, plan_entry(walker->plan, mount)))
		return walker_move_aside(walker, cover, walk->dir, name);
	if (walk->cover !=
		COVER_NONE) /* another user's file server: the session need not have it */
		err = mount_detach(walker->proc, cover) == 0 ? 0 : -EAGAIN;
	(void)close(cover);
	return err;
}

/* Walk one name, which may lead into another mount. Without O_DIRECTORY, which would trigger an
   automount. Returns 1 when it is the wanted, 0 to go on, or -errno. */
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
	mount = mount_id_of(fd);
	if (last && is_found(walker->plan, walk, mount)) {
		place->fd = fd;
		place->dir = walk->dir;
		walk->dir = -1;
		memcpy(place->name, name, strlen(name) + 1);
		return 1;
	}
	if (mount != walk->mount && !plan_is_above(walker->plan, mount, walk->wanted))
		return pass_cover(walker, walk, fd, mount, name);
	if (last) { /* it is not there any more */
		(void)close(fd);
		return -EAGAIN;
	}
	advance(walk, fd, mount, 1);
	return 0;
}

/* Walk as many names at once as possible within this mount, but not the last; half as many if that
   fails. */
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

/* Walk on to the wanted. Returns 1 when it is reached, -EAGAIN when a name is not there any more,
   or another -errno. */
static int go_on(struct walker *walker, struct walk *walk, struct place *place)
{
	int result;

	do {
		result = stride(walk) ? 0 : step(walker, walk, place);
	} while (result == 0 && now_ms() < walk->until);
	return result == 0 ? -ETIMEDOUT : result;
}

/* Start, or start again, at the root. */
static int begin_at_root(const struct walker *walker, struct walk *walk)
{
	if (walk->dir >= 0)
		(void)close(walk->dir);
	walk->dir = fcntl(walker->root, F_DUPFD_CLOEXEC, 0);
	walk->mount = walker->root_mount;
	walk->path = walk->whole;
	walk->reach = PATH_MAX;
	walk->below = walk->mount == walk->wanted->parent ? count_names(walk->path) : 0;
	return walk->dir < 0 ? -errno : 0;
}

/* Ask for the path again, and go on with as many names as were left, or from the root. */
static int resume(struct walker *walker, struct walk *walk, unsigned int tries)
{
	const size_t left = count_names(walk->path);
	int err = walker_ask_path(walker, walk->wanted, &walk->whole);

	if (err < 0)
		return err;
	if (walk->whole[0] != '/')
		return -ENXIO;
	if (tries % TRIES_BEFORE_ROOT == 0 || count_names(walk->whole) < left)
		return begin_at_root(walker, walk);
	walk->path = last_names(walk->whole, left);
	return 0;
}

/* Note the path from the root of the wanted's parent. It is used if that is a procfs: nobody
   renames there, and no path is long. */
static void note_below(const struct walk *walk, struct place *place)
{
	const char *below = last_names(walk->whole, walk->below);
	const size_t length = strlen(below);

	place->below[0] = '\0';
	if (length > 0 && length <= sizeof(place->below)) /* without the first "/" */
		memcpy(place->below, below + 1, length);
}

int walker_find(struct walker *walker, const struct mount_entry *wanted, const char *known,
	enum cover cover, struct place *place)
{
	struct walk walk = {.wanted = wanted, .dir = -1, .whole = known, .cover = cover};
	const long long at_least = now_ms() + LEAST_MS;
	int err = known ? 0 : walker_ask_path(walker, wanted, &walk.whole);

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
	walker->root_mount = mount_id_of(walker->root);
	return walker->root_mount < 0 ? -errno : 0;
}

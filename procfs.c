/* SPDX-License-Identifier: MIT */
#include "procfs.h"

#include "statmount.h"
#include "syscalls.h"

#include <ctype.h>
#include <limits.h>
#include <linux/mount.h> /* not with <sys/mount.h>: before glibc 2.36 the two exclude each other */
#include <linux/openat2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* umount2(2), from <sys/mount.h> */
#define DETACH 2	  /* MNT_DETACH */
#define NOFOLLOW_LAST 8	  /* UMOUNT_NOFOLLOW */
#define RECURSIVE 0x8000U /* AT_RECURSIVE, missing in <fcntl.h> before glibc 2.36 */

struct planned {
	struct mount mount;
	enum procfs_role role;
	size_t instance; /* PROCFS_CARRIED: index of the instance it is mounted on */
	bool covered;	 /* PROCFS_INSTANCE: another one lies over it in the same place */
	int fd; /* PROCFS_INSTANCE: the fresh mount; PROCFS_CARRIED: the copy to carry over */
};

/* The strings of one mount, where the kernel was asked by mount. */
struct text {
	struct text *next;
	struct mount_text mount;
};

struct procfs_plan {
	char *table; /* the mount table as text, or NULL; what the mounts' strings point into */
	struct text *texts;	/* or these */
	struct planned *mounts; /* those with a role, parents before children as in the table */
	size_t n_mounts;
	int *ids; /* of all mounts of the table */
	size_t n_ids;
	const char *options; /* for the fresh /proc, or NULL */
};

/* ---- the mount table -------------------------------------------------------------------- */

/* Cut the next field off, at a single space as the kernel separates them. */
static char *next_field(char **rest)
{
	char *field = strsep(rest, " ");

	return field && *field ? field : NULL;
}

static bool octal(const char *s)
{
	return s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
	       s[3] >= '0' && s[3] <= '7';
}

/* The kernel writes space, tab, newline, backslash and # as \ooo (fs/proc_namespace.c). */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (octal(s)) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

static bool parse_id(const char *s, int *id)
{
	char *end;
	long n;

	if (!s || !isdigit((unsigned char)*s))
		return false;
	errno = 0;
	n = strtol(s, &end, 10);
	if (*end || errno || n > INT_MAX)
		return false;
	*id = (int)n;
	return true;
}

int mountinfo_parse(char *line, struct mount *mount)
{
	char *rest = line, *field, *root, *point;

	if (!parse_id(next_field(&rest), &mount->id) ||
		!parse_id(next_field(&rest), &mount->parent) || !next_field(&rest) ||
		!(root = next_field(&rest)) || !(point = next_field(&rest)) ||
		!(mount->flags = next_field(&rest)))
		return -EINVAL;
	do { /* optional fields: shared:…, master:… and what may come, ended by a hyphen */
		field = next_field(&rest);
		if (!field)
			return -EINVAL;
	} while (strcmp(field, "-") != 0);
	if (!(mount->type = next_field(&rest)) || !strsep(&rest, " ") || !rest)
		return -EINVAL; /* the source may be empty, the options may not be missing */
	mount->options = rest;
	unescape(root);
	unescape(point);
	mount->root = root;
	mount->point = point;
	return point[0] == '/' ? 0 : -EINVAL; /* a root may be "net:[…]", of a namespace */
}

/* Tell whether s is `name` or lies below it in a path. */
static bool is_or_below(const char *s, const char *name)
{
	size_t n = strlen(name);

	return strncmp(s, name, n) == 0 && (s[n] == '\0' || s[n] == '/');
}

enum procfs_role procfs_role(const struct mount *mount)
{
	/*
	 * Parts of procfs that tell of no process: container runtimes mount these over themselves
	 * read-only. Anything else is taken to tell of processes (/proc/locks does).
	 */
	static const char *const harmless[] = {"/acpi", "/asound", "/bus", "/driver", "/fs", "/irq",
		"/scsi", "/sys", "/sysrq-trigger", "/tty"};

	if (strcmp(mount->type, "proc") != 0)
		return PROCFS_NONE;
	if (strcmp(mount->root, "/") == 0)
		return PROCFS_INSTANCE;
	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		if (is_or_below(mount->root, harmless[i]))
			return PROCFS_NONE;
	return PROCFS_REMNANT;
}

bool procfs_carries(const char *instance, const char *point)
{
	const char *below = point + strlen(instance);

	if (!is_or_below(point, instance))
		return true; /* renamed while the table was read: not known to be dispensable */
	return strcmp(below, "/sys/fs/binfmt_misc") != 0 &&
	       !(below[0] == '/' && isdigit((unsigned char)below[1]));
}

/* Read to the end. Returns the text, which ends with a NUL; or NULL, and the errno in *err. */
static char *read_all(int fd, int *err)
{
	size_t used = 0, size = 32768;
	char *buf = malloc(size), *bigger;
	ssize_t n;

	while (buf) {
		n = read(fd, buf + used, size - used - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			*err = errno; /* now: free(3) may change it, before glibc 2.33 */
			free(buf);
			return NULL;
		}
		used += (size_t)n;
		buf[used] = '\0';
		if (n == 0)
			return buf;
		if (size - used >
			4096) /* a read(2) of mountinfo gives a page at the most, mostly */
			continue;
		size *= 2;
		bigger = realloc(buf, size);
		if (!bigger)
			free(buf);
		buf = bigger;
	}
	*err = ENOMEM;
	return NULL;
}

/* ---- planning, in the application --------------------------------------------------------- */

static size_t find_planned(const struct procfs_plan *plan, int id)
{
	size_t i = 0;

	while (i < plan->n_mounts && plan->mounts[i].mount.id != id)
		i++;
	return i;
}

/* Decide about one mount and note it if it has a role. Parents come before their children. */
static void plan_mount(struct procfs_plan *plan, const struct mount *mount)
{
	struct planned *new = &plan->mounts[plan->n_mounts];
	size_t parent = find_planned(plan, mount->parent);
	struct planned *below = parent < plan->n_mounts ? &plan->mounts[parent] : NULL;

	*new = (struct planned){.mount = *mount, .role = procfs_role(mount), .fd = -1};
	if (below && new->role == PROCFS_NONE) {
		bool carried = below->role == PROCFS_INSTANCE &&
			       procfs_carries(below->mount.point, mount->point);

		new->role = carried ? PROCFS_CARRIED : PROCFS_WITH_PARENT;
		new->instance = parent;
	} else if (below && new->role == PROCFS_INSTANCE) {
		below->covered = strcmp(below->mount.point, mount->point) == 0;
	}
	if (new->role != PROCFS_NONE)
		plan->n_mounts++;
}

static int allocate(struct procfs_plan *plan, size_t n_mounts)
{
	plan->mounts = calloc(n_mounts, sizeof(*plan->mounts));
	plan->ids = calloc(n_mounts, sizeof(*plan->ids));
	return plan->mounts && plan->ids ? 0 : -ENOMEM;
}

static int check_plan(const struct procfs_plan *plan, struct failure *why)
{
	for (size_t i = 0; i < plan->n_mounts; i++)
		if (plan->mounts[i].role == PROCFS_INSTANCE &&
			strcmp(plan->mounts[i].mount.point, "/proc") == 0)
			return 0;
	return fail(why, ENOENT, "no procfs is mounted at /proc");
}

static int parse_table(struct procfs_plan *plan, struct failure *why)
{
	size_t lines = 0;
	char *rest = plan->table, *line;
	struct mount mount;

	for (const char *s = plan->table; (s = strchr(s, '\n')); s++)
		lines++;
	if (allocate(plan, lines + 1) < 0)
		return fail(why, ENOMEM, "read the mount table");
	while (rest && *rest) {
		line = strsep(&rest, "\n");
		if (mountinfo_parse(line, &mount) < 0)
			return fail(why, EINVAL, "line %zu of mountinfo is not understood",
				plan->n_ids + 1);
		plan->ids[plan->n_ids++] = mount.id;
		plan_mount(plan, &mount);
	}
	return check_plan(plan, why);
}

/* Have the mount's text told; it stays with the plan. Most mounts have no role, and need none. */
static int describe(
	struct procfs_plan *plan, uint64_t id, const struct mount_facts *facts, struct mount *mount)
{
	struct text *text = malloc(sizeof(*text));
	int err = text ? mount_ask_text(id, &text->mount) : -ENOMEM;

	if (err < 0) {
		free(text);
		return err;
	}
	text->next = plan->texts;
	plan->texts = text;
	*mount = (struct mount){.id = facts->id,
		.parent = facts->parent,
		.root = text->mount.root,
		.point = text->mount.point,
		.flags = facts->read_only ? "ro" : "rw",
		.type = facts->procfs ? "proc" : "",
		.options = text->mount.options};
	return 0;
}

static int ask_for_mount(struct procfs_plan *plan, uint64_t id)
{
	struct mount_facts facts;
	struct mount mount;
	int err = mount_ask(id, &facts);

	if (err == 0 && (facts.procfs || find_planned(plan, facts.parent) < plan->n_mounts)) {
		err = describe(plan, id, &facts, &mount);
		if (err == 0)
			plan_mount(plan, &mount);
	}
	if (err == 0)
		plan->ids[plan->n_ids++] = facts.id;
	return err == -ENOENT ? 0
			      : err; /* gone meanwhile, or out of reach: not in mountinfo either */
}

int procfs_plan_ask(const char *options, struct procfs_plan **plan, struct failure *why)
{
	struct procfs_plan *new;
	uint64_t *ids;
	size_t n;
	int err = mounts_list(&ids, &n);

	if (err < 0)
		return -ENOSYS;
	new = calloc(1, sizeof(*new));
	err = new ? allocate(new, n + 1) : -ENOMEM;
	for (size_t i = 0; err == 0 && i < n; i++)
		err = ask_for_mount(new, ids[i]);
	free(ids);
	if (err < 0) {
		procfs_plan_free(new);
		return -ENOSYS;
	}
	new->options = options;
	err = check_plan(new, why);
	if (err < 0)
		procfs_plan_free(new);
	else
		*plan = new;
	return err;
}

int procfs_plan(int mountinfo, const char *options, struct procfs_plan **plan, struct failure *why)
{
	struct procfs_plan *new = calloc(1, sizeof(*new));
	int err;

	if (!new)
		return fail(why, ENOMEM, "read the mount table");
	new->options = options;
	new->table = read_all(mountinfo, &err);
	err = new->table ? parse_table(new, why) : fail(why, err, "read the mount table");
	if (err < 0)
		procfs_plan_free(new);
	else
		*plan = new;
	return err;
}

bool procfs_plan_keeps(const struct procfs_plan *plan, unsigned long long mount_id)
{
	for (size_t i = 0; i < plan->n_mounts; i++)
		if ((unsigned long long)plan->mounts[i].mount.id == mount_id)
			return false;
	for (size_t i = 0; i < plan->n_ids; i++)
		if ((unsigned long long)plan->ids[i] == mount_id)
			return true;
	return false;
}

void procfs_plan_free(struct procfs_plan *plan)
{
	if (!plan)
		return;
	while (plan->texts) {
		struct text *text = plan->texts;

		plan->texts = text->next;
		free(text);
	}
	free(plan->table);
	free(plan->mounts);
	free(plan->ids);
	free(plan);
}

/* ---- replacing, in the init ----------------------------------------------------------------- */

/*
 * Open the directory that holds the last component of a mount point. The path may lead through
 * directories of the user: no symbolic link is followed, and what is found is compared by id.
 */
static int open_parent(const char *point, const char **last)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	const char *slash = strrchr(point, '/');
	char dir[PATH_MAX] = "/";
	size_t n = (size_t)(slash - point);

	if (n >= sizeof(dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (n > 0) {
		memcpy(dir, point, n);
		dir[n] = '\0';
	}
	*last = slash + 1;
	return (int)syscall(__NR_openat2, AT_FDCWD, dir, &how, sizeof(how));
}

/* Detach a mount with all that is below it. By path alone that could hit an innocent mount that
   covers it, so what stands there is compared first. */
static int detach(const struct mount *mount)
{
	const char *last;
	int dir AUTO_CLOSE = open_parent(mount->point, &last);
	struct file_id found;

	if (dir < 0 || file_identify(dir, last, &found) < 0)
		return -1;
	if (found.mount != (unsigned long long)mount->id) {
		errno = ESTALE;
		return -1;
	}
	/* umount2() takes no directory descriptor: stand in it, so that no path is walked again */
	if (fchdir(dir) < 0)
		return -1;
	return (int)syscall(SYS_umount2, last, DETACH | NOFOLLOW_LAST);
}

/*
 * Copy what is mounted at a place on an instance, and all below it, into a tree that belongs to
 * no namespace yet. Where mounts are stacked the visible one counts. Returns 0 with *copy = -1
 * when nothing is mounted there any more.
 */
static int copy_mount(const struct mount *mount, int instance, int *copy)
{
	const char *last;
	int dir AUTO_CLOSE = open_parent(mount->point, &last);
	struct file_id found;

	*copy = -1;
	if (dir < 0 || file_identify(dir, last, &found) < 0)
		return -1;
	if (found.mount == (unsigned long long)instance)
		return 0;
	*copy = (int)syscall(SYS_open_tree, dir, last,
		OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | RECURSIVE | AT_SYMLINK_NOFOLLOW |
			AT_NO_AUTOMOUNT);
	return *copy < 0 ? -1 : 0;
}

static int attach(int fd, const char *point)
{
	const char *last;
	int dir AUTO_CLOSE = open_parent(point, &last);

	if (dir < 0)
		return -1;
	return (int)syscall(SYS_move_mount, fd, "", dir, last, MOVE_MOUNT_F_EMPTY_PATH);
}

/* Find the next word of a comma-separated list. */
static size_t next_option(const char **list)
{
	*list += strspn(*list, ",");
	return strcspn(*list, ",");
}

static bool has_option(const char *list, const char *word)
{
	size_t n;

	for (; (n = next_option(&list)) > 0; list += n)
		if (n == strlen(word) && strncmp(list, word, n) == 0)
			return true;
	return false;
}

/* Hand an option to the file system context if it is one of procfs itself. */
static int configure(int fs, const char *option, size_t n)
{
	static const char *const keys[] = {"hidepid", "gid", "subset"};
	char value[32];
	size_t k;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		k = strlen(keys[i]);
		if (n <= k || strncmp(option, keys[i], k) != 0 || option[k] != '=')
			continue;
		if (n - k > sizeof(value)) {
			errno = EINVAL;
			return -1;
		}
		memcpy(value, option + k + 1, n - k - 1);
		value[n - k - 1] = '\0';
		return (int)syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, keys[i], value, 0);
	}
	return 0;
}

/*
 * Make a procfs instance of this PID namespace that is mounted nowhere yet. All fresh instances
 * are made before an old one goes: in a user namespace that is not the initial one the kernel
 * allows a new procfs only next to an existing one that hides no more (mount_too_revealing()).
 */
static int fresh_instance(const struct mount *old, const char *options)
{
	unsigned int attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	int fs AUTO_CLOSE = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
	size_t n;

	if (fs < 0)
		return -1;
	for (; (n = next_option(&options)) > 0; options += n)
		if (configure(fs, options, n) < 0)
			return -1;
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	if (has_option(old->flags, "ro") || has_option(old->options, "ro"))
		attributes |= MOUNT_ATTR_RDONLY;
	return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes);
}

static int prepare(const struct procfs_plan *plan, struct planned *p)
{
	bool main_instance = strcmp(p->mount.point, "/proc") == 0;

	if (p->role != PROCFS_INSTANCE || p->covered)
		return 0;
	p->fd = fresh_instance(
		&p->mount, main_instance && plan->options ? plan->options : p->mount.options);
	return p->fd < 0 ? -1 : 0;
}

static int take_away(const struct procfs_plan *plan, struct planned *p)
{
	if (p->role == PROCFS_WITH_PARENT)
		return 0;
	if (p->role != PROCFS_CARRIED)
		return detach(&p->mount);
	return copy_mount(&p->mount, plan->mounts[p->instance].mount.id, &p->fd);
}

static int put_back(struct planned *p)
{
	struct file_id there;

	if (p->fd < 0 || attach(p->fd, p->mount.point) == 0)
		return 0;
	/* a fresh instance with subset=pid has not the file that was covered: nothing to cover */
	if (p->role == PROCFS_CARRIED && errno == ENOENT &&
		file_identify(AT_FDCWD, p->mount.point, &there) < 0 && errno == ENOENT)
		return 0;
	return -1;
}

int procfs_replace(struct procfs_plan *plan, const char **point)
{
	size_t i;

	for (i = 0; i < plan->n_mounts; i++)
		if (*point = plan->mounts[i].mount.point, prepare(plan, &plan->mounts[i]) < 0)
			return -errno;
	/* backwards, so that what lies above or below goes first and each is found uncovered */
	for (i = plan->n_mounts; i-- > 0;)
		if (*point = plan->mounts[i].mount.point, take_away(plan, &plan->mounts[i]) < 0)
			return -errno;
	for (i = 0; i < plan->n_mounts; i++)
		if (*point = plan->mounts[i].mount.point, put_back(&plan->mounts[i]) < 0)
			return -errno;
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "common/procfs_plan.h"
#include "common/syscalls.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What the kernel tells of one mount: first as much as three paths of PATH_MAX need, and no more
   than the path of a directory that is very deep. */
#define TEXT_SIZE 16384
#define TEXT_MAX (1 << 20)

/* How many procfs instances may be out of sight. */
#define UNLISTED_MAX 64

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
char *mountinfo_unescape(char *s)
{
	char *const text = s, *to = s;

	for (; *s; s++) {
		if (octal(s)) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
	return text;
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
	mount->root = mountinfo_unescape(root);
	mount->point = mountinfo_unescape(point);
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

/* Tell what becomes of a mount that is no procfs and is mounted on one of the plan's. */
static enum procfs_role role_below(const struct planned *parent, const struct mount *mount)
{
	if (parent->role == PROCFS_COVER)
		return PROCFS_NONE;
	if (parent->role != PROCFS_INSTANCE || mount->point[0] == '\0')
		return PROCFS_WITH_PARENT;
	if (strcmp(parent->mount.point, mount->point) == 0)
		return PROCFS_COVER;
	return procfs_carries(parent->mount.point, mount->point) ? PROCFS_CARRIED
								 : PROCFS_WITH_PARENT;
}

/* Decide about one mount and note it if it has a role. Parents come before their children. */
static void plan_mount(struct procfs_plan *plan, const struct mount *mount, uint64_t unique)
{
	struct planned *new = &plan->mounts[plan->n_mounts];
	size_t parent = find_planned(plan, mount->parent);
	struct planned *below = parent < plan->n_mounts ? &plan->mounts[parent] : NULL;

	*new = (struct planned){.mount = *mount,
		.unique = unique,
		.role = procfs_role(mount),
		.instance = plan->n_mounts,
		.fd = -1,
		.dir = -1};
	if (below && new->role == PROCFS_NONE)
		new->role = role_below(below, mount);
	if (below && below->role == PROCFS_INSTANCE)
		new->instance = parent;
	if (below &&
		(new->role == PROCFS_INSTANCE || (new->role == PROCFS_COVER && !is_main(below))))
		below->covered |= strcmp(below->mount.point, mount->point) == 0;
	if (new->role != PROCFS_NONE)
		plan->n_mounts++;
}

static int allocate(struct procfs_plan *plan, size_t n)
{
	plan->mounts = calloc(n, sizeof(*plan->mounts));
	plan->entries = calloc(n, sizeof(*plan->entries));
	return plan->mounts && plan->entries ? 0 : -ENOMEM;
}

static int check_plan(const struct procfs_plan *plan, struct failure *why)
{
	for (size_t i = 0; i < plan->n_mounts; i++)
		if (plan->mounts[i].role == PROCFS_INSTANCE && is_main(&plan->mounts[i]))
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
				plan->n_entries + 1);
		plan->entries[plan->n_entries++] = (struct entry){.id = mount.id,
			.parent = mount.parent,
			.fuse = strncmp(mount.type, "fuse", 4) == 0,
			.point = mount.point,
			.options = mount.options};
		plan_mount(plan, &mount, 0);
	}
	return check_plan(plan, why);
}

/* Have the mount's text told, with room for so much. NULL, and the -errno in *err. */
static struct text *ask_text(uint64_t id, size_t size, int *err)
{
	struct text *text = malloc(sizeof(*text) + size);

	*err = text ? mount_ask_text(id, text->buffer, size, &text->mount) : -ENOMEM;
	if (*err == 0)
		return text;
	free(text);
	return NULL;
}

/* Have the mount's text told; it stays with the plan. Most mounts have no role, and need none. */
static int describe(struct procfs_plan *plan, uint64_t id, struct mount_text *told)
{
	struct text *text = NULL;
	int err = -EOVERFLOW;

	for (size_t size = TEXT_SIZE; err == -EOVERFLOW && size <= TEXT_MAX; size *= 4)
		text = ask_text(id, size, &err);
	if (!text)
		return err;
	text->next = plan->texts;
	plan->texts = text;
	*told = text->mount;
	return 0;
}

static int plan_asked(struct procfs_plan *plan, uint64_t id, const struct mount_facts *facts)
{
	struct mount_text told = {.root = "/", .point = "", .options = ""};
	int err = describe(plan, id, &told);

	if (err == -EOVERFLOW)
		err = 0;
	if (err == 0)
		plan_mount(plan,
			&(struct mount){.id = facts->id,
				.parent = facts->parent,
				.root = told.root,
				.point = told.point,
				.flags = facts->read_only ? "ro" : "rw",
				.type = facts->procfs ? "proc" : "",
				.options = told.options},
			id);
	return err;
}

static int ask_for_mount(struct procfs_plan *plan, uint64_t id)
{
	struct mount_facts facts;
	int err = mount_ask(id, &facts);

	if (err == 0 && (facts.procfs || find_planned(plan, facts.parent) < plan->n_mounts))
		err = plan_asked(plan, id, &facts);
	if (err == 0)
		plan->entries[plan->n_entries++] = (struct entry){
			.unique = id, .id = facts.id, .parent = facts.parent, .fuse = facts.fuse};
	return err == -ENOENT ? 0 : err; /* gone meanwhile */
}

/*
 * Where the root directory is a part of its file system, listmount(2) passes over what is mounted
 * on a directory that has been moved out of that part, and may come back. Its id lies between the
 * root's and that of a mount that is made now, since the mounts of a new namespace are numbered one
 * after the other.
 */
static int ask_for_unlisted(struct procfs_plan *plan, const uint64_t *ids, size_t n)
{
	struct mount_text root = {.root = "/"};
	struct mount_facts facts;
	uint64_t newest;
	int err = describe(plan, ids[0], &root);
	size_t i = 1, room = UNLISTED_MAX;

	if (err < 0 || strcmp(root.root, "/") == 0)
		return err;
	err = mount_newest(&newest);
	for (uint64_t id = ids[0] + 1; err == 0 && id < newest; id++) {
		while (i < n && ids[i] < id)
			i++;
		if ((i < n && ids[i] == id) || mount_ask(id, &facts) < 0 || !facts.procfs)
			continue;
		err = room-- > 0 ? ask_for_mount(plan, id) : -ENOBUFS;
	}
	return err;
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
	err = new ? allocate(new, n + 1 + UNLISTED_MAX) : -ENOMEM;
	for (size_t i = 0; err == 0 && i < n; i++)
		err = ask_for_mount(new, ids[i]);
	if (err == 0)
		err = ask_for_unlisted(new, ids, n);
	free(ids);
	if (err < 0) {
		procfs_plan_free(new);
		/* the table as text would not have those */
		return err == -ENOBUFS ? fail(why, ENOBUFS,
						 "more than %d procfs instances are out of sight",
						 UNLISTED_MAX)
				       : -ENOSYS;
	}
	new->mountinfo = -1;
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
	new->mountinfo = mountinfo;
	new->options = options;
	new->table = read_all(mountinfo, &err);
	err = new->table ? parse_table(new, why) : fail(why, err, "read the mount table");
	if (err < 0)
		procfs_plan_free(new);
	else
		*plan = new;
	return err;
}

/* ---- file servers of users ------------------------------------------------------------------ */

struct entry *plan_entry(const struct procfs_plan *plan, int id)
{
	for (size_t i = 0; i < plan->n_entries; i++)
		if (id != NO_ID && plan->entries[i].id == id)
			return &plan->entries[i];
	return NULL;
}

/* Whose process serves a FUSE mount. One that cannot be asked any more is taken to be root's. */
static uid_t ask_server(const struct entry *entry)
{
	_Alignas(uint64_t) char buffer[4096];
	struct mount_text told = {.options = entry->options};
	const char *user = NULL;

	if (entry->unique == 0 ||
		mount_ask_options(entry->unique, buffer, sizeof(buffer), &told) == 0)
		user = told.options ? strstr(told.options, "user_id=") : NULL;
	return user ? (uid_t)strtoul(user + strlen("user_id="), NULL, 10) : 0;
}

/* The outermost mount above a planned one that another user's process serves, or NULL. */
static const struct entry *served_above(const struct procfs_plan *plan, const struct planned *p)
{
	const struct entry *entry = plan_entry(plan, p->mount.parent), *served = NULL;

	/* a root's parent is another namespace's, and a mount is never its own ancestor */
	for (size_t n = 0; entry && n < plan->n_entries; n++) {
		if (is_foreign(plan, entry))
			served = entry;
		entry = plan_entry(plan, entry->parent);
	}
	return served;
}

/* Have the whole of it detached, once. There is room: it had no role. */
static void plan_removal(struct procfs_plan *plan, const struct entry *entry)
{
	if (find_planned(plan, entry->id) < plan->n_mounts)
		return;
	plan->mounts[plan->n_mounts] =
		(struct planned){.mount = {.id = entry->id,
					 .parent = entry->parent,
					 .point = entry->point ? entry->point : "",
					 .type = "fuse"},
			.unique = entry->unique,
			.role = PROCFS_REMNANT,
			.instance = plan->n_mounts,
			.fd = -1,
			.dir = -1};
	plan->n_mounts++;
}

void procfs_plan_avoid_servers(struct procfs_plan *plan, uid_t user)
{
	const size_t n = plan->n_mounts;
	size_t elsewhere = 0;

	plan->user = user;
	for (size_t i = 0; i < n; i++)
		elsewhere += strcmp(plan->mounts[i].mount.type, "proc") == 0 &&
			     !is_main(&plan->mounts[i]);
	if (elsewhere == 0) /* nobody looks at other mounts then */
		return;
	for (size_t i = 0; i < plan->n_entries; i++)
		if (plan->entries[i].fuse)
			plan->entries[i].server = ask_server(&plan->entries[i]);
	for (size_t i = 0; i < n; i++) {
		struct planned *p = &plan->mounts[i];
		const struct entry *served = served_above(plan, p);

		if (!served)
			continue;
		p->role = PROCFS_WITH_PARENT;
		plan_removal(plan, served);
	}
}

/* ---- in the init ---------------------------------------------------------------------------- */

bool plan_is_above(const struct procfs_plan *plan, int id, const struct entry *below)
{
	for (size_t n = 0; below && n < plan->n_entries; n++) {
		if (below->parent == id)
			return true;
		below = plan_entry(plan, below->parent);
	}
	return false;
}

void plan_forget(struct procfs_plan *plan, int id)
{
	for (size_t i = 0; i < plan->n_entries; i++) {
		struct entry *entry = &plan->entries[i];

		if (entry->id != id && plan_is_above(plan, id, entry)) {
			for (size_t k = 0; k < plan->n_mounts; k++)
				if (plan->mounts[k].mount.id == entry->id) {
					plan->mounts[k].mount.id = NO_ID;
					plan->mounts[k].role = PROCFS_WITH_PARENT;
				}
			entry->gone = true;
		}
	}
	for (size_t i = 0; i < plan->n_entries; i++)
		if (plan->entries[i].gone || plan->entries[i].id == id)
			plan->entries[i].id = plan->entries[i].parent = NO_ID;
	for (size_t k = 0; k < plan->n_mounts; k++)
		if (plan->mounts[k].mount.id == id)
			plan->mounts[k].mount.id = NO_ID;
}

bool procfs_plan_hides(const struct procfs_plan *plan)
{
	/* as they are given, and as the kernel tells them (proc_show_options()) */
	static const char *const hiding[] = {"2", "4", "invisible", "ptraceable"};
	const char *options = plan->options, *value;

	for (size_t i = 0; !options && i < plan->n_mounts; i++)
		if (is_main(&plan->mounts[i]) && plan->mounts[i].role == PROCFS_INSTANCE &&
			!plan->mounts[i].covered)
			options = plan->mounts[i].mount.options;
	value = options ? strstr(options, "hidepid=") : NULL;
	if (!value)
		return false;
	value += strlen("hidepid=");
	for (size_t i = 0; i < sizeof(hiding) / sizeof(*hiding); i++)
		if (strcspn(value, ",") == strlen(hiding[i]) &&
			strncmp(value, hiding[i], strlen(hiding[i])) == 0)
			return true;
	return false;
}

bool procfs_plan_keeps(const struct procfs_plan *plan, unsigned long long mount_id)
{
	for (size_t i = 0; i < plan->n_mounts; i++)
		if ((unsigned long long)plan->mounts[i].mount.id == mount_id)
			return plan->mounts[i].role == PROCFS_COVER;
	for (size_t i = 0; i < plan->n_entries; i++)
		if ((unsigned long long)plan->entries[i].id == mount_id)
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
	free(plan->entries);
	free(plan);
}

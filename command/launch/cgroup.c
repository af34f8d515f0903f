/* SPDX-License-Identifier: MIT */
#include "cgroup.h"

#include "command/lib/file.h"
#include "common/syscalls.h"

#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define ROOT "/sys/fs/cgroup"
#define LEAF "init.scope"

/* What a user manager writes to, systemd's cg_set_access(). */
static const char *const delegated[] = {
	"", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"};

/* ---- paths ------------------------------------------------------------------------------------
 */

bool cgroup_parse(const char *text, struct cgroup *cgroup)
{
	const char *line = text;

	while (line && strncmp(line, "0::/", 4) != 0) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line || strcspn(line + 3, "\n") >= sizeof(cgroup->path) - sizeof(ROOT))
		return false;
	(void)snprintf(cgroup->path, sizeof(cgroup->path), ROOT "%.*s",
		(int)strcspn(line + 3, "\n"), line + 3);
	return true;
}

bool cgroup_find_slice(const struct cgroup *cgroup, uid_t uid, struct cgroup *slice)
{
	char name[32];
	char *end;

	(void)snprintf(name, sizeof(name), "/user-%lu.slice/", (unsigned long)uid);
	*slice = *cgroup;
	end = strstr(slice->path, name);
	if (!end)
		return false;
	end[strlen(name) - 1] = '\0';
	return true;
}

bool cgroup_is_unit(const struct cgroup *cgroup, uid_t uid)
{
	const char *last = strrchr(cgroup->path, '/');
	char name[32];

	(void)snprintf(name, sizeof(name), "/user@%lu.service", (unsigned long)uid);
	return last && strcmp(last, name) == 0;
}

int cgroup_find_own(struct cgroup *cgroup, struct failure *why)
{
	struct statfs fs;
	char *text;

	cgroup->path[0] = '\0';
	if (statfs(ROOT, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return 0;
	text = file_read("/proc/self/cgroup");
	if (!text)
		return fail(why, errno, "read /proc/self/cgroup");
	if (!cgroup_parse(text, cgroup))
		cgroup->path[0] = '\0';
	free(text);
	return 0;
}

/* ---- changes ----------------------------------------------------------------------------------
 */

static int write_word(int directory, const char *name, const char *word)
{
	int fd AUTO_CLOSE = openat(directory, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 || write(fd, word, strlen(word)) < 0 ? -1 : 0;
}

/* The user becomes the owner, as he is of the unit's. */
static int delegate(int directory, uid_t uid, gid_t gid)
{
	for (size_t i = 0; i < sizeof(delegated) / sizeof(*delegated); i++)
		if (fchownat(directory, delegated[i], uid, gid,
			    AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0)
			return -1;
	return 0;
}

int cgroup_enter_leaf(const struct cgroup *own, uid_t uid, gid_t gid, struct failure *why)
{
	int unit AUTO_CLOSE = -1;
	int leaf AUTO_CLOSE = -1;

	if (!cgroup_is_unit(own, uid))
		return 0;
	unit = open(own->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (unit >= 0 && (mkdirat(unit, LEAF, 0755) == 0 || errno == EEXIST))
		leaf = openat(unit, LEAF, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (leaf < 0 || delegate(leaf, uid, gid) < 0 || write_word(leaf, "cgroup.procs", "0") < 0)
		return fail(why, errno, "enter the control group " LEAF);
	return 0;
}

int cgroup_set_slice_owner(const struct cgroup *own, uid_t uid, uid_t owner, struct failure *why)
{
	int directory AUTO_CLOSE = -1;
	struct cgroup slice;
	struct stat is;

	if (!cgroup_find_slice(own, uid, &slice))
		return 0;
	directory = open(slice.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0 || fstatat(directory, "cgroup.procs", &is, AT_SYMLINK_NOFOLLOW) < 0 ||
		(is.st_uid != owner && fchownat(directory, "cgroup.procs", owner, (gid_t)-1,
					       AT_SYMLINK_NOFOLLOW) < 0))
		return fail(why, errno, "change the owner of %.200s/cgroup.procs", slice.path);
	return 0;
}

int cgroup_take_slices(struct failure *why)
{
	struct names names NOT_CLEARED;
	int slices AUTO_CLOSE = open(ROOT "/user.slice", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *name;
	char path[NAME_MAX + sizeof("/cgroup.procs")];

	names.fd = slices;
	names.at = names.n = 0;
	while (slices >= 0 && (name = next_name(&names))) {
		(void)snprintf(path, sizeof(path), "%s/cgroup.procs", name);
		if (strncmp(name, "user-", 5) == 0 &&
			fchownat(slices, path, 0, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0 &&
			errno != ENOENT)
			return fail(why, errno, "take back %s", path);
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "procfs_fresh.h"

#include "common/mount_api.h"
#include "common/syscalls.h"

#include <stdbool.h>
#include <string.h>

/* Advance to the next word of a comma-separated list. Returns its length, 0 at the end. */
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

/* Set an option in the file system context if procfs knows it. */
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

int procfs_fresh(const struct mount *old, const char *options)
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
	if (has_option(old->mount_options, "ro") || has_option(old->super_options, "ro"))
		attributes |= MOUNT_ATTR_RDONLY;
	return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes);
}

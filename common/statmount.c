/* SPDX-License-Identifier: MIT */
#include "statmount.h"

#include "syscalls.h"

#include <linux/magic.h>
#include <linux/mount.h>
#include <stdlib.h>

/*
 * From the kernel's include/uapi/linux/mount.h and asm-generic/unistd.h: the headers of the oldest
 * supported systems lack them. These call numbers hold for all architectures but alpha, mips and
 * x32, where the kernel is not asked.
 */
#if !defined(__NR_statmount) && !defined(__alpha__) && !defined(__mips__) && \
	!(defined(__x86_64__) && defined(__ILP32__))
#define __NR_statmount 457
#define __NR_listmount 458
#endif

#ifndef STATMOUNT_SB_BASIC
#define STATMOUNT_SB_BASIC 0x01ULL
#define STATMOUNT_MNT_BASIC 0x02ULL
#define STATMOUNT_MNT_ROOT 0x08ULL
#define STATMOUNT_MNT_POINT 0x10ULL
#endif
#ifndef STATMOUNT_MNT_NS_ID
#define STATMOUNT_MNT_NS_ID 0x40ULL
#endif
#ifndef STATMOUNT_MNT_OPTS
#define STATMOUNT_MNT_OPTS 0x80ULL
#endif
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000U
#endif
#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546 /* <linux/magic.h> has it since Linux 5.10 */
#endif

#ifndef SB_RDONLY
#define SB_RDONLY 1 /* the same bit as MOUNT_ATTR_RDONLY */
#endif

struct request { /* struct mnt_id_req, its first version */
	uint32_t size, spare;
	uint64_t id, param;
};

struct answer { /* struct statmount; strings are offsets from its end */
	uint32_t size, options;
	uint64_t mask;
	uint32_t device_major, device_minor;
	uint64_t magic;
	uint32_t flags, type;
	uint64_t id, parent;
	uint32_t old_id, old_parent;
	uint64_t attributes, propagation, peer_group, master, propagate_from;
	uint32_t root, point;
	uint64_t rest[50];
};

_Static_assert(sizeof(struct answer) == 512, "the kernel's size, strings follow");

static long ask(uint64_t id, uint64_t mask, void *answer, size_t size)
{
#ifdef __NR_statmount
	const struct request request = {.size = sizeof(request), .id = id, .param = mask};

	return syscall(__NR_statmount, &request, answer, size, 0U);
#else
	(void)id, (void)mask, (void)answer, (void)size;
	errno = ENOSYS;
	return -1;
#endif
}

int mount_unique(int fd, uint64_t *id)
{
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID_UNIQUE, &sx) < 0)
		return -errno;
	*id = sx.stx_mask & STATX_MNT_ID_UNIQUE ? sx.stx_mnt_id : 0;
	return 0;
}

int mount_id_bound(uint64_t *id)
{
	int copy AUTO_CLOSE =
		(int)syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return copy < 0 ? -errno : mount_unique(copy, id);
}

/* The id of what is mounted at "/". */
static int root_mount(uint64_t *id)
{
	int root AUTO_CLOSE = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int err = root < 0 ? -errno : mount_unique(root, id);

	return err == 0 && *id == 0 ? -ENOSYS : err;
}

/* List up to n of the mounts below `root`, after the one with id `last`. */
static long list(uint64_t root, uint64_t last, uint64_t *ids, size_t n)
{
#ifdef __NR_listmount
	const struct request request = {.size = sizeof(request), .id = root, .param = last};

	return syscall(__NR_listmount, &request, ids, n, 0U);
#else
	(void)root, (void)last, (void)ids, (void)n;
	errno = ENOSYS;
	return -1;
#endif
}

static uint64_t *with_room(uint64_t *ids, size_t room)
{
	uint64_t *bigger = realloc(ids, room * sizeof(*ids));

	if (!bigger)
		free(ids);
	return bigger;
}

int mounts_list(uint64_t **ids, size_t *n)
{
	uint64_t root = 0, *all;
	size_t room = 256;
	long got;
	int err = root_mount(&root);

	if (err < 0)
		return err;
	all = with_room(NULL, room);
	if (!all)
		return -ENOMEM;
	all[0] = root; /* which is not below itself */
	*n = 1;
	while ((got = list(root, *n > 1 ? all[*n - 1] : 0, all + *n, room - *n)) >= 0) {
		*n += (size_t)got;
		if (*n < room) {
			*ids = all;
			return 0;
		}
		room *= 4;
		all = with_room(all, room);
		if (!all)
			return -ENOMEM;
	}
	err = -errno;
	free(all);
	return err;
}

int mount_ask(uint64_t id, struct mount_facts *facts)
{
	const uint64_t mask = STATMOUNT_SB_BASIC | STATMOUNT_MNT_BASIC;
	struct answer answer;

	if (ask(id, mask, &answer, sizeof(answer)) < 0)
		return -errno;
	if ((answer.mask & mask) != mask)
		return -ENOSYS;
	*facts = (struct mount_facts){.id = (int)answer.old_id,
		.parent = (int)answer.old_parent,
		.procfs = answer.magic == PROC_SUPER_MAGIC,
		.fuse = answer.magic == FUSE_SUPER_MAGIC,
		.read_only = (answer.flags & SB_RDONLY) || (answer.attributes & SB_RDONLY)};
	return 0;
}

/* A string of the answer, "" where the kernel had nothing to say. */
static const char *string(const struct answer *answer, uint64_t bit, uint32_t offset)
{
	return answer->mask & bit ? (const char *)(answer + 1) + offset : "";
}

static int ask_text(uint64_t id, uint64_t mask, void *buffer, size_t size, struct mount_text *text)
{
	const struct answer *answer = buffer;

	/* options that are not there and options that the kernel does not tell look alike; the
	   namespace's id came in the same version and is always there */
	if (ask(id, mask | STATMOUNT_MNT_NS_ID, buffer, size) < 0)
		return -errno;
	if (!(answer->mask & STATMOUNT_MNT_NS_ID))
		return -ENOSYS;
	text->root = string(answer, STATMOUNT_MNT_ROOT, answer->root);
	text->mount_point = string(answer, STATMOUNT_MNT_POINT, answer->point);
	text->super_options = string(answer, STATMOUNT_MNT_OPTS, answer->options);
	return 0;
}

int mount_ask_text(uint64_t id, void *buffer, size_t size, struct mount_text *text)
{
	return ask_text(id, STATMOUNT_MNT_ROOT | STATMOUNT_MNT_POINT | STATMOUNT_MNT_OPTS, buffer,
		size, text);
}

int mount_ask_options(uint64_t id, void *buffer, size_t size, struct mount_text *text)
{
	return ask_text(id, STATMOUNT_MNT_OPTS, buffer, size, text);
}

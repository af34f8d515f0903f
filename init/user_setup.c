/* SPDX-License-Identifier: MIT */
#include "user_setup.h"

#include "common/mount_api.h"
#include "init_calls.h"
#include "procfs_fresh.h"
#include "watch.h"

#include <sched.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

/* How many members there may be; each needs a descriptor as well. */
#define SLOTS_MAX 65536U

/* With fewer descriptors the namespace is not for all of a user's sessions. */
#define DESCRIPTORS_MIN 256

/* RLIM64_INFINITY */
#define UNLIMITED UINT64_MAX

/* Connections that the kernel keeps until the init accepts them; at most net.core.somaxconn. */
#define BACKLOG 4096

int take_lock(struct user_task *user)
{
	const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
	char name[USER_PLACE_SIZE + sizeof(USER_LOCK_SUFFIX)] = "";
	int fd;

	(void)strncat(name, user->place, USER_PLACE_SIZE - 1);
	memcpy(name + strlen(name), USER_LOCK_SUFFIX, sizeof(USER_LOCK_SUFFIX));
	fd = (int)syscall(SYS_openat, user->directory, name, flags, 0600);
	/* out of the way of the numbers that keep_descriptors() fills */
	user->lock = fd < 0 ? -1 : (int)syscall(NR_FCNTL, fd, F_DUPFD_CLOEXEC, FD_FREE);
	if (user->lock < 0)
		return -1;
	sys_close(fd);
	return (int)syscall(SYS_flock, user->lock, LOCK_EX | LOCK_NB);
}

/* Returns the limit that is in force then. */
static uint64_t raise_limit(int resource, uint64_t wanted)
{
	uint64_t limit[2] = {wanted, wanted}; /* struct rlimit64 */

	/* more than the hard limit needs CAP_SYS_RESOURCE */
	if (syscall(SYS_prlimit64, 0, resource, limit, NULL) == 0)
		return wanted;
	if (syscall(SYS_prlimit64, 0, resource, NULL, limit) < 0)
		return 0;
	limit[0] = limit[1];
	(void)syscall(SYS_prlimit64, 0, resource, limit, NULL);
	return limit[1];
}

int reset_limits(void)
{
	const struct sched_param normal = {.sched_priority = 0};
	unsigned long processors[1024 / 8 / sizeof(long)];

	memset(processors, 0xff, sizeof(processors));
	(void)syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &normal);
	(void)syscall(SYS_setpriority, PRIO_PROCESS, 0, 0);
	(void)syscall(SYS_sched_setaffinity, 0, sizeof(processors), processors);
	(void)raise_limit(RLIMIT_AS, UNLIMITED);
	(void)raise_limit(RLIMIT_DATA, UNLIMITED);
	if (raise_limit(RLIMIT_CPU, UNLIMITED) == UNLIMITED &&
		raise_limit(RLIMIT_NOFILE, SLOTS_MAX + PENDING_MAX + FD_FREE + 8) >=
			DESCRIPTORS_MIN)
		return 0;
	errno = EPERM;
	return -1;
}

int open_proc(struct user_task *user)
{
	static const struct mount plain = {.mount_options = "", .super_options = ""};
	int fd = procfs_fresh(&plain, "");

	user->proc = fd < 0 ? -1 : (int)syscall(NR_FCNTL, fd, F_DUPFD_CLOEXEC, FD_FREE);
	if (fd >= 0)
		sys_close(fd);
	return user->proc;
}

int settle_mounts(const struct user_task *user)
{
	if (user->shared_root)
		return (int)syscall(SYS_mount, NULL, "/", NULL, MS_SHARED | MS_REC, NULL);
	if (syscall(SYS_umount2, "/", MNT_DETACH) < 0 || syscall(SYS_fchdir, user->proc) < 0)
		return -1;
	return (int)syscall(SYS_chroot, ".");
}

/* bind(2) takes a path of 107 bytes at most: relative to the directory. */
int listen_for_members(struct user_task *user)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd =
		(int)syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	user->listener = fd < 0 ? -1 : (int)syscall(NR_FCNTL, fd, F_DUPFD_CLOEXEC, FD_FREE);
	if (user->listener < 0 || syscall(SYS_fchdir, user->directory) < 0)
		return -1;
	sys_close(fd);
	(void)strncat(address.sun_path, user->place, sizeof(address.sun_path) - 1);
	if (syscall(SYS_unlinkat, AT_FDCWD, user->place, 0) < 0 && errno != ENOENT)
		return -1;
	if (syscall(SYS_bind, user->listener, &address, sizeof(address)) < 0)
		return -1;
	return (int)syscall(SYS_listen, user->listener, BACKLOG);
}

int members_begin(const struct user_task *user, struct members *members, struct retained *retained,
	struct user_member *first)
{
	const size_t size = SLOTS_MAX * sizeof(struct member);
	void *slots = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (slots == MAP_FAILED)
		return -1;
	memory_retain_more(retained, slots, size);
	*members = (struct members){.slots = slots,
		.n_slots = SLOTS_MAX,
		.survivor = -1,
		.pinned = user->pinned,
		.held = user->held,
		.linger = user->linger,
		.answer = {.protocol = USER_PROTOCOL,
			.linger = user->linger,
			.ipc = user->ipc,
			.privacy = user->privacy,
			.shared_root = user->shared_root}};
	(void)strncat(members->answer.user, user->name, sizeof(members->answer.user) - 1);
	*first = (struct user_member){.slot = FD_OPENER, .nonce = new_nonce(), .used = 1};
	if (first->nonce == 0)
		return -1;
	members_enter(members, first, &user->service);
	return 0;
}

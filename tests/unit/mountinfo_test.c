/* SPDX-License-Identifier: MIT */
/*
 * The mount table: what mountinfo_parse() makes of a line, and procfs_plan_from_mountinfo() of a
 * whole table. Mount points are chosen by users in part, so the lines are hostile where the kernel
 * lets them.
 */
#include "module/procfs_plan_make.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the C library, made to fail ------------------------------------------------------------- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
void __real_free(void *p);
ssize_t __real_read(int fd, void *buf, size_t size);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
void __wrap_free(void *p);
ssize_t __wrap_read(int fd, void *buf, size_t size);
ssize_t __wrap___read_chk(int fd, void *buf, size_t size, size_t room);

static int allocations_until_failure = -1; /* -1: none fails */
static unsigned int reallocations;
static long in_use; /* allocations that were not released; meaningful as a difference */
static unsigned int interruptions; /* how many of the next calls of read(2) give EINTR */
static bool free_changes_errno;	   /* as it may in glibc before 2.33 */

static bool allocation_fails(void)
{
	if (allocations_until_failure < 0 || allocations_until_failure-- > 0)
		return false;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	void *p = allocation_fails() ? NULL : __real_malloc(size);

	in_use += p != NULL;
	return p;
}

void *__wrap_calloc(size_t n, size_t size)
{
	void *p = allocation_fails() ? NULL : __real_calloc(n, size);

	in_use += p != NULL;
	return p;
}

void *__wrap_realloc(void *old, size_t size)
{
	reallocations++;
	return allocation_fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
	void *p = allocation_fails() ? NULL : __real_reallocarray(old, n, size);

	in_use += p && !old;
	return p;
}

void __wrap_free(void *p)
{
	in_use -= p != NULL;
	__real_free(p);
	if (free_changes_errno)
		errno = EBUSY;
}

ssize_t __wrap_read(int fd, void *buf, size_t size)
{
	if (interruptions > 0) {
		interruptions--;
		errno = EINTR;
		return -1;
	}
	return __real_read(fd, buf, size);
}

ssize_t __wrap___read_chk(int fd, void *buf, size_t size, size_t room)
{
	assert_true(size <= room);
	return __wrap_read(fd, buf, size);
}

static int reset(void **state)
{
	(void)state;
	allocations_until_failure = -1;
	reallocations = 0;
	interruptions = 0;
	free_changes_errno = false;
	return 0;
}

/* ---- one line ---------------------------------------------------------------------------------
 */

/* The line that is being parsed: on the heap without a byte to spare, so that the address
   sanitizer notices a byte that is read or written beyond it. */
static char *line;
static size_t line_length;

static void set_line(const char *bytes, size_t n)
{
	free(line);
	line = malloc(n + 1);
	assert_non_null(line);
	memcpy(line, bytes, n);
	line[n] = '\0';
	line_length = n;
}

static int drop_line(void **state)
{
	(void)state;
	free(line);
	line = NULL;
	return 0;
}

static void check_inside(const char *s)
{
	assert_true(s >= line && s <= line + line_length);
	assert_non_null(memchr(s, '\0', (size_t)(line + line_length + 1 - s)));
}

/* Parse a line; whatever it is, the answer is one of two, and nothing lies outside of the line. */
static int parse_bytes(const char *bytes, size_t n, struct mount *mount)
{
	int result;

	set_line(bytes, n);
	memset(mount, 0, sizeof(*mount));
	result = mountinfo_parse(line, mount);
	if (result == 0) {
		check_inside(mount->root);
		check_inside(mount->mount_point);
		check_inside(mount->mount_options);
		check_inside(mount->fs_type);
		check_inside(mount->super_options);
		assert_true(mount->id >= 0);
		assert_true(mount->parent >= 0);
		assert_int_equal(mount->mount_point[0], '/');
	} else {
		assert_int_equal(result, -EINVAL);
	}
	return result;
}

static int parse(const char *text, struct mount *mount)
{
	return parse_bytes(text, strlen(text), mount);
}

static void check_line(const char *text, const struct mount *expected)
{
	struct mount mount;

	if (parse(text, &mount) != 0)
		fail_msg("not understood: %s", text);
	assert_int_equal(mount.id, expected->id);
	assert_int_equal(mount.parent, expected->parent);
	assert_string_equal(mount.root, expected->root);
	assert_string_equal(mount.mount_point, expected->mount_point);
	assert_string_equal(mount.mount_options, expected->mount_options);
	assert_string_equal(mount.fs_type, expected->fs_type);
	assert_string_equal(mount.super_options, expected->super_options);
}

/* Strings of a struct mount are not const: what is expected is not written to. */
#define MOUNT(...) (&(const struct mount){__VA_ARGS__})
#define TEXT(literal) ((char[]){literal})

static void ordinary_lines(void **state)
{
	(void)state;
	check_line(
		"22 27 0:20 / /proc rw,nosuid,nodev,noexec,relatime shared:5 - proc proc rw,hidepid=invisible,gid=27",
		MOUNT(22, 27, TEXT("/"), TEXT("/proc"), TEXT("rw,nosuid,nodev,noexec,relatime"),
			TEXT("proc"), TEXT("rw,hidepid=invisible,gid=27")));
	check_line("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue",
		MOUNT(36, 35, TEXT("/mnt1"), TEXT("/mnt2"), TEXT("rw,noatime"), TEXT("ext3"),
			TEXT("rw,errors=continue")));
	check_line("1 1 0:2 / / rw - rootfs rootfs rw",
		MOUNT(1, 1, TEXT("/"), TEXT("/"), TEXT("rw"), TEXT("rootfs"), TEXT("rw")));
	check_line(
		"510 22 0:51 /proc/cpuinfo /proc/cpuinfo rw,nosuid - fuse.lxcfs lxcfs rw,user_id=0,group_id=0,allow_other",
		MOUNT(510, 22, TEXT("/proc/cpuinfo"), TEXT("/proc/cpuinfo"), TEXT("rw,nosuid"),
			TEXT("fuse.lxcfs"), TEXT("rw,user_id=0,group_id=0,allow_other")));
	check_line(
		"40 22 0:35 / /proc/sys/fs/binfmt_misc rw,relatime shared:15 - autofs systemd-1 rw,fd=29,pgrp=1,timeout=0,minproto=5,maxproto=5,direct,pipe_ino=1600",
		MOUNT(40, 22, TEXT("/"), TEXT("/proc/sys/fs/binfmt_misc"), TEXT("rw,relatime"),
			TEXT("autofs"),
			TEXT("rw,fd=29,pgrp=1,timeout=0,minproto=5,maxproto=5,direct,pipe_ino=1600")));
}

static void a_namespace_that_is_bound_to_a_file(void **state)
{
	(void)state;
	/* "ip netns add", Docker: the root of an nsfs mount is no path (ns_dname()) */
	check_line("63 43 0:4 net:[4026531833] /run/netns/blue rw shared:31 - nsfs nsfs rw",
		MOUNT(63, 43, TEXT("net:[4026531833]"), TEXT("/run/netns/blue"), TEXT("rw"),
			TEXT("nsfs"), TEXT("rw")));
}

static void a_root_outside_of_the_cgroup_namespace(void **state)
{
	(void)state;
	check_line("63 43 0:4 /../../init.scope /sys/fs/cgroup ro - cgroup2 cgroup rw",
		MOUNT(63, 43, TEXT("/../../init.scope"), TEXT("/sys/fs/cgroup"), TEXT("ro"),
			TEXT("cgroup2"), TEXT("rw")));
}

static void optional_fields_none_one_and_many(void **state)
{
	static const char *const optional[] = {"", "shared:1 ", "master:2 ", "unbindable ",
		"shared:1 master:2 propagate_from:3 ", "what:may come:4294967295 -x x- -- :- ",
		"a b c d e f g h i j k l m n o p q r s t u v w x y z "};
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(optional); i++) {
		(void)snprintf(text, sizeof(text), "36 35 98:0 /a /b rw %s- ext4 /dev/x rw,o",
			optional[i]);
		check_line(text, MOUNT(36, 35, TEXT("/a"), TEXT("/b"), TEXT("rw"), TEXT("ext4"),
					 TEXT("rw,o")));
	}
}

static void an_empty_source(void **state)
{
	(void)state;
	/* mount("", …) leaves two spaces in a row */
	check_line("36 35 0:5 / /b rw shared:2 - tmpfs  rw,size=1k",
		MOUNT(36, 35, TEXT("/"), TEXT("/b"), TEXT("rw"), TEXT("tmpfs"),
			TEXT("rw,size=1k")));
	check_line("36 35 0:5 / /b rw - proc  rw",
		MOUNT(36, 35, TEXT("/"), TEXT("/b"), TEXT("rw"), TEXT("proc"), TEXT("rw")));
}

static void a_source_that_looks_like_a_separator(void **state)
{
	(void)state;
	check_line("36 35 0:5 / /b rw - tmpfs - rw",
		MOUNT(36, 35, TEXT("/"), TEXT("/b"), TEXT("rw"), TEXT("tmpfs"), TEXT("rw")));
}

static void options_with_a_space(void **state)
{
	(void)state;
	/* not every file system escapes what its show_options() writes */
	check_line("36 35 0:5 / /b rw - overlay overlay rw,lowerdir=/a b - proc proc rw",
		MOUNT(36, 35, TEXT("/"), TEXT("/b"), TEXT("rw"), TEXT("overlay"),
			TEXT("rw,lowerdir=/a b - proc proc rw")));
}

/* ---- paths ---------------------------------------------------------------------------------- */

static void check_path(const char *escaped, const char *plain)
{
	char text[256];
	struct mount mount;

	(void)snprintf(text, sizeof(text), "36 35 0:5 %s %s rw - tmpfs tmpfs rw", escaped, escaped);
	if (parse(text, &mount) != 0)
		fail_msg("not understood: %s", text);
	assert_string_equal(mount.root, plain);
	assert_string_equal(mount.mount_point, plain);
	assert_string_equal(mount.mount_options, "rw");
	assert_string_equal(mount.fs_type, "tmpfs");
	assert_string_equal(mount.super_options, "rw");
}

static void escapes_are_undone(void **state)
{
	(void)state;
	check_path("/a\\040b", "/a b");
	check_path("/a\\011b", "/a\tb");
	check_path("/a\\012b", "/a\nb");
	check_path("/a\\134b", "/a\\b");
	check_path("/a\\043b", "/a#b");
	check_path("/\\040\\011\\012\\134\\043", "/ \t\n\\#");
	check_path("/a\\040", "/a ");
	check_path("/\\303\\274\\377", "/\xc3\xbc\xff");
	check_path("/m\xc3\xbcller#1", "/m\xc3\xbcller#1");
}

static void escapes_are_undone_once(void **state)
{
	(void)state;
	/* a directory that is named \040: the kernel has escaped its backslash */
	check_path("/a\\134040b", "/a\\040b");
	check_path("/a\\134134b", "/a\\134b");
	check_path("/a\\134000b", "/a\\000b");
	check_path("/a\\1340\\04040", "/a\\0 40");
}

static void a_backslash_without_an_octal_number_stays(void **state)
{
	(void)state;
	check_path("/a\\", "/a\\");
	check_path("/a\\0", "/a\\0");
	check_path("/a\\04", "/a\\04");
	check_path("/a\\\\", "/a\\\\");
	check_path("/a\\x40", "/a\\x40");
	check_path("/a\\08040", "/a\\08040");
	check_path("/a\\048", "/a\\048");
	check_path("/a\\400", "/a\\400"); /* more than a byte */
	check_path("/a\\777", "/a\\777");
	check_path("/a\\\\040", "/a\\ ");
}

static void an_escaped_nul_does_not_reach_beyond_the_path(void **state)
{
	struct mount mount;

	(void)state;
	/* no name has a NUL: refused or cut there, but never more than what was written */
	if (parse("36 35 0:5 / /a\\000b rw - tmpfs tmpfs rw", &mount) == 0)
		assert_true(strcmp(mount.mount_point, "/a") == 0 ||
			    strcmp(mount.mount_point, "/a\\000b") == 0);
	assert_int_equal(parse("36 35 0:5 / \\000 rw - tmpfs tmpfs rw", &mount), -EINVAL);
}

static void a_mount_point_cannot_forge_fields(void **state)
{
	struct mount mount;

	(void)state;
	assert_int_equal(
		parse("36 35 0:5 / /mnt\\040-\\040proc\\040proc\\040rw rw,nosuid shared:1 - tmpfs tmpfs rw",
			&mount),
		0);
	assert_string_equal(mount.mount_point, "/mnt - proc proc rw");
	assert_string_equal(mount.mount_options, "rw,nosuid");
	assert_string_equal(mount.fs_type, "tmpfs");
	assert_int_equal(procfs_role(&mount), PROCFS_NONE);
	assert_int_equal(
		parse("36 35 0:5 / /mnt\\0121\\0401\\0400:1\\040/\\040/proc\\040rw\\040-\\040proc\\040proc\\040rw rw - tmpfs tmpfs rw",
			&mount),
		0);
	assert_string_equal(mount.mount_point, "/mnt\n1 1 0:1 / /proc rw - proc proc rw");
	assert_string_equal(mount.fs_type, "tmpfs");
}

static void a_deleted_root(void **state)
{
	struct mount mount;

	(void)state;
	/* a bound directory of a process that has ended since */
	assert_int_equal(parse("36 35 0:20 /1234//deleted /mnt rw - proc proc rw", &mount), 0);
	assert_string_equal(mount.root, "/1234//deleted");
	assert_int_equal(procfs_role(&mount), PROCFS_DETACH);
	check_path("/mnt//deleted", "/mnt//deleted");
	check_path("/mnt\\040(deleted)", "/mnt (deleted)");
}

/* A line with a mount point of n times a text. */
static char *long_line(const char *text, size_t n)
{
	size_t length = strlen(text);
	char *all = malloc(n * length + 64), *to = all;

	assert_non_null(all);
	to = stpcpy(to, "36 35 0:5 / /");
	for (size_t i = 0; i < n; i++)
		to = stpcpy(to, text);
	(void)stpcpy(to, " rw - tmpfs tmpfs rw");
	return all;
}

static void names_of_5000_bytes(void **state)
{
	static const struct {
		const char *escaped, *plain;
	} parts[] = {{"x", "x"}, {"\\040", " "}, {"\\134", "\\"}, {"/y", "/y"}};
	struct mount mount;

	(void)state;
	for (size_t i = 0; i < COUNT(parts); i++) {
		char *text = long_line(parts[i].escaped, 5000);
		size_t plain = strlen(parts[i].plain);

		assert_int_equal(parse(text, &mount), 0);
		assert_int_equal(strlen(mount.mount_point), 1 + 5000 * plain);
		for (size_t j = 0; j < 5000; j++)
			if (strncmp(mount.mount_point + 1 + j * plain, parts[i].plain, plain) != 0)
				fail_msg("'%s', number %zu", parts[i].escaped, j);
		assert_string_equal(mount.fs_type, "tmpfs");
		free(text);
	}
}

/* ---- lines that are no lines --------------------------------------------------------------- */

static void a_line_that_is_cut_anywhere(void **state)
{
	static const char whole[] =
		"36 35 98:0 /mnt\\0401 /mnt/parent\\134dir rw,noatime shared:7 master:2 - ext3 /dev/root rw,errors=continue";
	const size_t options = (size_t)(strstr(whole, "rw,errors") - whole);
	struct mount mount;

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++) {
		int result = parse_bytes(whole, n, &mount);

		if (n < options && result == 0)
			fail_msg("understood: '%.*s'", (int)n, whole);
		if (n > options && result != 0)
			fail_msg("not understood: '%.*s'", (int)n, whole);
		if (result < 0)
			continue;
		assert_int_equal(mount.id, 36);
		assert_int_equal(mount.parent, 35);
		assert_string_equal(mount.root, "/mnt 1");
		assert_string_equal(mount.mount_point, "/mnt/parent\\dir");
		assert_string_equal(mount.mount_options, "rw,noatime");
		assert_string_equal(mount.fs_type, "ext3");
		assert_int_equal(strlen(mount.super_options), n - options);
		assert_memory_equal(mount.super_options, whole + options, n - options);
	}
}

static void a_line_that_ends_within_an_escape(void **state)
{
	static const char whole[] = "36 35 0:5 / /a\\040\\134\\ \\ - t s \\040";
	struct mount mount;

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++)
		(void)parse_bytes(whole, n, &mount);
}

static void a_line_with_any_byte_replaced(void **state)
{
	static const char whole[] = "36 35 98:0 /m\\0401 /p\\134d rw shared:7 - proc  rw,gid=0";
	static const char by[] = {
		' ', '\\', '\0', '-', '/', '0', '7', '\n', '\t', ':', '\x7f', '\xff'};
	char bytes[sizeof(whole)];
	struct mount mount;

	(void)state;
	for (size_t i = 0; i < sizeof(whole) - 1; i++)
		for (size_t j = 0; j < COUNT(by); j++) {
			memcpy(bytes, whole, sizeof(whole));
			bytes[i] = by[j];
			(void)parse_bytes(bytes, sizeof(whole) - 1, &mount);
		}
}

static void bad_ids(void **state)
{
	static const char *const bad[] = {"2147483648", "4294967296", "4294967332",
		"9223372036854775808", "18446744073709551652", "99999999999999999999999999", "-1",
		"-36", "+36", "0x24", "36a", "a36", " 36", "", "36.", "-"};
	char text[256];
	struct mount mount;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		(void)snprintf(text, sizeof(text), "%s 35 0:5 / /b rw - tmpfs tmpfs rw", bad[i]);
		if (parse(text, &mount) == 0)
			fail_msg("an id: '%s'", bad[i]);
		(void)snprintf(text, sizeof(text), "35 %s 0:5 / /b rw - tmpfs tmpfs rw", bad[i]);
		if (parse(text, &mount) == 0)
			fail_msg("an id of a parent: '%s'", bad[i]);
	}
	assert_int_equal(parse("2147483647 0 0:5 / /b rw - tmpfs tmpfs rw", &mount), 0);
	assert_int_equal(mount.id, INT32_MAX);
	assert_int_equal(mount.parent, 0);
}

static void missing_and_empty_fields(void **state)
{
	static const char *const bad[] = {"", " ", "-", "36", "36 35 0:5 / /b rw tmpfs tmpfs rw",
		"36 35 0:5 / /b - tmpfs tmpfs rw", "36 35 0:5 / - tmpfs tmpfs rw",
		"36  0:5 / /b rw - tmpfs tmpfs rw", "36 35  / /b rw - tmpfs tmpfs rw",
		"36 35 0:5  /b rw - tmpfs tmpfs rw", "36 35 0:5 /  rw - tmpfs tmpfs rw",
		"36 35 0:5 / /b  - tmpfs tmpfs rw", "36 35 0:5 / /b rw  - tmpfs tmpfs rw",
		"36 35 0:5 / /b rw -", "36 35 0:5 / /b rw - ", "36 35 0:5 / /b rw - tmpfs",
		"36 35 0:5 / /b rw - tmpfs tmpfs", "36 35 0:5 / /b rw -  tmpfs rw",
		" 36 35 0:5 / /b rw - tmpfs tmpfs rw", "36 35 0:5 / b rw - tmpfs tmpfs rw",
		"36 35 0:5 / \\057b rw x tmpfs tmpfs rw"};
	struct mount mount;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (parse(bad[i], &mount) == 0)
			fail_msg("understood: '%s'", bad[i]);
}

/* ---- roles ----------------------------------------------------------------------------------- */

static enum procfs_role role(const char *type, const char *root)
{
	char text[256];
	struct mount mount;

	(void)snprintf(text, sizeof(text), "36 35 0:5 %s /mnt rw - %s source rw", root, type);
	assert_int_equal(parse(text, &mount), 0);
	return procfs_role(&mount);
}

static void whole_instances(void **state)
{
	(void)state;
	assert_int_equal(role("proc", "/"), PROCFS_INSTANCE);
}

static void parts_that_tell_of_processes(void **state)
{
	static const char *const roots[] = {"/1", "/1234", "/1234/root", "/1234/ns/net",
		"/1234//deleted", "/self", "/thread-self", "/locks", "/kcore", "/net",
		"/timer_list", "/sched_debug", "/keys", "/what-may-come", "/sysvipc",
		"/sysvipc/shm", "/sys-", "/system", "/fsx", "/busy", "/irqs", "/acpid", "/ttys",
		"/sysrq-triggers", "/1234/sys", "//deleted"};

	(void)state;
	for (size_t i = 0; i < COUNT(roots); i++)
		if (role("proc", roots[i]) != PROCFS_DETACH)
			fail_msg("%s is harmless", roots[i]);
}

static void parts_that_tell_of_no_process(void **state)
{
	static const char *const roots[] = {"/acpi", "/asound", "/bus", "/bus/pci", "/driver",
		"/fs", "/fs/nfsd", "/irq", "/irq/0", "/scsi", "/sys", "/sys/kernel",
		"/sys//deleted", "/sysrq-trigger", "/tty", "/tty/driver"};

	(void)state;
	for (size_t i = 0; i < COUNT(roots); i++)
		if (role("proc", roots[i]) != PROCFS_NONE)
			fail_msg("%s tells of processes", roots[i]);
}

static void other_file_systems(void **state)
{
	static const char *const types[] = {"tmpfs", "procfs", "proc.x", "pro", "Proc", "fuse.proc",
		"sysfs", "binfmt_misc", "autofs", "nsfs"};

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		assert_int_equal(role(types[i], "/"), PROCFS_NONE);
		assert_int_equal(role(types[i], "/1234"), PROCFS_NONE);
	}
}

static void what_is_carried_over(void **state)
{
	(void)state;
	assert_true(procfs_carries("/proc", "/proc/cpuinfo"));
	assert_true(procfs_carries("/proc", "/proc/uptime"));
	assert_true(procfs_carries("/proc", "/proc/kcore"));
	assert_true(procfs_carries("/proc", "/proc/sys"));
	assert_true(procfs_carries("/proc", "/proc/sys/fs"));
	assert_true(procfs_carries("/proc", "/proc/sys/fs/binfmt_misc2"));
	assert_true(procfs_carries("/proc", "/proc/acpi"));
	assert_true(procfs_carries("/proc", "/proc/sys/1"));
	assert_true(procfs_carries("/srv/chroot/proc", "/srv/chroot/proc/meminfo"));
	assert_true(procfs_carries("/srv/1/proc", "/srv/1/proc/meminfo"));
}

static void what_is_not_carried_over(void **state)
{
	(void)state;
	assert_false(procfs_carries("/proc", "/proc/sys/fs/binfmt_misc"));
	assert_false(procfs_carries("/srv/chroot/proc", "/srv/chroot/proc/sys/fs/binfmt_misc"));
	assert_false(procfs_carries("/proc", "/proc/1"));
	assert_false(procfs_carries("/proc", "/proc/1234/ns/net"));
	assert_false(procfs_carries("/proc", "/proc/9/cmdline"));
	assert_false(procfs_carries("/srv/chroot/proc", "/srv/chroot/proc/77/environ"));
}

/* ---- tables -----------------------------------------------------------------------------------
 */

static int table_fd(const char *table)
{
	int fd = memfd_create("mountinfo", MFD_CLOEXEC);
	size_t size = strlen(table);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, table, size), size);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int plan_table(const char *table, struct procfs_plan **plan, struct failure *why)
{
	int fd = table_fd(table), result;

	*why = (struct failure){0};
	*plan = NULL;
	result = procfs_plan_from_mountinfo(fd, NULL, plan, why);
	(void)close(fd);
	if (result == 0) {
		assert_non_null(*plan);
		assert_int_equal(why->err, 0);
	} else { /* the caller releases what is there */
		assert_null(*plan);
		assert_int_equal(why->err, -result);
		assert_true(*why->text != '\0');
	}
	return result;
}

#define ROOT_LINE "20 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
#define PROC_LINE "21 20 0:20 / /proc rw,nosuid shared:2 - proc proc rw\n"

/* A plan of the two lines that every table here has, and what else is given. */
static struct procfs_plan *plan_of(const char *more)
{
	char table[4096];
	struct procfs_plan *plan;
	struct failure why;

	(void)snprintf(table, sizeof(table), ROOT_LINE PROC_LINE "%s", more);
	if (plan_table(table, &plan, &why) != 0)
		fail_msg("%s", why.text);
	return plan;
}

static void ordinary_mounts_are_kept(void **state)
{
	struct procfs_plan *plan = plan_of("22 20 0:21 / /sys rw - sysfs sysfs rw\n"
					   "23 22 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n"
					   "24 20 0:23 / /home rw - ext4 /dev/sda2 rw\n");

	(void)state;
	assert_true(procfs_plan_keeps(plan, 20));
	assert_true(procfs_plan_keeps(plan, 22));
	assert_true(procfs_plan_keeps(plan, 23));
	assert_true(procfs_plan_keeps(plan, 24));
	procfs_plan_free(plan);
}

static void procfs_instances_are_not_kept(void **state)
{
	struct procfs_plan *plan = plan_of("30 20 0:20 / /srv/chroot/proc rw - proc proc rw\n"
					   "31 21 0:24 / /proc rw - proc proc rw,hidepid=2\n"
					   "32 20 0:20 /1234 /mnt rw - proc proc rw\n");

	(void)state;
	assert_false(procfs_plan_keeps(plan, 21));
	assert_false(procfs_plan_keeps(plan, 30));
	assert_false(procfs_plan_keeps(plan, 31));
	assert_false(procfs_plan_keeps(plan, 32));
	procfs_plan_free(plan);
}

static void what_lies_below_an_instance_does_not_stay(void **state)
{
	struct procfs_plan *plan =
		plan_of("30 21 0:51 /proc/cpuinfo /proc/cpuinfo rw - fuse.lxcfs lxcfs rw\n"
			"31 21 0:20 /sys /proc/sys ro - proc proc rw\n"
			"32 21 0:25 / /proc/kcore ro - tmpfs tmpfs rw\n"
			"33 20 0:20 / /srv/proc rw - proc proc rw\n"
			"34 33 0:25 / /srv/proc/acpi ro - tmpfs tmpfs rw\n"
			"35 32 0:26 / /proc/kcore/below ro - tmpfs tmpfs rw\n"
			"36 20 0:27 / /srv/other rw - tmpfs tmpfs rw\n");

	(void)state;
	for (unsigned long long id = 30; id <= 36; id++)
		assert_int_equal(procfs_plan_keeps(plan, id), id == 36);
	procfs_plan_free(plan);
}

static void a_harmless_part_elsewhere_is_kept(void **state)
{
	struct procfs_plan *plan = plan_of("30 20 0:20 /sys /srv/sys ro - proc proc rw\n");

	(void)state;
	assert_true(procfs_plan_keeps(plan, 30));
	procfs_plan_free(plan);
}

static void what_goes_with_an_instance_is_not_kept(void **state)
{
	struct procfs_plan *plan =
		plan_of("30 21 0:35 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw\n"
			"31 30 0:36 / /proc/sys/fs/binfmt_misc rw - binfmt_misc binfmt_misc rw\n"
			"32 21 0:37 / /proc/1234/task rw - tmpfs tmpfs rw\n");

	(void)state;
	assert_false(procfs_plan_keeps(plan, 30));
	assert_false(procfs_plan_keeps(plan, 31));
	assert_false(procfs_plan_keeps(plan, 32));
	procfs_plan_free(plan);
}

static void what_goes_with_a_detached_part_is_not_kept(void **state)
{
	struct procfs_plan *plan = plan_of("30 20 0:20 /1234 /mnt rw - proc proc rw\n"
					   "31 30 0:25 / /mnt/task rw - tmpfs tmpfs rw\n");

	(void)state;
	assert_false(procfs_plan_keeps(plan, 31));
	procfs_plan_free(plan);
}

static void mounts_of_other_namespaces_are_not_kept(void **state)
{
	struct procfs_plan *plan = plan_of("");

	(void)state;
	assert_false(procfs_plan_keeps(plan, 0));
	assert_false(procfs_plan_keeps(plan, 19));
	assert_false(procfs_plan_keeps(plan, 22));
	assert_false(procfs_plan_keeps(plan, (1ULL << 32) + 20));
	assert_false(procfs_plan_keeps(plan, UINT64_MAX));
	procfs_plan_free(plan);
}

static void no_procfs_at_proc(void **state)
{
	static const char *const tables[] = {"", ROOT_LINE,
		ROOT_LINE "21 20 0:20 / /srv/chroot/proc rw - proc proc rw\n",
		ROOT_LINE "21 20 0:20 / /proc\\040 rw - proc proc rw\n",
		ROOT_LINE "21 20 0:20 / /proc/ rw - proc proc rw\n",
		ROOT_LINE "21 20 0:20 / /proc rw - tmpfs proc rw\n",
		ROOT_LINE "21 20 0:20 /1234 /proc rw - proc proc rw\n",
		ROOT_LINE "21 20 0:20 /sys /proc rw - proc proc rw\n",
		ROOT_LINE "21 20 0:20 / /mnt\\012/proc rw - proc proc rw\n",
		ROOT_LINE "21 20 0:20 / /proc\\040rw\\040-\\040proc rw - tmpfs tmpfs rw\n"};
	struct procfs_plan *plan;
	struct failure why;

	(void)state;
	for (size_t i = 0; i < COUNT(tables); i++) {
		if (plan_table(tables[i], &plan, &why) != -ENOENT)
			fail_msg("table %zu: %s", i, why.text);
		assert_non_null(strstr(why.text, "/proc"));
	}
}

static void a_bad_line_is_named_by_its_number(void **state)
{
	static const struct {
		const char *table, *number;
	} bad[] = {
		{"nonsense\n" ROOT_LINE PROC_LINE, "line 1 "},
		{ROOT_LINE "21 20\n" PROC_LINE, "line 2 "},
		{ROOT_LINE PROC_LINE "x\n", "line 3 "},
		{ROOT_LINE PROC_LINE "22 20 0:5 / /b rw - tmpfs", "line 3 "},
		{ROOT_LINE PROC_LINE ROOT_LINE ROOT_LINE "22 20 0:5 / b rw - t t rw\n" ROOT_LINE,
			"line 5 "},
	};
	struct procfs_plan *plan;
	struct failure why;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(plan_table(bad[i].table, &plan, &why), -EINVAL);
		if (!strstr(why.text, bad[i].number))
			fail_msg("'%s' has not '%s'", why.text, bad[i].number);
	}
}

static void an_empty_line_does_not_hide_what_follows(void **state)
{
	struct procfs_plan *plan;
	struct failure why;

	(void)state;
	/* as the end of the table it would leave the procfs behind it to the session */
	assert_int_equal(
		plan_table(ROOT_LINE PROC_LINE "\n30 20 0:20 / /srv/proc rw - proc proc rw\n",
			&plan, &why),
		-EINVAL);
	assert_non_null(strstr(why.text, "line 3 "));
}

static void a_last_line_without_newline_counts(void **state)
{
	struct procfs_plan *plan = plan_of("30 20 0:20 / /srv/proc rw - proc proc rw");

	(void)state;
	assert_false(procfs_plan_keeps(plan, 30));
	procfs_plan_free(plan);
}

static void a_table_that_is_cut_anywhere(void **state)
{
	static const char whole[] =
		ROOT_LINE PROC_LINE "30 21 0:25 / /proc/kcore ro - tmpfs tmpfs rw\n"
				    "31 20 0:20 /1 /m\\040x rw shared:9 - proc  rw\n";
	char cut[sizeof(whole)];
	struct procfs_plan *plan;
	struct failure why;

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++) {
		int result;

		(void)snprintf(cut, sizeof(cut), "%.*s", (int)n, whole);
		result = plan_table(cut, &plan, &why);
		assert_true(result == 0 || result == -EINVAL || result == -ENOENT);
		procfs_plan_free(plan);
	}
}

/*
 * The kernel writes the table page by page and path by path: a user who renames a directory above
 * an instance meanwhile (of a chroot that is his) makes a child appear elsewhere than its parent.
 */
static void a_child_that_does_not_lie_below_its_instance(void **state)
{
	/* where the instance's name would end in the child's, there is no name any more */
	static const char child[] = "31 30 0:25 / /b rw - tmpfs xxxxxxxx/sys/fs/binfmt_misc rw\n";
	const char *point = strstr(child, "/b "), *behind = strstr(child, "/sys/fs");
	char instance[sizeof(child)] = "/", table[512];
	struct procfs_plan *plan;
	struct failure why;

	(void)state;
	memset(instance + 1, 'x', (size_t)(behind - point) - 1);
	(void)snprintf(table, sizeof(table),
		ROOT_LINE PROC_LINE "30 20 0:20 / %s rw - proc proc rw\n%s", instance, child);
	/* it comes along, so it does not stay; refusing the table is right as well */
	if (plan_table(table, &plan, &why) == 0)
		assert_false(procfs_plan_keeps(plan, 31));
	procfs_plan_free(plan);
}

static void a_child_with_a_name_much_shorter_than_its_instance(void **state)
{
	char *name = malloc(60001), *table = malloc(61000);
	struct procfs_plan *plan;
	struct failure why;

	(void)state;
	assert_non_null(name);
	assert_non_null(table);
	memset(name, 'x', 60000);
	name[60000] = '\0';
	(void)snprintf(table, 61000,
		ROOT_LINE PROC_LINE "30 20 0:20 / /%s rw - proc proc rw\n"
				    "31 30 0:25 / /b rw - tmpfs tmpfs rw\n",
		name);
	/* the address sanitizer tells whether something was read behind the table */
	(void)plan_table(table, &plan, &why);
	procfs_plan_free(plan);
	free(name);
	free(table);
}

#define MANY 5000

/* A table of MANY lines whose last one is a procfs in a chroot; long enough for several reads. */
static char *big_table(size_t *size)
{
	char *table = NULL;
	FILE *out = open_memstream(&table, size);

	assert_non_null(out);
	(void)fputs(ROOT_LINE PROC_LINE, out);
	for (int i = 3; i < MANY; i++)
		(void)fprintf(out,
			"%d 20 0:%d / /srv/data/number\\040%d rw,relatime shared:%d - tmpfs tmpfs rw,size=%dk\n",
			100 + i, i, i, i, i);
	(void)fprintf(out, "%d 20 0:20 / /srv/chroot/proc rw - proc proc rw\n", 100 + MANY);
	assert_int_equal(fclose(out), 0);
	return table;
}

static void check_big_plan(struct procfs_plan *plan)
{
	assert_true(procfs_plan_keeps(plan, 20));
	assert_false(procfs_plan_keeps(plan, 21));
	for (unsigned long long i = 3; i < MANY; i++)
		if (!procfs_plan_keeps(plan, 100 + i))
			fail_msg("line %llu is lost", i);
	assert_false(procfs_plan_keeps(plan, 100 + MANY));
	assert_false(procfs_plan_keeps(plan, 101 + MANY));
	procfs_plan_free(plan);
}

static void a_table_of_5000_lines(void **state)
{
	struct procfs_plan *plan;
	struct failure why;
	size_t size;
	char *table = big_table(&size);

	(void)state;
	assert_int_equal(plan_table(table, &plan, &why), 0);
	check_big_plan(plan);
	free(table);
}

/* Write a table to a pipe in pieces of an odd size, from another process. */
static void feed(int fd, const char *table, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, table, size < 1013 ? size : 1013);

		if (n <= 0)
			_exit(1);
		table += n;
		size -= (size_t)n;
	}
	_exit(0);
}

static void a_table_that_comes_in_pieces(void **state)
{
	struct procfs_plan *plan = NULL;
	struct failure why = {0};
	size_t size;
	char *table = big_table(&size);
	int ends[2], status = -1;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(ends[0]);
		feed(ends[1], table, size);
	}
	(void)close(ends[1]);
	assert_int_equal(procfs_plan_from_mountinfo(ends[0], NULL, &plan, &why), 0);
	(void)close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	check_big_plan(plan);
	free(table);
}

/* A table whose size is around the sizes that a buffer is likely to have. */
static void tables_of_every_critical_size(void **state)
{
	static const size_t sizes[] = {4095, 4096, 4097, 28671, 28672, 28673, 32766, 32767, 32768,
		32769, 65535, 65536, 65537, 131071, 131072, 131073};
	const size_t fixed = strlen(ROOT_LINE PROC_LINE "30 20 0:5 / / rw - t t rw\n");
	struct procfs_plan *plan;
	struct failure why;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		char *table = malloc(sizes[i] + 1), *to;

		assert_non_null(table);
		to = stpcpy(table, ROOT_LINE PROC_LINE "30 20 0:5 / /");
		memset(to, 'x', sizes[i] - fixed);
		(void)stpcpy(to + sizes[i] - fixed, " rw - t t rw\n");
		assert_int_equal(strlen(table), sizes[i]);
		if (plan_table(table, &plan, &why) != 0)
			fail_msg("%zu bytes: %s", sizes[i], why.text);
		assert_true(procfs_plan_keeps(plan, 30));
		procfs_plan_free(plan);
		free(table);
	}
}

static void an_interrupted_read_is_repeated(void **state)
{
	struct procfs_plan *plan;
	struct failure why;

	(void)state;
	interruptions = 3;
	assert_int_equal(plan_table(ROOT_LINE PROC_LINE, &plan, &why), 0);
	assert_int_equal(interruptions, 0);
	assert_true(procfs_plan_keeps(plan, 20));
	procfs_plan_free(plan);
}

static void check_read_error(int fd, int err)
{
	struct procfs_plan *plan = NULL;
	struct failure why = {0};
	const long before = in_use;

	assert_int_equal(procfs_plan_from_mountinfo(fd, NULL, &plan, &why), -err);
	assert_int_equal(in_use, before);
	assert_int_equal(why.err, err);
	assert_true(*why.text != '\0');
	assert_null(plan);
}

static void a_read_error_is_reported(void **state)
{
	int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_true(directory >= 0);
	check_read_error(directory, EISDIR);
	check_read_error(-1, EBADF);
	(void)close(directory);
}

static void free_does_not_replace_the_read_error(void **state)
{
	(void)state;
	free_changes_errno = true;
	check_read_error(-1, EBADF);
}

static void any_allocation_may_fail(void **state)
{
	struct procfs_plan *plan = NULL;
	struct failure why = {0};
	size_t size;
	char *table = big_table(&size);
	int fd = table_fd(table), failed = 0;

	(void)state;
	for (;; failed++) {
		const long before = in_use;
		int result;

		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		why = (struct failure){0};
		allocations_until_failure = failed;
		result = procfs_plan_from_mountinfo(fd, NULL, &plan, &why);
		allocations_until_failure = -1;
		if (result == 0)
			break;
		assert_int_equal(result, -ENOMEM);
		assert_int_equal(in_use, before);
		assert_int_equal(why.err, ENOMEM);
		assert_true(*why.text != '\0');
		assert_null(plan);
	}
	/* the plan, the buffer, the mounts, the ids, and the buffer grown at least once */
	assert_true(failed >= 5);
	assert_true(reallocations > 0);
	check_big_plan(plan);
	(void)close(fd);
	free(table);
}

static void no_plan_may_be_released(void **state)
{
	(void)state;
	procfs_plan_free(NULL);
}

static void what_is_below_a_mount_goes_with_it(void **state)
{
	/* a child before its parent, a loop, a root whose parent is another namespace's */
	const struct {
		int id, parent;
		bool goes;
	} table[] = {{1, 0, false}, {9, 8, true}, {7, 5, true}, {2, 1, false}, {5, 2, true},
		{8, 7, true}, {6, 1, false}, {3, 3, false}, {4, 6, false}, {10, 9, true}};
	struct planned_mount planned[] = {{.mount.id = 9, .role = PROCFS_CARRIED},
		{.mount.id = 5, .role = PROCFS_INSTANCE}, {.mount.id = 4, .role = PROCFS_COVER}};
	struct mount_entry entries[sizeof(table) / sizeof(*table)];
	struct procfs_plan plan = {.mounts = planned,
		.n_mounts = 3,
		.entries = entries,
		.n_entries = sizeof(table) / sizeof(*table)};

	(void)state;
	for (size_t i = 0; i < plan.n_entries; i++)
		entries[i] = (struct mount_entry){.id = table[i].id, .parent = table[i].parent};
	plan_remove(&plan, 5);
	for (size_t i = 0; i < plan.n_entries; i++)
		assert_int_equal(entries[i].id, table[i].goes ? NO_ID : table[i].id);
	assert_int_equal(planned[0].mount.id, NO_ID);
	assert_int_equal(planned[0].role, PROCFS_WITH_PARENT);
	assert_int_equal(planned[1].mount.id, NO_ID);
	assert_int_equal(planned[1].role, PROCFS_INSTANCE);
	assert_int_equal(planned[2].mount.id, 4);
	plan_remove(&plan, 6); /* what has gone before does not matter */
	assert_int_equal(entries[8].id, NO_ID);
	assert_int_equal(entries[3].id, 2);
	assert_int_equal(planned[2].role, PROCFS_WITH_PARENT);
}

static void the_table_of_this_machine(void **state)
{
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	struct procfs_plan *plan = NULL;
	struct failure why = {0};
	int result;

	(void)state;
	if (fd < 0)
		skip();
	result = procfs_plan_from_mountinfo(fd, NULL, &plan, &why);
	(void)close(fd);
	if (result != 0)
		fail_msg("%s", why.text);
	procfs_plan_free(plan);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, reset, drop_line)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ordinary_lines),
		TEST(a_namespace_that_is_bound_to_a_file),
		TEST(a_root_outside_of_the_cgroup_namespace),
		TEST(optional_fields_none_one_and_many),
		TEST(an_empty_source),
		TEST(a_source_that_looks_like_a_separator),
		TEST(options_with_a_space),
		TEST(escapes_are_undone),
		TEST(escapes_are_undone_once),
		TEST(a_backslash_without_an_octal_number_stays),
		TEST(an_escaped_nul_does_not_reach_beyond_the_path),
		TEST(a_mount_point_cannot_forge_fields),
		TEST(a_deleted_root),
		TEST(names_of_5000_bytes),
		TEST(a_line_that_is_cut_anywhere),
		TEST(a_line_that_ends_within_an_escape),
		TEST(a_line_with_any_byte_replaced),
		TEST(bad_ids),
		TEST(missing_and_empty_fields),
		TEST(whole_instances),
		TEST(parts_that_tell_of_processes),
		TEST(parts_that_tell_of_no_process),
		TEST(other_file_systems),
		TEST(what_is_carried_over),
		TEST(what_is_not_carried_over),
		TEST(ordinary_mounts_are_kept),
		TEST(procfs_instances_are_not_kept),
		TEST(what_lies_below_an_instance_does_not_stay),
		TEST(a_harmless_part_elsewhere_is_kept),
		TEST(what_goes_with_an_instance_is_not_kept),
		TEST(what_goes_with_a_detached_part_is_not_kept),
		TEST(mounts_of_other_namespaces_are_not_kept),
		TEST(no_procfs_at_proc),
		TEST(a_bad_line_is_named_by_its_number),
		TEST(an_empty_line_does_not_hide_what_follows),
		TEST(a_last_line_without_newline_counts),
		TEST(a_table_that_is_cut_anywhere),
		TEST(a_child_that_does_not_lie_below_its_instance),
		TEST(a_child_with_a_name_much_shorter_than_its_instance),
		TEST(a_table_of_5000_lines),
		TEST(a_table_that_comes_in_pieces),
		TEST(tables_of_every_critical_size),
		TEST(an_interrupted_read_is_repeated),
		TEST(a_read_error_is_reported),
		TEST(free_does_not_replace_the_read_error),
		TEST(any_allocation_may_fail),
		TEST(no_plan_may_be_released),
		TEST(what_is_below_a_mount_goes_with_it),
		TEST(the_table_of_this_machine),
	};

	return cmocka_run_group_tests_name("mountinfo", tests, NULL, NULL);
}

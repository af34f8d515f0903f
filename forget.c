/* SPDX-License-Identifier: MIT */
#include "forget.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Around the thread pointer lie errno and the stack protector's canary. The block is of a few
   kilobytes, and of unknown ends. */
#define BLOCK_REACH 16384

static uintptr_t page_size(void)
{
	return (uintptr_t)sysconf(_SC_PAGESIZE);
}

void *init_stack_new(void)
{
	size_t guard = page_size();
	char *area = mmap(NULL, guard + INIT_STACK, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (area == MAP_FAILED)
		return NULL;
	if (mprotect(area, guard, PROT_NONE) < 0) {
		(void)munmap(area, guard + INIT_STACK);
		return NULL;
	}
	return area + guard;
}

void init_stack_free(void *stack)
{
	(void)munmap((char *)stack - page_size(), page_size() + INIT_STACK);
}

/* Insert a range where it belongs. One too many: everything is kept. */
static void keep(struct kept *kept, uintptr_t begin, uintptr_t end)
{
	const size_t room = sizeof(kept->ranges) / sizeof(*kept->ranges);
	uintptr_t page = page_size();
	size_t i = kept->n;

	if (kept->n == room)
		return;
	for (; i > 0 && kept->ranges[i - 1].begin > begin; i--)
		kept->ranges[i] = kept->ranges[i - 1];
	kept->ranges[i] = (struct range){begin & -page, (end + page - 1) & -page};
	kept->n++;
}

struct search {
	struct kept *kept;
	struct range libc[4]; /* the C library, which is two objects before glibc 2.34 */
	size_t n_libc;
};

static bool is_libc(const char *path)
{
	static const char *const names[] = {"libc.so.", "libc-2.", "libpthread"};
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/*
 * All shared objects, though the init calls few: which of them a function comes from is the dynamic
 * linker's choice (glibc before 2.34 has read(2) twice). The vdso is one of them: i386 enters the
 * kernel through it. The kernel names the program's own headers in the auxiliary vector,
 * getauxval(3).
 */
static int keep_object(struct dl_phdr_info *object, size_t size, void *data)
{
	struct search *search = data;
	uintptr_t begin = UINTPTR_MAX, end = 0;

	(void)size;
	if ((uintptr_t)object->dlpi_phdr == getauxval(AT_PHDR))
		return 0;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t at = object->dlpi_addr + segment->p_vaddr;

		if (segment->p_type != PT_LOAD)
			continue;
		begin = at < begin ? at : begin;
		end = at + segment->p_memsz > end ? at + segment->p_memsz : end;
	}
	if (begin < end)
		keep(search->kept, begin, end);
	if (is_libc(object->dlpi_name) && search->n_libc < 4)
		search->libc[search->n_libc++] = (struct range){begin, end};
	return 0;
}

static bool is_in(const struct range *ranges, size_t n, uintptr_t address)
{
	for (size_t i = 0; i < n; i++)
		if (address >= ranges[i].begin && address < ranges[i].end)
			return true;
	return false;
}

/* Whether all that the init needs from then on is kept, and is the C library's own. A program or a
   preloaded library may have such a function, with data on the heap. */
static bool keeps_needed(const struct search *search)
{
	const struct kept *kept = search->kept;
	const uintptr_t needed[] = {(uintptr_t)__errno_location, (uintptr_t)_exit, (uintptr_t)close,
		(uintptr_t)kill, (uintptr_t)open, (uintptr_t)poll, (uintptr_t)read,
		(uintptr_t)sigaddset, (uintptr_t)sigemptyset, (uintptr_t)signalfd,
		(uintptr_t)syscall, (uintptr_t)sysconf, (uintptr_t)timerfd_create,
		(uintptr_t)timerfd_settime};

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (!is_in(search->libc, search->n_libc, needed[i]))
			return false;
	return is_in(kept->ranges, kept->n, (uintptr_t)&errno) &&
	       is_in(kept->ranges, kept->n, (uintptr_t)forget);
}

/* ---- what the kernel writes to by itself, rseq(2) ----------------------------------------------
 */

/* glibc's own area since 2.35; the size is 0 where glibc has not registered it. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

static uintptr_t thread_pointer(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return (uintptr_t)pthread_self(); /* gcc before 11 has no built-in function for it there */
#else
	return (uintptr_t)__builtin_thread_pointer();
#endif
}

/* The kernel takes an area for a thread that has none, and answers EINVAL, EPERM or EBUSY to one
   that has (kernel/rseq.c). */
static bool has_foreign_rseq(void)
{
	static _Alignas(32) unsigned char area[32];
	const unsigned int signature = 0x53053053;

	if (syscall(__NR_rseq, area, sizeof(area), 0, signature) < 0)
		return errno != ENOSYS;
	(void)syscall(__NR_rseq, area, sizeof(area), 1 /* RSEQ_FLAG_UNREGISTER */, signature);
	return false;
}

/* The processor's own stack of return addresses lies somewhere (Documentation/arch/x86/shstk.rst,
   arm64/gcs.rst). Programs have it only if that is asked for. */
static bool has_shadow_stack(void)
{
	unsigned long status = 0;

#ifdef __x86_64__
	return syscall(SYS_arch_prctl, 0x5005 /* ARCH_SHSTK_STATUS */, &status) == 0 && status & 1;
#else
	return prctl(74 /* PR_GET_SHADOW_STACK_STATUS */, &status, 0, 0, 0) == 0 && status & 1;
#endif
}

void forget_prepare(struct kept *kept, void *stack)
{
	uintptr_t block = thread_pointer(), error = (uintptr_t)&errno;
	struct search search = {.kept = kept};

	kept->n = 0;
	kept->knows_rseq = &__rseq_offset && &__rseq_size && __rseq_size > 0;
	/* the name of the program's file is the last thing that execve(2) puts on its stack */
	kept->top = (getauxval(AT_EXECFN) | (page_size() - 1)) + 1;
	(void)dl_iterate_phdr(keep_object, &search);
	if (kept->knows_rseq) /* the kernel's own is 32 bytes at least */
		keep(kept, block + (uintptr_t)__rseq_offset,
			block + (uintptr_t)__rseq_offset + (__rseq_size > 32 ? __rseq_size : 32));
	keep(kept, (uintptr_t)stack, (uintptr_t)stack + INIT_STACK);
	keep(kept, (block < error ? block : error) - BLOCK_REACH,
		(block > error ? block : error) + BLOCK_REACH);
	if (kept->n == sizeof(kept->ranges) / sizeof(*kept->ranges) || !keeps_needed(&search) ||
		has_shadow_stack())
		kept->n = 0;
}

/* Best effort. munmap(2) refuses a range of which it may not unmap a page (mseal(2)): then the
   halves are tried, down to that page. */
static void unmap(uintptr_t begin, uintptr_t end)
{
	const uintptr_t page = page_size();
	uintptr_t size = end > begin ? end - begin : 0;

	while (begin < end) {
		if (syscall(SYS_munmap, begin, size) < 0 && size > page) {
			size = (size / 2 + page - 1) & -page;
		} else {
			begin += size;
			size = end - begin;
		}
	}
}

void forget(const struct kept *kept)
{
	uintptr_t from = 0;

	if (kept->n == 0 || (!kept->knows_rseq && has_foreign_rseq()))
		return;
	for (size_t i = 0; i < kept->n; i++) {
		unmap(from, kept->ranges[i].begin);
		if (kept->ranges[i].end > from)
			from = kept->ranges[i].end;
	}
	unmap(from, kept->top);
}

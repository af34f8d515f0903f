/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Around the thread pointer lie errno and, on most architectures, the stack protector's canary. The
   block is of a few kilobytes, and of unknown ends. */
#define BLOCK_REACH 16384

/* The thread pointer is so far above it. */
#ifdef __powerpc__
#define BLOCK_BIAS 0x7000
#else
#define BLOCK_BIAS 0
#endif

/*
 * Of the C library, syscall(2) needs what is constant once the dynamic linker is done with it:
 * where it finds errno is told by a table in PT_GNU_RELRO, elf(5). That has been looked at for
 * x86-64. Elsewhere the table may be among the data, the canary among the dynamic linker's, and
 * i386 may enter the kernel through the dynamic linker: there both stay whole.
 */
#ifdef __x86_64__
#define LIBC_MAY_BE_DIVIDED 1
#else
#define LIBC_MAY_BE_DIVIDED 0
#endif

/* The memory that instrumented code looks into lies elsewhere. tests/coverage defines KEEP_MEMORY.
 */
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(KEEP_MEMORY) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_INSTRUMENTED 1
#else
#define IS_INSTRUMENTED 0
#endif

/* The canary where it is not in the thread's block: a variable of the dynamic linker's, or the
   program's copy of it. */
extern const uintptr_t __stack_chk_guard __attribute__((weak));

static uintptr_t page_size(void)
{
	return (uintptr_t)sysconf(_SC_PAGESIZE);
}

#ifdef __hppa__
#error "PA-RISC has stacks that grow upwards: the guard of the init's, and what forget() lets go of, would be wrong"
#endif

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
	size_t i = kept->n;

	if (kept->n == room)
		return;
	for (; i > 0 && kept->ranges[i - 1].begin > begin; i--)
		kept->ranges[i] = kept->ranges[i - 1];
	kept->ranges[i] = (struct range){begin & -kept->page, (end + kept->page - 1) & -kept->page};
	kept->n++;
}

static bool is_in(struct range range, uintptr_t address)
{
	return address >= range.begin && address < range.end;
}

static struct range range_of(const struct dl_phdr_info *object, const ElfW(Phdr) * segment)
{
	uintptr_t begin = object->dlpi_addr + segment->p_vaddr;

	return (struct range){begin, begin + segment->p_memsz};
}

static bool holds(const struct dl_phdr_info *object, uintptr_t address)
{
	for (int i = 0; i < object->dlpi_phnum; i++)
		if (object->dlpi_phdr[i].p_type == PT_LOAD &&
			is_in(range_of(object, &object->dlpi_phdr[i]), address))
			return true;
	return false;
}

/* Whether the object of that path is the C library, which is two objects before glibc 2.34. */
static bool is_libc(const char *path)
{
	static const char *const names[] = {"libc.so.", "libc-2.", "libpthread"};
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

struct search {
	struct kept *kept;
	bool call, error; /* syscall(2) and errno have been found in the C library */
	bool divided;	  /* what is constant of it is known */
};

/* The module; the vdso, through which i386 enters the kernel; the C library, or what is constant of
   it, and with the whole of it the dynamic linker. */
static int keep_object(struct dl_phdr_info *object, size_t size, void *data)
{
	const bool libc = is_libc(object->dlpi_name);
	bool whole = holds(object, (uintptr_t)forget) || holds(object, getauxval(AT_SYSINFO_EHDR));
	struct search *search = data;

	(void)size;
	if (!LIBC_MAY_BE_DIVIDED)
		whole = whole || libc || holds(object, getauxval(AT_BASE));
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		bool relro = segment->p_type == PT_GNU_RELRO, load = segment->p_type == PT_LOAD;
		struct range range = range_of(object, segment);

		if ((whole && load) || (libc && (relro || (load && !(segment->p_flags & PF_W)))))
			keep(search->kept, range.begin, range.end);
		search->divided = search->divided || (libc && relro);
	}
	search->call = search->call || (libc && holds(object, (uintptr_t)syscall));
	search->error = search->error || (libc && holds(object, (uintptr_t)__errno_location));
	return 0;
}

static bool keeps(const struct kept *kept, uintptr_t address)
{
	for (size_t i = 0; i < kept->n; i++)
		if (is_in(kept->ranges[i], address))
			return true;
	return false;
}

/* ---- what the kernel writes to by itself, rseq(2) ----------------------------------------------
 */

/* glibc's own area since 2.35; the size is 0 where glibc has not registered it. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

/* Compilers have a built-in function for it on some architectures only: gcc before 11 not on x86.
 */
static uintptr_t thread_pointer(void)
{
#if defined(__powerpc__)
	uintptr_t pointer;

#ifdef __powerpc64__
	__asm__("mr %0, 13" : "=r"(pointer));
#else
	__asm__("mr %0, 2" : "=r"(pointer));
#endif
	return pointer;
#elif defined(__aarch64__) || defined(__arm__) || defined(__loongarch__) || defined(__mips__) || \
	defined(__riscv) || defined(__s390__)
	return (uintptr_t)__builtin_thread_pointer();
#else
	/* x86, where they are the same; or glibc knows nothing of rseq, and it is near enough */
	return (uintptr_t)pthread_self();
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
	const size_t room = sizeof(kept->ranges) / sizeof(*kept->ranges);
	uintptr_t block = thread_pointer() - BLOCK_BIAS, error = (uintptr_t)&errno;
	struct search search = {.kept = kept};

	kept->n = 0;
	kept->page = page_size();
	kept->stack = (uintptr_t)stack;
	kept->knows_rseq = &__rseq_offset && &__rseq_size && __rseq_size > 0;
	/* the name of the program's file is the last thing that execve(2) puts on its stack */
	kept->top = (getauxval(AT_EXECFN) | (kept->page - 1)) + 1;
	(void)dl_iterate_phdr(keep_object, &search);
	if (&__stack_chk_guard)
		keep(kept, (uintptr_t)&__stack_chk_guard, (uintptr_t)(&__stack_chk_guard + 1));
	if (kept->knows_rseq) /* the kernel's own is 32 bytes at least */
		keep(kept, thread_pointer() + (uintptr_t)__rseq_offset,
			thread_pointer() + (uintptr_t)__rseq_offset +
				(__rseq_size > 32 ? __rseq_size : 32));
	keep(kept, (uintptr_t)stack, (uintptr_t)stack + INIT_STACK);
	keep(kept, (block < error ? block : error) - BLOCK_REACH,
		(block > error ? block : error) + BLOCK_REACH);
	/* a program or a preloaded library may have such a function, with data on the heap */
	if (kept->n == room || !search.call || !search.error ||
		(LIBC_MAY_BE_DIVIDED && !search.divided) || !keeps(kept, (uintptr_t)&errno) ||
		!keeps(kept, (uintptr_t)forget) || has_shadow_stack() || IS_INSTRUMENTED)
		kept->n = 0;
}

/* Best effort. munmap(2) refuses a range of which it may not unmap a page (mseal(2)): then the
   halves are tried, down to that page. */
static void unmap(uintptr_t begin, uintptr_t end, uintptr_t page)
{
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

__attribute__((noinline)) void forget(const struct kept *kept)
{
	/* its own frame and what a call adds are within a kilobyte */
	const uintptr_t used = ((uintptr_t)__builtin_frame_address(0) - 1024) & -kept->page;
	uintptr_t from = 0;

	if (kept->n == 0 || (!kept->knows_rseq && has_foreign_rseq()))
		return;
	for (size_t i = 0; i < kept->n; i++) {
		unmap(from, kept->ranges[i].begin, kept->page);
		if (kept->ranges[i].end > from)
			from = kept->ranges[i].end;
	}
	unmap(from, kept->top, kept->page);
	(void)syscall(SYS_madvise, kept->stack, used - kept->stack, MADV_DONTNEED);
}

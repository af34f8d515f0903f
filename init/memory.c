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

/* Near the thread pointer are errno and, on most architectures, the stack protector's canary. The
   thread's block has a few kilobytes; where it begins and ends is not known. */
#define BLOCK_REACH 16384

/* How far the thread pointer is above that block. */
#ifdef __powerpc__
#define BLOCK_BIAS 0x7000
#else
#define BLOCK_BIAS 0
#endif

/*
 * Of the C library, syscall(2) needs the part that is constant after relocation: it finds errno
 * through a table in PT_GNU_RELRO, elf(5). That was checked for x86-64. On other architectures the
 * table may be in the data, the canary in the dynamic linker's data, and i386 may enter the kernel
 * through the dynamic linker: there the init keeps both as a whole.
 */
#ifdef __x86_64__
#define LIBC_MAY_BE_DIVIDED 1
#else
#define LIBC_MAY_BE_DIVIDED 0
#endif

/* How often munmap(2) may refuse something of a range before the rest is left: for 256 MB of sealed
   pages of 4 kB. */
#define REFUSED_MAX 65536

/* The canary, on architectures that do not have it in the thread's block: a variable of the dynamic
   linker's, or the program's copy of it. */
extern const uintptr_t __stack_chk_guard __attribute__((weak));

static uintptr_t page_size(void)
{
	return (uintptr_t)sysconf(_SC_PAGESIZE);
}

#ifdef __hppa__
#error "PA-RISC has stacks that grow upwards: the guard of the init's, and what memory_trim() unmaps, would be wrong"
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

/* Insert a range in its place. If the table overflows, nothing is unmapped. */
static void retain(struct retained *retained, uintptr_t begin, uintptr_t end)
{
	const size_t room = sizeof(retained->ranges) / sizeof(*retained->ranges);
	size_t i = retained->n;

	if (retained->n == room)
		return;
	for (; i > 0 && retained->ranges[i - 1].begin > begin; i--)
		retained->ranges[i] = retained->ranges[i - 1];
	retained->ranges[i] = (struct range){
		begin & -retained->page, (end + retained->page - 1) & -retained->page};
	retained->n++;
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

/* Tell whether a path is that of the C library, which is two objects before glibc 2.34. */
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
	struct retained *retained;
	bool call, error; /* syscall(2) and errno have been found in the C library */
	bool divided;	  /* its constant part is known */
};

/* Keep an object if it is the module; the vdso, through which i386 enters the kernel; the C library
   or its constant part; or, with the whole of that, the dynamic linker. */
static int retain_object(struct dl_phdr_info *object, size_t size, void *data)
{
	const bool libc = is_libc(object->dlpi_name);
	bool whole =
		holds(object, (uintptr_t)memory_trim) || holds(object, getauxval(AT_SYSINFO_EHDR));
	struct search *search = data;

	(void)size;
	if (!LIBC_MAY_BE_DIVIDED)
		whole = whole || libc || holds(object, getauxval(AT_BASE));
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		bool relro = segment->p_type == PT_GNU_RELRO, load = segment->p_type == PT_LOAD;
		struct range range = range_of(object, segment);

		if ((whole && load) || (libc && (relro || (load && !(segment->p_flags & PF_W)))))
			retain(search->retained, range.begin, range.end);
		search->divided = search->divided || (libc && relro);
	}
	search->call = search->call || (libc && holds(object, (uintptr_t)syscall));
	search->error = search->error || (libc && holds(object, (uintptr_t)__errno_location));
	return 0;
}

static bool retains(const struct retained *retained, uintptr_t address)
{
	for (size_t i = 0; i < retained->n; i++)
		if (is_in(retained->ranges[i], address))
			return true;
	return false;
}

/* ---- the area that the kernel writes to by itself, rseq(2) --------------------------------------
 */

/* glibc's own area, since 2.35. The size is 0 if glibc has not registered it. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

/* Compilers have a built-in function for it on some architectures only; gcc before 11 not on x86.
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
	/* on x86 they are the same; elsewhere glibc does not use rseq, and it is near enough */
	return (uintptr_t)pthread_self();
#endif
}

/* The kernel accepts an area for a thread that has none, and answers EINVAL, EPERM or EBUSY for one
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

/* A shadow stack, the processor's own stack of return addresses, may lie anywhere
   (Documentation/arch/x86/shstk.rst, arm64/gcs.rst). Only programs that ask for it have one. */
static bool has_shadow_stack(void)
{
	uint64_t status = 0; /* 64 bits are written, in x32 too */

#ifdef __x86_64__
	return syscall(SYS_arch_prctl, 0x5005 /* ARCH_SHSTK_STATUS */, &status) == 0 && status & 1;
#else
	return prctl(74 /* PR_GET_SHADOW_STACK_STATUS */, &status, 0, 0, 0) == 0 && status & 1;
#endif
}

void memory_retain(struct retained *retained, void *stack)
{
	const size_t room = sizeof(retained->ranges) / sizeof(*retained->ranges);
	uintptr_t block = thread_pointer() - BLOCK_BIAS, error = (uintptr_t)&errno;
	struct search search = {.retained = retained};

	retained->n = 0;
	retained->page = page_size();
	retained->stack = (uintptr_t)stack;
	retained->knows_rseq = &__rseq_offset && &__rseq_size && __rseq_size > 0;
	/* execve(2) puts the name of the program's file on top of its stack */
	retained->top = (getauxval(AT_EXECFN) | (retained->page - 1)) + 1;
	(void)dl_iterate_phdr(retain_object, &search);
	if (&__stack_chk_guard)
		retain(retained, (uintptr_t)&__stack_chk_guard,
			(uintptr_t)(&__stack_chk_guard + 1));
	if (retained->knows_rseq) /* the kernel's own is 32 bytes at least */
		retain(retained, thread_pointer() + (uintptr_t)__rseq_offset,
			thread_pointer() + (uintptr_t)__rseq_offset +
				(__rseq_size > 32 ? __rseq_size : 32));
	retain(retained, (uintptr_t)stack, (uintptr_t)stack + INIT_STACK);
	retain(retained, (block < error ? block : error) - BLOCK_REACH,
		(block > error ? block : error) + BLOCK_REACH);
	/* a program or a preloaded library may define these functions, with data on the heap; and
	   what lies above the stack, which the libraries do on alpha and sparc64, would stay anyway
	 */
	if (retained->n == room || !search.call || !search.error ||
		(LIBC_MAY_BE_DIVIDED && !search.divided) || !retains(retained, (uintptr_t)&errno) ||
		!retains(retained, (uintptr_t)memory_trim) ||
		(uintptr_t)memory_trim > retained->top || has_shadow_stack() || MEMORY_IS_KEPT)
		retained->n = 0;
}

void memory_retain_more(struct retained *retained, void *memory, size_t size)
{
	const size_t room = sizeof(retained->ranges) / sizeof(*retained->ranges);

	if (retained->n == 0)
		return; /* everything is kept */
	retain(retained, (uintptr_t)memory, (uintptr_t)memory + size);
	if (retained->n == room)
		retained->n = 0;
}

/* Best effort. munmap(2) refuses a range that has a sealed page (mseal(2)): then try its halves,
   down to that page. The init has more to do than to try all pages of a large range. */
static void unmap(uintptr_t begin, uintptr_t end, uintptr_t page)
{
	uintptr_t size = end > begin ? end - begin : 0;
	unsigned int refused = 0;

	while (begin < end && refused < REFUSED_MAX) {
		if (syscall(SYS_munmap, begin, size) == 0) {
			begin += size;
			size = size < (end - begin) / 2 ? size * 2 : end - begin;
		} else if (refused++, size > page) {
			size = (size / 2 + page - 1) & -page;
		} else {
			begin += page;
		}
	}
}

__attribute__((noinline)) void memory_trim(const struct retained *retained)
{
	/* this frame and those of its calls fit into a kilobyte */
	const uintptr_t used = ((uintptr_t)__builtin_frame_address(0) - 1024) & -retained->page;
	uintptr_t from = 0;

	if (retained->n == 0 || (!retained->knows_rseq && has_foreign_rseq()))
		return;
	for (size_t i = 0; i < retained->n; i++) {
		unmap(from, retained->ranges[i].begin, retained->page);
		if (retained->ranges[i].end > from)
			from = retained->ranges[i].end;
	}
	unmap(from, retained->top, retained->page);
	(void)syscall(SYS_madvise, retained->stack, used - retained->stack, MADV_DONTNEED);
}

/* SPDX-License-Identifier: MIT */
#include "forget.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Around the thread pointer lie errno, the stack protector's canary, and what the kernel writes to
   by itself (rseq(2)). The block is of a few kilobytes, and of unknown ends. */
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

/*
 * All shared objects, though the init calls few: which of them a function comes from is the dynamic
 * linker's choice (glibc before 2.34 has read(2) twice). The vdso is one of them: i386 enters the
 * kernel through it. The kernel names the program's own headers in the auxiliary vector,
 * getauxval(3).
 */
static int keep_object(struct dl_phdr_info *object, size_t size, void *data)
{
	struct kept *kept = data;
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
		keep(kept, begin, end);
	return 0;
}

static bool is_kept(const struct kept *kept, uintptr_t address)
{
	for (size_t i = 0; i < kept->n; i++)
		if (address >= kept->ranges[i].begin && address < kept->ranges[i].end)
			return true;
	return false;
}

/* Whether all that the init needs from then on is kept. A program may have such a function of its
   own, which then stands before the C library's. */
static bool keeps_needed(const struct kept *kept)
{
	const uintptr_t needed[] = {(uintptr_t)&errno, (uintptr_t)_exit, (uintptr_t)close,
		(uintptr_t)forget, (uintptr_t)kill, (uintptr_t)open, (uintptr_t)poll,
		(uintptr_t)read, (uintptr_t)sigaddset, (uintptr_t)sigemptyset, (uintptr_t)signalfd,
		(uintptr_t)syscall, (uintptr_t)timerfd_create, (uintptr_t)timerfd_settime};

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (!is_kept(kept, needed[i]))
			return false;
	return true;
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
	uintptr_t block = (uintptr_t)pthread_self(), error = (uintptr_t)&errno;

	kept->n = 0;
	/* the name of the program's file is the last thing that execve(2) puts on its stack */
	kept->top = (getauxval(AT_EXECFN) | (page_size() - 1)) + 1;
	(void)dl_iterate_phdr(keep_object, kept);
	keep(kept, (uintptr_t)stack, (uintptr_t)stack + INIT_STACK);
	keep(kept, (block < error ? block : error) - BLOCK_REACH,
		(block > error ? block : error) + BLOCK_REACH);
	if (kept->n == sizeof(kept->ranges) / sizeof(*kept->ranges) || !keeps_needed(kept) ||
		has_shadow_stack())
		kept->n = 0;
}

/* Best effort: what the kernel does not let go (mseal(2)) stays. */
static void unmap(uintptr_t begin, uintptr_t end)
{
	if (end > begin)
		(void)syscall(SYS_munmap, begin, end - begin);
}

void forget(const struct kept *kept)
{
	uintptr_t from = 0;

	if (kept->n == 0)
		return;
	for (size_t i = 0; i < kept->n; i++) {
		unmap(from, kept->ranges[i].begin);
		if (kept->ranges[i].end > from)
			from = kept->ranges[i].end;
	}
	unmap(from, kept->top);
}

/* SPDX-License-Identifier: MIT */
/*
 * The init is a fork of the application and has a copy of its memory: its secrets, and the page
 * tables of what may be a large program. The init needs system calls, the module, and a stack of
 * its own. It unmaps the rest.
 */
#ifndef PAM_UNSHARE_MEMORY_H
#define PAM_UNSHARE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INIT_STACK 65536 /* bytes */

/* Instrumented code uses memory elsewhere. tests/coverage defines KEEP_MEMORY. */
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(KEEP_MEMORY) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MEMORY_IS_KEPT 1
#else
#define MEMORY_IS_KEPT 0
#endif

struct range {
	uintptr_t begin, end; /* of whole pages */
};

/* What the init keeps, sorted by address. */
struct retained {
	struct range ranges[24];
	size_t n;	 /* 0: everything is kept */
	uintptr_t top;	 /* everything above it is kept too */
	uintptr_t page;	 /* the size of one */
	uintptr_t stack; /* of init_stack_new() */
	bool knows_rseq; /* the area that the kernel writes to, rseq(2), is among them */
};

/**
 * Allocate the init's stack of INIT_STACK bytes, with a guard page below.
 *
 * Runs in the application.
 *
 * @return its lowest usable address, or NULL with errno
 */
void *init_stack_new(void);

/** Release it, in the application. */
void init_stack_free(void *stack);

/**
 * Find out what the init needs: the module, the constant part of the C library (on architectures
 * other than x86-64 all of it, and the dynamic linker), the vdso, the thread's control block, the
 * area that rseq(2) writes to, and the stack. It does not need the program itself, nor its other
 * libraries, heap, stack, environment and mappings. Where that would not be enough (a program or a
 * preloaded library with a syscall(2) of its own, a shadow stack), or where libraries lie above the
 * stack (alpha, sparc64), it keeps everything.
 *
 * Runs in the application.
 *
 * @param retained  filled in
 * @param stack     of init_stack_new()
 */
void memory_retain(struct retained *retained, void *stack);

/** Add memory that the init has allocated. Runs in the init until it is ready. */
void memory_retain_more(struct retained *retained, void *memory, size_t size);

/**
 * Unmap everything else, and free the stack below the present frame. From then on the caller may
 * call syscall(2) and use errno, but no other function of a library, not even memset(3).
 *
 * Runs in the init, on that stack; retained must be on it.
 */
void memory_trim(const struct retained *retained);

#endif

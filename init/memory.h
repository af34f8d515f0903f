/* SPDX-License-Identifier: MIT */
/*
 * The init is a fork of the application and has its memory: its secrets, and the page tables of
 * what may be a large program. The init needs system calls, the module, and a stack of its own; the
 * rest is unmapped.
 */
#ifndef PAM_UNSHARE_FORGET_H
#define PAM_UNSHARE_FORGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INIT_STACK 65536

struct range {
	uintptr_t begin, end; /* of whole pages */
};

/* What the init keeps, in the order of the addresses. */
struct kept {
	struct range ranges[24];
	size_t n;	 /* 0: everything is kept */
	uintptr_t top;	 /* what lies above is kept too */
	uintptr_t page;	 /* the size of one */
	uintptr_t stack; /* of init_stack_new() */
	bool knows_rseq; /* the area that the kernel writes to, rseq(2), is among them */
};

/**
 * Allocate the init's stack, with a guard page below.
 *
 * Runs in the application.
 *
 * @return its lowest usable address, INIT_STACK bytes; or NULL with errno
 */
void *init_stack_new(void);

/** Release it, in the application. */
void init_stack_free(void *stack);

/**
 * Find out what the init needs: the module, what is constant of the C library (on other
 * architectures than x86-64 all of it and the dynamic linker), the vdso, the thread's control
 * block, what rseq(2) writes to, and the stack. Not the program itself, its other libraries, its
 * heap, its stack, its environment, its mappings. Where that would not do (a program or a preloaded
 * library with a syscall(2) of its own, a shadow stack), everything.
 *
 * Runs in the application.
 *
 * @param kept   filled in
 * @param stack  of init_stack_new()
 */
void forget_prepare(struct kept *kept, void *stack);

/**
 * Unmap everything else, and give back what the stack was used for. From then on the caller may
 * call syscall(2) and use errno, and no other function of a library: memset(3) neither.
 *
 * Runs in the init, on that stack; kept must be on it.
 */
void forget(const struct kept *kept);

#endif

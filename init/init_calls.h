/* SPDX-License-Identifier: MIT */
/*
 * The init's system calls, through syscall(2). The C library's functions look for threads, of which
 * a bare clone(2) has none, and use the library's data, which the init unmaps once it is ready.
 * Besides, each function lies in another page, and the login would wait for the page fault. The
 * exception is sigaction(2), whose kernel structure differs between architectures.
 */
#ifndef PAM_UNSHARE_INIT_CALLS_H
#define PAM_UNSHARE_INIT_CALLS_H

#include "common/syscalls.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/* The calls that take 64-bit times: both numbers of a struct timespec. */
#ifdef __NR_ppoll_time64
#define NR_PPOLL __NR_ppoll_time64
#define NR_TIMERFD_SETTIME __NR_timerfd_settime64
#else
#define NR_PPOLL SYS_ppoll
#define NR_TIMERFD_SETTIME SYS_timerfd_settime
#endif

/* 32-bit architectures that are younger than large files have no other */
#ifdef SYS_fcntl
#define NR_FCNTL SYS_fcntl
#else
#define NR_FCNTL SYS_fcntl64
#endif

static inline int sys_prctl(int option, unsigned long arg)
{
	return (int)syscall(SYS_prctl, option, arg, 0UL, 0UL, 0UL);
}

static inline void sys_close(int fd)
{
	(void)syscall(SYS_close, fd);
}

/** ppoll(2), because some architectures have no poll(2): wait for an event, or only look. */
static inline int sys_poll(struct pollfd *fds, unsigned int n, bool wait)
{
	int64_t no_time[2] = {0, 0};

	return (int)syscall(NR_PPOLL, fds, n, wait ? NULL : no_time, NULL, NSIG / 8);
}

_Noreturn static inline void sys_exit(int status)
{
	for (;;)
		(void)syscall(SYS_exit_group, status);
}

#endif

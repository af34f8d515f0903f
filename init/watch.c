/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include "init_calls.h"

#include <sys/signalfd.h>

int watch_signals(int fd, int sig, int other)
{
	const unsigned long signals[NSIG / 8 / sizeof(long)] = {
		1UL << (sig - 1) | (other ? 1UL << (other - 1) : 0)};

	return (int)syscall(SYS_signalfd4, fd, signals, NSIG / 8, SFD_CLOEXEC | SFD_NONBLOCK);
}

/*
 * The kernel clears the sender's pid when it has none in this namespace (signal(7),
 * __send_signal()). root inside can forge that pid with rt_sigqueueinfo(2), but not SI_USER, unless
 * the queue of signals is full.
 */
bool take_signal(void)
{
	struct signalfd_siginfo info;

	return syscall(SYS_read, FD_SIGNALS, &info, sizeof(info)) == (long)sizeof(info) &&
	       info.ssi_signo == SIGTERM && info.ssi_code == SI_USER && info.ssi_pid == 0;
}

void wait_for_end(void)
{
	struct pollfd events[] = {
		{.fd = FD_OPENER, .events = POLLIN}, {.fd = FD_SIGNALS, .events = POLLIN}};

	do {
		if (sys_poll(events, 2, true) > 0 && events[0].revents)
			return;
	} while (!take_signal());
}

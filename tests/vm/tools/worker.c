/* SPDX-License-Identifier: MIT */
/* worker: works until it is ended, in a function that has a name. */
#include <unistd.h>

static volatile unsigned long done;

__attribute__((noinline)) static void work(unsigned long n)
{
	for (unsigned long i = 0; i < 1000000; i++)
		done += i ^ n;
}

int main(void)
{
	for (unsigned long n = 1;; n++) {
		work(n);
		(void)usleep(1000);
	}
}

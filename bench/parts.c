/* SPDX-License-Identifier: MIT */
/* What the floor does without. */
#include "common/statmount.h"
#include "crowd.h"
#include "experiments.h"
#include "measure.h"
#include "session.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void reset_signals(void)
{
	static const unsigned char standard[64];

	/* SPARC has the size as the fifth, as init/setup.c knows */
	for (int sig = 1; sig < NSIG; sig++)
		if (syscall(SYS_rt_sigaction, sig, standard, NULL, NSIG / 8, NSIG / 8) < 0 &&
			errno != EINVAL)
			die("rt_sigaction");
}

static void become_root(void)
{
	must("setgroups", syscall(SYS_setgroups, 0, NULL));
	must("setresgid", syscall(SYS_setresgid, 0, 0, 0));
	must("setresuid", syscall(SYS_setresuid, 0, 0, 0));
}

/* What libpam does at each open, whatever the modules: the audit system is told of it. */
static void open_and_close_nothing(void)
{
	static struct session session;

	if (!session.pamh)
		start(&session, "permit");
	session_open(&session);
}

/* Ask the kernel of each mount what file system it is, where it can be asked. */
static void ask_for_all_mounts(void)
{
	struct mount_facts facts;
	uint64_t *ids;
	size_t n;

	if (mounts_list(&ids, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		(void)mount_ask(ids[i], &facts);
	free(ids);
}

/* Parts of an open by themselves: how long each takes the second time, in a process of its own, for
   which the pages of its parent are copied as they are in an application that has forked an init.
 */
void parts(long rounds, long mounts)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} all[] = {{"user", look_user_up}, {"log", write_to_log}, {"signals", reset_signals},
		{"ids", become_root}, {"libpam", open_and_close_nothing},
		{"mounts", ask_for_all_mounts}};

	if (mounts > 0)
		more_mounts(mounts - count_mounts());
	x = count_mounts();
	for (long round = 0; round < rounds; round++) {
		pid_t child = fork();

		if (child == 0) {
			for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
				double before;

				all[i].run();
				before = now();
				all[i].run();
				print(all[i].name, "part", round, now() - before);
			}
			_exit(0);
		}
		must_succeed(child, "the parts");
	}
}

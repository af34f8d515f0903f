/* SPDX-License-Identifier: MIT */
/*
 * pam-unshare: the administrator's command. It looks at the PAM configuration and at the machine,
 * and changes neither. See pam-unshare(8).
 */
#include "check.h"
#include "list.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"Usage: pam-unshare check SERVICE USER\n"
	"       pam-unshare list [--json]\n"
	"       pam-unshare --help\n"
	"\n"
	"check  reads the session lines of a PAM service, opens and closes a real session of it\n"
	"       for USER, and says whether USER is isolated, what they would see, and what to\n"
	"       change if something is wrong\n"
	"list   shows the isolated sessions that are open\n"
	"\n"
	"Exit status: 0 all is well, 1 something is wrong, 2 the command cannot do its work.\n"
	"Both need root. The whole story is in pam-unshare(8) and pam_unshare(8).\n";

/* What was wrong with the command line, and what would be right. */
static int wrong(const char *what)
{
	(void)fprintf(stderr, "pam-unshare: %s\n\n%s", what, help);
	return 2;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	const bool json = argc == 3 && strcmp(argv[2], "--json") == 0;

	if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0)
		return fputs(help, stdout) < 0 ? 2 : 0;
	if (strcmp(command, "check") == 0 && argc != 4)
		return wrong("check needs a SERVICE, as in /etc/pam.d, and a USER");
	if (strcmp(command, "list") == 0 && argc != 2 && !json)
		return wrong("list takes nothing but --json");
	if (strcmp(command, "check") != 0 && strcmp(command, "list") != 0)
		return wrong(
			argc > 1 ? "the first word must be check or list" : "a command is missing");
	if (geteuid() != 0) {
		(void)fprintf(stderr, "pam-unshare: only root can do this\n");
		return 2;
	}
	return strcmp(command, "check") == 0 ? check_service(argv[2], argv[3])
					     : list_sessions(json);
}

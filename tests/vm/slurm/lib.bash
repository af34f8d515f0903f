# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests of Slurm share. A check is a function that is run twice: stock, and isolated.

die() {
	echo "$*" >&2
	return 1
}

eventually() {
	local tries=300
	until "$@" >/dev/null 2>&1; do
		((tries-- > 0)) || { "$@" >&2; die "did not come true in 30 s: $*"; return 1; }
		sleep 0.1
	done
}

# mode stock|isolated: the machine with nothing of the module, or with "pam-unshare enable" and the plugin
mode() {
	MODE=$1
	if [ "$MODE" = isolated ]; then
		pam-unshare enable >/dev/null
		echo 'required /usr/lib/pam-unshare/spank_unshare.so' >/etc/slurm/plugstack.conf
	else
		: >/etc/slurm/plugstack.conf
		pam-unshare disable >/dev/null
	fi
}

isolated() {
	[ "$MODE" = isolated ]
}

# in_both CHECK…: it holds as on stock
in_both() {
	local mode
	for mode in stock isolated; do
		mode $mode
		echo "$mode: $*"
		"$@" # each of its commands must succeed
		nothing_is_left
	done
}

# only_isolated CHECK…: it holds with the module, and not on stock
only_isolated() {
	mode stock
	! "$@" || { die "holds on stock too, so it shows nothing: $*"; return 1; }
	end_jobs
	mode isolated
	"$@" || { die "isolated: $*"; return 1; }
	nothing_is_left
}

as() { # USER COMMAND…
	local user=$1 home
	home=$(getent passwd "$user" | cut -d: -f6)
	shift
	(cd "$home" && timeout -k 1 120 setpriv --reuid "$user" --regid "$user" --init-groups \
		env -i HOME="$home" USER="$user" LOGNAME="$user" PATH=/usr/bin:/bin LC_ALL=C.UTF-8 "$@" 3>&-)
}

ssh_as() { # USER COMMAND…
	timeout -k 1 120 ssh -o BatchMode=yes -l "$1" -o LogLevel="${LOG_LEVEL:-ERROR}" localhost "${@:2}" </dev/null 3>&-
}

# script USER [OPTION…]: submits the batch script on standard input, prints the job's number
script() {
	as "$1" sbatch --parsable --output=%j.out "${@:2}"
}

state_of() { # JOB
	scontrol -o show job "$1" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p'
}

is_state() { # JOB STATE
	[ "$(state_of "$1")" = "$2" ]
}

end_jobs() {
	scancel --state=RUNNING --state=PENDING --ctld 2>/dev/null || true
	local user
	for user in $(squeue -h -o %u | sort -u); do scancel -u "$user"; done
	eventually no_jobs
}

# Under systemd "slurmstepd infinity" holds the scope of all jobs.
no_jobs() {
	[ -z "$(squeue -h)" ] && ! pgrep -fx '[^ ]*slurmstepd|slurmstepd: .*'
}

# Nobody's process, no session, no process of Slurm's for a job; the node takes jobs
nothing_is_left() {
	end_jobs
	eventually no_user_process
	eventually no_namespace
	eventually is_idle || { sinfo -R; die "the node was drained"; }
}

no_namespace() {
	[ -z "$(pam-unshare list -n)" ]
}

# "comp" until the controller has heard of the job's end
is_idle() {
	sinfo -h -o %t | grep -qx idle
}

no_user_process() {
	! ps -eo uid=,comm= | awk '$1 >= 1000 && $1 < 60000 { print; found = 1 } END { exit !found }'
}

# terminal_works PYTHON… - COMMAND…: COMMAND has given its user a shell on a terminal
terminal_works() {
	"$@" <<-'END'
		import pexpect, sys
		shell = pexpect.spawn(sys.argv[1], sys.argv[2:], timeout=60, encoding="utf-8", dimensions=(33, 99))
		shell.logfile_read = sys.stderr
		shell.sendline("PS1='ready> '")
		shell.expect("ready> ")
		shell.sendline("tty; stty size")
		shell.expect(r"/dev/pts/\d+\r\n33 99\r\nready> ")
		runs = "sh -c 'echo be''gun; exec sleep 1000'" # what the terminal echoes is not what it prints
		shell.sendline(runs)
		shell.expect("begun")
		shell.sendintr()
		shell.expect("ready> ")
		shell.sendline(runs)
		shell.expect("begun")
		shell.sendcontrol("z")
		shell.expect("Stopped")
		shell.sendline("kill %1; wait %1; echo job control $((1 + 1))")
		shell.expect("job control 2\r\n")
		shell.sendline("exit 5")
		shell.expect(pexpect.EOF)
		shell.close()
		assert shell.exitstatus == 5, shell.exitstatus
	END
}

# alice's program "sum": MPI with one reduction; each of N tasks prints "of N: SUM"
build_sum() {
	cat >/home/alice/sum.c <<-'END'
		#include <mpi.h>
		#include <stdio.h>
		int main(int argc, char **argv)
		{
			int rank, size, sum;
			MPI_Init(&argc, &argv);
			MPI_Comm_rank(MPI_COMM_WORLD, &rank);
			MPI_Comm_size(MPI_COMM_WORLD, &size);
			MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
			printf("of %d: %d\n", size, sum);
			MPI_Finalize();
		}
	END
	as alice mpicc -o sum sum.c
}

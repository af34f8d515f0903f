#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a job's user may try in order to see the host, and what a node's administrator may get wrong. bob's job is what must
# not be seen.

load lib

teardown() {
	cp -p "$BATS_FILE_TMPDIR/slurm-unshare" /etc/pam.d/
	[ ! -e /root/unshare.conf ] || mv /root/unshare.conf /etc/security/
	end_jobs
}

setup_file() {
	cp -p /etc/pam.d/slurm-unshare "$BATS_FILE_TMPDIR/"
}

teardown_file() {
	mode stock
}

# bobs_job: prints the pid of its process
bobs_job() {
	script bob <<<$'#!/bin/sh\nexec sleep 1031' >/dev/null
	eventually pgrep -u bob -fx 'sleep 1031' || return
	pgrep -u bob -fx 'sleep 1031'
}

# shows_bobs FILE COMMAND: slurmstepd opens the file for alice's job, and her command finds bob's process by it
shows_bobs() {
	local job
	job=$(script alice --input="$1" <<<$'#!/bin/sh\n'"$2")
	eventually no_job_of alice || return
	cat "/home/alice/$job.out" >&2
	tr '\0' ' ' <"/home/alice/$job.out" | grep -c 'sleep 103[1] $'
}

no_job_of() { # USER
	[ -z "$(squeue -h -u "$1")" ]
}

directory_shows_nothing() {
	bobs_job >/dev/null || return
	[ "$(shows_bobs / 'for f in /proc/self/fd/0/proc/[0-9]*/cmdline; do cat $f; echo; done 2>/dev/null')" = 0 ]
}

@test "sbatch --input of a directory does not show the host" {
	only_isolated directory_shows_nothing
}

procfs_shows_nothing() {
	local pid
	pid=$(bobs_job) || return
	[ "$(shows_bobs "/proc/$pid/cmdline" cat)" = 0 ]
}

@test "sbatch --input of another user's /proc/PID/cmdline does not show it" {
	only_isolated procfs_shows_nothing
}

@test "a job with such an input says why it has not begun, and any other file is read" {
	local job
	mode isolated
	job=$(script alice --input=/ <<<$'#!/bin/sh\necho ran')
	eventually is_state "$job" FAILED
	cat "/home/alice/$job.out"
	! grep -qx ran "/home/alice/$job.out" || die 'it ran'
	grep -q 'the standard input is a directory or a file of /proc, which shows the host' "/home/alice/$job.out"
	job=$(script alice --input=/etc/hostname <<<$'#!/bin/sh\nexec cat')
	eventually is_state "$job" COMPLETED
	cmp "/home/alice/$job.out" /etc/hostname
	nothing_is_left
}

host_descriptors() { # [COMMAND]: of a task that has run it
	as alice srun sh -c "${1:-:}"'; for fd in /proc/self/fd/*; do [ ! -d "$fd" ] || [ "$(readlink "$fd")" = /proc/self/fd ] || readlink "$fd"; done' | grep -v "^/proc/[0-9]*/fd"
}

@test "a task has no descriptor of a directory of the host's" {
	mode isolated
	run host_descriptors
	echo "$output"
	[ -z "$output" ]
	[ "$(host_descriptors 'exec 9</')" = / ] # negative control
}

@test "enter=fork: no task is started on the host" {
	local host
	host=$(readlink /proc/self/ns/pid)
	mode isolated
	sed -i 's/pam_unshare.so open.*/pam_unshare.so open enter=fork/' /etc/pam.d/slurm-unshare
	run as alice srun readlink /proc/self/ns/pid
	echo "$output"
	[ "$status" -ne 0 ]
	[[ $output != *"$host"* ]]
	[[ $output == *"slurm-unshare has 'enter=fork'"* ]]
	run pam-unshare check slurm-unshare alice
	echo "$output"
	[ "$status" -ne 0 ]
	# for other services of the machine it may be given; the shipped line has a word of its own
	cp -p "$BATS_FILE_TMPDIR/slurm-unshare" /etc/pam.d/
	cp -p /etc/security/unshare.conf /root/
	echo 'enter = fork' >>/etc/security/unshare.conf
	as alice srun readlink /proc/self/ns/pid | grep -vxF "$host"
	pam-unshare check slurm-unshare alice
	nothing_is_left
}

@test "srun --task-prolog is inside, and --task-epilog is not, as doc/slurm.md says" {
	mode isolated
	printf '#!/bin/sh\nreadlink /proc/self/ns/pid >"$HOME/$1"\n' | tee /home/alice/prolog >/home/alice/epilog
	sed -i 's/\$1/in-prolog/' /home/alice/prolog
	sed -i 's/\$1/in-epilog/' /home/alice/epilog
	chmod 755 /home/alice/prolog /home/alice/epilog
	as alice srun --task-prolog=/home/alice/prolog --task-epilog=/home/alice/epilog readlink /proc/self/ns/pid >/home/alice/in-task
	cat /home/alice/in-*
	cmp /home/alice/in-task /home/alice/in-prolog
	[ "$(cat /home/alice/in-epilog)" = "$(readlink /proc/self/ns/pid)" ]
	nothing_is_left
}

profile_is_inside() {
	local n
	printf '%s\n' 'ls /proc | grep -xc "[0-9]*" >"$HOME/in-profile"' >/home/alice/.profile
	rm -f /home/alice/in-profile
	script alice --get-user-env --wait <<<$'#!/bin/sh\n:' >/dev/null
	n=$(cat /home/alice/in-profile)
	echo "$n processes" >&2
	rm /home/alice/.profile
	[ "$n" -lt 8 ]
}

@test "sbatch --get-user-env: the profile sees few processes: in 22.05 with the module in the service of su, else by itself" {
	mode isolated
	set -- /proc/[0-9]*
	[ $# -ge 8 ] # on the host there are more
	if [ "$SUITE" = bookworm ]; then
		run profile_is_inside
		echo "$output"
		[ "$status" -ne 0 ] # negative control
		cp -p /etc/pam.d/su "$BATS_FILE_TMPDIR/"
		cp pam.d-examples/su /etc/pam.d/su
	fi
	profile_is_inside
	[ "$SUITE" != bookworm ] || cp -p "$BATS_FILE_TMPDIR/su" /etc/pam.d/
	nothing_is_left
}

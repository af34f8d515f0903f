#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What sites have besides: accounting, PrivateData=, X11, PMIx, UsePAM=1, cgroup v1, the module's words for places that users share. Each
# as on stock.

load lib

setup_file() {
	install -m 755 tests/vm/guest/x11 /usr/bin/x11 # a job has no /usr/local/bin in its path
	rm -f /tmp/.X11-unix/X99
	(umask 0 && exec x11 serve 3>&-) & # for everybody
	echo $! >"$BATS_FILE_TMPDIR/x11"
	cp -p /etc/security/unshare.conf "$BATS_FILE_TMPDIR/unshare.conf"
	cp -p /etc/slurm/slurm.conf /etc/slurm/cgroup.conf "$BATS_FILE_TMPDIR/"
}

teardown() {
	end_jobs
	cp -p "$BATS_FILE_TMPDIR/unshare.conf" /etc/security/
	[ ! -e /etc/systemd/system/slurmd.service.d/v1.conf ] || use_version_2
	cmp -s "$BATS_FILE_TMPDIR/slurm.conf" /etc/slurm/slurm.conf || as_it_was
}

as_it_was() {
	cp -p "$BATS_FILE_TMPDIR/slurm.conf" /etc/slurm/
	rm -f /etc/pam.d/slurm
	systemctl restart slurmctld slurmd
	is_idle_again
}

is_idle_again() {
	eventually eval 'sinfo -h -o %t | grep -q "idle\|drain"'
	scontrol update nodename="$(hostname)" state=resume || true # an error says that it need not be resumed
	eventually eval 'sinfo -h -o %t | grep -qx idle'
}

teardown_file() {
	kill "$(cat "$BATS_FILE_TMPDIR/x11")"
	mode stock
}

# ---- accounting ----------------------------------------------------------------------------------

is_accounted() {
	local job
	job=$(script alice <<-'END'
		#!/bin/sh
		srun python3 -c 'import time; held = b"x" * 80000000; time.sleep(4)'
		srun sh -c 'kill -SEGV $$'
		exit 3
	END
	)
	eventually is_state "$job" FAILED
	accounted() {
		sacct -n -P -j "$job" -o JobID,User,State,ExitCode | sed "s/^$job//" | sort | xargs >"$BATS_TEST_TMPDIR/accounted"
		grep -q 'batch.*FAILED.*extern.*COMPLETED' "$BATS_TEST_TMPDIR/accounted"
	}
	eventually accounted
	cat "$BATS_TEST_TMPDIR/accounted"
	# the state of a step that was killed is another in 22.05
	sed 's/||CANCELLED|0:11/||FAILED|0:11/' "$BATS_TEST_TMPDIR/accounted" |
		grep -Fqx '.0||COMPLETED|0:0 .1||FAILED|0:11 .batch||FAILED|3:0 .extern||COMPLETED|0:0 |alice|FAILED|3:0'
	# what the task has used, not the process that waits for it
	sacct -n -P -j "$job.0" -o MaxRSS --noconvert
	[ "$(sacct -n -P -j "$job.0" -o MaxRSS --noconvert | numfmt --from=iec)" -gt 80000000 ]
	sacct -a -n -P -j "$job" -o SubmitLine | grep -q sbatch # root sees it
	[ -z "$(as bob sacct -a -n -j "$job")" ] # PrivateData=jobs of slurmdbd.conf
}

@test "sacct: states, exit codes, signals and memory of steps; nobody else's jobs" {
	in_both is_accounted
}

# ---- what Slurm itself shows ----------------------------------------------------------------------

# private_data WORDS: in the daemons' files
private_data() {
	sed -i "s/^PrivateData=.*/PrivateData=$1/" /etc/slurm/slurm.conf
	systemctl restart slurmctld slurmd
	eventually eval 'sinfo -h -o %t | grep -qx idle'
}

shows_alices_command() {
	as bob squeue -h -o '%u %j %o' | grep -q '^alice secret-job .*secret-script' &&
		as bob scontrol -o show job "$1" | grep -q 'Command=.*secret-script'
}

@test "squeue and scontrol show everybody's commands without PrivateData, also with the module, and not with it" {
	mode isolated
	install -o alice /dev/stdin /home/alice/secret-script <<<$'#!/bin/sh\nexec sleep 1010'
	private_data none
	job=$(as alice sbatch --parsable -J secret-job secret-script)
	eventually is_state "$job" RUNNING
	shows_alices_command "$job"
	as alice scancel "$job"
	private_data jobs,usage,users
	job=$(as alice sbatch --parsable -J secret-job secret-script)
	eventually is_state "$job" RUNNING
	! shows_alices_command "$job" || die 'still shown'
}

# ---- X11, MPI ------------------------------------------------------------------------------------

x11_is_forwarded() {
	as alice xauth -q add :99 . 00112233445566778899aabbccddeeff
	[ "$(as alice env DISPLAY=:99 srun --x11 x11 ask)" = 'the server has answered' ]
	run as alice srun x11 ask
	[ "$status" -ne 0 ] # without --x11 there is none
}

@test "srun --x11: a client in the job speaks to the display of who has submitted it" {
	in_both x11_is_forwarded
}

pmix_runs() {
	build_sum
	[ "$(as alice srun --mpi=pmix -n 4 ./sum | sort | uniq -c | xargs)" = '4 of 4: 6' ]
}

@test "srun --mpi=pmix: MPI without mpirun" {
	srun --mpi=list 2>&1 | grep -q pmix
	in_both pmix_runs
}

# ---- UsePAM --------------------------------------------------------------------------------------

# use_pam 0|1 [LINE]: and this last line in the service slurm
use_pam() {
	sed -i "s/^UsePAM=.*/UsePAM=$1/" /etc/slurm/slurm.conf
	printf '%s required pam_permit.so\n' auth account session >/etc/pam.d/slurm
	[ -z "${2:-}" ] || echo "$2" >>/etc/pam.d/slurm
	systemctl restart slurmctld slurmd
	eventually eval 'sinfo -h -o %t | grep -q "idle\|drain"'
}

@test "UsePAM=1 with the module in the service slurm: the session is refused and the node drained; with the plugin it runs" {
	mode stock
	use_pam 1 'session required pam_unshare.so'
	run as alice timeout 60 srun sh -c 'echo ran'
	echo "$output" # the exit status is 0 in 22.05
	! grep -qx ran <<<"$output" || die 'it ran'
	script alice <<<$'#!/bin/sh\necho ran' # which drains it in 24.11, too
	eventually eval 'sinfo -h -o %T | grep -q drain'
	sinfo -R
	journalctl -b -o cat -g 'pam_unshare.*thread' | tail -n 1 | grep -q thread
	end_jobs
	use_pam 1
	is_idle_again
	mode isolated
	[ "$(as alice srun echo ran)" = ran ]
	nothing_is_left
}

# ---- words of unshare.conf -----------------------------------------------------------------------

is_in_its_group() {
	local job groups
	job=$(script alice <<<$'#!/bin/sh\nsleep 1011 & exec sleep 1012')
	eventually pgrep -fx 'sleep 1012'
	groups=$(for pid in $(pgrep -fx 'sleep 101[12]'); do sed -n 's/^0:://p' "/proc/$pid/cgroup"; done | sort -u)
	[[ $groups == */job_$job/step_batch/user/task_* ]]
	[ "$(wc -l <<<"$groups")" -eq 1 ]
	scancel "$job"
	eventually eval '! pgrep -fx "sleep 101[12]"'
}

@test "hide=cgroups: jobs are in their control groups, and their users see no others" {
	mode isolated
	seen() { as alice srun sh -c 'ls /sys/fs/cgroup/system.slice 2>/dev/null | wc -l'; }
	[ "$(seen)" -gt 0 ] # negative control
	nothing_is_left
	pam-unshare disable >/dev/null
	echo 'hide = cgroups' >>/etc/security/unshare.conf
	mode isolated
	[ "$(seen)" -eq 0 ]
	is_in_its_group
	nothing_is_left
}

@test "private=tmp,shm: a job's /tmp is that of its user's logins" {
	mode isolated
	as alice srun touch /tmp/mine
	[ -e /tmp/mine ] # negative control
	rm /tmp/mine
	nothing_is_left
	pam-unshare disable >/dev/null
	echo 'private = tmp,shm' >>/etc/security/unshare.conf
	mode isolated
	as alice srun touch /tmp/mine
	[ ! -e /tmp/mine ]
	job=$(script alice <<<$'#!/bin/sh\nexec sleep 1013')
	eventually pgrep -fx 'sleep 1013'
	ssh_as alice ls /tmp/mine
	nothing_is_left
}

# ---- cgroup v1 -----------------------------------------------------------------------------------

# A mount namespace where /sys/fs/cgroup is as systemd has it in its hybrid mode
use_version_1() {
	cat >/usr/local/sbin/slurmd-v1 <<-'END'
		#!/bin/sh
		set -e
		mount -t tmpfs cgroup /sys/fs/cgroup
		mkdir /sys/fs/cgroup/freezer /sys/fs/cgroup/unified
		mount -t cgroup -o freezer freezer /sys/fs/cgroup/freezer
		mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
		exec slurmd -D -s
	END
	chmod 755 /usr/local/sbin/slurmd-v1
	printf '[Service]\nExecStart=\nExecStart=unshare --mount --propagation slave slurmd-v1\nType=simple\n' \
		>/etc/systemd/system/slurmd.service.d/v1.conf
	sed -i 's|cgroup/v2|cgroup/v1|' /etc/slurm/cgroup.conf
	systemctl daemon-reload
	systemctl restart slurmd
	eventually eval 'sinfo -h -o %t | grep -qx idle'
}

use_version_2() {
	rm /etc/systemd/system/slurmd.service.d/v1.conf
	cp -p "$BATS_FILE_TMPDIR/cgroup.conf" /etc/slurm/
	systemctl daemon-reload
	systemctl restart slurmd
	eventually eval 'sinfo -h -o %t | grep -qx idle'
	eventually in_freezer 'find slurm_* -depth -type d -exec rmdir {} +'
}

# in_freezer COMMAND: in its hierarchy, which is the machine's, so that nothing of the container's may be left there
in_freezer() {
	unshare --mount sh -c "mount -t cgroup -o freezer freezer /mnt && cd /mnt && $1"
}

is_frozen_together() {
	local job groups
	job=$(script alice <<<$'#!/bin/sh\nsleep 1014 & setsid sleep 1015 & exec sleep 1016')
	eventually pgrep -fx 'sleep 1016'
	eventually pgrep -fx 'sleep 1015'
	groups=$(for pid in $(pgrep -fx 'sleep 101[456]'); do sed -n 's/^[0-9]*:freezer://p' "/proc/$pid/cgroup"; done | sort -u)
	[[ $groups == */job_$job/step_batch* ]]
	[ "$(wc -l <<<"$groups")" -eq 1 ]
	scancel "$job"
	eventually is_state "$job" CANCELLED
	eventually eval '! pgrep -fx "sleep 101[456]"'
}

@test "cgroup v1: all processes of a job are in its group of the freezer, and end with it" {
	use_version_1
	in_both is_frozen_together
	in_freezer 'ls -d slurm_*' # negative control
	use_version_2
	! in_freezer 'ls -d slurm_*' || die 'left in the freezer'
	in_both is_in_its_group
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# ssh into a running job: pam_slurm_adopt, each as on stock, and what only the module does.

load lib

teardown() {
	end_jobs
}

teardown_file() {
	mode stock
}

# running_job USER: submits a job that has a process, and prints its number
running_job() {
	local job
	job=$(script "$1" <<<$'#!/bin/sh\nexec sleep 100000')
	eventually is_state "$job" RUNNING
	eventually pgrep -u "$1" -fx 'sleep 100000'
	echo "$job"
}

is_refused_without_job() {
	LOG_LEVEL=INFO run ssh_as alice echo in
	[ "$status" -ne 0 ]
	[[ $output == *'Access denied by pam_slurm_adopt: you have no active jobs on this node'* ]]
}

@test "ssh without a job is refused, and says why" {
	in_both is_refused_without_job
}

is_adopted() {
	local job group
	job=$(running_job alice)
	group=$(ssh_as alice sed -n 's/^0:://p' /proc/self/cgroup)
	[[ $group == *"/job_$job/step_extern/"* ]]
	[ "$(ssh_as alice pgrep -fxc "'sleep 100000'")" -eq 1 ] # the job's process
}

@test "ssh with a job is adopted by it, and sees its processes" {
	in_both is_adopted
}

sees_only_own() {
	running_job alice >/dev/null
	running_job bob >/dev/null
	[ "$(ssh_as alice ps -eo user= | sort -u | xargs)" = 'alice root' ]
	[ "$(ssh_as alice pgrep -fxc "'sleep 100000'")" -eq 1 ]
}

@test "ssh with a job sees nobody else's processes" {
	mode stock
	running_job alice >/dev/null
	running_job bob >/dev/null
	[ "$(ssh_as alice pgrep -fxc "'sleep 100000'")" -eq 2 ] # negative control
	end_jobs
	mode isolated
	sees_only_own
	nothing_is_left
}

ends_with_the_job() {
	local job ssh
	job=$(running_job alice)
	ssh_as alice 'nohup sleep 100001 >/dev/null 2>&1 & exec sleep 100002' &
	ssh=$!
	eventually pgrep -fx 'sleep 100001'
	eventually pgrep -fx 'sleep 100002'
	scancel "$job"
	eventually eval '! pgrep -fx "sleep 10000[0-2]"'
	wait "$ssh" || true
}

@test "the end of the job ends what ssh has started, also in the background" {
	in_both ends_with_the_job
}

reaches_the_job() {
	running_job alice >/dev/null
	ssh_as alice "kill -USR1 \$(pgrep -fx 'sleep 100000')"
	eventually eval '! pgrep -fx "sleep 100000"'
}

@test "ssh can signal the job's processes" {
	in_both reaches_the_job
}

@test "50 logins of 10 users at the same time: each sees the processes of its own job only" {
	local n i failed=0
	local -a pids=()
	many() {
		for n in $(seq 10); do running_job "user$n" >/dev/null; done
		pids=()
		for i in $(seq 5); do
			for n in $(seq 10); do
				ssh_as "user$n" 'ps -eo user= | sort -u | xargs; pgrep -fxc "sleep 100000"; readlink /proc/self/ns/pid' \
					>"$BATS_TEST_TMPDIR/$MODE.user$n.$i" 2>&1 &
				pids+=($!)
			done
		done
		failed=0
		for pid in "${pids[@]}"; do wait "$pid" || failed=$((failed + 1)); done
		echo "$MODE: $failed failed"
		[ "$failed" -eq 0 ]
	}
	mode stock
	many
	[ "$(sed -n 2p "$BATS_TEST_TMPDIR/stock.user1.1")" -eq 10 ] # negative control
	end_jobs
	mode isolated
	many
	for n in $(seq 10); do
		for i in $(seq 5); do
			head -n 2 "$BATS_TEST_TMPDIR/isolated.user$n.$i" | xargs | grep -qx "root user$n 1" ||
				{ cat "$BATS_TEST_TMPDIR/isolated.user$n.$i"; return 1; }
		done
		[ "$(sed -n 3p -s "$BATS_TEST_TMPDIR/isolated.user$n".* | sort -u | wc -l)" -eq 1 ] # one namespace
	done
	[ "$(sed -n 3p -s "$BATS_TEST_TMPDIR"/isolated.* | sort -u | wc -l)" -eq 10 ]
	nothing_is_left
}

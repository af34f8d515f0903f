#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Limits of memory and cores by control groups, which are in force: in a guest, each as on stock. A job gets one core and 200 MB of
# memory for it, unless it asks for more.

load lib

HOLD='import sys; held = b"x" * (int(sys.argv[1]) << 20)' # python3: holds so many MB

# The kernel prints a stack for each process that it kills for memory: as a warning, which is none here
setup_file() {
	local slurmd
	slurmd=$(systemctl show --property=MainPID --value slurmd.service)
	grep -qw memory /sys/fs/cgroup/cgroup.controllers && grep -qw cpuset /sys/fs/cgroup/cgroup.controllers
	! grep -qz LD_PRELOAD "/proc/$slurmd/environ" || die 'slurmd is deceived'
	dmesg --console-level err
	install -m 755 /dev/stdin /usr/bin/hold-memory <<<"#!/bin/sh
exec python3 -c '$HOLD' \"\$1\""
	install -m 755 /dev/stdin /usr/bin/fill-shm <<<$'#!/bin/sh
dd if=/dev/zero of=/dev/shm/filled bs=1M count=150
echo "dd: $?"
rm /dev/shm/filled
echo went on'
}

teardown() {
	end_jobs
	rm -f /dev/shm/filled
}

teardown_file() {
	mode stock
	dmesg --console-level warn
}

# limited CHECK…: it holds as on stock, of tasks that are isolated, and no process is left in a job's control groups
limited() {
	in_both limited_here "$@"
}

limited_here() {
	"$@"
	if isolated; then [ "$(as alice srun readlink /proc/self/ns/pid)" != "$(readlink /proc/self/ns/pid)" ]; fi
	end_jobs
	eventually groups_are_empty
}

# Slurm itself may leave an empty one behind on a slow machine
groups_are_empty() {
	! find /sys/fs/cgroup/system.slice/*slurmstepd.scope/job_* -name cgroup.procs -exec grep . {} + 2>/dev/null
}

# killed_since WHEN: what the kernel has killed for memory
killed_since() {
	journalctl -k -o cat --since="@$1" -g 'Killed process' | sed -n 's/.*Killed process [0-9]* (\([^)]*\)).*/\1/p' | sort | uniq -c | xargs
}

# ended JOB STATE: so it is in the end
ended() {
	eventually is_state "$1" "$2" || { scontrol show job "$1"; cat "/home/alice/$1.out"; return 1; } >&2
}

memory_is_limited() {
	local job began=$EPOCHSECONDS
	job=$(script alice --mem=60 <<<$'#!/bin/sh\nexec hold-memory 150')
	ended "$job" OUT_OF_MEMORY
	[ "$(killed_since "$began")" = '1 python3' ]
	job=$(script alice --mem=400 <<<$'#!/bin/sh\nexec hold-memory 150')
	ended "$job" COMPLETED
}

@test "a job that takes more memory than --mem is killed: its process, and no other; and one that takes less is not" {
	limited memory_is_limited
}

# The kernel takes the largest process. dd is larger than the shell, and smaller than slurmstepd, the waiter and the holder
ours_is_spared() {
	local job began=$EPOCHSECONDS
	job=$(script alice --mem=60 <<<$'#!/bin/sh\nexec fill-shm')
	ended "$job" OUT_OF_MEMORY
	[ "$(killed_since "$began")" = '1 dd' ]
	grep -qx 'dd: 137' "/home/alice/$job.out"
	grep -qx 'went on' "/home/alice/$job.out"
	[ "$(as alice srun cat /proc/self/oom_score_adj)" = 0 ] # the task itself is not
}

@test "memory that is no process's (/dev/shm): of a job of small processes, too, it is one of the task's that is killed" {
	limited ours_is_spared
}

@test "the holder and the waiter are spared, and what other modules of the session have started is not" {
	local pid
	install -m 755 /dev/stdin /usr/bin/tell-score <<<$'#!/bin/sh\ncat /proc/self/oom_score_adj >/run/score'
	mode isolated
	cp /etc/pam.d/slurm-unshare /run/slurm-unshare
	echo 'session required pam_exec.so type=open_session /usr/bin/tell-score' >>/etc/pam.d/slurm-unshare
	script alice <<<$'#!/bin/sh\nexec sleep 1034'
	eventually pgrep -fx 'sleep 1034'
	cp /run/slurm-unshare /etc/pam.d/slurm-unshare
	[ "$(cat /run/score)" = 0 ]
	[ "$(cat "/proc/$(pgrep -fx 'sleep 1034')/oom_score_adj")" = 0 ]
	pid=$(pgrep -f '^pam-unshare hold')
	[ "$(cat "/proc/$pid/oom_score_adj")" = -1000 ]
	[ "$(cat "/proc/$(ps -o ppid= -p "$pid" | tr -d ' ')/oom_score_adj")" = -1000 ]
}

cores_are_limited() {
	[ "$(as alice srun -c 1 sh -c 'nproc; setsid -w nproc; taskset -c 0-3 nproc' | xargs)" = '1 1 1' ]
	[ "$(as alice srun -c 3 nproc)" = 3 ]
	[ "$(as alice srun -n 2 -c 1 --cpu-bind=cores sh -c 'taskset -cp $$' | sed 's/.*: //' | sort | xargs)" = '0 1' ]
}

@test "a job has its cores, and its tasks each their own" {
	limited cores_are_limited
}

memory_is_accounted() {
	local job used
	job=$(script alice --mem=400 <<<$'#!/bin/sh\nsrun --mem=400 hold-memory 150')
	ended "$job" COMPLETED
	accounted() { [ -n "$(sacct -n -P -j "$job.0" -o MaxRSS)" ]; }
	eventually accounted
	used=$(sacct -n -P -j "$job.0" -o MaxRSS --noconvert | numfmt --from=iec)
	echo "MaxRSS: $used"
	[ "$used" -gt $((150 << 20)) ] && [ "$used" -lt $((190 << 20)) ]
}

@test "sacct: MaxRSS is what the task's control group has used" {
	limited memory_is_accounted
}

ssh_is_limited() {
	local job
	job=$(script alice --mem=60 <<<$'#!/bin/sh\nexec sleep 1030')
	eventually pgrep -fx 'sleep 1030'
	[ "$(ssh_as alice 'nproc; setsid -w nproc; sed -n "s|^0::.*/job_|job_|p" /proc/self/cgroup' | xargs)" = "1 1 job_$job/step_extern/user/task_0" ]
	[ "$(ssh_as alice 'hold-memory 150; echo $?')" = 137 ]
	ssh_as alice hold-memory 20
	pgrep -fx 'sleep 1030' # the job goes on
	scancel "$job"
	eventually no_jobs
	script alice --mem=400 <<<$'#!/bin/sh\nexec sleep 1030'
	eventually pgrep -fx 'sleep 1030'
	ssh_as alice hold-memory 150 # negative control
}

@test "ssh into a job falls under the job's memory and cores" {
	limited ssh_is_limited
}

# with_kill 0|1: of two tasks the first is over the limit, "went on" is each shell's that lives on
with_kill() {
	as alice srun --mem=60 --oom-kill-step="$1" -n 2 sh -c \
		'if [ $SLURM_PROCID = 0 ]; then hold-memory 150; else sleep 20; fi; echo went on' 2>&1 || true
}

step_is_killed() {
	local said
	said=$(with_kill 1)
	[[ $said == *'tasks 0-1: Out Of Memory'* && $said != *'went on'* ]] || die "$said"
	said=$(with_kill 0)
	[ "$(grep -c 'went on' <<<"$said")" -eq 2 ] || die "$said"
}

@test "srun --oom-kill-step: all tasks of a step are killed for one, and without it the one alone" {
	limited step_is_killed
}

jobs_are_apart() {
	local small large
	large=$(script alice --mem=400 <<<$'#!/bin/sh\nsleep 1031 & exec sleep 1031')
	eventually eval '[ "$(pgrep -fxc "sleep 1031")" -eq 2 ]'
	small=$(script alice --mem=60 <<<$'#!/bin/sh\nsleep 1032 & setsid sleep 1032 & hold-memory 150; exec sleep 1032')
	eventually eval '[ "$(pgrep -fxc "sleep 1032")" -eq 3 ]'
	scancel "$small"
	eventually eval '! pgrep -fx "sleep 1032"'
	[ "$(pgrep -fxc 'sleep 1031')" -eq 2 ]
	as alice srun --overlap --jobid="$large" --mem=400 hold-memory 150
	scancel "$large"
	eventually eval '! pgrep -fx "sleep 1031"'
}

@test "two jobs of a user: each has its own memory, and the end of one leaves the other" {
	limited jobs_are_apart
}

@test "the kernel has said nothing worse than that it has killed for memory" {
	bad() { dmesg --level emerg,alert,crit,err,warn; }
	bad | grep -q 'Memory cgroup out of memory' # it is heard
	! bad | grep -E 'BUG:|WARNING:|Oops|general protection|blocked for more than|lockup|panic' || die 'it has'
}

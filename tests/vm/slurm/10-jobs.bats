#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Jobs of Slurm, each as on stock: srun, sbatch, salloc, signals, MPI. And what only the plugin does.

load lib

teardown() {
	[ -z "${SECRET:-}" ] || kill "$SECRET"
	end_jobs
}

teardown_file() {
	mode stock
}

# A process of bob's, who has no job
start_secret() {
	setpriv --reuid bob --regid bob --clear-groups bash -c 'exec -a bob-secret sleep 100000' 3>&- &
	SECRET=$!
	eventually grep -q bob-secret /proc/$SECRET/cmdline
}

srun_runs() {
	local said
	said=$(as alice srun sh -c 'id -un; pwd; cat; echo $SLURM_PROCID' <<<'from standard input')
	[ "$said" = $'alice\n/home/alice\nfrom standard input\n0' ]
	said=$(as alice srun sh -c 'echo to the one; echo to the other >&2' 2>/dev/null)
	[ "$said" = 'to the one' ]
	run as alice srun sh -c 'exit 7'
	[ "$status" -eq 7 ]
	run as alice srun sh -c 'kill -SEGV $$'
	[ "$status" -eq 139 ]
}

@test "srun: user, directory, input, output, exit status, death by a signal" {
	in_both srun_runs
}

hides_others() {
	local seen
	seen=$(as alice srun ps -ef)
	[[ $seen == *'ps -ef'* && $seen != *bob-secret* ]] && [ "$(as alice srun ps -eo user= | sort -u | xargs)" = 'alice root' ]
}

@test "srun: nobody else's processes" {
	start_secret
	mode stock
	! hides_others || die "hidden on stock" # negative control
	mode isolated
	hides_others
}

is_tracked() {
	local job groups
	job=$(script alice <<<$'#!/bin/sh\nsleep 1000 & setsid sleep 1001 & exec sleep 1002')
	eventually is_state "$job" RUNNING
	eventually pgrep -fx 'sleep 1002'
	groups=$(for pid in $(pgrep -fx 'sleep 100[0-2]'); do sed -n 's/^0:://p' "/proc/$pid/cgroup"; done | sort -u)
	[[ $groups == */job_$job/step_batch/user/task_* ]]
	[ "$(wc -l <<<"$groups")" -eq 1 ]
	scancel "$job"
	eventually is_state "$job" CANCELLED
	eventually eval '! pgrep -fx "sleep 100[0-2]"'
}

@test "sbatch: all its processes are in the job's control group, and end with it" {
	in_both is_tracked
}

batch_runs() {
	local job
	job=$(script alice -n 2 <<<$'#!/bin/sh\necho in $(pwd); srun -l sh -c "echo task"; exit 3')
	eventually is_state "$job" FAILED
	scontrol -o show job "$job" | grep -q ' ExitCode=3:0 '
	[ "$(sort "/home/alice/$job.out")" = $'0: task\n1: task\nin /home/alice' ]
}

@test "sbatch: output, steps, exit code" {
	in_both batch_runs
}

tasks_are_together() {
	cat >/home/alice/together <<-'END'
		#!/bin/sh
		readlink /proc/self/ns/pid
		echo $$ >>pids.$SLURM_JOB_ID
		until [ "$(wc -l <pids.$SLURM_JOB_ID)" -eq 4 ]; do sleep 0.1; done
		for pid in $(cat pids.$SLURM_JOB_ID); do grep -q together /proc/$pid/cmdline && echo seen; done
		echo looked >>looked.$SLURM_JOB_ID
		until [ "$(wc -l <looked.$SLURM_JOB_ID)" -eq 4 ]; do sleep 0.1; done
	END
	[ "$(as alice srun -n 4 sh together | sort | uniq -c | awk '{ print $1 }' | xargs)" = '4 16' ]
}

@test "srun -n 4: the tasks see each other" {
	in_both tasks_are_together
}

overlap_sees_the_job() {
	local job
	job=$(script alice <<<$'#!/bin/sh\nexec sleep 1003')
	eventually is_state "$job" RUNNING
	eventually pgrep -fx 'sleep 1003'
	as alice srun --overlap --jobid="$job" pgrep -fx 'sleep 1003'
}

@test "srun --overlap: sees the processes of the job" {
	in_both overlap_sees_the_job
}

salloc_runs() {
	[ "$(as alice salloc -Q srun sh -c 'echo $SLURM_JOB_ID' | wc -w)" -eq 1 ]
}

@test "salloc: a step in an allocation" {
	in_both salloc_runs
}

@test "srun --pty: a terminal with its size, Ctrl-C, job control, exit status" {
	in_both terminal_works as alice python3 - srun --pty bash --norc -i
}

# Each signal once, to whom Slurm means it
signals_arrive() {
	local job
	job=$(script alice <<-'END'
		#!/bin/bash
		trap 'echo batch USR2' USR2
		srun bash -c 'trap "echo step USR1" USR1; echo begun; while :; do sleep 0.1; done' &
		while :; do wait; done
	END
	)
	eventually grep -q begun "/home/alice/$job.out"
	scancel --signal=USR1 "$job"
	eventually grep -q 'step USR1' "/home/alice/$job.out"
	scancel --batch --signal=USR2 "$job"
	eventually grep -q 'batch USR2' "/home/alice/$job.out"
	scancel "$job"
	eventually is_state "$job" CANCELLED
	[ "$(grep -c USR "/home/alice/$job.out")" -eq 2 ] || { cat "/home/alice/$job.out" >&2; return 1; }
}

@test "scancel --signal, for a step and for the batch script: once, and to nobody else" {
	in_both signals_arrive
}

stops_and_goes_on() {
	local job pid
	job=$(script alice <<<$'#!/bin/sh\nsrun sleep 1004')
	eventually pgrep -fx '/usr/bin/sleep 1004'
	pid=$(pgrep -fx '/usr/bin/sleep 1004')
	scontrol suspend "$job"
	eventually grep -qE 'State:.[Tt]|frozen 1' "/proc/$pid/status" "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup" | sed 's|/user/.*||')/cgroup.events"
	scontrol resume "$job"
	eventually is_state "$job" RUNNING
	eventually grep -qE 'State:.S' "/proc/$pid/status"
}

@test "scontrol suspend and resume" {
	in_both stops_and_goes_on
}

mpi_runs() {
	cat >/home/alice/ring.c <<-'END'
		#include <mpi.h>
		#include <stdio.h>
		#include <stdlib.h>
		int main(int argc, char **argv)
		{
			int rank, size, n = 1 << 22, *data = calloc(n, sizeof(int)), *got = calloc(n, sizeof(int));
			MPI_Init(&argc, &argv);
			MPI_Comm_rank(MPI_COMM_WORLD, &rank);
			MPI_Comm_size(MPI_COMM_WORLD, &size);
			for (int i = 0; i < n; i++)
				data[i] = rank;
			MPI_Sendrecv(data, n, MPI_INT, (rank + 1) % size, 0, got, n, MPI_INT, (rank + size - 1) % size, 0,
				MPI_COMM_WORLD, MPI_STATUS_IGNORE);
			printf("%d of %d has %d\n", rank, size, got[n - 1]);
			MPI_Finalize();
		}
	END
	as alice mpicc -o ring ring.c
	# CMA is asked for by name. OpenMPI 4, of bookworm, has other names.
	local job names='OMPI_MCA_smsc=cma OMPI_MCA_btl=self,sm'
	[ "$SUITE" != bookworm ] || names='OMPI_MCA_btl_vader_single_copy_mechanism=cma OMPI_MCA_btl=self,vader OMPI_MCA_oob_tcp_if_include=lo'
	job=$(script alice -n 4 <<-END
		#!/bin/sh
		export $names
		exec mpirun --bind-to none -n 4 sh -c 'exec strace -f -e trace=process_vm_readv -o cma.\$OMPI_COMM_WORLD_RANK ./ring'
	END
	)
	eventually is_state "$job" COMPLETED || { cat "/home/alice/$job.out" >&2; return 1; }
	[ "$(grep -c ' of 4 has ' "/home/alice/$job.out")" -eq 4 ]
	grep -q '0 of 4 has 3' "/home/alice/$job.out"
	tail -n 2 /home/alice/cma.?
	[ "$(grep -lE 'process_vm_readv.* = [1-9]' /home/alice/cma.? | wc -l)" -eq 4 ]
	rm /home/alice/cma.?
}

@test "MPI over shared memory with CMA, whose processes name each other by pid" {
	in_both mpi_runs
}

is_watched() {
	local job
	job=$(script alice <<<$'#!/bin/sh\nsrun sleep 1007')
	eventually pgrep -fx '/usr/bin/sleep 1007'
	eventually eval "as alice sstat -n -P -o MaxRSS,NTasks -j $job.0 | grep -qE '^[1-9][0-9.]*[KM]?\|1$'"
	as alice scontrol show job "$job" | grep -q "JobState=RUNNING"
	[ "$(as alice squeue -h -o %i)" = "$job" ]
	[ -z "$(as bob squeue -h)" ] # PrivateData=jobs
	! as bob scontrol show job "$job" || die "bob sees alice's job"
}

@test "sstat, scontrol show job, squeue with PrivateData" {
	in_both is_watched
}

# ---- what only the plugin does -----------------------------------------------------------------

@test "a mistake in the configuration: no task is started, and the node takes the next job" {
	mode isolated
	cp /etc/security/unshare.conf "$BATS_TEST_TMPDIR/conf"
	echo 'gracee = 5' >>/etc/security/unshare.conf
	run as alice srun sh -c 'echo ran'
	echo "$output"
	cp "$BATS_TEST_TMPDIR/conf" /etc/security/unshare.conf
	[ "$status" -ne 0 ]
	! grep -qx ran <<<"$output" || die 'it ran'
	[[ $output == *'the session was refused'* ]]
	nothing_is_left
	[ "$(as alice srun echo ran)" = ran ] # negative control
}

@test "without the command, or with a service that is not there, no task is started" {
	mode isolated
	mv /usr/sbin/pam-unshare /usr/sbin/pam-unshare.away
	run as alice srun sh -c 'echo ran'
	mv /usr/sbin/pam-unshare.away /usr/sbin/pam-unshare
	[ "$status" -ne 0 ]
	! grep -qx ran <<<"$output" || die 'it ran'
	mv /etc/pam.d/slurm-unshare /root/slurm-unshare
	run as alice srun sh -c 'echo ran'
	mv /root/slurm-unshare /etc/pam.d/slurm-unshare
	echo "$output"
	[ "$status" -ne 0 ]
	! grep -qx ran <<<"$output" || die 'it ran'
	nothing_is_left
	[ "$(as alice srun echo ran)" = ran ] # negative control
}

@test "many tasks on a node: slurmstepd has some descriptors for each" {
	mode isolated
	for n in 4 11 12 13 14 15 16 17 32; do
		[ "$(as alice srun -n "$n" sh -c 'echo "$SLURM_PROCID"' | sort -u | wc -l)" -eq "$n" ]
	done
	nothing_is_left
}

@test "who is exempt has jobs on the host" {
	mode isolated
	host=$(readlink /proc/self/ns/pid)
	echo 'exempt = admin' >>/etc/security/unshare.conf
	[ "$(as admin srun readlink /proc/self/ns/pid)" = "$host" ]
	[ "$(as alice srun readlink /proc/self/ns/pid)" != "$host" ]
	sed -i '/^exempt = admin/d' /etc/security/unshare.conf
}

@test "the process that waits is killed: the task ends with the step, and nothing is left" {
	mode isolated
	local job task
	job=$(script alice <<<$'#!/bin/sh\nsrun sleep 1008')
	eventually pgrep -fx '/usr/bin/sleep 1008'
	task=$(pgrep -fx '/usr/bin/sleep 1008')
	kill -KILL "$(ps -o ppid= -p "$task" | xargs)"
	eventually eval '! pgrep -fx "/usr/bin/sleep 1008"'
	nothing_is_left
}

@test "UsePAM=1: jobs run with the plugin; check names what the service slurm must not have" {
	mode isolated
	sed -i 's/^UsePAM=0/UsePAM=1/' /etc/slurm/slurm.conf
	printf '%s required pam_permit.so\n' auth account session >/etc/pam.d/slurm
	systemctl restart slurmctld slurmd
	eventually eval 'sinfo -h -o %t | grep -qx idle'
	[ "$(as alice srun echo ran)" = ran ]
	nothing_is_left
	run pam-unshare check slurm alice
	echo "$output"
	[[ $output == *problem* ]]
	sed -i 's/^UsePAM=1/UsePAM=0/' /etc/slurm/slurm.conf
	rm /etc/pam.d/slurm
	systemctl restart slurmctld slurmd
	eventually eval 'sinfo -h -o %t | grep -qx idle'
}

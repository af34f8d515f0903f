#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A login node: users log in by ssh, where logind runs and no job is needed, and submit from their sessions.

load lib

setup_file() {
	install -m 755 tests/vm/guest/x11 /usr/bin/x11 # a job has no /usr/local/bin in its path
	rm -f /tmp/.X11-unix/X99
	(umask 0 && exec x11 serve 3>&-) &
	echo $! >"$BATS_FILE_TMPDIR/x11"
	cp -p /etc/pam.d/sshd /etc/pam.d/common-session "$BATS_FILE_TMPDIR/"
	sed -i '/pam_slurm_adopt/d' /etc/pam.d/sshd
	echo 'session optional pam_systemd.so' >>/etc/pam.d/common-session
	systemctl unmask systemd-logind.service
	systemctl start systemd-logind.service
}

teardown() {
	end_jobs
}

teardown_file() {
	mode stock
	kill "$(cat "$BATS_FILE_TMPDIR/x11")"
	cp -p "$BATS_FILE_TMPDIR/sshd" "$BATS_FILE_TMPDIR/common-session" /etc/pam.d/
	systemctl mask --now systemd-logind.service
}

# The user managers end some seconds after the last logout
leaves_nothing() {
	loginctl terminate-user alice bob 2>/dev/null || true
	nothing_is_left
}

submits() {
	local job
	[ "$(ssh_as alice loginctl show-session '$XDG_SESSION_ID' -p Name --value)" = alice ] # logind knows it
	[ "$(ssh_as alice srun -n 2 id -un | xargs)" = 'alice alice' ]
	run ssh_as alice srun sh -c "'exit 7'"
	[ "$status" -eq 7 ]
	[ "$(ssh_as alice salloc -Q srun echo in-allocation)" = in-allocation ]
	job=$(ssh_as alice "sbatch --parsable --wait --output=%j.out --wrap='echo from-batch'")
	[ "$(ssh_as alice cat "$job.out")" = from-batch ]
	leaves_nothing
}

@test "login node: srun, salloc and sbatch from a session" {
	in_both submits
}

# The job's processes, whose node this is as well, are in the user's namespace; the end of the login leaves them.
outlives_its_login() {
	local job
	job=$(ssh_as alice "sbatch --parsable --output=/dev/null --wrap='exec sleep 1021'")
	eventually pgrep -fx 'sleep 1021'
	[ "$(ssh_as alice squeue -h -o %i)" = "$job" ]
	ssh_as alice pgrep -fx "'sleep 1021'"
	is_state "$job" RUNNING
	ssh_as alice scancel "$job"
	eventually is_state "$job" CANCELLED
	eventually eval '! pgrep -fx "sleep 1021"'
	leaves_nothing
}

@test "login node: a job outlives the login that has submitted it, is watched and cancelled from another" {
	in_both outlives_its_login
}

sees_no_srun_of_others() {
	local ssh
	ssh_as bob "exec srun sleep 1022" &
	ssh=$!
	eventually pgrep -u bob -fx 'srun sleep 1022' || return
	eventually pgrep -u bob -fx '/usr/bin/sleep 1022' || return
	run ssh_as alice pgrep -fc 'slee[p].1022'
	scancel --user=bob
	wait "$ssh" || true
	[ "$output" = 0 ]
}

@test "login node: nobody sees what others give to srun" {
	only_isolated sees_no_srun_of_others
}

has_a_terminal() {
	terminal_works python3 - ssh -tt -l alice localhost 'exec srun --pty bash --norc -i'
	leaves_nothing
}

@test "login node: srun --pty from a session: a terminal with its size, Ctrl-C, job control, exit status" {
	in_both has_a_terminal
}

# Ctrl-C at srun, twice within a second: the step ends
is_interrupted() {
	python3 - <<-'END'
		import pexpect, sys
		run = pexpect.spawn("ssh", ["-tt", "-l", "alice", "localhost", "exec srun -v sh -c 'echo be''gun; exec sleep 1023'"],
			timeout=60, encoding="utf-8")
		run.logfile_read = sys.stderr
		run.expect("begun")
		run.sendintr()
		run.expect("one more within 1 sec")
		run.sendintr()
		run.expect(pexpect.EOF)
	END
	eventually eval '! pgrep -fx "(/usr/bin/)?sleep 1023"'
	leaves_nothing
}

@test "login node: Ctrl-C at srun in a session ends the step" {
	in_both is_interrupted
}

forwards_x11() {
	local x11='ssh -X -o BatchMode=yes -o LogLevel=ERROR -l alice localhost'
	[ "$(DISPLAY=:99 timeout 60 $x11 'exec srun --x11 x11 ask' </dev/null)" = 'the server has answered' ]
	run timeout 60 $x11 'exec srun x11 ask' </dev/null
	[ "$status" -ne 0 ] # without --x11 there is none
	leaves_nothing
}

@test "login node: ssh -X, and srun --x11 in it" {
	in_both forwards_x11
}

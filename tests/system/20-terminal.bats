#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Terminals and exit statuses are as without the module.

load lib

setup_file() {
    prepare
    start_sshd
}

teardown_file() {
    stop_sshd
}

teardown() {
    disable su
    disable sshd
}

job_control() {
    python3 "$TOP/tests/system/job_control.py" "$@"
}

# It works in an isolated session of the service
job_control_isolated() { # SERVICE COMMAND…
    local service=$1 said
    shift
    enable "$service"
    log_position
    said=$(job_control "$@") || true
    echo "$said"
    [ "$said" = ok ] &&
        logged "pam_unshare\\($service(-l)?:session\\): session of alice opened"
}

# The same with the module on and off; that it is on shows in the log.
as_without() { # SERVICE COMMAND…
    local service=$1 with without
    shift
    enable "$service"
    log_position
    with=$("$@" 2>&1; echo "status $?")
    logged "pam_unshare\\($service(-l)?:session\\): session of alice opened" || return
    logged "pam_unshare\\($service(-l)?:session\\): session of alice closed" || return # by sshd, when its client has gone already
    disable "$service"
    log_position
    without=$("$@" 2>&1; echo "status $?")
    never_logged pam_unshare || { die "the negative control ran with the module"; return 1; }
    [ "$with" = "$without" ] || { die "with the module: $with; without: $without"; return 1; }
    echo "$with"
}

@test "job control in a su session" {
    job_control_isolated su su alice
    job_control_isolated su su - alice
}

@test "job control in a su session with a pty of its own" {
    job_control_isolated su su --pty alice
}

@test "job control in an ssh session" {
    job_control_isolated sshd ssh "${SSH_OPTIONS[@]}" -tt alice@127.0.0.1
}

@test "the job control check fails where there is no job control" {
    run job_control setsid sh -c 'exec su -c "exec bash -i" alice'
    [ "$status" -ne 0 ]
}

@test "exit status and signals pass through su" {
    [[ $(as_without su su -c 'exit 7' alice) == *"status 7" ]]
    [[ $(as_without su su -c 'kill -9 $$' alice) == *"status 137" ]]
    [[ $(as_without su su -c 'kill -TERM $$' alice) == *"status 143" ]]
    [[ $(as_without su su - -c 'exit 0' alice) == *"status 0" ]]
}

@test "exit status and signals pass through ssh" {
    [[ $(as_without sshd ssh_as alice 'exit 7') == *"status 7" ]]
    # ssh reports a signal as 255 or, where the shell that runs the command got it, as that
    as_without sshd ssh_as alice 'kill -9 $$'
    as_without sshd ssh_as alice 'exec sh -c "kill -TERM \$\$"'
}

@test "the caller has the terminal's foreground back after su" {
    # A script that reads from the terminal after su; the shell in su takes the foreground.
    cat >"$BATS_TEST_TMPDIR/caller" <<'END'
su alice
read -r line && echo "the caller read: $line"
END
    cat >"$BATS_TEST_TMPDIR/drive.py" <<'END'
import pexpect, sys
child = pexpect.spawn("sh", [sys.argv[1]], encoding="utf-8", timeout=20)
child.sendline("set -m; PS1='su''>'; sleep 0; echo in-$((1+1))")
child.expect_exact("in-2")
child.sendline("exit")
child.sendline("hello")
child.expect("the caller read: hello|Input/output error")
print(child.after)
END
    enable su
    run python3 "$BATS_TEST_TMPDIR/drive.py" "$BATS_TEST_TMPDIR/caller"
    [ "$output" = "the caller read: hello" ]
    # negative control: a module that does not give it back
    install_module "$TOP/$BUILD/tests/mutants/keeping.so"
    run python3 "$BATS_TEST_TMPDIR/drive.py" "$BATS_TEST_TMPDIR/caller"
    install_module
    [ "$output" != "the caller read: hello" ]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A step that fails: PAM_SYSTEM_ERR (4), the step in the log, and the application is where it was.

load lib

setup_file() {
    prepare
    stack plain "required pam_unshare.so"
    stack ipc "required pam_unshare.so ipc"
    stack later "required pam_unshare.so" "required pam_deny.so"
    stack pair "requisite pam_unshare.so close" "requisite pam_unshare.so open" "required pam_deny.so"
}

setup() {
    remember_host
    log_position
}

teardown() {
    eventually no_init_left
}

# refused SERVICE [INJECTION…]: open is refused and everything is as before
refused() {
    local service=$1 output
    shift
    output=$(timeout -k 1 60 strace -f -qq -o /run/strace "${@/#/--inject=}" \
        "$HOST" /run/pam.d "$service" alice ${BEFORE-} state open state end) || return
    echo "$output" >&2
    grep -qx open=4 <<<"$output" && same_state "$output" &&
        [ "$(grep -cx 'fork works' <<<"$output")" -eq 2 ] &&
        [ "$(grep -cx 'other children: none' <<<"$output")" -eq 2 ] &&
        eventually host_is_unchanged
}

# step PATTERN-OF-THE-LOG INJECTION…
step() {
    local pattern=$1
    shift
    refused plain "$@"
    logged "pam_unshare.*cannot isolate the session of alice: $pattern"
    never_logged 'could not be brought back'
}

@test "negative control: nothing is injected, open succeeds, and the state is another" {
    run refused plain
    [ "$status" -ne 0 ]
    run host plain state open state close
    [[ $output == *open=0* ]]
    run same_state "$output"
    [ "$status" -ne 0 ]
}

@test "unshare fails" {
    step 'make the namespaces \(unshare\): Operation not permitted' unshare:error=EPERM
}

@test "unshare meets a limit, which the message names" {
    step '.*user.max_pid_namespaces.*: No space left' unshare:error=ENOSPC
}

@test "the slave mount fails" {
    step 'make the mounts slaves.*: Permission denied' mount:error=EACCES
}

@test "the mount table cannot be opened" {
    # which openat it is differs between C libraries; strace tells
    strace -f -qq -e trace=openat -o /run/strace "$HOST" /run/pam.d plain alice old-kernel state open state end
    nth=$(awk -v pid="$(head -n 1 /run/strace | cut -d' ' -f1)" \
        '$1 == pid && /openat\(/ { n++ } $1 == pid && /[0-9], "mountinfo"/ { print n }' /run/strace)
    BEFORE=old-kernel step 'open the mount table: Too many open files' "openat:error=EMFILE:when=$nth"
}

@test "the descriptors cannot be listed" {
    ulimit -n 4096
    exec 1500</dev/null # so high that they are not found by their numbers
    strace -f -qq -e trace=openat -o /run/strace "$HOST" /run/pam.d plain alice state open state end
    nth=$(awk -v pid="$(head -n 1 /run/strace | cut -d' ' -f1)" \
        '$1 == pid && /openat\(/ { n++ } $1 == pid && /[0-9], "fd"/ { print n }' /run/strace | tail -n 1)
    step "list the application's descriptors: Too many open files" "openat:error=EMFILE:when=$nth"
    exec 1500<&-
}

@test "fork of the init fails" {
    # the first clone is the state's own child
    step 'fork the namespace.s init: Resource temporarily' clone:error=EAGAIN:when=2
}

@test "the fresh procfs cannot be made" {
    for call in fsopen fsconfig fsmount; do
        step 'init: replace the procfs at /proc: Operation not permitted' "$call:error=EPERM"
    done
}

@test "the old procfs cannot be detached" {
    step 'init: replace the procfs at /proc: Device or resource busy' umount2:error=EBUSY
}

@test "the fresh procfs cannot be attached" {
    step 'init: replace the procfs at /proc: Invalid argument' move_mount:error=EINVAL
}

@test "the init cannot drop its capabilities" {
    step 'init: drop the capabilities: Operation not permitted' capset:error=EPERM
}

@test "the init cannot set all ids to 0" {
    step 'init: set all ids to 0: Operation not permitted' setresuid:error=EPERM
}

@test "the init cannot close the descriptors" {
    step 'init: close the descriptors: Function not implemented' close_range:error=ENOSYS
}

@test "the init dies before it is ready" {
    step 'the init ended before it was ready' capset:signal=KILL
    step 'the init ended before it was ready' setsid:signal=KILL
}

@test "an unshare that does nothing, and says that it did" {
    step 'unshare has no effect; a filter of system calls may ignore it: Operation not supported' unshare:retval=0
}

@test "the init is stuck: refused after a time, and it dies with the application" {
    # the test waits for the limit to pass; a message that never comes would hang it
    step 'wait for the init to be ready: Connection timed out' setsid:signal=STOP
    strace -f -qq -o /run/strace --inject=setsid:signal=STOP \
        "$HOST" /run/pam.d plain alice open end 3>&- &
    strace=$!
    stuck() { [ "$(pgrep -xc host)" -eq 2 ]; }
    eventually stuck
    kill -9 "$(pgrep -xo host)"
    none() { [ "$(pgrep -xc host)" -eq 0 ]; }
    eventually none
    wait "$strace" || true # it ends as its tracee has
    eventually host_is_unchanged
}

@test "the IPC namespace is left too" {
    refused ipc capset:error=EPERM
}

@test "the way back fails: refused, and said so" {
    run timeout -k 1 60 strace -f -qq -o /run/strace --inject=setns:error=EPERM --inject=capset:error=EPERM \
        "$HOST" /run/pam.d plain alice open end
    [[ $output == *open=4* ]]
    logged 'could not be brought back and stays'
}

@test "pam_set_data fails" {
    run host plain state fail-set-data open state end
    [[ $output == *open=4* ]]
    same_state "$output"
    eventually host_is_unchanged
    logged 'cannot keep the state of the session of alice'
}

@test "a later module refuses the session: pam_end alone brings the application back" {
    for service in later pair; do
        run host "$service" state open end state
        [[ $output == *open=* && $output != *open=0* ]]
        same_state "$output"
        eventually host_is_unchanged
        logged 'session of alice closed'
    done
}

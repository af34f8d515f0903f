#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What sshd does beyond a single command: several channels, forwards, abrupt ends.

load lib

# How sshd's processes of a connection name themselves; since OpenSSH 9.8 they are a program of their own
MONITOR='^sshd(-session)?:'

setup_file() {
    prepare
    start_sshd
}

teardown_file() {
    stop_sshd
}

setup() {
    enable sshd
    remember_host
}

teardown() {
    install_module
    [ ! -S /run/ssh/master ] || ssh_master -O exit
    pkill -9 -f "$MONITOR alice" || true
    pkill -9 -u alice || true
    disable sshd
    eventually no_init_left
}

ssh_master() {
    ssh_as alice -S /run/ssh/master "$@" 2>/dev/null
}

# A connection ends, and sshd's monitor with it; the limit of eventually only bounds a hang
closes_promptly() { # COMMAND
    ssh_as alice "$1" && eventually no_monitor_left
}

no_monitor_left() {
    [ "$(pgrep -cf "$MONITOR alice")" -eq 0 ]
}

@test "the connection closes promptly" {
    local leaves='trap "" HUP TERM; sleep 1000 </dev/null >/dev/null 2>&1 &'
    closes_promptly true
    log_position
    closes_promptly true
    logged 'session of alice closed'
    enable sshd grace=60
    closes_promptly "$leaves"
    # negative control: a module that waits for the init when it closes hangs sshd's monitor
    install_module "$TOP/$BUILD/tests/mutants/waiting.so"
    run closes_promptly "$leaves"
    [ "$status" -ne 0 ]
    # an sshd that is one program reaps its child only when it has closed: then any session hangs
    [ ! -e /usr/lib/openssh/sshd-session ] || return 0
    pkill -9 -f "$MONITOR alice"
    run closes_promptly true
    [ "$status" -ne 0 ]
    [[ $(ps -eo stat,args) == *Z*sshd*defunct* ]]
}

@test "several commands over one connection, after the first has ended" {
    three_commands() {
        local facts first=
        ssh_as alice -M -S /run/ssh/master -o ControlPersist=yes -fN
        for _ in 1 2 3; do
            facts=$(ssh_master "$PROBE") || return
            grep -qx foreign=0 <<<"$facts" || return
            facts=$(grep pid_namespace= <<<"$facts")
            [ "${first:=$facts}" = "$facts" ] || return
        done
        ssh_master -O exit
    }
    start_secret
    with_and_without sshd three_commands
    [ ! -S /run/ssh/master ] || ssh_master -O exit
    kill "$SECRET_PID"
}

@test "a forward without a command" {
    ssh "${SSH_OPTIONS[@]}" -N -L 3333:127.0.0.1:$PORT alice@127.0.0.1 3>&- &
    client=$!
    forwarded() {
        local banner=
        exec 9<>/dev/tcp/127.0.0.1/3333
        read -r -t 10 banner <&9
        exec 9>&-
        [[ $banner == SSH-2.0-* ]]
    }
    eventually forwarded
    [ "$(inits)" -eq 1 ]
    kill "$client"
    wait "$client" || true
    eventually no_init_left
    # negative control: nobody listens without it
    run forwarded
    [ "$status" -ne 0 ]
}

@test "a process in the background ends with the session" {
    background_ends() {
        # a process that is about to execute the program has no name to be found by
        ssh_as alice 'nohup sleep 4711 >/dev/null 2>&1 </dev/null & until pgrep -fx "sleep 4711" >/dev/null; do sleep 0.1; done' ||
            return
        eventually no_init_left || return
        ! pgrep -f 'sleep 4711' >/dev/null
    }
    with_and_without sshd background_ends
    pkill -f 'sleep 4711' || true
    eventually host_is_unchanged
}

session_of_alice() {
    ssh "${SSH_OPTIONS[@]}" alice@127.0.0.1 'exec sleep 4712' </dev/null 3>&- &
    CLIENT=$!
    eventually pgrep -f 'sleep 4712' -u alice
    eventually pgrep -x pam_unshare
}

@test "a killed client leaves nothing" {
    session_of_alice
    run host_is_unchanged
    [ "$status" -ne 0 ]
    kill -9 "$CLIENT"
    wait "$CLIENT" || true
    eventually no_init_left
    eventually host_is_unchanged
}

@test "a killed monitor leaves nothing" {
    session_of_alice
    monitor=$(ps -o ppid= -p "$(pgrep -xo pam_unshare)" | tr -d ' ')
    [[ $(ps -o args= -p "$monitor") =~ $MONITOR ]]
    kill -9 "$monitor"
    wait "$CLIENT" || true
    eventually no_init_left
    eventually host_is_unchanged
}

@test "two users at the same time do not see each other" {
    start_secret
    ssh "${SSH_OPTIONS[@]}" bob@127.0.0.1 "exec -a daemon-$SECRET sleep 4713" </dev/null 3>&- &
    client=$!
    eventually pgrep -u bob -f '^daemon-.* 4713'
    facts=$(ssh_as alice "$PROBE")
    grep -qx secret=hidden <<<"$facts"
    grep -qx foreign=0 <<<"$facts"
    disable sshd
    ssh_as alice "$PROBE" | grep -qx secret=found
    kill "$client" "$SECRET_PID"
}

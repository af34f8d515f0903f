#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# scope=user where a unit has the namespace: the command as the unit's program, and the module that asks
# for it. unit_manager.py stands in for systemd; tests/vm/guest/45-inside.bats has the real one.

load lib
load user

setup_file() {
    COMMAND=$TOP/${COMMAND:-pam-unshare}
    export COMMAND
    prepare
    stack shared 'required pam_unshare.so scope=user'
}

setup() {
    remember_host
    log_position
    isolate_nobody
}

teardown() {
    [ -z "${manager:-}" ] || kill "$manager" 2>/dev/null || true
    rm -f /run/pam_unshare/make /etc/security/unshare.conf
    eventually no_init_left
}

# unit [OPTION…]: a unit that makes alice's namespace; what its manager hears is in $BATS_TEST_TMPDIR/heard
unit() {
    rm -f "$BATS_TEST_TMPDIR/heard"
    "$MANAGER" notify "$COMMAND" namespace --notify "$@" make alice >"$BATS_TEST_TMPDIR/heard" 2>&1 3>&- &
    manager=$!
}

heard() {
    grep -x "$1" "$BATS_TEST_TMPDIR/heard"
}

# unit_is_asked HOW: what the module's request gets; the uid that was asked for is in $BATS_TEST_TMPDIR/asked
unit_is_asked() {
    rm -f "$BATS_TEST_TMPDIR"/asked*
    install -d -m 700 /run/pam_unshare
    "$MANAGER" make "$1" "$BATS_TEST_TMPDIR/asked" 3>&- &
    manager=$!
    eventually test -e "$BATS_TEST_TMPDIR/asked.ready"
}

@test "make --notify: the init is the unit's main process, and waits for its first member" {
    unit
    eventually heard 'child of the manager'
    heard 'READY=1'
    heard 'command ended 0'
    init=$(sed -n 's/^MAINPID=//p' "$BATS_TEST_TMPDIR/heard")
    grep -qzx 'pam_unshare: init of alice' "/proc/$init/cmdline"
    [ "$("$COMMAND" list -n -o STAYS)" != pinned ]
    run host shared open run 'readlink /proc/self/ns/pid' close
    [[ $output == *pid:* ]]
    logged "init $init, the user's, joined"
    eventually heard 'main ended 0' # it was not pinned
    # negative control: without the option it is not the parent's child, and stays
    init=$("$COMMAND" namespace make alice)
    [ "$(awk '/^PPid/ { print $2 }' "/proc/$init/status")" -ne $$ ]
    host shared open close
    [ "$(inits)" -eq 1 ]
    "$COMMAND" namespace unpin alice
}

@test "make --notify: pinned, it stays without members until it is unpinned" {
    unit
    eventually heard 'child of the manager'
    "$COMMAND" namespace pin alice
    host shared open close
    not_ended() { ! heard 'main ended .*'; }
    not_ended
    [ "$(inits)" -eq 1 ]
    "$COMMAND" namespace unpin alice
    eventually heard 'main ended 0'
}

@test "make --notify: a namespace that is there is refused, and so is a caller without a manager" {
    "$COMMAND" namespace make alice >/dev/null
    unit
    eventually heard 'command ended 2'
    grep -F 'there is one already, whose init' "$BATS_TEST_TMPDIR/heard"
    [ "$(inits)" -eq 1 ]
    "$COMMAND" namespace unpin alice
    eventually no_init_left
    run "$COMMAND" namespace --notify make alice
    [ "$status" -eq 2 ]
    [[ $output == *'no service manager waits (NOTIFY_SOCKET)'* ]]
    pkill -TERM -x pam_unshare || true # its unit would do that
    unit # negative control
    eventually heard 'command ended 0'
    pkill -TERM -x pam_unshare
}

@test "--if-shared goes by the configuration file" {
    unit --if-shared # there is no file: scope=session
    eventually heard 'command ended 0'
    heard 'READY=1'
    [ "$(inits)" -eq 0 ]
    "$COMMAND" namespace --if-shared pin alice
    printf '%s\n' scope=user exempt=alice >/etc/security/unshare.conf
    "$COMMAND" namespace --if-shared pin alice
    unit --if-shared
    eventually heard 'command ended 0'
    [ "$(inits)" -eq 0 ]
    echo scopee >/etc/security/unshare.conf
    run "$COMMAND" namespace --if-shared pin alice
    [ "$status" -eq 2 ]
    [[ $output == *"/etc/security/unshare.conf line 1: 'scopee' is unknown"* ]]
    "$COMMAND" namespace --if-shared pin root # must be able to correct it
    printf '%s\n' scope=user exempt=bob scopee >/etc/security/unshare.conf
    "$COMMAND" namespace --if-shared pin bob
    run "$COMMAND" namespace --if-shared pin alice
    [ "$status" -eq 2 ]
    echo scope=user >/etc/security/unshare.conf # negative control
    run "$COMMAND" namespace --if-shared pin alice
    [ "$status" -eq 1 ]
    unit --if-shared
    eventually heard 'child of the manager'
    pkill -TERM -x pam_unshare
}

@test "the module asks the unit where its socket is, and joins what that makes" {
    unit_is_asked "$COMMAND"
    host shared open close
    [ "$(cat "$BATS_TEST_TMPDIR/asked")" = "2 $(id -u alice)" ] # the protocol, and who
    logged "the user's, joined"
    [ "$(inits)" -eq 1 ] # pinned, by the command
    # one that is there is not asked for
    unit_is_asked 5
    host shared open close
    [ ! -e "$BATS_TEST_TMPDIR/asked" ]
    "$COMMAND" namespace unpin alice
    eventually no_init_left
    kill "$manager"
    rm /run/pam_unshare/make
    log_position
    host shared open close # negative control: without the socket it makes it
    logged "the user's, made"
}

@test "a unit that fails, ends or makes nothing: the session gets a namespace of its own" {
    local how
    for how in 5:"the unit cannot make the user's namespace: Input/output error" \
        close:'the unit has not answered' \
        0:'the unit has made no namespace'; do
        log_position
        unit_is_asked "${how%%:*}"
        run host shared open run 'readlink /proc/self/ns/pid' close
        [[ $output == *pid:* ]]
        [[ $output != *"$(readlink /proc/self/ns/pid)"* ]]
        logged "gets a namespace of its own, which the user's other sessions do not share: ${how#*:}"
        eventually no_init_left
    done
}

@test "a unit that says nothing is waited for, but not for ever" {
    unit_is_asked silent
    host shared open close
    logged "wait for the unit that makes the user's namespace: Connection timed out"
}

@test "nobody listens at the socket of the unit: a leftover" {
    install -d -m 700 /run/pam_unshare
    python3 -c 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).bind("/run/pam_unshare/make")'
    host shared open close
    logged "the user's, made"
}

@test "request: only a connection of root's is served" {
    run "$COMMAND" namespace request </dev/null
    [ "$status" -eq 2 ]
    [ "$output" = 'pam-unshare: standard input is no connection of root'"'"'s' ]
    run python3 -c '
import os, socket, subprocess, sys
here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
here.send(b"garbage")
sys.exit(subprocess.run([sys.argv[1], "namespace", "request"], stdin=there).returncode)' "$COMMAND"
    [ "$status" -eq 2 ]
    [ "$output" = 'pam-unshare: the request is not understood' ]
}

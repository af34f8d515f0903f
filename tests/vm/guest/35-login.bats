#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# agetty and login on a serial line, with a real password.

load lib

setup_file() {
    prepare
    start_secret
}

setup() {
    enable login
}

teardown() {
    disable login
    LIMIT=30 eventually no_init_left
}

serial() {
    "$BATS_TEST_DIRNAME/serial-login" alice alice-password "$1"
}

@test "login: on the serial console" {
    with_and_without login isolated serial "$PROBE"
}

@test "login: logout returns to the prompt as promptly as without the module, and the next login works" {
    # a limit for a hang, not a measurement: both are well below
    with=$(serial true 2>&1 >/dev/null)
    isolated serial "$PROBE" # ends only when the next prompt is there
    disable login
    without=$(serial true 2>&1 >/dev/null)
    echo "with $with s, without $without s"
    awk -v with="$with" -v without="$without" 'BEGIN { exit !(with < without + 5) }'
}

@test "login: a process in the background does not hold up the logout" {
    enable login
    said=$(serial 'trap "" HUP; sleep 4730 & echo started' 2>"$BATS_TEST_TMPDIR/took")
    grep started <<<"$said"
    awk '{ exit !($1 < 15) }' "$BATS_TEST_TMPDIR/took" # a limit for a hang
    LIMIT=30 eventually no_init_left
    run pgrep -f 'sleep 4730'
    [ "$status" -ne 0 ]
    isolated serial "$PROBE"
}

@test "login: a wrong password is refused" {
    run "$BATS_TEST_DIRNAME/serial-login" alice wrong
    [ "$status" -ne 0 ]
    [[ $output == *'Login incorrect'* ]]
    isolated serial "$PROBE"
}

@test "login: root is left alone" {
    said=$("$BATS_TEST_DIRNAME/serial-login" root root-password 'readlink /proc/self/ns/pid')
    [ "$said" = "$(readlink /proc/self/ns/pid)" ]
    isolated serial "$PROBE"
}

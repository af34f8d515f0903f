#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# scope=user: what a hostile user, a shortage or an unlucky moment could do to a user's namespace,
# and to those who want to join it.

load lib

setup_file() {
    prepare
    stack shared "required pam_unshare.so scope=user grace=8"
}

setup() {
    WORK=$(mktemp -d /run/hostile.XXXX)
    mkfifo "$WORK/session" "$WORK/peer"
    exec 7<>"$WORK/session" 8<>"$WORK/peer"
    log_position
}

teardown() {
    exec 7>&- 8>&-
    pkill -9 -x strace || true
    pkill -9 -x host || true
    pkill -9 -u alice || true
    eventually no_init_left
}

# An application that holds a session of alice's open, the first
begin() { # [COMMAND…]: after it has opened
    host shared open "$@" hold opened close hold closed end <&7 >"$WORK/out" 2>&1 3>&- 7>&- 8>&- &
    eventually grep -qx opened "$WORK/out"
    INIT=$(pgrep -x pam_unshare)
    PLACE=$(find /run/pam_unshare -type s -name '1000.*')
}

close_session() {
    echo >&7
    eventually grep -qx closed "$WORK/out"
}

# Another process of root's, which speaks to the init
peer() { # COMMAND…
    timeout -k 1 60 python3 "$TOP/tests/system/user_peer.py" "$PLACE" "$@" <&8 >"$WORK/peer-out" 2>&1 3>&- 7>&- 8>&- &
    PEER=$!
    eventually grep -qx held "$WORK/peer-out"
}

@test "who waits for an answer when the last member leaves is told at once, not after the grace period" {
    begin spawn 'trap "" HUP TERM; exec sleep 1000'
    eventually pgrep -u alice sleep
    peer connect hold ended 5000
    close_session
    echo >&8
    wait "$PEER"
    eventually grep -qx ended "$WORK/peer-out"
    pgrep -u alice sleep # still in the grace period
}

@test "negative control: while there is a member nobody is told so" {
    begin
    peer connect hold ended 100
    echo >&8
    wait "$PEER"
    grep -qx open "$WORK/peer-out"
}

# Out of descriptors while a connection is served
starve() {
    strace -qq -p "$INIT" -o "$WORK/trace" -e trace=accept4,epoll_pwait -e inject=accept4:error=ENFILE:when=2 3>&- 7>&- 8>&- &
    eventually test -s "$WORK/trace"
    peer connect hold ask
    host shared open close end >"$WORK/late" 3>&- 7>&- 8>&- &
    LATE=$!
    eventually grep -q ENFILE "$WORK/trace"
    echo >&8
    wait "$PEER" "$LATE"
}

@test "an init that was out of descriptors for a moment listens again" {
    begin
    starve
    grep -qx open=0 "$WORK/late"
    run grep_log 'namespace of its own'
    [ "$status" -ne 0 ]
    close_session
    eventually flock -n "$PLACE.lock" true # the init has seen it
}

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
    never_logged 'namespace of its own'
    close_session
    eventually flock -n "$PLACE.lock" true # the init has seen it
}

# ---- what the first opener hands down ----------------------------------------------------------

# An opener of alice's with the lowest priority, which is killed first, and with limits of its own
begin_poorly() { # PRLIMIT…
    : >"$WORK/out" # of the one before
    (
        echo 1000 >/proc/self/oom_score_adj
        exec nice -n 19 prlimit "$@" "$HOST" /run/pam.d shared alice open hold opened close end
    ) <&7 >"$WORK/out" 2>&1 3>&- 7>&- 8>&- &
    eventually grep -qx opened "$WORK/out"
    INIT=$(pgrep -x pam_unshare)
}

second_session() { # the log's word for it
    log_position
    host shared open close end >"$WORK/second"
    logged 'session of alice closed' || return
    tail -n "+$LOG_FROM" /run/syslog | grep -oE 'namespace of its own.*|made$|joined$' | head -n 1
}

@test "the first opener's priority and its place with the out-of-memory killer are not the init's" {
    begin_poorly --nofile=1000
    [ "$(ps -o ni= -p "$INIT" | tr -d ' ')" = 0 ]
    [ "$(cat "/proc/$INIT/oom_score_adj")" -le 0 ]
    [ "$(ps -o ni= -p "$(pgrep -x host)" | tr -d ' ')" = 19 ] # negative control
    [ "$(second_session)" = joined ]
}

# Either the init has lifted them, which takes CAP_SYS_RESOURCE, or it is that session's own
not_handed_down() { # PRLIMIT
    local second
    begin_poorly "$1"
    second=$(second_session)
    ! grep -E '^Max (cpu time|open files) +60 ' "/proc/$INIT/limits" || [ "$second" = made ] || return
    echo >&7
    eventually no_init_left
    echo "$second"
}

@test "limits that could end the init or keep members out are lifted, or nobody else shares the namespace" {
    not_handed_down --cpu=60
    not_handed_down --nofile=60
    [ "$(not_handed_down --stack=8000000)" = joined ] # negative control
}

@test "the init has a normal priority before it holds the lock: a slow one would keep everybody waiting" {
    strace -f -qq -o "$WORK/trace" -e trace=flock,sched_setscheduler "$HOST" /run/pam.d shared alice open close end
    [ "$(grep -oE 'sched_setscheduler|flock' "$WORK/trace" | tr '\n' ' ')" = "sched_setscheduler flock " ]
}

# ---- what the application lacks ----------------------------------------------------------------

# Another session, of an application that lives on and closes it when all its descriptors are in use
close_without_descriptors() {
    local keep=()
    for _ in {1..8}; do
        keep+=(keep /etc/passwd)
    done
    cd "$WORK" || return
    host shared open "${keep[@]}" descriptors 14 "$@" hold held <&8 >"$WORK/second" 3>&- 7>&- 8>&- &
    cd "$TOP" || return
    eventually grep -qx held "$WORK/second"
}

members() {
    python3 "$TOP/tests/system/user_peer.py" "$PLACE" connect ask
}

@test "an application that has no descriptor left leaves the namespace and finds its directory all the same" {
    begin
    close_without_descriptors close
    grep -qx close=0 "$WORK/second"
    [[ $(members) == *"'members': 1,"* ]]
    [ "$(readlink "/proc/$(pgrep -nx host)/cwd")" = "$WORK" ]
    echo >&8
}

@test "negative control: it is a member, and inside, until it closes" {
    begin
    close_without_descriptors
    [[ $(members) == *"'members': 2,"* ]]
    echo >&8
}

@test "the log says that an init was not told of the end" {
    begin
    strace -f -qq -o "$WORK/trace" -e trace=sendmsg -e inject=sendmsg:error=ENOBUFS:when=2 \
        "$HOST" /run/pam.d shared alice open close end
    logged 'init [0-9]+ was not told that the session of alice has ended, and goes on until the application ends: No buffer'
    logged 'session of alice closed'
}

@test "a lingering init that could not watch the last process ends all the same, later" {
    stack lingering "required pam_unshare.so scope=user linger"
    host lingering open spawn 'exec sleep 1000' hold opened close hold closed end <&7 >"$WORK/out" 2>&1 3>&- 7>&- 8>&- &
    eventually grep -qx opened "$WORK/out"
    eventually pgrep -u alice sleep
    INIT=$(pgrep -x pam_unshare)
    PLACE=$(find /run/pam_unshare -type s -name '1000.*')
    strace -qq -p "$INIT" -o "$WORK/trace" -e trace=pidfd_open,epoll_pwait -e inject=pidfd_open:error=ENFILE:when=1 3>&- 7>&- 8>&- &
    eventually test -s "$WORK/trace"
    close_session
    eventually grep -q ENFILE "$WORK/trace"
    pkill -u alice sleep # the application's child, which does not reap it
    eventually flock -n "$PLACE.lock" true
}

@test "a user who has used up the machine's descriptors takes the grace period from nobody" {
    stack short "required pam_unshare.so scope=user grace=2"
    host short open spawn "trap '' HUP; trap 'sleep 0.3; echo saved >$WORK/saved; exit' TERM; while :; do sleep 0.05; done" \
        hold opened close end <&7 >"$WORK/out" 2>&1 3>&- 7>&- 8>&- &
    chmod 777 "$WORK"
    eventually grep -qx opened "$WORK/out"
    eventually pgrep -u alice sleep
    INIT=$(pgrep -x pam_unshare)
    strace -qq -p "$INIT" -o "$WORK/trace" -e trace=timerfd_create,epoll_pwait -e inject=timerfd_create:error=ENFILE 3>&- 7>&- 8>&- &
    eventually test -s "$WORK/trace"
    echo >&7
    eventually test ! -e "/proc/$INIT"
    grep -q ENFILE "$WORK/trace"
    grep -qx saved "$WORK/saved"
}

@test "an init that is asked without a limit of time is not asked at all" {
    begin
    kill -STOP "$INIT" # it would not answer
    strace -f -qq -o "$WORK/trace" -e trace=setsockopt -e inject=setsockopt:error=ENOPROTOOPT \
        "$HOST" /run/pam.d shared alice open close end >"$WORK/second"
    kill -CONT "$INIT"
    grep -qx open=0 "$WORK/second"
    logged 'namespace of its own, .*: limit the time that the init may take: Protocol not available'
}

# As on a file server that does not know root, NFS or the caller's own FUSE
from_a_closed_directory() { # STACK
    host "$1" chdir /home/alice/closed drop cap_dac_override drop cap_dac_read_search open run 'echo in $(pwd)' close end
}

@test "from a directory that even root may not enter a session opens, in /" {
    install -d -o alice -g alice -m 700 /home/alice/closed
    stack own "required pam_unshare.so"
    stack off "required pam_permit.so"
    for service in shared own; do
        run from_a_closed_directory "$service"
        [[ $output == *open=0*"in /"$'\n'*close=0* ]]
    done
    run from_a_closed_directory off # negative control
    [[ $output == *"in /home/alice/closed"* ]]
}

# bats test_tags=plain
@test "a file and a directory on the caller's own FUSE keep nobody from su" {
    [ -e /dev/fuse ] || mknod /dev/fuse c 10 229
    (: <>/dev/fuse) 2>/dev/null || skip "no FUSE"
    chmod 666 /dev/fuse
    install -d -o alice -g alice /home/alice/fuse
    on_fuse() { # COMMAND
        timeout -k 1 60 python3 "$TOP/tests/system/foreign_fuse.py" /home/alice/fuse 1000 \
            setpriv --reuid alice --regid alice --clear-groups sh -c "$1"
    }
    for arguments in "" scope=user; do
        enable su "$arguments"
        sed -i '1i auth sufficient pam_permit.so' /etc/pam.d/su
        [ "$(on_fuse 'su bob -c "echo in" </home/alice/fuse/file')" = in ]
        [ "$(on_fuse 'cd /home/alice/fuse; su bob -c "echo in"')" = in ]
    done
    disable su
    run stat /home/alice/fuse/file # it is not there
    [ "$status" -ne 0 ]
    # negative control: root may not look at it
    run timeout -k 1 60 python3 "$TOP/tests/system/foreign_fuse.py" /home/alice/fuse 1000 stat /home/alice/fuse/file
    [[ $output == *"Permission denied"* ]]
}

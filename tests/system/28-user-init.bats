#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The init of a user's namespace (scope=user), seen from the host: what it holds and what it calls.

load lib
load user
load init

setup_file() {
    prepare
    prepare_stays
    stack user "required pam_unshare.so scope=user grace=1"
    stack linger "required pam_unshare.so scope=user linger grace=1"
    stack brutal "required pam_unshare.so scope=user grace=0"
    stack hidden "required pam_unshare.so scope=user grace=1 proc_options=hidepid=2"
    stack session "required pam_unshare.so scope=session grace=1"
}

setup() {
    log_position
    export PYTHONPATH=$TOP/tests/system
}

teardown() {
    let_all_go
    pkill -9 -u alice || true
    leave_all
}

# holds CHECK: true of the init, false of the application that it is a fork of
holds() {
    "$@" "$INIT" || { die "not of the init: $*"; return 1; }
    ! "$@" "$FIRST" || { die "of the application too: $*"; return 1; }
}

# ---- what it is and has ----------------------------------------------------------------------------

descriptors_of() { # PID
    readlink "/proc/$1/fd/"* | sed 's/socket:.*/socket/' | LC_ALL=C sort | uniq -c | sed 's/^ *//'
}

# Three members, and what design.md lists; "/" is the procfs
few_descriptors() {
    diff <(descriptors_of "$1") - <<END
1 /
1 $PLACE.lock
1 anon_inode:[eventpoll]
3 anon_inode:[pidfd]
1 anon_inode:[signalfd]
1 anon_inode:[timerfd]
1 socket
END
}

not_the_callers() {
    only_cap_kill "$1" && root_in_every_id "$1" && no_handler_nothing_ignored "$1" && umask_022 "$1"
}

named() {
    [ "$(cat "/proc/$1/comm")" = pam_unshare ] && [ "$(ps -o args= -p "$1")" = "pam_unshare: init of alice" ] &&
        [ "$(tr '\0' '\n' <"/proc/$1/environ" | wc -c)" -eq 0 ]
}

has_no_terminal() {
    [ "$(ps -o tty= -p "$1")" = '?' ] && [ "$(ps -o sid= -p "$1" | tr -d ' ')" = "$1" ]
}

@test "descriptors, capabilities, ids, signals, umask, name" {
    cd /usr
    umask 027
    begin user keep /etc/passwd
    cd "$TOP"
    holds few_descriptors
    holds not_the_callers
    holds named
    holds at_the_root
    [ "$(status_of "$INIT" SigBlk)" = fffffffe7ffbfeff ]
    # it sees the namespace only: its procfs is detached, and of that
    [ -d "/proc/$INIT/fd/5/1" ] && [ ! -e "/proc/$INIT/fd/5/$INIT" ]
}

# bats test_tags=plain
@test "nothing of the application's memory: heap, mappings, data, arguments, environment" {
    for before in "" old-kernel; do
        rm -f "$STAYS"/*.go "$STAYS/out"
        mkfifo "$STAYS/go"
        # shellcheck disable=SC2086 # none or one
        SECRET_IN_ENVIRONMENT=no-one-may-know "$HOST" /run/pam.d user alice remember no-one-may-know $before open hold opened close end \
            <>"$STAYS/go" >"$STAYS/out" 2>&1 3>&- &
        FIRST=$!
        echo "$FIRST" >"$STAYS/before.pid"
        eventually grep -qx opened "$STAYS/out"
        INIT=$(pgrep -x pam_unshare)
        eventually settled "$INIT"
        holds forgets
        holds no_other_library
        run grep -E 'tests/programs/host|\[heap\]|\[stack\]' "/proc/$INIT/maps"
        [ "$status" -ne 0 ]
        echo >"$STAYS/go"
        wait "$FIRST"
        eventually no_init_left
        rm "$STAYS/go" "$STAYS/out"
    done
}

@test "whoever calls su: the init is root's, and other callers join" {
    begin user ruid 1001
    root_in_every_id "$INIT"
    run root_in_every_id "$FIRST" # negative control
    [ "$status" -ne 0 ]
    for caller in 1000 1001; do
        host user ruid "$caller" open close end | grep -qx open=0
    done
    [ "$(count_logged 'session of alice opened: .*, the user.s, joined$')" -eq 4 ]
    setpriv --reuid bob --regid bob --clear-groups kill -0 "$FIRST"
    run setpriv --reuid bob --regid bob --clear-groups kill -0 "$INIT"
    [ "$status" -ne 0 ]
}

@test "with hidepid and linger it sees what it waits for" {
    stack lingering "required pam_unshare.so scope=user linger grace=1 proc_options=hidepid=invisible"
    hold_session first alice lingering spawn 'exec sleep 4761' hold spawned
    let_go first
    eventually pgrep -u alice -f '^sleep 4761'
    let_all_go
    left() { [ "$(ask alice n_members)" -eq 0 ]; }
    eventually left
    INIT=$(pgrep -x pam_unshare)
    joins
    pgrep -u alice -f '^sleep 4761'
    pkill -f '^sleep 4761'
    eventually no_init_left
}

@test "no context switch in ten idle seconds with three members" {
    begin user
    stays_idle "$INIT"
    before=$(switches "$INIT")
    joins
    [ "$(switches "$INIT")" -gt "$before" ]
}

@test "priority, processors and limits of the first application are not the init's" {
    odd=(nice -n 7 taskset -c 0)
    ! can_raise_limits || odd+=(prlimit --cpu=1000:1000 --nofile=64:64) # otherwise it gets none, see 29-user-limits.bats
    fifo="$STAYS/go"
    mkfifo "$fifo"
    begin_oddly() {
        rm -f "$STAYS/odd.out"
        "${odd[@]}" "$HOST" /run/pam.d "$1" alice open hold opened close end <>"$fifo" >"$STAYS/odd.out" 2>&1 3>&- &
        echo "$!" >"$STAYS/odd.pid"
        eventually grep -qx opened "$STAYS/odd.out"
        INIT=$(pgrep -x pam_unshare)
    }
    ordinary() {
        [ "$(ps -o ni= -p "$INIT" | tr -d ' ')" = 0 ] &&
            [ "$(taskset -p "$INIT" | sed 's/.*: //')" = "$(taskset -p $$ | sed 's/.*: //')" ] &&
            { ! can_raise_limits || [ "$(awk '/Max open files/ { print $4 }' "/proc/$INIT/limits")" -gt 10000 ]; }
    }
    begin_oddly user
    ordinary
    echo >"$fifo"
    eventually no_init_left
    begin_oddly session # negative control
    run ordinary
    [ "$status" -ne 0 ]
    echo >"$fifo"
}

# ---- its system calls ----------------------------------------------------------------------------

# traced SERVICE COMMAND…: the init's calls after it was ready, of a run of the application in which two others
# join and leave, one dies, somebody asks, pins and unpins, and somebody sends nonsense
traced() {
    local service=$1
    shift
    rm -f "$STAYS/go" "$STAYS/out"
    mkfifo "$STAYS/go"
    strace -f -qq -o "$STAYS/trace" "$HOST" /run/pam.d "$service" alice open hold opened "$@" \
        <>"$STAYS/go" >"$STAYS/out" 2>&1 3>&- &
    local tracer=$!
    echo "$tracer" >"$STAYS/tracer.pid"
    eventually grep -qx opened "$STAYS/out"
    host "$service" open run true close end >/dev/null
    host "$service" open kill-self 9 >/dev/null 2>&1 || true
    python3 - <<'END'
from user_client import *
for operation in (PIN, UNPIN, ASK, 77):
    ask(1000, request(operation))
send(connect(1000), b"nonsense")
END
    echo >"$STAYS/go"
    wait "$tracer" || true
    eventually no_init_left
    calls_in "$STAYS/trace"
}

# bats test_tags=plain
@test "the system calls that it makes after it is ready are those that doc/design.md lists" {
    {
        for service in user linger brutal hidden; do
            traced "$service" run 'exit 0' close end
            traced "$service" spawn 'exec sleep 0.3' close end
        done
        for service in user brutal hidden; do
            traced "$service" spawn "$STUBBORN" run "$STUBBORN_RUNS" close end
            traced "$service" spawn "$STUBBORN" run "$STUBBORN_RUNS" kill-self 9
        done
    } | sort -u >"$STAYS/made"
    diff -u <(documented_calls 'After "ready" the init makes' "The init of a user's namespace makes these besides" | sort -u) "$STAYS/made"
    # negative control: that of a session makes fewer
    strace -f -qq -o "$STAYS/trace" "$HOST" /run/pam.d session alice open run 'exit 0' close end >/dev/null
    run bash -c "sort -u | diff - '$STAYS/made'" < <(calls_in "$STAYS/trace")
    [ "$status" -ne 0 ]
}

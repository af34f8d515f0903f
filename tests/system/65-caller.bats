#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a caller hands down: limits, blocked signals, timers, a huge mount table, many processes. The
# session is isolated or refused, and nothing is left.

load lib

setup_file() {
    prepare
    stack plain "required pam_unshare.so"
    stack off "required pam_permit.so"
}

setup() {
    remember_host
    log_position
    start_secret
    enable su
}

teardown() {
    disable su
    kill "$SECRET_PID"
    ! mountpoint -q /run/many || umount -l /run/many
    eventually no_init_left
}

# outcome COMMAND…: what the probe in a session makes of it
outcome() {
    local output
    output=$(timeout -k 1 60 "$@" 2>&1 </dev/null)
    if ! grep -q '^foreign=' <<<"$output"; then
        echo refused
    elif grep -qx foreign=0 <<<"$output" && grep -qx secret=hidden <<<"$output"; then
        echo isolated
    else
        echo visible
    fi
}

# border RESOURCE VALUE…: under each limit isolated or refused, under the last one isolated
border() {
    local resource=$1 value result
    shift
    for value; do
        result=$(outcome prlimit "--$resource=$value:$value" su -c "$PROBE" alice)
        echo "$resource=$value: $result"
        [ "$result" = isolated ] || [ "$result" = refused ] || return 1
        eventually no_init_left || return 1
    done
    [ "$result" = isolated ]
}

@test "negative control: without the module a session is visible, without a session refused" {
    [ "$(outcome su -c "$PROBE" alice)" = isolated ]
    disable su
    [ "$(outcome su -c "$PROBE" alice)" = visible ]
    [ "$(outcome su -c "$PROBE" nobody-of-this-name)" = refused ]
}

@test "limits on descriptors, files, processes, signals and locks, at 0 and at the border" {
    border nofile 0 3 4 8 10 11 12 13 14 16 18 20 24 64
    border fsize 0 1 4096
    border nproc 0 1 2 10000
    border sigpending 0 1
    border memlock 0
    border core 0
    border rtprio 0
    border msgqueue 0
}

@test "limits on memory, at 0 and at the border" {
    border as 0 4000000 8000000 9000000 10000000 12000000 14000000 16000000 20000000 64000000
    border data 0 100000 300000 500000 1000000 4000000 16000000
    border stack 0 4096 65536 131072 262144 1048576
}

@test "all signals blocked, and a timer that fires all the time" {
    cat >"$BATS_TEST_TMPDIR/caller.py" <<'END'
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, set(range(1, 65)) - {32, 33})
signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
os.execv(sys.argv[1], sys.argv[1:])
END
    run timeout -k 1 60 python3 "$BATS_TEST_TMPDIR/caller.py" "$HOST" /run/pam.d plain alice \
        state open run "$PROBE" close state end
    [[ $output == *foreign=0* && $output == *close=0* ]]
    grep -q '^SigBlk:.*fffffffe7ffbfeff' <<<"$output" # negative control: they are blocked
    same_state "$output"
}

@test "5000 mounts, with every byte that a name can have" {
    mkdir -p /run/many
    mount -t tmpfs many /run/many
    python3 - <<'END'
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
names = [b"%c" % n for n in range(1, 256) if n not in b"/."] + [b"\\040", b"a b\tc\nd\\e#f", b" ", b"#"]
names = list(dict.fromkeys(names))
names += [b"%d \n%s" % (i, names[i % len(names)]) for i in range(5000 - len(names))]
for i, name in enumerate(names):
    path = b"/run/many/" + name
    os.mkdir(path)
    if i % 500 == 499:
        result = libc.mount(b"proc", path, b"proc", 0, None)
    else:
        result = libc.mount(b"/run/pam.d", path, None, 4096, None)
    assert result == 0, (name, os.strerror(ctypes.get_errno()))
END
    [ "$(wc -l </proc/self/mountinfo)" -gt 5000 ]
    # no procfs among them shows the host: each shows the init, and is told from its directory's name
    look='n=0; for d in /run/many/*; do [ ! -e "$d/1" ] || n=$((n + 1));
        [ ! -e "$d/'$SECRET_PID'" ] || echo host; done; echo "instances=$n"'
    run host plain state open run "$PROBE; $look" close state end
    [[ $output == *foreign=0* && $output == *close=0* ]]
    grep -qx instances=10 <<<"$output"
    run grep -qx host <<<"$output"
    [ "$status" -ne 0 ]
    run host off open run "$look" close end # negative control
    grep -qx host <<<"$output"
    umount -l /run/many
    eventually host_is_unchanged
}

@test "a session with 2000 processes ends" {
    many='i=0; while [ $i -lt 2000 ]; do sleep 1000 </dev/null >/dev/null 2>&1 & i=$((i + 1)); done
        set -- /proc/[0-9]*; echo "processes=$#"'
    run host plain state open run "$many" close state end
    [[ $output == *close=0* ]]
    [ "$(sed -n 's/^processes=//p' <<<"$output")" -ge 2000 ]
    same_state "$output"
    none() { [ "$(pgrep -xcu alice sleep)" -eq 0 ]; }
    eventually none
    # negative control: they would go on
    run host off open run "$many" close end
    run none
    [ "$status" -ne 0 ]
    pkill -KILL -xu alice sleep
    eventually none
}

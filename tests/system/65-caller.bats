#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a caller hands down: limits, blocked signals, timers, an environment, no arguments, a tracer, a
# process group that is stopped, an odd /proc, a huge mount table, many processes. The session is
# isolated or refused, and nothing is left.

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
    disable sudo
    rm -f /etc/sudoers.d/caller
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

# let_bob: call su and sudo, which take on root's privileges by that, and are to ask for no password
let_bob() {
    echo 'bob ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/caller
    sed -i 's/pam_rootok.so/pam_permit.so/' /etc/pam.d/su
}

# by_bob VARIABLES COMMAND…: what becomes of it, called by bob with these variables, a line each. And
# with one more: sudo 1.9.16 crashes when the dynamic linker, which takes its own away, leaves none.
by_bob() {
    outcome setpriv --reuid bob --regid bob --clear-groups env -i ONE=more "${@}"
}

@test "an environment of all that libraries, shells and the applications look at" {
    local variables=() host=/proc/$SECRET_PID/root i
    install -m 755 "$TOP/$BUILD/tests/programs/preloaded.so" /run/preloaded.so
    for i in LD_{PRELOAD,AUDIT,PROFILE,ORIGIN_PATH,LIBRARY_PATH,SHOW_AUXV,DEBUG_OUTPUT}; do
        variables+=("$i=/run/preloaded.so")
    done
    for i in LOCPATH NLSPATH GCONV_PATH GETCONF_DIR TZDIR TMPDIR HOSTALIASES RESOLV_HOST_CONF HOME USER \
        LOGNAME SHELL TERM MAIL CDPATH IFS LANGUAGE LC_ALL LC_MESSAGES LC_CTYPE ENV BASH_ENV XDG_RUNTIME_DIR; do
        variables+=("$i=$host")
    done
    variables+=(LD_DEBUG=all LD_BIND_NOW=1 LD_BIND_NOT=1 LD_DYNAMIC_WEAK=1
        GLIBC_TUNABLES=glibc.malloc.check=3:glibc.malloc.perturb=170:glibc.pthread.rseq=0
        MALLOC_CHECK_=3 MALLOC_PERTURB_=170 MALLOC_ARENA_MAX=0 MALLOC_TRACE=/run/trace
        LANG=%n%n%n%n TZ=:/proc/1/environ SHELLOPTS=posix 'PS4=$(id)' PAM_USER=root PAM_SERVICE=other
        DISPLAY=:0 SUDO_ASKPASS=/bin/false SUDO_EDITOR=/bin/false "LONG=$(printf '%0100000d' 0)" 'a b=c')
    enable sudo
    let_bob
    called() { # VARIABLE…: by both
        [ "$(by_bob "$@" /usr/bin/su -s /bin/sh -c "exec $PROBE" alice)" = "$wanted" ] &&
            [ "$(by_bob "$@" /usr/bin/sudo -u alice /run/probe "$SECRET")" = "$wanted" ] ||
            die "not $wanted: $(printf "%.80s " "$@")"
    }
    wanted=isolated
    for i in "${variables[@]}"; do
        called "$i"
    done
    called "${variables[@]}"
    disable su
    disable sudo
    let_bob
    wanted=visible # negative control
    called "${variables[@]}"
}

@test "no argument, not even a name, and one of 100000 bytes" {
    enable su include_root # without arguments it is root's shell
    enable sudo grace=5
    cat >"$BATS_TEST_TMPDIR/caller.py" <<'END'
import ctypes, os, sys
strings = lambda *words: (ctypes.c_char_p * (len(words) + 1))(*words, None)
words = {"none": [], "empty": [b""], "long": [b"x" * 100000], "odd": [b"../\n\x1b[2J%n -"]}[sys.argv[2]]
ctypes.CDLL(None).execve(sys.argv[1].encode(), strings(*words), strings(b"PATH=/bin:/usr/bin"))
END
    for words in none empty long odd; do
        # shellcheck disable=SC2016 # the shell inside expands
        without_arguments() { python3 "$BATS_TEST_TMPDIR/caller.py" "$1" "$words" <<<"$PROBE; cat /proc/1/cmdline"; }
        run without_arguments /usr/bin/su
        [[ $output == *foreign=0* && $output == *secret=hidden* ]]
        [[ $output == *"pam_unshare: init of root (su)"* ]]
        run without_arguments /usr/bin/sudo
        [ "$status" -ne 0 ]
        [[ $output != *foreign=* ]]
    done
    disable su
    run without_arguments /usr/bin/su # negative control
    [[ $output == *secret=found* ]]
}

@test "a tracer: with root's isolated; with the caller's, which is to read what becomes root, refused" {
    let_bob
    enable sudo
    local traced=(strace -qq -o /dev/null)
    for follow in "" -f; do
        # shellcheck disable=SC2086 # none or one
        [ "$(outcome "${traced[@]}" $follow su -c "$PROBE" alice)" = isolated ]
        # shellcheck disable=SC2086
        [ "$(outcome "${traced[@]}" $follow sudo -u alice /run/probe "$SECRET")" = isolated ]
        # shellcheck disable=SC2086 # the kernel takes the privileges from it
        [ "$(by_bob "${traced[@]}" $follow /usr/bin/su -s /bin/sh -c "exec $PROBE" alice)" = refused ]
        # shellcheck disable=SC2086
        [ "$(by_bob "${traced[@]}" $follow /usr/bin/sudo -u alice /run/probe "$SECRET")" = refused ]
    done
    [ "$(by_bob /usr/bin/su -s /bin/sh -c "exec $PROBE" alice)" = isolated ]
    disable su
    [ "$(outcome "${traced[@]}" -f su -c "$PROBE" alice)" = visible ] # negative control
}

# stopped_at CALL SIGNAL: a process group of which each process is stopped when the application makes
# that call, and goes on; prints what the application does
stopped_at() {
    local output=$BATS_TEST_TMPDIR/output trace=$BATS_TEST_TMPDIR/trace group status=0
    set -m # a process group of its own, of which the shell is no member
    strace -DD -qq -o "$trace" -e "trace=${1%%:*}" -e "inject=${1%%:*}:signal=$2:when=${1#*:}" "$HOST" \
        /run/pam.d plain alice state open run "$PROBE" close state end >"$output" 2>&1 </dev/null 3>&- &
    group=$!
    set +m
    eventually grep -q "^--- stopped by SIG$2" "$trace" || status=2
    kill -STOP -- "-$group"
    # the init is not in the group
    [[ $(ps -C pam_unshare -o stat=) != *T* ]] || status=3
    kill -CONT -- "-$group"
    wait "$group" || status=$?
    cat "$output"
    return "$status"
}

@test "the process group is stopped while the session opens, and while it closes" {
    for at in unshare:1 pipe2:1 clone:2 setns:1 pidfd_send_signal:1; do
        for signal in STOP TTOU TSTP; do
            log_position
            run stopped_at "$at" "$signal"
            echo "$at $signal: $output"
            [ "$status" -eq 0 ]
            [[ $output == *open=0* && $output == *foreign=0* && $output == *close=0* ]]
            same_state "$output"
            eventually no_init_left
        done
    done
    run stopped_at unshare:7 STOP # negative control: it is not stopped there
    [ "$status" -ne 0 ]
}

# with_proc COMMAND…: su in a mount namespace in which the command has changed /proc; what becomes of it
with_proc() {
    local changed
    changed=$(printf '%q ' "$@")
    outcome unshare --mount --propagation slave bash -c "$changed && exec su -c '$PROBE' alice"
}

# root_with_proc COMMAND…: root gets in
root_with_proc() {
    local changed
    changed=$(printf '%q ' "$@")
    [ "$(unshare --mount --propagation slave bash -c "$changed && exec su -c 'echo in'")" = in ]
}

@test "a /proc that is read-only, hides, is mounted on, is covered or is missing" {
    local changes=(
        "isolated mount -o remount,ro,bind /proc"
        "isolated mount -t proc -o hidepid=2 proc /proc"
        "isolated mount -t proc -o hidepid=1,gid=1001 proc /proc"
        "isolated mount -t proc -o subset=pid proc /proc"
        "isolated mount --bind /proc /proc"
        "isolated mount --rbind /proc /proc"
        "isolated mount -t tmpfs tmpfs /proc/sys/fs"
        "isolated mount --bind /dev/null /proc/uptime"
        "isolated mount -t proc proc /proc/sys/fs"
        "isolated mount -t tmpfs tmpfs /proc/$$/task"
        "refused mount -t tmpfs tmpfs /proc"
        "refused mount --bind /proc/$SECRET_PID /proc"
        "refused umount -l /proc"
    )
    for change in "${changes[@]}"; do
        local wanted=${change%% *} command=${change#* }
        log_position
        # shellcheck disable=SC2086 # words
        result=$(with_proc $command)
        echo "$command: $result"
        [ "$result" = "$wanted" ]
        [ "$wanted" = isolated ] || logged 'pam_unshare\(su:session\): cannot isolate the session of alice: .*/proc'
        # shellcheck disable=SC2086
        root_with_proc $command
        eventually no_init_left
    done
    disable su
    [ "$(with_proc mount -o remount,ro,bind /proc)" = visible ] # negative control
    [ "$(with_proc mount -t proc -o subset=pid proc /proc)" = visible ]
}

@test "a /proc that is of an outer PID namespace, or of an inner one" {
    local inner arguments
    [ "$(outcome unshare --pid --fork su -c "$PROBE" alice)" = isolated ]
    unshare --pid --fork --mount-proc sleep 1000 3>&- &
    inner=$!
    eventually pgrep -xP "$inner" sleep
    in_inner_proc() { "$@" nsenter "--mount=/proc/$(pgrep -xP "$inner" sleep)/ns/mnt" su "${arguments[@]}"; }
    log_position
    arguments=(-c "$PROBE" alice)
    [ "$(in_inner_proc outcome)" = refused ]
    logged 'pam_unshare\(su:session\): cannot isolate the session of alice: /proc does not show the application: .* or not that of its PID namespace'
    arguments=(-c 'echo in')
    [ "$(in_inner_proc command)" = in ]
    disable su
    [ "$(outcome unshare --pid --fork su -c "$PROBE" alice)" = visible ] # negative control
    arguments=(-c 'exec echo foreign=in' alice)
    [ "$(in_inner_proc outcome)" = visible ]
    kill -KILL "$(pgrep -xP "$inner" sleep)" # a PID 1 ignores others
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

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The namespace's init, seen from the host. Each property is also asserted of the application that
# it is a fork of, where it must not hold.

load lib
load init

setup_file() {
    prepare
    stack plain "required pam_unshare.so include_root"
}

setup() {
    work=$(mktemp -d /run/init.XXXX)
    mkfifo "$work/go"
    exec 7<>"$work/go"
}

teardown() {
    exec 7>&-
    pkill -9 -x host || true
    pkill -9 -u alice || true
    eventually no_init_left
}

# An application of a disorderly caller, holding a session open
begin() { # [COMMAND…]: before it opens
    cd /usr || return
    umask 027
    : >"$work/out" # of the one before
    host plain keep /etc/passwd keep /run "$@" open hold opened close end \
        <&7 >"$work/out" 2>&1 3>&- 7>&- &
    cd "$TOP" || return
    eventually grep -qx opened "$work/out"
    INIT=$(pgrep -x pam_unshare)
    APPLICATION=$(ps -o ppid= -p "$INIT" | tr -d ' ')
    eventually settled "$INIT" # the session does not wait for that
}

finish() {
    echo >&7
    eventually no_init_left
    grep -qx close=0 "$work/out"
}

# holds CHECK: true of the init, false of the application
holds() {
    "$@" "$INIT" || { die "not of the init: $*"; return 1; }
    ! "$@" "$APPLICATION" || { die "of the application too: $*"; return 1; }
}

two_descriptors() {
    [ "$(find "/proc/$1/fd" -type l | wc -l)" -eq 2 ] &&
        [ "$(readlink "/proc/$1/fd/"* | sed 's/:.*//' | sort | tr '\n' ' ')" = "anon_inode anon_inode " ]
}

named() {
    [ "$(cat "/proc/$1/comm")" = pam_unshare ] &&
        [ "$(ps -o args= -p "$1")" = "pam_unshare: init of alice (plain)" ] &&
        [ "$(tr '\0' '\n' <"/proc/$1/environ" | wc -c)" -eq 0 ]
}

in_lsns() {
    lsns -rno PID,COMMAND -t pid | grep -q "^$1 pam_unshare:.*init.*alice"
}

@test "descriptors, capabilities, ids, signals, cwd, umask, name" {
    begin ignore 17 ignore 15 ignore 1 ignore-raw 33 ruid 1001
    holds two_descriptors
    holds only_cap_kill
    holds root_in_every_id
    holds no_handler_nothing_ignored
    holds at_the_root
    holds umask_022
    holds named
    holds in_lsns
    # every signal is blocked, but for SIGKILL, SIGSTOP and glibc's own two
    [ "$(status_of "$INIT" SigBlk)" = fffffffe7ffbfeff ]
    # one descriptor is the application's pidfd
    grep -qx "Pid:[[:space:]]*$APPLICATION" /proc/"$INIT"/fdinfo/0
    finish
}

# bats test_tags=plain
@test "nothing of the application's memory: heap, mappings, data, arguments, environment" {
    for before in "" old-kernel; do
        # shellcheck disable=SC2086 # none or one
        SECRET_IN_ENVIRONMENT=no-one-may-know begin remember no-one-may-know $before
        holds forgets
        run grep -E 'tests/programs/host|\[heap\]|\[stack\]' "/proc/$INIT/maps"
        [ "$status" -ne 0 ]
        holds no_other_library
        [ "$(grep -cE '\[heap\]|\[stack\]' "/proc/$APPLICATION/maps")" -eq 2 ] # negative control
        finish
    done
}

# bats test_tags=plain
@test "pages that cannot be unmapped, mseal(2): what is around a few goes, and many keep nobody waiting" {
    printf '%s\n' 6.10 "$(uname -r)" | sort -VC || skip "the kernel is an old one"
    local megabytes many=65536
    [ "$(getconf LONG_BIT)" = 64 ] || many=1024
    for megabytes in 1 "$many"; do
        begin remember no-one-may-know seal "$megabytes"
        [ "$megabytes" -gt 1 ] || holds forgets
        grep -q ' ---p 00000000 00:00 0 *$' "/proc/$INIT/maps" # negative control: those that are sealed are there
        finish
    done
}

# Private pages of a file that are as in the file are the page cache's, not the init's: which of them it has mapped
# alone depends on where the mapping begins (fault-around, mm/memory.c), and was twelve kilobytes in one of six runs.
own_memory() { # PID: in kilobytes
    awk '/^[0-9a-f]+-/ { private = 0 }
        /^Private_(Clean|Dirty):/ { private += $2 }
        /^Anonymous:/ { own += private < $2 ? private : $2 }
        END { print own + 0 }' "/proc/$1/smaps"
}

# Other machines than these keep the C library as a whole (doc/design.md), a page more.
small() {
    local page=$(($(getconf PAGESIZE) / 1024)) pages=8 own tables
    case $(uname -m) in x86_64 | i?86) ;; *) pages=9 ;; esac
    own=$(own_memory "$1") tables=$(kilobytes "/proc/$1/status" VmPTE:)
    echo "# $own kB of its own, $tables kB of page tables, $page kB a page"
    [ "$own" -le $((pages * page)) ] && [ "$tables" -le $((12 * page)) ]
}

# bats test_tags=plain
@test "at most 8 or 9 pages of memory of its own, and 12 of page tables, for a large application too" {
    begin grow 64
    holds small
    finish
}

@test "no terminal" {
    cat >"$work/drive.py" <<'END'
import pexpect, sys
child = pexpect.spawn(sys.argv[1], sys.argv[2:], encoding="utf-8", timeout=30)
child.expect_exact("opened")
child.expect(pexpect.EOF)
END
    python3 "$work/drive.py" "$HOST" /run/pam.d plain alice open hold opened close end 3>&- 7>&- &
    eventually pgrep -x pam_unshare
    INIT=$(pgrep -x pam_unshare)
    APPLICATION=$(ps -o ppid= -p "$INIT" | tr -d ' ')
    eventually session_leader_without_terminal "$INIT"
    [ "$(ps -o tty= -p "$APPLICATION")" != '?' ]
    kill -9 "$APPLICATION"
    eventually no_init_left
}

@test "it is not dumpable: even the owner of its ids cannot read it without CAP_SYS_PTRACE" {
    begin
    readable() {
        setpriv --bounding-set -sys_ptrace --inh-caps -sys_ptrace readlink "/proc/$1/exe" >/dev/null 2>&1
    }
    # negative control: a root process without capabilities, but dumpable
    setpriv --bounding-set -all,+kill --inh-caps -all sleep 1000 3>&- 7>&- &
    other=$!
    eventually grep -q sleep "/proc/$other/comm"
    run readable "$INIT"
    [ "$status" -ne 0 ]
    readable "$other"
    kill "$other"
    finish
}

@test "the OOM killer's adjustment is lowered as far as that is permitted" {
    echo 500 >/proc/self/oom_score_adj
    begin
    echo 0 >/proc/self/oom_score_adj || true
    if [ $((0x$(status_of "$APPLICATION" CapEff) >> 24 & 1)) -eq 1 ]; then
        [ "$(cat "/proc/$INIT/oom_score_adj")" -eq -1000 ]
    else
        [ "$(cat "/proc/$INIT/oom_score_adj")" -eq 0 ]
    fi
    [ "$(cat "/proc/$APPLICATION/oom_score_adj")" -eq 500 ]
    finish
}

# bats test_tags=plain
@test "in the /proc of an outer PID namespace no process of that number has its OOM adjustment changed" {
    # COMMAND…: an application is started by it, and the only adjustment that is opened is one's own, by
    # the init, when it has its own /proc
    adjusts_its_own() {
        strace -f -qq -e trace=openat,move_mount -o "$work/trace" "$@" "$HOST" /run/pam.d plain alice open close end \
            >"$work/out" 2>&1 3>&- 7>&- && grep -qx open=0 "$work/out" || return 2
        awk '/move_mount\(/ { moved[$1] = 1 }
             /oom_score_adj/ { n++; other = other || !moved[$1] || !/"\/proc\/self\/oom_score_adj"/ }
             END { exit n != 1 || other }' "$work/trace"
    }
    adjusts_its_own env
    adjusts_its_own unshare --pid --fork
    # negative control: the application's would be another one there
    run adjusts_its_own sh -c 'echo 0 >/proc/self/oom_score_adj; exec "$@"' sh
    [ "$status" -eq 1 ]
}

@test "no context switch in ten idle seconds" {
    begin
    # it has become idle once it sleeps
    eventually sh -c "grep -q 'S (sleeping)' /proc/$INIT/status"
    stays_idle "$INIT"
    finish
}

@test "SIGTERM from the host ends the session" {
    begin
    kill -0 "$INIT"
    [[ $(status_of "$INIT" State) == S* ]]
    kill -TERM "$INIT"
    eventually grep -q 'State:.*zombie' "/proc/$INIT/status"
    echo >&7
    eventually grep -qx close=0 "$work/out"
}

@test "signals from inside do not, not even root's" {
    host plain open hold opened run-root 'kill -TERM 1; kill -HUP 1; kill -INT 1; kill -KILL 1; kill -STOP 1; echo sent' \
        run-root "python3 -c '
import ctypes
libc = ctypes.CDLL(None)
info = (ctypes.c_int * 32)(15, 0, -1, 0, 0, 0)
assert libc.syscall($(call_number rt_sigqueueinfo), 1, 15, info) == 0
'" hold signalled run 'echo alive' close end <&7 >"$work/out" 2>&1 3>&- 7>&- &
    eventually grep -qx opened "$work/out"
    INIT=$(pgrep -x pam_unshare)
    echo >&7
    eventually grep -qx signalled "$work/out"
    grep -qx sent "$work/out"
    [ "$(grep -cx run-root=0 "$work/out")" -eq 2 ]
    kill -0 "$INIT"
    sleeps() { [[ $(status_of "$INIT" State) == S* ]]; }
    eventually sleeps # it reads what has come, and goes on
    echo >&7
    eventually grep -qx alive "$work/out"
    eventually grep -qx close=0 "$work/out"
}

@test "nothing of the application's descriptors is held: a fifo's reader sees its end" {
    # as logind, which waits for the last copy of its fifo to close
    mkfifo "$work/logind"
    host plain hold ready open hold opened kill-self 9 <&7 >"$work/out" 2>&1 3>&- 7>&- 8>"$work/logind" &
    exec 8<"$work/logind"
    eventually grep -qx ready "$work/out"
    echo >&7
    eventually grep -qx opened "$work/out"
    INIT=$(pgrep -x pam_unshare)
    kill -STOP "$INIT" # even if the init lives on
    echo >&7
    timeout 10 cat <&8 # its end comes
    kill -CONT "$INIT"
    exec 8<&-
}

# calls_after_ready COMMAND…: the system calls that the init makes from then on, of a run of the application
calls_after_ready() {
    strace -f -qq -o "$work/trace" "$HOST" /run/pam.d "$@" <&7 >"$work/out" 2>&1 3>&- 7>&- || true
    calls_in "$work/trace"
}

# bats test_tags=plain
@test "the system calls that it makes after it is ready are those that doc/design.md lists" {
    local service
    stack plain "required pam_unshare.so grace=1"
    stack brutal "required pam_unshare.so grace=0"
    stack hidden "required pam_unshare.so grace=1 proc_options=hidepid=2"
    {
        for service in plain brutal hidden; do
            calls_after_ready "$service" alice open run 'exit 0' close end
            calls_after_ready "$service" alice open spawn "$STUBBORN" run "$STUBBORN_RUNS" close end
            calls_after_ready "$service" alice open spawn "$STUBBORN" run "$STUBBORN_RUNS" end
            calls_after_ready "$service" alice open spawn "$STUBBORN" run "$STUBBORN_RUNS" kill-self 9
            calls_after_ready "$service" alice open spawn 'exec sleep 1000' run-root 'kill -TERM 1' \
                close end
        done
    } | sort -u >"$work/made"
    cat "$work/made"
    [ "$(wc -l <"$work/made")" -ge 10 ]
    diff -u <(documented_calls 'After "ready" the init makes') "$work/made"
    # negative control: before it is ready it makes others
    grep -q 'fsopen(' "$work/trace"
    run grep -qx fsopen "$work/made"
    [ "$status" -ne 0 ]
}

@test "it signals the processes of its namespace one by one, and does not walk the machine" {
    stack plain "required pam_unshare.so grace=1"
    stack hidden "required pam_unshare.so grace=1 proc_options=hidepid=2"
    local left='trap "" TERM HUP; sleep 1000 & sleep 1000'
    calls_after_ready plain alice open run 'exit 0' close end >/dev/null
    run grep -c ' kill(' "$work/trace" # an empty one needs no signal
    [ "$output" -eq 0 ]
    calls_after_ready plain alice open spawn "$left" close end >/dev/null
    run grep -c ' kill(-1,' "$work/trace"
    [ "$output" -eq 0 ]
    for signal in SIGHUP SIGTERM SIGCONT; do
        grep -q " kill([0-9]*, $signal" "$work/trace"
    done
    calls_after_ready hidden alice open spawn "$left" close end >/dev/null # negative control
    grep -q ' kill(-1, SIGTERM' "$work/trace"
}

@test "root inside can do to it what root can to any process, and no user can" {
    cat >/run/attack.py <<'END'
import ctypes, os, resource
libc = ctypes.CDLL(None, use_errno=True)
class Vec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
word = ctypes.create_string_buffer(8)
def process_vm(call):
    with open("/proc/1/maps") as maps:
        address = next(int(l.split("-")[0], 16) for l in maps if " rw-p " in l)
    here = Vec(ctypes.addressof(word), 8)
    there = Vec(address, 8)
    return call(1, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) == 8
def attempt(name, does):
    try:
        good = does()
    except OSError:
        good = False
    print(f"{name}={'yes' if good else 'no'}", flush=True)
attempt("setns", lambda: libc.setns(os.open("/proc/1/ns/mnt", os.O_RDONLY), 0x20000) == 0)
attempt("mem", lambda: open("/proc/1/mem", "r+b", 0) is not None)
attempt("read", lambda: process_vm(libc.process_vm_readv))
attempt("write", lambda: process_vm(libc.process_vm_writev))  # what was read
attempt("limit", lambda: resource.prlimit(1, resource.RLIMIT_CORE, (0, 0)) is not None)
attempt("signal", lambda: all(os.kill(1, s) is None for s in (1, 2, 9, 15, 19)))
attempt("attach", lambda: libc.ptrace(0x4206, 1, 0, 0) == 0)  # PTRACE_SEIZE; let go of at its end
END
    attack='python3 /run/attack.py'
    host plain open run-root "$attack" run "$attack" run-root "setpriv --bounding-set -sys_ptrace --inh-caps -sys_ptrace $attack" \
        run 'echo alive' close end >"$work/out" 2>&1
    cat "$work/out"
    grep -vE '=-?[0-9]+$' "$work/out" | grep '=' | tr '\n' ' ' >"$work/facts"
    root="setns=yes mem=yes read=yes write=yes limit=yes signal=yes attach=yes "
    nobody="setns=no mem=no read=no write=no limit=no signal=no attach=no "
    less="setns=no mem=no read=no write=no limit=yes signal=yes attach=no "
    [ "$(cat "$work/facts")" = "$root$nobody$less" ]
    grep -qx alive "$work/out" # a signal that is sent does nothing
    grep -qx close=0 "$work/out"
}

# bats test_tags=plain
@test "a preloaded library that stands before the C library does not end the session" {
    stack plain 'required pam_unshare.so'
    run env LD_PRELOAD="$TOP/$BUILD/tests/programs/preloaded.so" timeout 60 "$HOST" /run/pam.d plain alice \
        open run 'true' run 'test "$(cat /proc/1/comm)" = pam_unshare' run-root 'grep -q tests/programs/host /proc/1/maps' close end
    echo "$output"
    [ "$(grep -c '^run=0$' <<<"$output")" -eq 2 ]
    grep -qx run-root=0 <<<"$output" # all memory is kept then, which root can see
    grep -qx preloaded <<<"$output"
    grep -qx open=0 <<<"$output"
}

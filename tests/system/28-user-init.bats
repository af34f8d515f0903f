#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The init of a user's namespace (scope=user), seen from the host: what it holds, what it can do, what
# it reads, and who may speak to it.

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
    stack off "required pam_permit.so"
}

setup() {
    log_position
    export PYTHONPATH=$TOP/tests/system
}

teardown() {
    let_all_go
    pkill -9 -u alice || true
    leave_all
    mount --make-rshared /
    eventually chmod 700 /run/pam_unshare
}

begin() { # SERVICE [COMMAND…]: three members
    hold_session first alice "$@"
    hold_session second alice "$1"
    hold_session third alice "$1"
    INIT=$(pgrep -x pam_unshare)
    eventually settled "$INIT"
    FIRST=$(cat "$STAYS/first.pid")
}

# holds CHECK: true of the init, false of the application that it is a fork of
holds() {
    "$@" "$INIT" || { die "not of the init: $*"; return 1; }
    ! "$@" "$FIRST" || { die "of the application too: $*"; return 1; }
}

# joins: another session does so
joins() {
    log_position
    host user open close end >"$BATS_TEST_TMPDIR/joins" 2>&1 && grep -qx open=0 "$BATS_TEST_TMPDIR/joins" &&
        logged "session of alice opened: PID namespace [0-9]+, init $INIT, the user.s, joined\$"
}

PLACE="/run/pam_unshare/1000.$(stat -L -c %i /proc/self/ns/pid)"

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

@test "nothing of the application's memory: heap, mappings, data, arguments, environment" {
    for before in "" old-kernel; do
        rm -f "$STAYS"/*.go
        mkfifo "$STAYS/go"
        # shellcheck disable=SC2086 # none or one
        SECRET_IN_ENVIRONMENT=no-one-may-know "$HOST" /run/pam.d user alice remember no-one-may-know $before open hold opened close end \
            <>"$STAYS/go" >"$STAYS/out" 2>&1 3>&- &
        FIRST=$!
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
        rm "$STAYS/go"
    done
}

@test "no context switch in ten idle seconds with three members" {
    begin user
    sh -c 'while :; do sleep 0.5; done' 3>&- &
    polling=$!
    before=$(switches "$INIT") other=$(switches "$polling")
    sleep 10
    [ "$(switches "$INIT")" -eq "$before" ]
    [ "$(switches "$polling")" -gt "$other" ] # negative control
    kill "$polling"
    joins
    [ "$(switches "$INIT")" -gt "$before" ]
}

@test "priority, processors and limits of the first application are not the init's" {
    odd=(nice -n 7 taskset -c 0)
    ! can_raise_limits || odd+=(prlimit --cpu=1000:1000 --nofile=64:64) # otherwise it gets none, see 29-user-limits.bats
    fifo="$STAYS/go"
    mkfifo "$fifo"
    begin_oddly() {
        "${odd[@]}" "$HOST" /run/pam.d "$1" alice open hold opened close end <>"$fifo" >"$STAYS/out" 2>&1 3>&- &
        eventually grep -qx opened "$STAYS/out"
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
    rm -f "$STAYS/go"
    mkfifo "$STAYS/go"
    strace -f -qq -o "$STAYS/trace" "$HOST" /run/pam.d "$service" alice open hold opened "$@" \
        <>"$STAYS/go" >"$STAYS/out" 2>&1 3>&- &
    local tracer=$!
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

@test "the system calls that it makes after it is ready are those that doc/design.md lists" {
    local stubborn='trap "" TERM HUP; sleep 1000'
    {
        for service in user linger brutal hidden; do
            traced "$service" run 'exit 0' close end
            traced "$service" spawn 'exec sleep 0.3' close end
        done
        for service in user brutal hidden; do
            traced "$service" spawn "$stubborn" close end
            traced "$service" spawn "$stubborn" kill-self 9
        done
    } | sort -u >"$STAYS/made"
    cat "$STAYS/made"
    diff -u <(documented_calls 'After "ready" the init makes' "The init of a user's namespace makes these besides" | sort -u) "$STAYS/made"
    # negative control: that of a session makes fewer
    strace -f -qq -o "$STAYS/trace" "$HOST" /run/pam.d session alice open run 'exit 0' close end >/dev/null
    run bash -c "sort -u | diff - '$STAYS/made'" < <(calls_in "$STAYS/trace")
    [ "$status" -ne 0 ]
}

# ---- what it reads -------------------------------------------------------------------------------

# In the client: what is the same before and after
unharmed() {
    cat <<'END'
import os
import subprocess
import sys
from user_client import *
INIT = sys.argv[1]
def state():
    return len(os.listdir(f"/proc/{INIT}/fd")), sorted(m["service"] for m in members(1000))
before = state()
def check(what):
    now = state()
    assert now == before, f"{what}: {before} is now {now}"
    print("unharmed by", what, flush=True)
END
}

@test "silent connections are dropped, and keep nobody from joining" {
    begin user
    python3 - "$INIT" "$STAYS" 3>&- <<END
$(unharmed)
silent = [connect(1000) for _ in range(40)]
open(sys.argv[2] + "/connected", "w").close()
joined = subprocess.run([*"$HOST /run/pam.d user alice open close end".split()], capture_output=True, text=True).stdout
assert "open=0" in joined, joined
for client in silent:
    client.settimeout(60)
    assert answer(client) is None  # the init has closed it
check("40 silent connections")
one = connect(1000)
one.settimeout(60)
assert answer(one) is None
check("one silent connection")
END
    [ "$(tail -n "+$LOG_FROM" /run/syslog | grep -c 'the user.s, joined')" -eq 3 ] # two of the three members, and that one
    joins
}

@test "garbage is harmless: wrong sizes, releases and operations, descriptors that are none" {
    begin user
    python3 - "$INIT" 3>&- <<END
$(unharmed)
import random
def try_message(what, message, fds=()):
    client = connect(1000)
    send(client, message, fds)
    try:
        return answer(client)
    except ConnectionResetError:
        return None
    finally:
        client.close()
good = request(ASK)
assert try_message("good", good)["err"] == 0  # negative control
for size in (0, 1, len(good) - 1, len(good) + 1, 100000):
    # of an empty message nothing is to be seen, as at the end of a connection
    assert try_message(size, (good * 3000)[:size]) is None, size
check("wrong sizes")
for protocol in (0, 2, 0xffffffff):
    assert try_message(protocol, request(ASK, protocol=protocol)) is None
check("other releases")
for operation in (5, 77, 0xffffffff):
    assert try_message(operation, request(operation))["err"] != 0
check("other operations")
assert try_message("no descriptor", request(JOIN))["err"] != 0
null, (reader, writer) = os.open("/dev/null", os.O_RDONLY), os.pipe()
directory = os.open("/", os.O_PATH)
for fd in (null, directory, os.open("/etc/passwd", os.O_RDONLY)):
    assert try_message("not to be watched", request(JOIN), [fd])["err"] != 0
check("descriptors that are no pidfd")
for operation in (ASK, LEAVE, UNPIN, 77):
    for count in (1, 2, 253):
        try_message("too many", request(operation), [null] * count)
check("253 descriptors that nobody has asked for")
try_message("nonsense", b"x" * 40, [null] * 253)
check("descriptors with nonsense")
gone = subprocess.Popen(["true"])
pidfd = os.pidfd_open(gone.pid)
gone.wait()
for _ in range(3):
    try_message("dead", request(JOIN), [pidfd])
for _ in range(500):
    if state() == before:
        break
check("a member that is dead")
for slot in (0, 1, 8, 65535, 65536, 0xffffffff):
    try_message("beyond", request(ASK, slot=slot))
check("slots that are none")
random.seed(4711)
for _ in range(300):
    size = random.choice((0, 7, 40, 40, 40, 41))
    message = bytearray(random.randbytes(size))
    if size == 40 and random.random() < 0.7:
        message[0:8] = struct.pack("@II", PROTOCOL, random.choice((LEAVE, ASK, 9)))
    try_message("random", bytes(message), [null] * random.choice((0, 0, 1, 3)))
check("300 random messages")
END
    joins
    for name in first second third; do # each still is what it was
        let_go "$name"
        eventually grep -qx close=0 "$STAYS/$name.out"
    done
    kill -9 "$FIRST" # which keeps the init that it has made, ended, until it ends
    eventually no_init_left
}

@test "a wrong nonce ends no membership" {
    begin user
    python3 - "$INIT" 3>&- <<END
$(unharmed)
import random
slots = [member["slot"] for member in members(1000)]
assert len(slots) == 3 and all(member["nonce"] == 0 for member in members(1000)), "it is told to nobody"
for slot in slots + [0, 1, 2, 65535, 0xffffffff]:
    for nonce in (0, 1, 2**64 - 1, random.getrandbits(64)):
        with connect(1000) as client:
            send(client, request(LEAVE, slot=slot, nonce=nonce))
check("wrong nonces")
# negative control: the right one does
pidfd = os.pidfd_open(os.getpid())
member = ask(1000, request(JOIN, service="python"), [pidfd])
assert member["n_members"] == 4
with connect(1000) as client:
    send(client, request(LEAVE, slot=member["slot"], nonce=member["nonce"]))
for _ in range(500):
    if state() == before:
        break
check("a membership that has ended")
END
}

@test "pin keeps the namespace without members, unpin and a SIGTERM from the host end it" {
    client() {
        python3 - "$1" <<'END'
import sys
from user_client import *
print(ask(1000, request({"pin": PIN, "unpin": UNPIN}[sys.argv[1]]))["err"])
END
    }
    for ends in 'client unpin' 'kill -TERM $INIT'; do
        hold_session first alice user
        INIT=$(pgrep -x pam_unshare)
        [ "$(client pin)" = 0 ]
        kill -9 "$(cat "$STAYS/first.pid")"
        left() { [ "$(ask alice n_members)" -eq 0 ]; }
        eventually left
        joins # it is there
        [ "$(ask alice pinned)" -eq 1 ]
        eval "$ends"
        eventually no_init_left
        let_all_go
    done
}

# ---- who may speak to it ---------------------------------------------------------------------------

@test "a child that has become the user cannot connect, and what it has inherited is of no use" {
    hold_session resident alice user
    run host user open inherit "$PLACE" close end
    echo "$output"
    grep -qx inherit=0 <<<"$output"
    grep -qx 'connect: Permission denied' <<<"$output"
    run grep 'is of use' <<<"$output"
    [ "$status" -ne 0 ]
    # besides what the application has, namespaces of the host's, which nobody can enter without privilege
    for service in off user; do
        host "$service" open inherit "$PLACE" close end >"$STAYS/inherited"
        sed -n 's,^/proc/self/fd/[0-9]* -> \([a-z/]*\).*,\1,p' "$STAYS/inherited" | sort >"$STAYS/$service.fds"
    done
    [ "$(diff "$STAYS/off.fds" "$STAYS/user.fds" | grep '^[<>]' | tr '\n' ' ')" = "> mnt > pid " ]
    [ "$(ask alice n_members)" -eq 1 ]
    run host user open inherit-root "$PLACE" close end # negative control: root can
    grep -qx 'connect: Success' <<<"$output"
    grep -q 'is of use' <<<"$output"
}

@test "the init listens to root only, even where the directory would let others in" {
    hold_session first alice user
    answers() {
        setpriv --reuid "$1" --clear-groups /usr/bin/python3 - "$PLACE" <<'END'
import sys
from user_client import *
client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
client.settimeout(10)
client.connect(sys.argv[1])
try:
    send(client, request(PIN))
    found = answer(client)
except (BrokenPipeError, ConnectionResetError):
    found = None
sys.exit(found is None)
END
    }
    run answers 1000
    [ "$status" -ne 0 ]
    [[ $output == *'Permission denied'* ]]
    chmod 711 /run/pam_unshare
    chmod 777 "$PLACE"
    run answers 1000
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output != *Error* ]] # it could connect
    [ "$(ask alice pinned)" -eq 0 ]
    answers 0 # negative control
    [ "$(ask alice pinned)" -eq 1 ]
    chmod 700 /run/pam_unshare
    kill -TERM "$(pgrep -x pam_unshare)"
}

own_namespace() { # REASON
    log_position
    run host user state open run 'readlink /proc/self/ns/pid' close state end
    [[ $output == *open=0* ]] && same_state "$output" && ! grep -qxF "$(readlink /proc/self/ns/pid)" <<<"$output" &&
        logged 'session of alice closed' && # the last line
        grep_log "session of alice gets a namespace of its own, which the user.s other sessions do not share: .*$1"
}

@test "a directory that is not root's alone, or a link, is not trusted: the session gets a namespace of its own" {
    host user open close end
    chmod 755 /run/pam_unshare
    own_namespace 'others than root may enter'
    chmod 700 /run/pam_unshare
    chown alice /run/pam_unshare
    own_namespace 'others than root may enter'
    chown root /run/pam_unshare
    mv /run/pam_unshare /run/elsewhere
    ln -s /run/elsewhere /run/pam_unshare
    own_namespace 'open /run/pam_unshare'
    rm /run/pam_unshare
    mv /run/elsewhere /run/pam_unshare
    run own_namespace . # negative control
    [ "$status" -ne 0 ]
}

@test "an init that is stopped, and a lock that somebody holds, keep nobody out" {
    begin user
    kill -STOP "$INIT"
    own_namespace ''
    kill -CONT "$INIT"
    joins # negative control
    let_all_go
    eventually no_init_left
    flock -x "$PLACE.lock" sleep 1000 3>&- &
    eventually pgrep -f '^sleep 1000'
    own_namespace ''
    pkill -f '^sleep 1000'
    run own_namespace '' # negative control
    [ "$status" -ne 0 ]
}

@test "the socket of an init that has ended is a leftover, whoever has made it" {
    host user open close end
    eventually no_init_left
    [ -S "$PLACE" ]
    for leftover in "rm -f $PLACE" "rm -f $PLACE; touch $PLACE" "rm -f $PLACE.lock"; do
        eval "$leftover"
        run host user state open run true close state end
        [[ $output == *open=0* ]]
        same_state "$output"
        logged 'the user.s, made'
        log_position
    done
    # negative control: one that cannot be removed
    rm "$PLACE"
    mkdir "$PLACE"
    own_namespace ''
    rmdir "$PLACE"
}

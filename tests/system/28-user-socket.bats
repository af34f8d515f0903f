#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The socket of a user's namespace (scope=user): what its init reads, and who may speak to it.

load lib
load user
load init

setup_file() {
    prepare
    prepare_stays
    stack user "required pam_unshare.so scope=user grace=1"
    stack off "required pam_permit.so"
}

setup() {
    log_position
    # where other users can read it too
    install -D -m 644 "$TOP/tests/system/user_client.py" /run/python/user_client.py
    export PYTHONPATH=/run/python
}

teardown() {
    let_all_go
    pkill -9 -u alice || true
    leave_all
    eventually chmod 700 /run/pam_unshare
}

# ---- what it reads -------------------------------------------------------------------------------

# In the client: what is the same before and after
unharmed() {
    cat <<'END'
import os
import subprocess
import sys
import time
from user_client import *
INIT = sys.argv[1]
def state():
    return len(os.listdir(f"/proc/{INIT}/fd")), sorted(m["service"] for m in members(1000))
before = state()
def check(what):
    for _ in range(500):  # it answers before it closes the connection
        now = state()
        if now == before:
            break
        time.sleep(0.02)
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
    [ "$(count_logged 'the user.s, joined')" -eq 3 ] # two of the three members, and that one
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
for protocol in (0, 1, 3, 0xffffffff):
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

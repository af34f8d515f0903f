#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# scope=user: where a session is opened from. Inside the user's namespace, inside another user's, in
# another mount namespace, with pam_namespace, on a machine whose "/" is private.

load lib
load user

setup_file() {
    prepare
    prepare_stays
    cp /etc/security/namespace.conf "$BATS_FILE_TMPDIR/namespace.conf"
    stack user "required pam_unshare.so scope=user grace=1"
    stack session "required pam_unshare.so scope=session grace=1"
}

setup() {
    log_position
    start_secret
    isolate scope=user grace=1
}

teardown() {
    kill "$SECRET_PID" 2>/dev/null || true
    pkill -9 -u alice || true
    ! mountpoint -q /mnt || umount -l /mnt
    mount --make-rshared /
    leave_all
    isolate_nobody
    cp "$BATS_FILE_TMPDIR/namespace.conf" /etc/security/namespace.conf
}

NS='readlink /proc/self/ns/pid'

# namespaces_seen OUTPUT: how many different PID namespaces it names
namespaces_seen() {
    grep -E '^pid:' <<<"$1" | sort -u | wc -l
}

# ---- from inside -------------------------------------------------------------------------------

# both_within SCOPE: a session of alice, and by su a session of alice within
both_within() {
    isolate "scope=$1"
    run host "$1" open run "$NS" run-root "su alice -c '$NS'" close end
    [[ $output == *open=0* && $output == *run-root=0*close=0* ]] && [ "$(grep -cE '^pid:' <<<"$output")" -eq 2 ]
}

@test "su to the same user inside stays in the namespace" {
    both_within user
    [ "$(namespaces_seen "$output")" -eq 1 ]
    logged 'pam_unshare\(su:session\): session of alice opened: the application is in the user.s namespace already$'
    both_within session # negative control
    [ "$(namespaces_seen "$output")" -eq 2 ]
}

# Of those that its own namespace holds, a log line has no priority
priority_of() { # TEXT, in the trace
    grep -oE "<[0-9]+>[^\"]*$1" "$BATS_TEST_TMPDIR/trace" | sed 's/^<\([0-9]*\)>.*/\1/' | sort -u
}

@test "su to another user inside gets a namespace of its own within, and says so at LOG_INFO" {
    reason='session of bob gets a namespace of its own, which the user.s other sessions do not share: the application is in the namespace of another session or user'
    run strace -f -qq -s 400 -e trace=sendto,sendmsg -o "$BATS_TEST_TMPDIR/trace" "$HOST" /run/pam.d user alice open \
        spawn "exec -a of-alice-$SECRET sleep 4732" run-root "su bob -c '$PROBE'" close end
    echo "$output"
    grep -qx foreign=0 <<<"$output"
    grep -qx secret=hidden <<<"$output"
    logged "pam_unshare\\(su:session\\): $reason"
    [ "$(priority_of "$reason")" -eq $((10 << 3 | 6)) ] # LOG_AUTHPRIV | LOG_INFO
    # negative control: from the host he has one that is shared
    log_position
    su_as bob true
    logged 'session of bob opened: PID namespace [0-9]+, init [0-9]+, the user.s, made$'
    never_logged "$reason"
}

@test "root inside works, and stays in the namespace" {
    run host user open run "$NS" run-root "su root -c '$NS; kill -0 1 && test -O /proc/1 && echo root'" close end
    echo "$output"
    [ "$(namespaces_seen "$output")" -eq 1 ]
    grep -qx root <<<"$output"
    enable su scope=user include_root # negative control: isolated within
    run host user open run "$NS" run-root "su root -c '$NS'" close end
    [ "$(namespaces_seen "$output")" -eq 2 ]
}

@test "a session that is opened inside and closed leaves the outer one as it was" {
    stay first su_as alice
    inside=(nsenter -t "$(pgrep -f '^stay-first')" -p -m)
    "${inside[@]}" su alice -c 'exec true'
    "${inside[@]}" su bob -c 'exec true'
    together first
    su_as alice 'pgrep -f "^stay-first"'
    leave first
    eventually no_init_left
    # negative control
    run su_as alice 'pgrep -f "^stay-first"'
    [ "$status" -ne 0 ]
}

# ---- an application in another mount namespace ---------------------------------------------------

# Its /tmp is one of alice's own, below /run/instances
polyinstantiate() { # SCOPE
    install -d -m 000 /run/instances
    echo '/tmp /run/instances/ user root' >/etc/security/namespace.conf
    cp "$STOCK/su" /etc/pam.d/su
    printf 'session required %s\n' pam_namespace.so "pam_unshare.so scope=$1 grace=1" >>/etc/pam.d/su
}

# with_own_tmp SCOPE ORDER…: sessions with pam_namespace (su) and without (ssh's place is taken by sudo)
with_own_tmp() {
    local scope=$1 name facts
    shift
    isolate "scope=$scope" grace=1
    polyinstantiate "$scope"
    for name; do
        case $name in
            own*) stay "$name" su_as alice ;;
            *) stay "$name" sudo_as alice ;;
        esac || return
    done
    su_as alice 'echo of-alice >/tmp/own-tmp' || return
    [ "$(cat /run/instances/alice/own-tmp)" = of-alice ] && [ ! -e /tmp/own-tmp ] || return 2
    [ "$(su_as alice 'cat /tmp/own-tmp')" = of-alice ] || return 2
    # /proc is that of the PID namespace, and there is no other
    facts=$(su_as alice "$PROBE") || return
    echo "$facts"
    grep -qx foreign=0 <<<"$facts" && grep -qx secret=hidden <<<"$facts" && grep -qx self=resolves <<<"$facts" || return 2
    [ "$(su_as alice 'grep -c " - proc " /proc/self/mountinfo')" -eq 1 ] || return 2
    together "$@" && [ "$(su_as alice 'pgrep -cf ^stay-')" -eq $# ]
}

@test "pam_namespace before the module: each keeps its /tmp and shares the PID namespace, as the first and as a later one" {
    for order in "own1 plain own2" "plain own1 own2"; do
        # shellcheck disable=SC2086 # words
        with_own_tmp user $order
        leave_all
        # shellcheck disable=SC2086
        run with_own_tmp session $order # negative control
        [ "$status" -eq 1 ]
        leave_all
    done
    # negative control: without pam_namespace /tmp is the host's
    enable su scope=user
    su_as alice 'echo of-alice >/tmp/own-tmp'
    rm /tmp/own-tmp
    umount -R -l /run/instances 2>/dev/null || true
}

@test "a volume of root's private mount namespace is seen by the session from there, and by no later one" {
    # as of an administrator who has decrypted something in a shell of his own
    unshare --mount --propagation private sh -c '
        mount -t tmpfs volume /mnt && echo key >/mnt/key && su alice -c "cat /mnt/key >/run/stays/seen; exec /run/stay first"
        ' </dev/null >/dev/null 2>&1 3>&- &
    eventually stays first
    [ "$(cat "$STAYS/seen")" = key ] # negative control: there it is
    for name in second third; do
        stay "$name" su_as alice
        pid=$(pgrep -f "^stay-$name")
        [ -d "/proc/$pid/root/mnt" ]
        [ ! -e "/proc/$pid/root/mnt/key" ]
    done
    together first second third
    [ "$(mount_namespace second)" = "$(mount_namespace third)" ]
    [ "$(mount_namespace first)" != "$(mount_namespace second)" ]
}

@test "an application in another mount namespace keeps it, its directory and its descriptors after the close" {
    run unshare --mount --propagation private sh -c '
        mount -t tmpfs volume /mnt && mkdir /mnt/dir && cd /mnt/dir &&
        exec "$0" /run/pam.d user alice state open run "pwd; ls -d /mnt/dir; $1" close state end' "$HOST" "$NS"
    echo "$output"
    [[ $output == *open=0*run=0*close=0* ]]
    [ "$(grep -cx /mnt/dir <<<"$output")" -eq 2 ]
    same_state "$output"
    # negative control
    run unshare --mount --propagation private sh -c 'exec "$0" /run/pam.d user alice state open state end' "$HOST"
    run same_state "$output"
    [ "$status" -ne 0 ]
}

@test "an unshare that does nothing, from another mount namespace: the host's / stays shared" {
    root_mount() { awk '$5 == "/"' /proc/1/mountinfo; }
    before=$(root_mount)
    [[ $before == *shared:* ]]
    from_elsewhere() { # [INJECTION…]
        run unshare --mount --propagation unchanged strace -qq -o /dev/null "$@" "$HOST" /run/pam.d user alice open end
        echo "$output"
    }
    from_elsewhere --inject=unshare:retval=0
    [[ $output == *open=4* ]]
    logged 'cannot isolate the session of alice: unshare has no effect'
    [ "$(root_mount)" = "$before" ]
    from_elsewhere -e trace=none # negative control
    [[ $output == *open=0* ]]
}

@test "a setns that does nothing, and says that it did: the session is isolated, and says why not with the others" {
    stay first su_as alice
    joins_without() { # [INJECTION…]
        log_position
        run timeout 60 strace -qq -o /dev/null "$@" "$HOST" /run/pam.d user alice open run "$NS" end
        echo "$output"
        [[ $output == *open=0*run=0* ]] && ! grep -qxF "$(readlink /proc/self/ns/pid)" <<<"$output"
    }
    joins_without --inject=setns:retval=0
    logged 'gets a namespace of its own.*setns has no effect'
    [ "$(grep -cxF "$(pid_namespace first)" <<<"$output")" -eq 0 ]
    joins_without -e trace=none # negative control
    [ "$(grep -cxF "$(pid_namespace first)" <<<"$output")" -eq 1 ]
}

@test "a container with a PID namespace of its own has a namespace of its own for alice, on the same /run" {
    stay host1 su_as alice
    unshare --mount --pid --fork --kill-child --mount-proc --propagation slave sh -c '
        su alice -c "exec /run/stay inside1" & su alice -c "exec /run/stay inside2"; wait' </dev/null >/dev/null 2>&1 3>&- &
    container=$!
    eventually stays inside1
    eventually stays inside2
    stay host2 su_as alice
    together inside1 inside2
    together host1 host2
    run together host1 inside1
    [ "$status" -ne 0 ]
    [ "$(inits)" -eq 2 ]
    kill -9 "$container" # SIGTERM is blocked
    one_init() { [ "$(inits)" -eq 1 ]; }
    eventually one_init
    find /run/pam_unshare -name '1000.*' ! -path "$PLACE*" -delete # the container's, which nothing meets again
    su_as alice 'pgrep -f "^stay-host1"'
}

# ---- "/" shared or not ---------------------------------------------------------------------------

propagation() {
    su_as alice 'findmnt -n -o PROPAGATION /'
}

@test "in the namespace the mounts are slaves of the host's, and shared among those that are made inside" {
    stay first su_as alice
    [ "$(propagation)" = shared,slave ]
    leave_all
    isolate scope=session # negative control
    [ "$(propagation)" = private,slave ]
}

# Says "released" when the superblock of a volume has gone, wherever it was mounted
watch_volume() { # FILE
    cat >"$BATS_TEST_TMPDIR/watch.py" <<'END'
import ctypes, os, struct, sys
IN_OPEN, IN_UNMOUNT = 0x20, 0x2000  # inotify(7)
libc = ctypes.CDLL(None)
fd = libc.inotify_init1(0)
assert libc.inotify_add_watch(fd, sys.argv[1].encode(), IN_OPEN) > 0
print("watching", flush=True)
mask = 0
while not mask & IN_UNMOUNT:
    mask = struct.unpack("iIII", os.read(fd, 4096)[:16])[1]
print("released", flush=True)
END
    python3 "$BATS_TEST_TMPDIR/watch.py" "$1" >"$BATS_TEST_TMPDIR/watch" 3>&- &
    eventually grep -qx watching "$BATS_TEST_TMPDIR/watch"
}

released() {
    grep -qx released "$BATS_TEST_TMPDIR/watch"
}

mount_volume() {
    mount -t tmpfs volume /mnt
    chmod 755 /mnt
    echo key >/mnt/key
    watch_volume /mnt/key
}

new_session_has_volume() {
    su_as alice 'test -e /mnt/key'
}

@test "/ is shared: a volume that comes and goes on the host does so in all sessions, and is released" {
    stay first su_as alice
    pid=$(pgrep -f '^stay-first')
    mount_volume
    new_session_has_volume
    [ -e "/proc/$pid/root/mnt/key" ]
    eventually umount /mnt
    eventually released
    run new_session_has_volume
    [ "$status" -ne 0 ]
    [ ! -e "/proc/$pid/root/mnt/key" ]
    su_as alice 'pgrep -f "^stay-first"' # it is the same namespace all the time
}

@test "/ is private: each session has the volumes that the host has when it begins, and the namespace holds none" {
    mount --make-rprivate /
    mount_volume
    stay first su_as alice # makes the namespace while the volume is mounted
    stay second su_as alice
    together first second
    [ "$(mount_namespace first)" != "$(mount_namespace second)" ]
    new_session_has_volume
    init=$(pgrep -x pam_unshare)
    [ -z "$(cat "/proc/$init/mountinfo")" ]
    # negative control: the init of a session has them
    host session open run-root 'grep -q /mnt /proc/1/mountinfo' close end | grep -qx run-root=0

    eventually umount /mnt
    run new_session_has_volume
    [ "$status" -ne 0 ]
    leave first
    eventually eval '[ "$(pgrep -cf "^stay-")" -eq 1 ]'
    run released # a session that had it is open still
    [ "$status" -ne 0 ]
    stay third su_as alice
    leave second
    eventually released # and the namespace lives on
    su_as alice 'pgrep -f "^stay-third"'
    [ "$(pgrep -x pam_unshare)" = "$init" ]
}

@test "/ is private: sessions see the user's processes and nobody else's" {
    mount --make-rprivate /
    sees() { # SCOPE
        isolate "scope=$1"
        stay first su_as alice && stay second sudo_as alice || return 2
        facts=$(su_as alice "$PROBE")
        echo "$facts"
        grep -qx foreign=0 <<<"$facts" && grep -qx secret=hidden <<<"$facts" && grep -qx self=resolves <<<"$facts" || return 2
        [ "$(su_as alice 'grep -c " - proc " /proc/self/mountinfo')" -eq 1 ] || return 2
        [ "$(su_as alice 'pgrep -cf ^stay-')" -eq 2 ]
    }
    sees user
    leave_all
    run sees session # negative control
    [ "$status" -eq 1 ]
}

@test "/ is private: open and close bring the application back, as the first and as a later one" {
    mount --make-rprivate /
    for _ in first later; do
        run host user state open run "$NS" close state end
        [[ $output == *open=0*close=0* ]]
        same_state "$output"
        stay first su_as alice
    done
}

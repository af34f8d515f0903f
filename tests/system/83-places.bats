#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# private= and hide=: what is the user's own of what all users share, and which control groups a session sees. The places
# are those of tests/places.

load lib
load user

setup_file() {
    prepare
    prepare_stays
    install -D "$TOP/pam-unshare" /run/sbin/pam-unshare # which the session must see
    GROUPS_OF_TEST=$("$TOP/tests/places")
    export GROUPS_OF_TEST
}

teardown_file() {
    leave_all
    "$TOP/tests/places" "$GROUPS_OF_TEST"
    umount -l /tmp /var/tmp # bats takes its own directory away
}

setup() {
    remember_host
    log_position
}

teardown() {
    leave_all
    isolate_nobody
    rm -f /etc/security/unshare.conf
    for place in /tmp /var/tmp /dev/shm; do
        umount -q -l "$place/.pam_unshare" || true
        rm -rf "$place"/.pam_unshare* "$place"/of-*
    done
    find /sys/fs/cgroup/pam_unshare -depth -type d -exec rmdir {} + 2>/dev/null || true
}

# only_with CHECK ARGUMENT…: with these arguments it holds, and not without them
only_with() {
    local check=$1
    shift
    isolate "$@"
    "$check" || { die "fails with: $*"; return 1; }
    leave_all
    isolate grace=5
    ! "$check" || { die "holds without: $*"; return 1; }
    leave_all
    isolate "$@"
}

# own_files USER DIRECTORY: what a session makes there is not on the host, and the other way round
own_files() {
    rm -rf "$2"/of-*
    echo host >"$2/of-host"
    chmod 644 "$2/of-host"
    su "$1" -c "! test -e $2/of-host && echo own >$2/of-$1" && [ ! -e "$2/of-$1" ] &&
        [ "$(cat "$2/.pam_unshare/$(id -u "$1")/of-$1")" = own ]
}

own_tmp() { own_files alice /tmp && own_files alice /var/tmp; }
own_shm() { own_files alice /dev/shm; }

@test "private=tmp: a user has a /tmp and a /var/tmp of their own" {
    only_with own_tmp private=tmp
    only_with own_tmp private=tmp scope=user
    run own_shm # which was not asked for
    [ "$status" -ne 0 ]
}

@test "private=shm: a user has a /dev/shm of their own" {
    only_with own_shm private=shm
    only_with own_shm private=tmp,shm scope=user
    isolate private=shm
    run own_tmp
    [ "$status" -ne 0 ]
}

@test "private=tmp: what a user leaves is there in the next session, and for no other user" {
    isolate private=tmp
    su alice -c 'umask 0; echo mine >/tmp/of-alice'
    [ "$(su alice -c 'cat /tmp/of-alice')" = mine ]
    su bob -c '! ls -A /tmp | grep of-'
    su bob -c '! ls -A /tmp/.. /tmp/.pam_unshare'
    isolate grace=5 # negative control: all see the host's, and nobody looks into root's directory there
    run su alice -c 'cat /tmp/of-alice'
    [ "$status" -ne 0 ]
    run su bob -c 'ls /tmp/.pam_unshare'
    [ "$status" -ne 0 ]
    [ "$(stat -c '%U %a' /tmp/.pam_unshare /tmp/.pam_unshare/1000)" = "$(printf 'root 700\nroot 1777')" ]
}

@test "private=tmp: modes are right whatever the umask of the application is" {
    isolate private=tmp
    (umask 0777 && su alice -c true)
    [ "$(stat -c '%U %a' /tmp/.pam_unshare /tmp/.pam_unshare/1000)" = "$(printf 'root 700\nroot 1777')" ]
    chmod 755 /tmp/.pam_unshare # somebody has opened it
    su alice -c true
    [ "$(stat -c %a /tmp/.pam_unshare)" = 700 ]
}

@test "private=tmp: a working directory and a descriptor of the host's /tmp do not come along" {
    stack private "required $MODULE private=tmp"
    stack plain "required $MODULE"
    mkdir -p /tmp/of-root
    chmod 755 /tmp/of-root
    echo host >/tmp/of-host
    run host private chdir /tmp open run 'ls -A; pwd -P' close end
    [[ $output == *open=0* && $output != *of-host* ]]
    run host private chdir /tmp/of-root open run 'ls -A ..; pwd -P' close end
    [[ $output == *open=0* && $output != *of-host* ]]
    run host plain chdir /tmp open run 'ls -A; pwd -P' close end # negative control
    [[ $output == *of-host* ]]
}

# taken WHAT COMMAND: somebody has made the name first, and it is the session's all the same
taken() {
    su bob -c "$2"
    isolate private=tmp
    own_files alice /tmp || { die "with $1: not isolated"; return 1; }
    [ "$(stat -c '%U %F' /tmp/.pam_unshare)" = 'root directory' ] || return
    rm -rf /tmp/.pam_unshare*
    isolate_nobody
}

@test "private=tmp: whoever takes the name first keeps nobody out, and sees nothing" {
    taken file 'echo >/tmp/.pam_unshare'
    taken directory 'mkdir -m 777 /tmp/.pam_unshare && mkdir -m 777 /tmp/.pam_unshare/1000'
    taken link 'ln -s /home/bob /tmp/.pam_unshare'
    taken dead-link 'ln -s /nowhere /tmp/.pam_unshare'
    taken fifo 'mkfifo /tmp/.pam_unshare'
    [ ! -e /home/bob/1000 ]
    # what has been taken out is not lost
    su bob -c 'echo bobs >/tmp/.pam_unshare'
    isolate private=tmp
    su alice -c true
    [ "$(cat /tmp/.pam_unshare.*)" = bobs ]
}

@test "private=tmp: a mount on the name, which is a user's, keeps nobody out" {
    su bob -c 'mkdir /tmp/.pam_unshare'
    mount -t tmpfs -o uid=1001,mode=777 bobs /tmp/.pam_unshare
    isolate private=tmp
    su alice -c 'echo own >/tmp/of-alice'
    [ ! -e /tmp/of-alice ]
    grep -c bobs /proc/self/mountinfo # it is there on the host, under another name
    umount -l "$(sed -n 's/^[^-]* \(\/tmp\/[^ ]*\) .* bobs .*/\1/p' /proc/self/mountinfo | head -n 1)"
}

@test "private=tmp: a place that is not root's, or a symbolic link, refuses the session by name" {
    chown bob /var/tmp
    refuses alice private=tmp
    logged 'cannot isolate the session of alice: init: cover what all users share at /var/tmp: Operation not permitted'
    chown root /var/tmp
    chmod 777 /var/tmp # not sticky
    log_position
    refuses alice private=tmp
    logged 'at /var/tmp: Operation not permitted'
    chmod 1777 /var/tmp
    umount -l /var/tmp
    mv /var/tmp /var/tmp.old && ln -s /tmp /var/tmp
    log_position
    refuses alice private=tmp
    result=$?
    rm /var/tmp && mv /var/tmp.old /var/tmp
    mount -t tmpfs -o mode=1777 places /var/tmp
    [ "$result" -eq 0 ]
    logged 'at /var/tmp: Too many levels of symbolic links'
    isolates alice private=tmp # negative control
}

own_queues() {
    touch /dev/mqueue/of-host
    su alice -c '! test -e /dev/mqueue/of-host && touch /dev/mqueue/of-alice' && [ ! -e /dev/mqueue/of-alice ]
}

@test "private=mqueue: the queues are those of the session's IPC namespace" {
    only_with own_queues private=mqueue ipc
    only_with own_queues private=tmp,shm,mqueue ipc scope=user
    isolate ipc # the namespace alone does not
    run own_queues
    [ "$status" -ne 0 ]
    rm -f /dev/mqueue/of-*
}

@test "private=mqueue needs ipc, in the file as in the arguments" {
    refuses alice private=mqueue
    logged "argument 'private=mqueue' needs 'ipc'"
    printf '%s\n' '# places' 'private = tmp, mqueue' >/etc/security/unshare.conf
    log_position
    refuses alice
    logged "unshare.conf line 2: 'private=mqueue' needs 'ipc'"
    isolates alice ipc
    isolates alice private=none
}

@test "the words are a set: an argument replaces the file's" {
    printf '%s\n' 'private = tmp' 'hide = cgroups' >/etc/security/unshare.conf
    isolate grace=5
    own_tmp
    isolate private=none hide=none
    run own_tmp
    [ "$status" -ne 0 ]
    isolate private=shm
    own_shm
    run own_tmp
    [ "$status" -ne 0 ]
    for argument in private private= "private=tmp," private=home private=none,tmp private=tmp=1 hide hide= hide=logins \
        hide=none,cgroups; do
        log_position
        refuses alice "$argument"
        logged "argument '$argument' is not understood"
    done
}

# ---- control groups ----------------------------------------------------------------------------

only_own_groups() { # [USER]
    local uid
    uid=$(id -u "${1:-alice}")
    su "${1:-alice}" -c 'cd /sys/fs/cgroup && find . -mindepth 1 -type d -printf "%P\n" | sort' >"$BATS_TEST_TMPDIR/groups"
    cat "$BATS_TEST_TMPDIR/groups" >&2
    grep -q "^user.slice/user-$uid.slice$" "$BATS_TEST_TMPDIR/groups" &&
        ! grep -vE "^user.slice(/user-$uid.slice(/.*)?)?$" "$BATS_TEST_TMPDIR/groups" &&
        [ "$(su "${1:-alice}" -c 'stat -f -c %T /sys/fs/cgroup')" = cgroup2fs ] &&
        same_group "${1:-alice}" "$uid"
}

# same_group USER UID: what is there is the real one
same_group() {
    [ "$(su "$1" -c "stat -c %i /sys/fs/cgroup/user.slice/user-$2.slice")" = \
        "$(stat -c %i "/sys/fs/cgroup/user.slice/user-$2.slice")" ]
}

@test "hide=cgroups: of the control groups a session sees its user's alone, at their own path" {
    only_with only_own_groups hide=cgroups
    only_with only_own_groups hide=cgroups scope=user
    only_own_groups bob
    grep -qx 'user.slice/user-1001.slice' "$BATS_TEST_TMPDIR/groups"
    su alice -c 'test -e /sys/fs/cgroup/user.slice/user-1000.slice/session-1.scope/cgroup.procs'
    su alice -c '! mkdir /sys/fs/cgroup/mine'
}

@test "hide=cgroups: what begins later in the user's slice is seen" {
    isolate hide=cgroups scope=user
    stay first su_as alice
    mkdir /sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope /sys/fs/cgroup/system.slice/later.service
    su alice -c 'test -d /sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope'
    su alice -c '! test -d /sys/fs/cgroup/system.slice'
    rmdir /sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope /sys/fs/cgroup/system.slice/later.service
}

@test "hide=cgroups: a slice that was not there yet, or that is a new one, is brought by the session that joins" {
    rmdir /sys/fs/cgroup/user.slice/user-1000.slice/session-1.scope /sys/fs/cgroup/user.slice/user-1000.slice
    isolate hide=cgroups scope=user
    stay first su_as alice
    run only_own_groups # negative control: there is no slice
    [ "$status" -ne 0 ]
    mkdir /sys/fs/cgroup/user.slice/user-1000.slice
    only_own_groups
    before=$(grep -c . "/proc/$(pgrep -f '^stay-first')/mountinfo")
    only_own_groups # the same: nothing is mounted once more
    [ "$(grep -c . "/proc/$(pgrep -f '^stay-first')/mountinfo")" -eq "$before" ]
    rmdir /sys/fs/cgroup/user.slice/user-1000.slice
    mkdir /sys/fs/cgroup/user.slice/user-1000.slice /sys/fs/cgroup/user.slice/user-1000.slice/session-1.scope
    only_own_groups
    # nothing of that is the host's: what is mounted there inside does not come out
    nsenter --mount --target "$(pgrep -f '^stay-first')" mount -t tmpfs inside \
        /sys/fs/cgroup/user.slice/user-1000.slice/session-1.scope
    not_mounted inside
}

# mounted_in PID: what is mounted in its session, but for numbers of mounts
mounted_in() {
    cut -d' ' -f4- "/proc/$1/mountinfo"
}

# beneath: 1 where the kernel can mount beneath
beneath() {
    python3 -c 'import os; print(int(tuple(map(int, os.uname().release.split(".")[:2])) >= (6, 5)))'
}

# joins [WORD…]: strace's, for a session that joins by the tests' application
joins() {
    timeout 60 strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=move_mount,umount2 "$@" \
        "$HOST" /run/pam.d joins alice open end
}

@test "hide=cgroups: when a joining session cannot mount the new slice, open sessions keep what they have" {
    local slice=/sys/fs/cgroup/user.slice/user-1000.slice first
    isolate hide=cgroups scope=user
    stack joins 'required pam_unshare.so hide=cgroups scope=user grace=5'
    stay first su_as alice
    first=$(pgrep -f '^stay-first')
    mounted_in "$first" | grep -q " $slice "
    rmdir "$slice/session-1.scope" "$slice"
    mkdir "$slice" "$slice/session-1.scope"
    run joins --inject=move_mount:error=ENOSPC:when=1
    echo "$output"
    logged "gets a namespace of its own, which the user's other sessions do not share: mount the user's control groups: No space left on device"
    [ "$(mounted_in "$first" | grep -c " $slice ")" -eq "$(beneath)" ] # before Linux 6.5 it had to be unmounted first
    run joins # negative control
    echo "$output"
    [[ $output == *open=0* ]]
    mounted_in "$first" | grep -c " $slice "
    [ "$(mounted_in "$first" | grep -c " $slice ")" -eq 1 ] # what was there has gone
    su alice -c "test -e $slice/session-1.scope"
}

not_mounted() {
    ! grep -w "$1" /proc/self/mountinfo
}

@test "hide=cgroups: without cgroup2 the session is refused by name" {
    mount -t tmpfs none /sys/fs/cgroup
    refuses alice hide=cgroups
    logged 'cannot isolate the session of alice: init: hide the control groups of others: Operation not supported'
    umount /sys/fs/cgroup
    isolates alice hide=cgroups # negative control
}

# ---- scope=user --------------------------------------------------------------------------------

@test "a session that asks for more than the user's namespace has is told so in the log" {
    isolate scope=user
    stay first su_as alice
    enable su scope=user private=tmp hide=cgroups
    log_position
    su alice -c true
    logged 'session of alice sees more than .private=. and .hide=. say'
    leave_all
    stay first su_as alice # negative control: made with them
    log_position
    su alice -c true
    logged 'session of alice opened'
    run grep_log 'sees more'
    [ "$status" -ne 0 ]
    [ "$(ask alice privacy)" -eq 9 ]
}

@test "a session in another mount namespace has the places, too" {
    isolate scope=user private=tmp,shm hide=cgroups
    stay first su_as alice
    echo host >/tmp/of-host
    unshare --mount --propagation unchanged su alice -c '! test -e /tmp/of-host && ls -d /sys/fs/cgroup/user.slice/*/' \
        >"$BATS_TEST_TMPDIR/elsewhere"
    [ "$(cat "$BATS_TEST_TMPDIR/elsewhere")" = /sys/fs/cgroup/user.slice/user-1000.slice/ ]
    unshare --mount --propagation unchanged su alice -c 'readlink /proc/self/ns/pid' | grep -xF "$(pid_namespace first)"
}

@test "su to another user inside: each has places of their own" {
    isolate private=tmp hide=cgroups
    su alice -c 'echo alices >/tmp/of-alice'
    stack nested "required $MODULE private=tmp hide=cgroups"
    su alice -c 'ls -A /tmp' | grep -x of-alice
    nested() {
        su alice -c "echo secret-bob | su bob -c '$1'"
    }
    run nested 'ls -A /tmp'
    [[ $output != *of-alice* ]]
    run su alice -c 'ls /tmp/.pam_unshare'
    [ "$status" -ne 0 ]
}

@test "nothing is left on the host but root's directories and empty groups" {
    isolate private=tmp,shm,mqueue ipc hide=cgroups
    su alice -c true
    isolate private=tmp,shm,mqueue ipc hide=cgroups scope=user
    su alice -c true
    eventually no_init_left
    host_is_unchanged
    [ "$(find /sys/fs/cgroup/pam_unshare -mindepth 1 -type d -printf '%P\n' | sort)" = \
        "$(printf '%s\n' 1000 1000/user.slice 1000/user.slice/user-1000.slice)" ]
    [ -z "$(cat /sys/fs/cgroup/pam_unshare/1000/user.slice/user-1000.slice/cgroup.procs)" ]
}

@test "the user cannot uncover what is covered" {
    isolate private=tmp hide=cgroups
    echo host >/tmp/of-host
    su alice -c '! umount /tmp && ! umount /sys/fs/cgroup'
    su alice -c 'unshare --user --map-root-user --mount sh -c "umount /tmp; umount -l /tmp; umount -l /sys/fs/cgroup; ls -A /tmp /sys/fs/cgroup"' \
        >"$BATS_TEST_TMPDIR/uncovered" 2>/dev/null || true
    ! grep -E 'of-host|system.slice' "$BATS_TEST_TMPDIR/uncovered" || false
    grep -x user.slice "$BATS_TEST_TMPDIR/uncovered"
    isolate grace=5 # negative control
    su alice -c 'ls -A /tmp /sys/fs/cgroup' | grep -x of-host
}

# says RESULT PROBE…
says() {
    local result=$1 probe
    shift
    for probe; do
        grep -qE "^$probe +$result " <<<"$output" || { die "not $result: $probe: $output"; return 1; }
    done
}

@test "the audit says what is covered" {
    local probes=tmp-names,shm-names,mqueue-names,cgroup-names
    isolate private=tmp,shm,mqueue ipc hide=cgroups
    run /run/sbin/pam-unshare audit --only=$probes su alice
    says closed tmp-names shm-names mqueue-names cgroup-names
    isolate private=shm ipc # negative control: each by itself
    run /run/sbin/pam-unshare audit --only=$probes su alice
    says closed shm-names
    says 'not promised' tmp-names mqueue-names cgroup-names
    grep -E '^tmp-names +not promised +private= and hide=, unshare.conf' <<<"$output"
}

@test "check and status say which words are on" {
    isolate private=tmp,shm hide=cgroups
    run "$TOP/pam-unshare" check su alice
    [[ $output == *'alice has these of their own, which all users share on the host: tmp,shm.'* ]]
    [[ $output == *'alice does not see what others have there: cgroups.'* ]]
    isolate grace=5 # negative control
    run "$TOP/pam-unshare" check su alice
    [[ $output != *'of their own'* && $output != *'have there'* ]]
    chmod 1755 /var/tmp && chown bob /var/tmp
    isolate private=tmp
    run "$TOP/pam-unshare" check su alice
    chown root /var/tmp && chmod 1777 /var/tmp
    [[ $output == *"directories of root's, sticky"* ]]
}

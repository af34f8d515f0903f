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

# unmount_all PATH…: whatever is mounted there, also one on the other
unmount_all() {
    local path
    for path; do
        while umount -q -l "$path" 2>/dev/null; do :; done
    done
}

teardown() {
    [ -z "${HOLDER:-}" ] || release_lock
    [ -d /run/pam_unshare ] || rm -f /run/pam_unshare
    leave_all
    isolate_nobody
    rm -f /etc/security/unshare.conf
    for place in /tmp /var/tmp /dev/shm; do
        unmount_all "$place"/.pam_unshare*
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

# adopted WHAT COMMAND: bob has made the name with something in it, and tmpfiles.d has made it root's
adopted() {
    su bob -c "mkdir /tmp/.pam_unshare; $2"
    chown root:root /tmp/.pam_unshare
    chmod 700 /tmp/.pam_unshare
    isolate private=tmp
    own_files alice /tmp || { die "with $1: not isolated"; return 1; }
    [ "$(stat -c '%U %a %F' /tmp/.pam_unshare/1000)" = 'root 1777 directory' ] || return
    compgen -G '/tmp/.pam_unshare/.pam_unshare.*' || return # negative control: it was taken
    rm -rf /tmp/.pam_unshare*
    isolate_nobody
}

@test "private=tmp: what a user left in a directory that is root's now keeps nobody out" {
    adopted directory 'mkdir -m 777 /tmp/.pam_unshare/1000'
    adopted file 'echo >/tmp/.pam_unshare/1000'
    adopted link 'ln -s /home/bob /tmp/.pam_unshare/1000'
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

@test "private=tmp: several mounts on the name, one on the other, keep nobody out" {
    su bob -c 'mkdir /tmp/.pam_unshare'
    for _ in 1 2 3; do
        mount -t tmpfs -o uid=1001,mode=777 bobs /tmp/.pam_unshare
    done
    isolate private=tmp
    own_files alice /tmp
    [ "$(grep -c bobs /proc/self/mountinfo)" -eq 3 ] # they are there on the host, under another name
    unmount_all /tmp/.pam_unshare.*
    not_mounted bobs
}

@test "private=tmp: a mount on the name where /tmp is mounted a second time refuses the session, and leaves nothing" {
    mkdir -p /run/second
    mount --bind /tmp /run/second
    mount --make-private /run/second
    mkdir /tmp/.pam_unshare
    chown bob /tmp/.pam_unshare
    mount -t tmpfs -o uid=1001,mode=777 bobs /run/second/.pam_unshare
    refuses alice private=tmp
    logged 'at /tmp: Device or resource busy'
    run ls -d /tmp/.pam_unshare.*
    umount -l /run/second
    [ "$status" -ne 0 ]
    isolates alice private=tmp # negative control
    ls -d /tmp/.pam_unshare.*  # which is bob's
}

# keep_taking WHAT UNDO: bob takes the name and gives it up again, all the time, until the end of the test
keep_taking() {
    setpriv --reuid bob --regid bob --clear-groups /usr/bin/python3 -c '
import os, sys
name = "/tmp/.pam_unshare"
def make():
    os.close(os.open(name, os.O_CREAT | os.O_EXCL))
steps = {"mkdir": lambda: os.mkdir(name), "rmdir": lambda: os.rmdir(name), "create": make, "unlink": lambda: os.unlink(name)}
print("begins", flush=True)
while True:
    for step in sys.argv[1:]:
        try:
            steps[step]()
        except OSError:
            pass' "$@" >"$BATS_TEST_TMPDIR/taker" 3>&- &
    TAKER=$!
    eventually grep -q begins "$BATS_TEST_TMPDIR/taker"
}

# let_in TIMES: sessions at the same time, each time anew; they find the name free, or taken just now
let_in() {
    local i user pid pids refused=
    for ((i = 0; i < $1; i++)); do
        rm -rf /tmp/.pam_unshare*
        pids=()
        for user in alice alice carol; do
            su "$user" -c true 3>&- &
            pids+=($!)
        done
        for pid in "${pids[@]}"; do # by name: "wait -n" may miss one that has ended, and wait for the taker
            wait "$pid" || refused=$pid
        done
        [ -z "$refused" ] || { die "refused in turn $i"; return 1; }
        [ "$(stat -c '%U %a' /tmp/.pam_unshare)" = 'root 700' ] || return
        [ -z "$(find /tmp -maxdepth 1 -name '.pam_unshare.*' -user root)" ] || { ls -lR /tmp/.pam* >&2; die "left in turn $i"; return 1; }
        [ -z "$(find /tmp -maxdepth 1 -name '.pam_unshare.*')" ] || TAKEN=$((TAKEN + 1))
    done
}

@test "private=tmp: a user who takes the name and gives it up all the time keeps nobody out" {
    isolate private=tmp
    TAKEN=0
    for steps in 'mkdir rmdir' 'create unlink'; do
        # shellcheck disable=SC2086 # two words
        keep_taking $steps
        result=0
        let_in 30 || result=1
        kill "$TAKER"
        wait "$TAKER" || true
        [ "$result" -eq 0 ]
    done
    [ "$TAKEN" -gt 0 ] # negative control: some sessions found it taken
}

@test "private=tmp: sessions that find the name taken at the same time have one directory" {
    local i=0 slow
    isolate private=tmp
    mkdir /tmp/.pam_unshare
    chown bob /tmp/.pam_unshare
    # one is slow where it takes the name, before and after
    strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=renameat2 -e inject=renameat2:delay_enter=300000:delay_exit=500000 \
        su alice -c 'echo >/tmp/of-alice.slow' 3>&- &
    slow=$!
    eventually compgen -G '/tmp/.pam_unshare.*'
    while kill -0 "$slow" 2>/dev/null; do
        su alice -c "echo >/tmp/of-alice.$((i++))"
    done
    wait "$slow"
    grep -q RENAME_EXCHANGE "$BATS_TEST_TMPDIR/trace" # negative control: it was, and what it took out is bob's
    [ "$(stat -c %U /tmp/.pam_unshare.*)" = bob ] || { die "left: $(ls -ld /tmp/.pam*)"; return 1; }
    [ "$(find /tmp/.pam_unshare/1000 -type f | wc -l)" -eq "$((i + 1))" ]
}

# hold_lock: somebody has it, until release_lock
hold_lock() {
    flock -F /run/pam_unshare sleep infinity 3>&- &
    HOLDER=$!
    eventually lock_is_held
}

lock_is_held() {
    ! flock -n /run/pam_unshare true
}

release_lock() {
    kill "$HOLDER"
    wait "$HOLDER" || true
    HOLDER=
}

# asks_for_lock USER: how often a session of the user's, which is isolated, asks for the lock, goes to ASKED
asks_for_lock() {
    log_position
    strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=flock su "$1" -c 'echo >/tmp/of-session'
    [ ! -e /tmp/of-session ] || return
    ASKED=$(grep -c 'flock(' "$BATS_TEST_TMPDIR/trace") || true
}

@test "private=tmp: who has the lock keeps nobody out, and keeps nobody waiting where the name is root's" {
    isolate private=tmp
    asks_for_lock bob
    [ "$ASKED" -eq 2 ] # negative control: for /tmp and /var/tmp
    hold_lock
    asks_for_lock bob
    [ "$ASKED" -eq 0 ]
    asks_for_lock alice # hers is made in root's
    [ "$ASKED" -eq 0 ]
    [ -e /tmp/.pam_unshare/1000/of-session ]
    rm -rf /tmp/.pam_unshare /var/tmp/.pam_unshare
    asks_for_lock alice
    [ "$ASKED" -gt 2 ] && [ "$ASKED" -lt 210 ] || return # for both places together two seconds, ten milliseconds apart
    [ ! -e /tmp/.pam_unshare ]
    logged 'session of alice has a small tmpfs, which ends with its namespace, on /tmp, /var/tmp: '
    run setpriv --reuid bob --regid bob --clear-groups flock -n /run/pam_unshare true
    [[ $output == *'Permission denied'* ]]
    release_lock
    asks_for_lock alice # negative control
    [ -e /tmp/.pam_unshare/1000/of-session ]
    rm -rf /run/pam_unshare /tmp/.pam_unshare
    echo >/run/pam_unshare # nobody can have it
    asks_for_lock alice
    logged 'session of alice has a small tmpfs, which ends with its namespace, on /tmp: '
}

@test "private=tmp: a session that is stopped with the lock, and goes on later, takes nothing from others" {
    local slow
    isolate private=tmp
    mkdir /tmp/.pam_unshare
    chown bob /tmp/.pam_unshare
    strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=renameat2 -e inject=renameat2:delay_enter=10000000 \
        su alice -c 'echo >/tmp/of-alice' 3>&- &
    slow=$!
    eventually compgen -G '/tmp/.pam_unshare.*'
    su alice -c 'echo >/tmp/of-other' # does not wait so long
    [ "$(stat -c %U /tmp/.pam_unshare)" = bob ] # negative control: the other has not gone on
    logged 'session of alice has a small tmpfs, which ends with its namespace, on /tmp, /var/tmp: '
    wait "$slow"
    [ "$(stat -c %U /tmp/.pam_unshare.*)" = bob ]
    [ "$(ls /tmp/.pam_unshare/1000)" = of-alice ]
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

# fill DIRECTORY: as alice, in a session, until no more files can be made there
fill() {
    su alice -c "cd $1 && i=0; while { : >of-alice.\$i; } 2>/dev/null; do i=\$((i + 1)); done; [ \$i -gt 3 ]"
    run mkdir "$1/of-root"
    [[ $output == *'No space left on device'* ]]
}

# small_place DIRECTORY OPTION…: a place with little room, which alice has filled from a session of hers
small_place() {
    mount -t tmpfs -o "mode=1777,$2" small "$1"
    echo host >"$1/of-host"
    chmod 644 "$1/of-host"
    fill "$1"
    log_position
}

# own_tmpfs DIRECTORY: bob has an empty one of his own, with little room, and what he makes there is not on the host
own_tmpfs() {
    su bob -c "[ -z \"\$(ls -A $1)\" ] && echo own >$1/of-bob" && [ ! -e "$1/of-bob" ] &&
        su bob -c "sed -n 's|.* $1 |at |p' /proc/self/mountinfo | tail -n 1" >"$BATS_TEST_TMPDIR/mount" &&
        grep -E '^at rw,nosuid,nodev.* - tmpfs pam_unshare rw,size=4096k,nr_inodes=1024' "$BATS_TEST_TMPDIR/mount" &&
        [ "$(su bob -c "stat -c '%U %a' $1")" = 'root 1777' ] &&
        logged "session of bob has a small tmpfs, which ends with its namespace, on $1: there is no room for a directory of the user's"
}

@test "private=shm: a user who fills the place keeps nobody out, and nobody else is in the shared one" {
    isolate private=shm
    small_place /dev/shm nr_inodes=20,noexec
    own_tmpfs /dev/shm
    grep noexec "$BATS_TEST_TMPDIR/mount"
    su bob -c '! test -e /dev/shm/of-bob' # it has ended with its session
    su alice -c 'test -e /dev/shm/of-alice.1' # who has a directory keeps it
    never_logged 'session of alice has a small tmpfs'
    su alice -c 'rm /dev/shm/of-alice.*'
    log_position
    su bob -c 'echo own >/dev/shm/of-bob' # negative control: there is room
    [ -e "/dev/shm/.pam_unshare/1001/of-bob" ]
    logged 'session of bob opened'
    umount -l /dev/shm
    never_logged 'small tmpfs'
}

@test "private=tmp: where there is no room for root's directory either, each has a tmpfs" {
    isolate grace=5
    mount -t tmpfs -o mode=1777,nr_inodes=5 small /var/tmp
    run fill /var/tmp
    ! mkdir /var/tmp/.pam_unshare || false
    isolate private=tmp
    log_position
    own_tmpfs /var/tmp
    run grep noexec "$BATS_TEST_TMPDIR/mount"
    umount -l /var/tmp
    [ "$status" -ne 0 ]
}

@test "scope=user: a place without room is a tmpfs until the user's namespace ends, for each session of the user" {
    isolate private=tmp,shm scope=user
    small_place /dev/shm nr_inodes=20
    stay first su_as bob
    logged "session of bob has a small tmpfs, which ends with its namespace, on /dev/shm: there is no room"
    own_tmpfs /dev/shm
    su bob -c 'test -e /dev/shm/of-bob' # for the next session, too
    su alice -c 'rm /dev/shm/of-alice.*'
    log_position
    su bob -c 'test -e /dev/shm/of-bob'
    logged "session of bob has a small tmpfs"
    [ "$(ask bob full_places)" -eq 4 ]
    log_position # who joins from another mount namespace has one of its own, or the directory that there is room for now
    unshare --mount --propagation unchanged su bob -c '! test -e /dev/shm/of-bob'
    logged 'session of bob opened'
    never_logged 'small tmpfs'
    leave_all
    stay second su_as bob # negative control
    [ "$(ask bob full_places)" -eq 0 ]
    umount -l /dev/shm
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
    run joins --inject=move_mount:error=ENOSPC:when=$((2 - $(beneath)))
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
    never_logged 'sees more'
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

# modes_of_groups: of those that hide=cgroups makes for alice, each once
modes_of_groups() {
    find /sys/fs/cgroup/pam_unshare -type d -printf '%m\n' | sort -u
}

@test "hide=cgroups: the user sees the groups whatever the umask of an application in another mount namespace is" {
    isolate scope=user
    stay first su_as alice # without hide=cgroups: who joins from another mount namespace makes the groups
    enable su scope=user hide=cgroups
    elsewhere() {
        unshare --mount --propagation unchanged sh -c 'umask 0777; exec su alice -c "ls -d /sys/fs/cgroup/user.slice/*/"'
    }
    [ ! -e /sys/fs/cgroup/pam_unshare ]
    [ "$(elsewhere)" = /sys/fs/cgroup/user.slice/user-1000.slice/ ]
    [ "$(modes_of_groups)" = 755 ]
    chmod 700 /sys/fs/cgroup/pam_unshare/1000 # negative control: with such a mode
    run elsewhere
    [[ $status -ne 0 && $output != */sys/fs/cgroup/user.slice/user-1000.slice/ ]]
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
    eventually host_is_unchanged
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

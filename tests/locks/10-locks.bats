#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Applications that find out by a pid whether their lock's owner lives, in two sessions of one user: with
# scope=user as on stock, with scope=session not, which is the manual's "Locks by pid". What screen
# and tmux do is in tests/system/25-user.bats.

load ../system/lib
load ../system/user

setup_file() {
    prepare
    prepare_stays
    start_sshd
}

teardown_file() {
    stop_sshd
}

setup() {
    WORK=/home/alice/work
}

teardown() {
    pkill -9 -u alice || true
    leave_all
    isolate_nobody
    rm -rf "$WORK"
}

new_work() {
    rm -rf "$WORK"
    install -d -o alice -g alice -m 700 "$WORK"
}

# as_on_stock ARGUMENTS CHECK [ARGUMENT…]: CHECK holds without the module, with scope=user, and not with scope=session.
# It returns 1 where it does not hold, and 2 where that could not be tried.
as_on_stock() {
    local arguments=$1 scope status=0
    shift
    new_work
    isolate_nobody
    "$@" || { die "fails on stock: $*"; return 1; }
    for scope in user session; do
        pkill -9 -u alice || true
        eventually no_init_left
        new_work
        # shellcheck disable=SC2086 # words
        isolate "scope=$scope" grace=1 $arguments
        if [ "$scope" = user ]; then
            "$@" || { die "fails with scope=user: $*"; return 1; }
        else
            "$@" || status=$?
            [ "$status" -eq 1 ] || { die "with scope=session it returns $status, so it shows nothing: $*"; return 1; }
        fi
    done
}

# first COMMAND: in a session of its own, which stays open. Its pid is none that the second has by chance.
first() {
    ssh_as alice "cd $WORK && for n in {1..100}; do (:); done; $1" >"$BATS_TEST_TMPDIR/first" 2>&1 3>&- &
    FIRST=$!
}

second() { # COMMAND
    ssh_as alice "cd $WORK && $1" 2>&1
}

# ---- git -----------------------------------------------------------------------------------------

# Its lock has "PID HOST" of the gc that runs; here it is a process that goes on
gc_is_running() {
    second 'git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x' || return 2
    first 'sleep 1000 & echo "$! $(hostname)" >.git/gc.pid; wait'
    eventually test -s "$WORK/.git/gc.pid" || return 2
    output=$(second 'git gc')
    echo "$output"
    [[ $output == *'gc is already running'* ]]
}

@test "git gc: a second one is refused while the first runs" {
    as_on_stock "" gc_is_running
}

# ---- borg ----------------------------------------------------------------------------------------

# A backup that goes on for as long as its input does
backup_is_respected() {
    # the sandbox has no network interface by whose address borg knows that the lock is of this machine
    local export_borg='export BORG_HOST_ID=this BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_BASE_DIR=$PWD/base;'
    second "$export_borg borg init -e none repo && mkfifo input && echo file >file" || return 2
    first "$export_borg { echo begun; read -r _ <input; } | borg create --stdin-name long repo::long -"
    eventually ls -d "$WORK"/repo/lock.exclusive || return 2
    output=$(second "$export_borg borg create --lock-wait 1 repo::short file")
    echo "$output"
    second 'echo >input'
    wait "$FIRST" || return 1
    [[ $output == *'Failed to create/acquire the lock'* && $output != *'stale lock'* ]]
}

@test "borg: a second backup waits for the lock of the first, which succeeds" {
    as_on_stock "" backup_is_respected
}

# ---- PostgreSQL ------------------------------------------------------------------------------------

postmaster_is_respected() {
    local bin
    bin=$(echo /usr/lib/postgresql/*/bin)
    second "$bin/initdb -D data -A trust --no-sync >/dev/null && mkdir one two" || return 2
    first "exec $bin/postgres -D data -k $WORK/one -c listen_addresses="
    eventually second "$bin/pg_isready -q -h $WORK/one" || return 2
    output=$(second "timeout 10 $bin/postgres -D data -k $WORK/two -c listen_addresses= -p 5433")
    echo "$output"
    [[ $output == *'lock file "postmaster.pid" already exists'* ]]
}

@test "PostgreSQL: a second postmaster on a live data directory is refused" {
    # without ipc only System V shared memory, which the sessions share then, keeps the second one out
    as_on_stock ipc postmaster_is_respected
}

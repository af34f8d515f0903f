#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Applications that find out by a pid whether their lock's owner lives: between ssh, su, cron and units of one user it is
# as on the stock machine. Here the module is in su's file too. What needs no systemd is in tests/locks/10-locks.bats.

load ../guest/lib
load ../guest/inside
load lib

setup_file() {
    begin_life
}

teardown() {
    end_clients
    crontab -u alice -r 2>/dev/null || true
    disable su
}

teardown_file() {
    end_life
}

# first COMMAND: in a session of ssh, which stays. Its pid is none that another has by chance.
first() {
    [ "$PLACE" != inside ] || enable su
    login 'for n in $(seq 200); do (:); done'
    hold_session first alice "cd $WORK; $1; exec sleep 5400" >&2
    eventually pgrep -u alice -xf 'sleep 5400'
    placed "$(pid_of 'sleep 5400')"
}

by_ssh() {
    login sh job
}

by_su() {
    timeout 120 su - alice -c "cd $WORK; sh job" </dev/null
}

by_cron() {
    rm -f "$WORK/job.done"
    cron_job 'sh job >job.out 2>&1; mv job.out job.done'
    eventually test -e "$WORK/job.done"
    cat "$WORK/job.done"
}

by_unit() {
    login "systemd-run --user --quiet --pipe --wait --working-directory=$WORK sh job"
}

# from_everywhere COMMAND PATTERN: does what it says match?
from_everywhere() {
    local how
    printf '%s\n' "$1" >"$WORK/job"
    for how in ssh su cron unit; do
        "by_$how" >"$BATS_TEST_TMPDIR/said" 2>&1 || true
        sed "s/^/$how says: /" "$BATS_TEST_TMPDIR/said" >&2
        holds "$how" grep -qE "$2" "$BATS_TEST_TMPDIR/said"
    done
}

everywhere() {
    said 'ssh: yes' 'su: yes' 'cron: yes' 'unit: yes'
}

second_postmaster() {
    local bin
    bin=$(echo /usr/lib/postgresql/*/bin)
    login "$bin/initdb -D data -A trust --no-sync >/dev/null && mkdir one two"
    first "$bin/postgres -D data -k $WORK/one -c listen_addresses= >log 2>&1 & until $bin/pg_isready -q -h $WORK/one; do sleep 0.1; done"
    from_everywhere "timeout 5 $bin/postgres -D data -k $WORK/two -c listen_addresses= -p 5433" 'lock file "postmaster.pid" already exists'
}

@test "PostgreSQL: a second postmaster is refused, from ssh, su, cron and a unit" {
    same_as_stock second_postmaster
    everywhere
}

@test "PostgreSQL: and so it is with ipc" {
    # shellcheck disable=SC2034 # for place
    WORDS+=' ipc'
    as_on_stock second_postmaster
    everywhere
}

second_backup() {
    local borg='export BORG_HOST_ID=this BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_BASE_DIR=$PWD/base'
    login "$borg; borg init -e none repo && mkfifo input && echo file >file" >&2
    first "$borg; { echo begun; read -r _ <input; } | borg create --stdin-name long repo::long - >log 2>&1 & until [ -e repo/lock.exclusive ]; do sleep 0.1; done"
    from_everywhere "$borg; borg create --lock-wait 1 repo::short-\$\$ file" 'Failed to create/acquire the lock'
    login 'echo >input'
    LIMIT=30 eventually not test -e "$WORK/repo/lock.exclusive" # a zombie of the session is what is left of it
    says archives login "$borg; borg list --short repo"
}

@test "borg: a backup waits for the lock of a running one, which succeeds, from ssh, su, cron and a unit" {
    as_on_stock second_backup
    everywhere
    said 'archives: long'
}

second_gc() {
    login 'git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x'
    first 'echo "$$ $(hostname)" >.git/gc.pid'
    from_everywhere 'git gc' 'gc is already running'
}

@test "git: a second gc is refused, from ssh, su, cron and a unit" {
    as_on_stock second_gc
    everywhere
}

# who has changed it and not saved it
changed_in_emacs() {
    echo text >"$WORK/text"
    chown alice "$WORK/text"
    first "emacs --daemon >/dev/null 2>&1; emacsclient -e '(with-current-buffer (find-file-noselect \"$WORK/text\") (insert \"x\") (file-locked-p buffer-file-name))' >/dev/null"
    from_everywhere 'emacs -Q --batch --eval "(print (file-locked-p \"text\"))"' '^"alice"$'
}

@test "emacs: says who has changed a file, to ssh, su, cron and a unit" {
    as_on_stock changed_in_emacs
    everywhere
}

open_in_vim() {
    first 'tmux new-session -d -s work "vim.tiny -u NONE text"; until [ -e .text.swp ]; do sleep 0.1; done'
    from_everywhere 'vim.tiny -u NONE -r' 'STILL RUNNING'
}

@test "vim: says that a file is open, to ssh, su, cron and a unit" {
    as_on_stock open_in_vim
    everywhere
}

taken_over() {
    # shellcheck disable=SC2086 # words
    $SSH 'screen -S work answer screen' < <(exec sleep 100) >/dev/null 3>&- &
    client["first"]=$!
    eventually pgrep -u alice -xf '/bin/sh /usr/local/bin/answer screen'
    placed "$(pid_of '/bin/sh /usr/local/bin/answer screen')"
    # shellcheck disable=SC2086 # words
    holds taken timeout 20 "$BATS_TEST_DIRNAME/display" '\x01d' $SSH 'screen -d -r work'
    LIMIT=10 holds 'the first is detached' eventually not kill -0 "${client["first"]}"
}

@test "screen: -d -r takes a display over from another login" {
    as_on_stock taken_over
    said 'taken: yes' 'the first is detached: yes'
}

server_killed() {
    printf '#!/bin/sh\nexec sleep 5401\n' >"$WORK/xstartup"
    chmod 755 "$WORK/xstartup"
    first "tigervncserver :5 -localhost yes -SecurityTypes None -xstartup $WORK/xstartup >log 2>&1; until pgrep -xf 'sleep 5401'; do sleep 0.1; done"
    holds listed eval "login 'tigervncserver -list' | grep -E '^:?5\\b' | grep -v stale"
    # its status says whether SIGTERM was enough in the time that it gives
    holds killed eval "login 'tigervncserver -kill :5 2>&1' | tee /dev/stderr | grep '^Killing Xtigervnc process'"
    LIMIT=10 holds gone eventually not pgrep -u alice Xtigervnc
}

@test "tigervncserver: -kill ends the server of another login" {
    as_on_stock server_killed
    said 'killed: yes' 'gone: yes'
}

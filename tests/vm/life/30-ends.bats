#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What ends, and what is seen from where: jobs and logouts, terminate-user, and that no program which a user has left
# running sees the others. More of what ends is in tests/vm/guest/48-hold.bats.

load ../guest/lib
load ../guest/inside
load lib

setup_file() {
    begin_life
    start_secret
}

teardown() {
    end_clients
    crontab -u alice -r 2>/dev/null || true
    logind_default
}

teardown_file() {
    end_life
}

# The job goes on for as long as the test wants
job_outlives() { # HOW
    local there='sleep 5301'
    hold_session last alice 'exec sleep 5300'
    eventually pgrep -u alice -xf 'sleep 5300'
    "by_$1" "exec $there"
    eventually pgrep -u alice -xf "$there"
    placed "$(pid_of "$there")"
    kill "$(pid_of 'sleep 5300')"
    LIMIT=30 eventually none_is_open
    forgotten 1000
    left "$there"
    says 'the next login sees' login "pgrep -xfc '$there'"
    holds killed login "pkill -xf '$there'"
    LIMIT=30 holds ended eventually gone "$there"
}

gone() {
    ! pgrep -u alice -xf "$1"
}

by_cron() {
    cron_job "$1"
}

by_at() {
    login "echo '$1' | at now" >&2
    [ "$PLACE" != session ] || systemctl kill --kill-who=main -s HUP atd.service # nobody else tells it
}

@test "cron: a job outlives the last logout, and the next login sees and ends it" {
    logind UserStopDelaySec=0
    as_on_stock job_outlives cron
    said 'sleep 5301: there' 'the next login sees: 1' 'killed: yes' 'ended: yes'
}

# What a job leaves in the background, of a user who has neither a session nor a user manager
left_by_job() {
    local there='sleep 5304'
    forgotten 1000 # place() has logged in
    cron_job "setsid -f $there >/dev/null 2>&1 </dev/null; echo >began"
    LIMIT=30 eventually test -e "$WORK/began"
    eventually no_job
    started "$there"
    [ "$PLACE" != session ] || LIMIT=30 eventually no_init_left
    not manager_is_up
    says 'the next login sees' login "pgrep -xfc '$there'"
    holds killed login "pkill -xf '$there'"
    LIMIT=90 holds 'nothing is left' eventually nothing_of_alice
}

no_job() {
    ! pgrep -P "$(main_pid cron.service)" >&2
}

@test "cron: what a job leaves in the background outlives it, and the next login sees and ends it" {
    as_on_stock left_by_job
    said 'the next login sees: 1' 'killed: yes' 'nothing is left: yes'
    # negative control: what has it stay is one word of the configuration file
    cp -p "$CONF" "$BATS_TEST_TMPDIR/enabled"
    sed -i '/^linger$/d' "$CONF"
    rm "$WORK/began"
    PLACE=session run left_by_job
    cp -p "$BATS_TEST_TMPDIR/enabled" "$CONF"
    grep -x 'the next login sees: 0' <<<"$output"
    grep -x 'killed: no' <<<"$output"
}

# What a job says, to the user who reads it in a session; and a file that the job leaves in /tmp. dma delivers when
# the job has ended.
mail_is_read() {
    : >/var/mail/alice
    chown alice:mail /var/mail/alice
    cron_job "echo said by a job; echo left >/tmp/of-job"
    LIMIT=60 holds mail eventually grep -q 'said by a job' /var/mail/alice
    says read login "grep -x 'said by a job' /var/mail/alice"
    says left login 'cat /tmp/of-job'
    login 'rm -f /tmp/of-job'
    : >/var/mail/alice
}

@test "cron: what a job says is mailed, and read in a session, which finds the file that it left in /tmp" {
    same_as_stock mail_is_read
    said 'mail: yes' 'read: said by a job' 'left: left'
}

at_warns() {
    login 'echo true | at now 2>&1' | grep -x 'Warning: at daemon not running'
}

runs_at_once() {
    login 'echo "echo ran >ran" | at now' >&2
    eventually test -e "$WORK/ran"
    rm "$WORK/ran"
}

@test "at: atd begins a new job at once, though at cannot signal it, and warns" {
    in_place inside at_warns
    in_place inside runs_at_once
    place stock
    not at_warns # negative control
    runs_at_once
}

@test "at: from a namespace of one session atd is not told, and begins a job when it next looks" {
    LIMIT=10 in_place session not runs_at_once
    login "atq | cut -f 1 | xargs atrm"
}

@test "at: a job outlives the last logout, and the next login sees and ends it" {
    logind UserStopDelaySec=0
    as_on_stock job_outlives at
    said 'sleep 5301: there' 'the next login sees: 1' 'killed: yes' 'ended: yes'
}

# everything of hers, some of which takes its time
terminated() {
    local began
    hold_session last alice "tmux new-session -d -s work answer tmux; screen -dmS work answer screen
        nohup sleep 5302 >/dev/null 2>&1 & emacs --daemon >/dev/null 2>&1
        systemd-run --user --quiet --unit=kept sh -c 'exec sleep 5303'; exec sleep 5300"
    started 'sleep 5303'
    started 'sleep 5300'
    started 'emacs --(bg-)?daemon.*'
    began=$SECONDS
    loginctl terminate-user alice
    LIMIT=60 eventually nothing_of_alice
    echo $((SECONDS - began)) >"$BATS_TEST_TMPDIR/$PLACE.took"
    forgotten 1000
    systemctl --failed --no-legend
}

@test "logind: terminate-user ends tmux, screen, nohup, emacs and units within 10 s of what it takes on stock" {
    same_as_stock terminated
    echo "stock $(cat "$BATS_TEST_TMPDIR/stock.took") s, inside $(cat "$BATS_TEST_TMPDIR/inside.took") s" >&2
    [ "$(cat "$BATS_TEST_TMPDIR/inside.took")" -le $(($(cat "$BATS_TEST_TMPDIR/stock.took") + 10)) ]
}

# ---- what is seen --------------------------------------------------------------------------------

# from_PROGRAM: what the probe says that runs there is in the file "looked"
TO="$LOOK >looked.new 2>&1; mv looked.new looked"

from_tmux() {
    login "tmux new-session -d '$TO'"
}

from_screen() {
    login "screen -dm sh -c '$TO'"
}

from_nohup() {
    login "nohup sh -c '$TO' >/dev/null 2>&1 &"
}

from_unit() {
    login "systemd-run --user --quiet --working-directory=$WORK sh -c '$TO'"
}

from_timer() {
    login "systemd-run --user --quiet --on-active=1 --timer-property=AccuracySec=1ms --working-directory=$WORK sh -c '$TO'"
    eventually test -e "$WORK/looked"
}

from_scope() {
    login "systemd-run --user --quiet --scope sh -c '$TO'"
}

from_cron() {
    cron_job "$TO"
}

from_at() {
    by_at "$TO"
}

from_emacs() {
    login "emacs --daemon && emacsclient -e '(let ((default-directory \"$WORK/\")) (shell-command \"$TO\"))'"
}

from_node() {
    login "node -e 'require(\"child_process\").execSync(\"$TO\")'"
}

from_mosh() {
    local port key
    login "LC_ALL=C.UTF-8 mosh-server new -i 127.0.0.1 -- sh -c 'cd $WORK; $TO; exec answer mosh'" >"$BATS_TEST_TMPDIR/mosh" 2>/dev/null
    read -r _ _ port key < <(tr -d '\r' <"$BATS_TEST_TMPDIR/mosh" | grep '^MOSH CONNECT')
    env LC_ALL=C.UTF-8 TERM=xterm MOSH_KEY="$key" "$BATS_TEST_DIRNAME/display" '\x1e.' timeout 30 mosh-client 127.0.0.1 "$port"
}

# look_from JUDGE: is every program isolated, or exposed?
look_from() {
    local program
    for program in tmux screen nohup unit timer scope cron at emacs node mosh; do
        rm -f "$WORK/looked"
        "from_$program" >&2
        eventually test -e "$WORK/looked"
        holds "$program" "$1" cat "$WORK/looked"
    done
}

@test "others: no program that a user has left sees the others' processes, and on stock each does" {
    in_place inside look_from isolated
    [ "$(grep -c ': yes$' "$BATS_TEST_TMPDIR/inside")" -eq 11 ]
    in_place stock look_from exposed # negative control
    [ "$(grep -c ': yes$' "$BATS_TEST_TMPDIR/stock")" -eq 11 ]
}

# a container that has the pids of whoever runs it
look_from_podman() {
    login "mkdir -p ~/.config/containers root && cp /bin/busybox root/
        printf '[storage]\ndriver = \"vfs\"\n' >~/.config/containers/storage.conf
        printf '[containers]\npids_limit = 0\n' >~/.config/containers/containers.conf
        tar -C root -c . | podman --log-level=error import - life" >&2
    says secrets login "podman run --network=none --rm --pid=host life /busybox ps -o args | grep -c '} daemon-${SECRET%1}[1]'"
    holds 'its own' login "podman run --network=none --rm --pid=host life /busybox ps -o args | grep -q '^podman run'"
}

@test "others: a container with the pids of its user does not see the others' processes, and on stock it does" {
    in_place inside look_from_podman
    said 'secrets: 0' 'its own: yes'
    in_place stock look_from_podman # negative control
    grep -x 'secrets: 1' "$BATS_TEST_TMPDIR/stock"
}

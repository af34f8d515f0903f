#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# scope=user with su, sshd, sudo and cron: all sessions of a user share one namespace, and nobody
# else's; it ends after the last one, or with `linger` after the last process.

load lib
load user

setup_file() {
    prepare
    prepare_stays
    start_sshd
    cat >/run/echo <<'END'
#!/bin/bash
# The program in tmux and screen: answers a line
while read -r line; do echo "got-$line"; done
END
    chmod 755 /run/echo
}

teardown_file() {
    stop_sshd
}

setup() {
    remember_host
    log_position
    start_secret
    WORK=$(mktemp -d /run/user.XXXX)
    chmod 777 "$WORK"
}

teardown() {
    kill "$SECRET_PID" 2>/dev/null || true
    pkill -9 -u alice || true
    leave_all
    isolate_nobody
}

# ---- who shares --------------------------------------------------------------------------------

open_everywhere() {
    stay ssh1 ssh_as alice && stay ssh2 ssh_as alice && stay su su_as alice && stay sudo sudo_as alice &&
        stay_by_cron cron alice && stay bob ssh_as bob
}

# sees_only USER COUNT: a login sees so many of the sessions that last, and nothing of others
sees_only() {
    local facts
    facts=$(ssh_as "$1" "$PROBE") || return
    echo "$facts" >&2
    grep -qx foreign=0 <<<"$facts" && grep -qx secret=hidden <<<"$facts" &&
        [ "$(ssh_as "$1" 'pgrep -cf ^stay-')" -eq "$2" ]
}

one_namespace_for_each() {
    open_everywhere || return
    together ssh1 ssh2 su sudo cron && [ "$(pid_namespace bob)" != "$(pid_namespace ssh1)" ] &&
        [ "$(inits)" -eq 2 ] && sees_only alice 5 && sees_only bob 1 && leave_all
}

@test "two ssh sessions, su, sudo -u and a cron job of alice share one PID namespace, bob has another" {
    only_shared one_namespace_for_each
    kill "$SECRET_PID"
    wait "$SECRET_PID" || true
    eventually host_is_unchanged
}

@test "the log says who has made the namespace and who has joined it" {
    isolate scope=user
    stay first ssh_as alice
    stay second su_as alice
    logged 'pam_unshare\(sshd:session\): session of alice opened: PID namespace [0-9]+, init [0-9]+, the user.s, made$'
    logged 'pam_unshare\(su:session\): session of alice opened: PID namespace [0-9]+, init [0-9]+, the user.s, joined$'
    [ "$(ps -o args= -p "$(pgrep -x pam_unshare)")" = "pam_unshare: init of alice" ]
    leave_all
    log_position
    isolate scope=session # negative control
    stay first ssh_as alice
    logged 'session of alice opened: PID namespace [0-9]+, init [0-9]+$'
    never_logged 'made|joined'
}

ten_at_once() {
    local n names=({0..9})
    for n in "${names[@]}"; do
        rm -f "$STAYS/$n"
        su alice -c "/run/stay $n" </dev/null >/dev/null 2>&1 3>&- &
    done
    for n in "${names[@]}"; do
        eventually stays "$n" || return
    done
    together "${names[@]}" && [ "$(inits)" -eq 1 ] && leave_all
}

@test "ten that log in at the same instant share one" {
    only_shared ten_at_once
}

one_reaches_the_other() {
    stay first ssh_as alice || return
    # shellcheck disable=SC2016 # the session expands it
    su_as alice 'pid=$(pgrep -f "^stay-first") && readlink "/proc/$pid/exe" && kill "$pid"' &&
        eventually no_init_left
}

@test "one session sees, inspects and signals the processes of another" {
    only_shared one_reaches_the_other
}

@test "root is left alone, but for include_root" {
    isolate scope=user
    run su root -c "$PROBE"
    [[ $output == *secret=found* ]]
    enable su scope=user include_root # negative control
    run su root -c "$PROBE"
    [[ $output == *secret=hidden* ]]
}

# ---- the end -----------------------------------------------------------------------------------

closed() { # COUNT
    [ "$(count_logged 'session of alice closed')" -ge "$1" ]
}

survives_the_first() {
    log_position
    stay first ssh_as alice && stay second su_as alice || return
    leave_behind alice 4731 || return
    leave first
    eventually closed 2 || return
    su_as alice 'pgrep -f "^sleep 4731"' || return
    leave second
    eventually no_init_left && ! pgrep -u alice -f '^sleep 4731'
}

@test "a close only leaves: what a session has started lives until the user's last one has ended" {
    only_shared survives_the_first
}

# A process that a session leaves behind: it says which signals it gets, and saves when it is told to end
leave_saver() {
    cat >"$WORK/saver" <<END
#!/bin/bash
trap 'echo HUP >>$WORK/signals' HUP
trap 'echo TERM >>$WORK/signals; sleep 0.5; echo saved >>$WORK/signals; exit' TERM
echo up >$WORK/signals
while :; do sleep 0.05; done
END
    chmod 755 "$WORK/saver"
    rm -f "$WORK/signals"
    su_as alice "setsid $WORK/saver >/dev/null 2>&1 </dev/null & until [ -s $WORK/signals ]; do sleep 0.02; done"
}

@test "after the last session what is left gets SIGHUP and SIGTERM, and grace" {
    isolate scope=user grace=60
    stay first ssh_as alice
    leave_saver
    [ "$(cat "$WORK/signals")" = up ] # although the session that has started it is over
    leave first
    eventually no_init_left
    [ "$(tr '\n' ' ' <"$WORK/signals")" = "up HUP TERM saved " ]
    # negative control: no grace period
    isolate scope=user grace=0
    stay first ssh_as alice
    leave_saver
    leave first
    eventually no_init_left
    [ "$(cat "$WORK/signals")" = up ]
}

# two_displays tmux|screen: started in one session, taken over by the next while the first is open; it
# goes on when the first has logged out
two_displays() {
    cat >"$WORK/two.py" <<'END'
import pexpect, subprocess, sys, time

START = {"tmux": "tmux new-session -s work /run/echo", "screen": "screen -S work /run/echo"}
TAKE = {"tmux": "tmux attach-session -d -t work", "screen": "screen -ls && screen -d -r work"}
LEAVE = {"tmux": "\x02d", "screen": "\x01d"}
program, ssh = sys.argv[1], sys.argv[2:]


def login(command):
    environment = "export TERM=vt100 SCREENDIR=$HOME/.screen; mkdir -p -m 700 $SCREENDIR; "
    return pexpect.spawn(ssh[0], ssh[1:] + [environment + command], encoding="utf-8", timeout=10)


def says(child, word):
    child.sendline(word)
    child.expect_exact("got-" + word)


def inits():
    return subprocess.run(["pgrep", "-xc", "pam_unshare"], capture_output=True, text=True).stdout


try:
    first = login(START[program])
    says(first, "first")
    second = login(TAKE[program])
    says(second, "second")
    first.expect("detached")
    first.expect(pexpect.EOF)
    # an init of the first session's own ends now
    tries = 500
    while int(inits()) > 1 and tries:
        tries -= 1
        time.sleep(0.02)
    says(second, "later")
    second.send(LEAVE[program])
    second.expect("detached")
    second.expect(pexpect.EOF)
except pexpect.ExceptionPexpect as error:
    print(error)
    sys.exit(1)
END
    python3 "$WORK/two.py" "$1" ssh "${SSH_OPTIONS[@]}" -tt alice@127.0.0.1 3>&-
}

@test "tmux that was started in one session is attached from the next, and goes on when the first logs out" {
    only_shared two_displays tmux
}

@test "screen -d -r takes over from another session" {
    only_shared two_displays screen
}

# ---- linger ------------------------------------------------------------------------------------

begin_tmux() {
    log_position
    ssh_as alice 'tmux new-session -d -s work /run/echo' && eventually closed 1
}

tmux_is_there() {
    ssh_as alice 'pgrep -u alice tmux && tmux has-session -t work'
}

@test "linger: tmux outlives the last logout, and is there for the next login" {
    isolate scope=user linger
    begin_tmux
    tmux_is_there
    logged 'session of alice opened: PID namespace [0-9]+, init [0-9]+, the user.s, joined$'
    # the end of the last process is that of the namespace
    [ "$(inits)" -eq 1 ]
    ssh_as alice 'tmux kill-server'
    eventually no_init_left
    # negative control: without linger, and in a session of its own
    for scope in user session; do
        isolate scope=$scope
        begin_tmux
        eventually no_init_left
        run tmux_is_there
        [ "$status" -ne 0 ]
        eventually no_init_left
    done
}

@test "linger: the session that has joined meanwhile goes on when the process that lingered has ended" {
    isolate scope=user linger
    begin_tmux
    stay second su_as alice
    ssh_as alice 'tmux kill-server'
    su_as alice 'pgrep -f "^stay-second"'
    leave second
    eventually no_init_left
    isolate scope=session # negative control: another login does not see that session
    begin_tmux
    stay second su_as alice
    run su_as alice 'pgrep -f "^stay-second"'
    [ "$status" -ne 0 ]
}

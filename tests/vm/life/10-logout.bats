#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What outlives the last logout, and is found by the next login: the same as on the stock machine.

load ../guest/lib
load ../guest/inside
load lib

setup_file() {
    begin_life
    cat >/usr/local/lib/server.js <<-'JS'
	require("net").createServer(socket => socket.end("node is here\n")).listen(8017, "127.0.0.1");
	JS
}

teardown() {
    end_clients
    logind_default
    loginctl disable-linger alice
}

teardown_file() {
    end_life
}

ANSWER='/bin/sh /usr/local/bin/answer'
SERVER='node /usr/local/lib/server.js'
MOSH='mosh-server new .*' # its program waits for the first client
EMACS='emacs --(bg-)?daemon.*'
TMUX_ATTACH='tmux attach-session -t work'

# ---- one program ---------------------------------------------------------------------------------

tmux_is_found() {
    ssh_as alice 'tmux new-session -d -s work answer tmux'
    started "$ANSWER tmux"
    logged_out
    left "$ANSWER tmux"
    says sessions ssh_as alice "tmux list-sessions -F '#S #{session_windows}' 2>/dev/null"
    # shellcheck disable=SC2086 # words
    holds attached "$BATS_TEST_DIRNAME/display" '\x02d' $SSH "$TMUX_ATTACH"
    left "$ANSWER tmux"
}

@test "tmux: outlives the last logout, and the next login attaches it" {
    as_on_stock tmux_is_found
    said 'sessions: work 1' 'attached: yes' "$ANSWER tmux: there"
}

screen_is_found() {
    ssh_as alice 'screen -dmS work answer screen'
    started "$ANSWER screen"
    logged_out
    left "$ANSWER screen"
    # shellcheck disable=SC2086 # words
    holds attached "$BATS_TEST_DIRNAME/display" '\x01d' $SSH 'screen -d -r work'
    left "$ANSWER screen"
}

@test "screen: outlives the last logout, and the next login attaches it" {
    as_on_stock screen_is_found
    said 'attached: yes' "$ANSWER screen: there"
}

# is_killed COMMAND: by the next login, which sees it
is_killed() {
    started "$1"
    logged_out
    left "$1"
    holds killed ssh_as alice "pkill -xf '$1'"
    eventually not pgrep -u alice -xf "$1"
}

nohup_is_killed() {
    ssh_as alice 'nohup sleep 5001 >/dev/null 2>&1 &'
    is_killed 'sleep 5001'
}

@test "nohup: outlives the last logout, and the next login sees and kills it" {
    as_on_stock nohup_is_killed
    said 'sleep 5001: there' 'killed: yes'
}

setsid_is_killed() {
    ssh_as alice 'setsid sleep 5002 >/dev/null 2>&1 &'
    is_killed 'sleep 5002'
}

@test "setsid: outlives the last logout, and the next login sees and kills it" {
    as_on_stock setsid_is_killed
    said 'sleep 5002: there' 'killed: yes'
}

mosh_is_reached() {
    local port key
    ssh_as alice 'LC_ALL=C.UTF-8 mosh-server new -i 127.0.0.1 -- answer mosh' >"$BATS_TEST_TMPDIR/mosh" 2>/dev/null
    read -r _ _ port key < <(tr -d '\r' <"$BATS_TEST_TMPDIR/mosh" | grep '^MOSH CONNECT')
    started "$MOSH"
    logged_out
    left "$MOSH"
    holds connected env LC_ALL=C.UTF-8 TERM=xterm MOSH_KEY="$key" "$BATS_TEST_DIRNAME/display" '\x1e.' timeout 30 mosh-client 127.0.0.1 "$port"
}

@test "mosh: its server outlives the ssh session that began it, and the client connects" {
    as_on_stock mosh_is_reached
    said 'connected: yes'
}

emacs_is_found() {
    ssh_as alice 'emacs --daemon' >&2 2>&1
    started "$EMACS"
    logged_out
    left "$EMACS"
    says emacsclient ssh_as alice "emacsclient -e '(+ 40 2)' 2>/dev/null"
    holds ends ssh_as alice "emacsclient -e '(kill-emacs)' 2>/dev/null"
}

@test "emacs: its daemon outlives the last logout, and the next login's emacsclient finds it" {
    as_on_stock emacs_is_found
    said 'emacsclient: 42' 'ends: yes'
}

# as the server of an editor's remote half, which the next connection looks for
node_is_reached() {
    ssh_as alice "nohup $SERVER >/dev/null 2>&1 </dev/null &
        until socat -u TCP:127.0.0.1:8017 - 2>/dev/null; do sleep 0.1; done" >&2
    started "$SERVER"
    logged_out
    left "$SERVER"
    says connected ssh_as alice 'socat -u TCP:127.0.0.1:8017 - 2>/dev/null'
    holds killed ssh_as alice "pkill -xf '$SERVER'"
}

@test "node: a server that ssh began outlives the last logout, and the next login connects and ends it" {
    as_on_stock node_is_reached
    said 'connected: node is here' 'killed: yes'
}

# ---- all of them, as logind is told -----------------------------------------------------------------

# What logind ends at logout is seen before
start_all() {
    hold_session last alice "tmux new-session -d -s work answer tmux; screen -dmS work answer screen
        LC_ALL=C.UTF-8 mosh-server new -i 127.0.0.1 -- answer mosh >/dev/null 2>&1
        nohup sleep 5001 >/dev/null 2>&1 & setsid sleep 5002 >/dev/null 2>&1 &
        nohup $SERVER >/dev/null 2>&1 </dev/null & emacs --daemon >/dev/null 2>&1
        systemd-run --user --quiet --unit=kept sh -c 'exec sleep 5003'
        systemd-run --user --quiet --scope nohup sleep 5004 >/dev/null 2>&1 &
        exec sleep 5000"
    for_all started
    started 'sleep 5000'
}

log_out() {
    kill "$(pid_of 'sleep 5000')"
    logged_out
}

for_all() { # FUNCTION
    local command
    for command in "$ANSWER tmux" "$ANSWER screen" "$MOSH" 'sleep 5001' 'sleep 5002' "$SERVER" "$EMACS" 'sleep 5003' 'sleep 5004'; do
        "$1" "$command"
    done
}

# after_logout: with KillUserProcesses=yes what is in the session ends with it, and then the user, unless she lingers
after_logout() {
    local kill=$1
    start_all
    log_out
    [ "$kill" = no ] || LIMIT=30 eventually none_is_there
    [ "$kill" = no ] || loginctl show-user -p Linger alice | grep -qx Linger=yes || forgotten 1000
    for_all left
    echo "alice: $(state)"
    says sees ssh_as alice 'pgrep -u alice -xc sleep'
}

@test "logout: without KillUserProcesses= everything stays" {
    logind KillUserProcesses=no
    same_as_stock after_logout no
    [ "$(grep -c ': there' "$BATS_TEST_TMPDIR/inside")" -eq 9 ]
    said 'alice: closing' 'sees: 4'
}

@test "logout: with KillUserProcesses=yes nothing stays" {
    logind KillUserProcesses=yes
    same_as_stock after_logout yes
    [ "$(grep -c ': gone' "$BATS_TEST_TMPDIR/inside")" -eq 10 ]
}

lingering() {
    loginctl enable-linger alice
    after_logout "$1"
    loginctl disable-linger alice
}

@test "logout: with lingering and without KillUserProcesses= everything stays" {
    logind KillUserProcesses=no
    same_as_stock lingering no
    [ "$(grep -c ': there' "$BATS_TEST_TMPDIR/inside")" -eq 9 ]
    said 'sees: 4'
}

@test "logout: with lingering and KillUserProcesses=yes units of the user manager stay, and nothing else" {
    logind KillUserProcesses=yes
    same_as_stock lingering yes
    said 'sleep 5001: gone' "$MOSH: gone" 'sleep 5003: there' 'sleep 5004: there' 'alice: lingering' 'sees: 2'
}

# how_long_units_stay: after the last session
how_long_units_stay() {
    local began
    hold_session last alice "systemd-run --user --quiet --unit=kept sh -c 'exec sleep 5003'; exec sleep 5000"
    started 'sleep 5003'
    started 'sleep 5000'
    log_out
    LIMIT=30 eventually none_is_there
    began=${EPOCHREALTIME%.*}
    forgotten 1000
    left 'sleep 5003'
    holds '8 s or longer' test "$((${EPOCHREALTIME%.*} - began))" -ge 8
}

@test "logout: UserStopDelaySec= says how long the user manager stays" {
    logind UserStopDelaySec=9
    same_as_stock how_long_units_stay
    said '8 s or longer: yes'
    logind UserStopDelaySec=0 # negative control
    same_as_stock how_long_units_stay
    said '8 s or longer: no'
}

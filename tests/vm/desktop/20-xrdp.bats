#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# xrdp with xorgxrdp and Xfce, by a real RDP client: FreeRDP, on a display of its own.

load ../guest/lib
load desktop

setup_file() {
    prepare
    terminals
    Xvfb :9 -screen 0 1100x700x24 -nolisten tcp 3>&- &
    echo $! >"$BATS_FILE_TMPDIR/display"
    eventually on :9 '' xdpyinfo
    usermod --append --groups ssl-cert xrdp # else it cannot read its key, and offers no TLS
    systemctl start xrdp-sesman xrdp
    eventually socat -u OPEN:/dev/null TCP:localhost:3389
    enable xrdp-sesman
}

teardown_file() {
    systemctl stop xrdp xrdp-sesman
    kill "$(cat "$BATS_FILE_TMPDIR/display")"
    disable xrdp-sesman
}

setup() {
    from_now
    start_secret
}

teardown() {
    rm -f /etc/security/unshare.conf
    pkill -x xfreerdp3 || true
    end_desktops
    eventually no_init_left
}

client() { # USER
    DISPLAY=:9 xfreerdp3 /v:localhost "/u:$1" "/p:$1-password" /cert:ignore /size:1024x640 /log-level:ERROR \
        >"$BATS_TEST_TMPDIR/client-$1" 2>&1 3>&- &
}

desktop_by_rdp() { # USER
    client "$1"
    terminal_on "$1"
}

no_client() {
    [ -z "$(pgrep -x xfreerdp3)" ]
}

@test "xrdp: a desktop sees its own processes; a second login" {
    desktop_by_rdp alice
    sees_nothing_of_others alice
    eventually said 'pam_unshare\(xrdp-sesman:session\): session of alice opened: .*, entered at fork'
    in_terminal alice 'ps -eo pid,user,args'
    sleep 1 # for the picture alone
    picture :9 '' xrdp
    log_out_of_xfce alice
    eventually said 'pam_unshare\(xrdp-sesman:session\): session of alice closed'
    eventually no_init_left
    LIMIT=30 eventually no_client
    desktop_by_rdp alice
    sees_nothing_of_others alice
    log_out_of_xfce alice
    # negative control: without the module others are seen
    disable xrdp-sesman
    desktop_by_rdp alice
    sees_the_host alice
    log_out_of_xfce alice
    enable xrdp-sesman
}

@test "xrdp: a connection that is cut: the next one finds the desktop again" {
    desktop_by_rdp alice
    pid=$(cat "$DESK/alice.pid")
    in_terminal alice 'echo still-here >/tmp/of-alice'
    pkill -x xfreerdp3
    eventually no_client
    sleep 2 # until xrdp has seen it
    client alice
    LIMIT=30 eventually said 'reconnected|Reconnect|connected to existing'
    [ "$(cat "$DESK/alice.pid")" = "$pid" ]
    in_terminal alice 'cat /tmp/of-alice' | grep -qx still-here
    sees_nothing_of_others alice
    log_out_of_xfce alice
}

@test "xrdp: two users at the same time, each on a desktop of their own" {
    desktop_by_rdp alice
    desktop_by_rdp bob
    apart
    log_out_of_xfce bob
    log_out_of_xfce alice
}

locked() {
    pgrep -x -u alice i3lock
}

unlocked() {
    ! locked
}

# by_client WORD: typed at the client's window
by_client() {
    on :9 '' xdotool search --onlyvisible --class freerdp windowfocus
    types :9 '' "$1"
}

unlocks() { # it takes no answer while it says no to the one before
    by_client alice-password
    LIMIT=3 eventually unlocked
}

@test "xrdp: lock and unlock" {
    desktop_by_rdp alice
    pid=$(cat "$DESK/alice.pid")
    in_terminal alice 'i3lock --color 204060 >/dev/null 2>&1'
    locked
    by_client wrong-password
    eventually said 'pam_unix\(i3lock:auth\): authentication failure; .* user=alice'
    locked
    picture :9 '' xrdp-locked
    LIMIT=30 eventually unlocks
    [ "$(cat "$DESK/alice.pid")" = "$pid" ]
    sees_nothing_of_others alice
    log_out_of_xfce alice
}

by_rdp() {
    pkill -x xfreerdp3 || true
    eventually no_client
    client alice
}

@test "xrdp: who is refused has no desktop" {
    refused_then_let_in xrdp-sesman by_rdp
    log_out_of_xfce alice
}

@test "xrdp: a desktop whose processes cannot enter does not begin" {
    cannot_enter xrdp-sesman by_rdp
    log_out_of_xfce alice
    enable xrdp-sesman
}

@test "xrdp: with scope=user desktop, ssh and terminal are in one namespace" {
    is_one_namespace by_rdp
}

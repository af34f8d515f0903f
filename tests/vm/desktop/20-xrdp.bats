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
    since=$(date '+%F %T')
    start_secret
}

teardown() {
    pkill -x xfreerdp3 || true
    end_desktops
    eventually no_init_left
}

said() { # PATTERN
    journalctl --since "$since" --no-pager | grep -qE -- "$1"
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
    for pair in "alice bob" "bob alice"; do
        read -r user other <<<"$pair"
        in_terminal "$user" "pgrep -l -u $other || echo nobody" | grep -qx nobody
    done
    sees_nothing_of_others alice
    log_out_of_xfce bob
    log_out_of_xfce alice
}

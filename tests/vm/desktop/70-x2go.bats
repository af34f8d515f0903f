#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# X2Go: its agent, the X server of a desktop, is started by a program that runs in an ssh session, and outlives it.
# A daemon of root's looks for each agent by its pid, on the host.

load ../guest/lib
load desktop

setup_file() {
    prepare
    enable sshd
}

setup() {
    start_secret
    printf 'scope = user\nlinger\n' >/etc/security/unshare.conf
    systemctl restart x2goserver
}

teardown() {
    ssh_as alice "x2goterminate-session $(session)" || true
    rm -f /etc/security/unshare.conf
    end_desktops
    eventually no_init_left
    systemctl stop x2goserver
}

teardown_file() {
    disable sshd
}

session() {
    sed -n 4p "$BATS_FILE_TMPDIR/agent"
}

# As X2Go's client does; no client connects to the agent. It prints the display, a cookie, its pid and the session.
start_agent() {
    ssh_as alice 'X2GO_CLIENT=127.0.0.1 x2gostartagent 800x600 lan 16m-png unix-kde-depth_24 us pc105/us 0 D XFCE' >"$BATS_FILE_TMPDIR/agent"
    pgrep -u alice -f "x2goagent .*$(session)"
}

seconds_old() { # SECONDS: the agent, by X2Go's list of sessions, where it is running
    x2golistsessions_root | awk -F'|' -v session="$(session)" -v seconds="$1" '
        $2 == session && $5 == "R" { old = $13 >= seconds }
        END { exit !old }'
}

has_socket() {
    test -S "/tmp/.X11-unix/X$(sed -n 1p "$BATS_FILE_TMPDIR/agent")"
}

# The daemon leaves those alone that are younger than half a minute
stays() {
    start_agent
    eventually seconds_old 45
    has_socket
}

loses_its_socket() {
    start_agent
    eventually has_socket
    lost() { ! has_socket && ! seconds_old 0; }
    eventually lost
    pgrep -u alice -f "x2goagent .*$(session)" # alive, and nobody can reach it
}

@test "x2go: an agent goes on (does not work: X2Go's daemon, on the host, looks for it by the pid that it has in the session)" {
    loses_its_socket
}

@test "x2go: an agent goes on, without X2Go's daemon" {
    systemctl stop x2goserver
    stays
    isolated ssh_as alice "$PROBE"
    [ "$(readlink "/proc/$(pgrep -u alice -o -f "x2goagent .*$(session)")/ns/pid")" = "$(ssh_as alice 'readlink /proc/self/ns/pid')" ]
}

@test "x2go: an agent of an exempt user goes on, as on stock" {
    printf 'exempt = alice\n' >>/etc/security/unshare.conf
    stays
    ssh_as alice "x2goterminate-session $(session)"
    disable sshd # negative control
    stays
    enable sshd
}

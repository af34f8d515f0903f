#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# LightDM with its GTK greeter and Xfce, driven by the keyboard. LightDM has threads: enter=fork.

load ../guest/lib
load desktop

A=/run/lightdm/root/:0
B=/run/lightdm/root/:1

setup_file() {
    prepare
    virtual_x
    terminals
    # no terminals here: LightDM says 7, and logind's seat has none
    echo 'XDG_VTNR DEFAULT=0' >>/etc/security/pam_env.conf
    mkdir -p /etc/lightdm/lightdm.conf.d
    cat >/etc/lightdm/lightdm.conf.d/50-test.conf <<-'END'
	[LightDM]
	logind-check-graphical=false
	[Seat:*]
	xserver-command=/usr/local/bin/virtual-x
	user-session=xfce
	greeter-hide-users=true
	END
    enable lightdm
}

teardown_file() {
    systemctl stop lightdm
}

setup() {
    since=$(date '+%F %T')
    start_secret
    systemctl reset-failed lightdm || true
    systemctl restart lightdm
}

teardown() {
    systemctl stop lightdm
    end_desktops
    eventually no_display
    eventually no_init_left
}

no_display() {
    [ -z "$(pgrep -x Xvfb)" ] && rm -f /tmp/.X[01]-lock
}

said() { # PATTERN
    journalctl --since "$since" --no-pager | grep -qE -- "$1"
}

# What it says to its own log: the part since it was started
logged() { # PATTERN
    grep -qE -- "$1" /var/log/lightdm/lightdm.log
}

# The greeter shows its question, and the keyboard is its own
asks() { # DISPLAY XAUTHORITY
    shows "$1" "$2" lightdm-gtk-greeter || return
    grep -E 'Prompt greeter with|Continue authentication|Authenticate result' /var/log/lightdm/lightdm.log | tail -n 1 | grep -q Prompt || return
    [ "$(on "$1" "$2" xdotool getwindowfocus)" -gt 1 ] # 1 is "where the pointer is"
}

questions() {
    grep -c 'Prompt greeter with' /var/log/lightdm/lightdm.log || true
}

asked_more_than() { # COUNT
    [ "$(questions)" -gt "$1" ]
}

# log_in USER [DISPLAY XAUTHORITY [PASSWORD]]: by the greeter
log_in() {
    local display=${2:-:0} authority=${3:-$A} count
    eventually asks "$display" "$authority"
    count=$(questions)
    types "$display" "$authority" "$1"
    eventually asked_more_than "$count"
    types "$display" "$authority" "${4:-$1-password}"
}

@test "lightdm: a desktop sees its own processes; the log names the session; a second login" {
    log_in alice
    terminal_on alice
    sees_nothing_of_others alice
    eventually said 'pam_unshare\(lightdm:session\): session of alice opened: .*, entered at fork'
    in_terminal alice 'ps -eo pid,user,args'
    picture :0 $A lightdm
    log_out_of_xfce alice
    eventually said 'pam_unshare\(lightdm:session\): session of alice closed'
    eventually no_init_left
    log_in alice
    terminal_on alice
    sees_nothing_of_others alice
    log_out_of_xfce alice
    # negative control: without the module others are seen
    disable lightdm
    log_in alice
    terminal_on alice
    sees_the_host alice
    log_out_of_xfce alice
    enable lightdm
}

@test "lightdm: lock and unlock" {
    log_in alice
    terminal_on alice
    pid=$(cat "$DESK/alice.pid")
    in_terminal alice 'dm-tool lock'
    eventually asks :1 $B
    picture :1 $B lightdm-locked
    log_in alice :1 $B wrong-password
    eventually logged 'Authenticate result for user alice: Authentication failure'
    ! logged 'Returning to existing user session' || false
    log_in alice :1 $B
    eventually logged 'Returning to existing user session alice'
    [ "$(cat "$DESK/alice.pid")" = "$pid" ]
    sees_nothing_of_others alice
    log_out_of_xfce alice
}

@test "lightdm: two users, one after the other at the same seat, each on a desktop of their own" {
    log_in alice
    terminal_on alice
    in_terminal alice 'dm-tool switch-to-greeter'
    log_in bob :1 $B
    terminal_on bob
    in_terminal alice 'echo $$; pgrep -l -u bob || echo nobody' | tee "$BATS_TEST_TMPDIR/alice"
    grep -qx nobody "$BATS_TEST_TMPDIR/alice"
    sees_nothing_of_others alice
    in_terminal bob 'pgrep -l -u alice || echo nobody' | grep -qx nobody
    # the desktops do not meet in what libraries name by the pid alone, either
    in_terminal alice 'echo ${SESSION_MANAGER##*/}' >"$BATS_TEST_TMPDIR/ice"
    in_terminal bob 'echo ${SESSION_MANAGER##*/}' >>"$BATS_TEST_TMPDIR/ice"
    [ "$(grep -cE '^[0-9]+$' "$BATS_TEST_TMPDIR/ice")" -eq 2 ]
    [ "$(sort -u "$BATS_TEST_TMPDIR/ice" | wc -l)" -eq 2 ]
    picture :1 $B lightdm-bob
    log_out_of_xfce bob
    log_out_of_xfce alice
}

@test "lightdm: without enter=fork refused, and the log says why" {
    sed -i 's/ enter=fork//' /etc/pam.d/lightdm
    log_in alice
    LIMIT=30 eventually said 'pam_unshare\(lightdm:session\): cannot isolate the session of alice: the application has [0-9]+ threads, only one is supported'
    no_terminal alice
    no_init_left
    enable lightdm
}

@test "lightdm: a desktop that cannot enter does not begin" {
    # LightDM may not change its mount namespace: that fails at the open
    mkdir -p /run/systemd/system/lightdm.service.d
    printf '[Service]\nRestrictNamespaces=~mnt\n' >/run/systemd/system/lightdm.service.d/fault.conf
    systemctl daemon-reload
    systemctl restart lightdm
    log_in alice
    LIMIT=30 eventually said 'pam_unshare\(lightdm:session\): cannot isolate the session of alice: '
    no_terminal alice
    rm -r /run/systemd/system/lightdm.service.d
    systemctl daemon-reload
}

@test "lightdm: with scope=user desktop, ssh and terminal are in one namespace" {
    printf 'scope = user\n' >/etc/security/unshare.conf
    enable sshd
    log_in alice
    terminal_on alice
    desktop=$(in_terminal alice 'readlink /proc/self/ns/pid')
    [ "$(ssh_as alice 'readlink /proc/self/ns/pid')" = "$desktop" ]
    [ "$desktop" != "$(readlink /proc/self/ns/pid)" ]
    ssh_as alice 'pgrep -x xfce4-session'
    sees_nothing_of_others alice
    log_out_of_xfce alice
    # negative control: else each has its own
    rm /etc/security/unshare.conf
    log_in alice
    terminal_on alice
    desktop=$(in_terminal alice 'readlink /proc/self/ns/pid')
    [ "$(ssh_as alice 'readlink /proc/self/ns/pid')" != "$desktop" ]
    log_out_of_xfce alice
    disable sshd
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# LightDM with its GTK greeter and Xfce, driven by the keyboard. LightDM has threads: enter=fork.

load ../guest/lib
load desktop
load lightdm

setup_file() {
    prepare
    configure_lightdm
    enable lightdm
}

teardown_file() {
    systemctl stop lightdm
}

setup() {
    from_now
    start_secret
    start_lightdm
}

teardown() {
    rm -f /etc/security/unshare.conf
    end_lightdm
    eventually no_init_left
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
    apart
    picture :1 $B lightdm-bob
    log_out_of_xfce bob
    log_out_of_xfce alice
}

@test "lightdm: who is refused has no desktop" {
    refused_then_let_in lightdm log_in alice
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

@test "lightdm: a desktop whose processes cannot enter does not begin" {
    cannot_enter lightdm log_in alice
    log_out_of_xfce alice
    enable lightdm
}

@test "lightdm: refused where its unit may not change the mount namespace" {
    mkdir -p /run/systemd/system/lightdm.service.d
    printf '[Service]\nRestrictNamespaces=~mnt\n' >/run/systemd/system/lightdm.service.d/fault.conf
    systemctl daemon-reload
    systemctl restart lightdm
    log_in alice
    LIMIT=30 eventually said 'pam_unshare\(lightdm:session\): cannot isolate the session of alice: '
    no_terminal alice
    rm -r /run/systemd/system/lightdm.service.d
    systemctl daemon-reload
    # negative control
    systemctl restart lightdm
    log_in alice
    terminal_on alice
    log_out_of_xfce alice
}

@test "lightdm: with scope=user desktop, ssh and terminal are in one namespace" {
    is_one_namespace log_in alice
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# GDM and Xfce. GDM has threads: enter=fork. Its login screen is GNOME's, which needs a graphics card: a program is in its
# place, and in that of the lock screen, which says the same to GDM.

load ../guest/lib
load desktop

setup_file() {
    prepare
    virtual_x
    terminals
    seat_has_graphics
    # the X server that it starts
    for server in /usr/bin/Xorg /usr/lib/xorg/Xorg; do
        mv -n "$server" "$server.real"
        cp /usr/local/bin/virtual-x "$server"
    done
    install -m 755 "$BATS_TEST_DIRNAME/gdm-client" /usr/local/bin
    mv -n /usr/bin/gnome-session /usr/bin/gnome-session.real
    printf '#!/bin/sh\nexec gdm-client greeter\n' >/usr/bin/gnome-session
    chmod 755 /usr/bin/gnome-session
    mkdir -p /var/lib/AccountsService/users
    printf '[User]\nSession=xfce\nXSession=xfce\nSystemAccount=false\n' | tee /var/lib/AccountsService/users/{alice,bob} >/dev/null
    systemctl restart accounts-daemon
}

teardown_file() {
    for server in /usr/bin/Xorg /usr/lib/xorg/Xorg; do
        mv "$server.real" "$server"
    done
    mv /usr/bin/gnome-session.real /usr/bin/gnome-session
    cp "$STOCK/gdm-autologin" /etc/pam.d/gdm-autologin
    disable gdm-password
}

setup() {
    from_now
    start_secret
    printf '[daemon]\nWaylandEnable=false\nAutomaticLoginEnable=true\nAutomaticLogin=alice\n' >/etc/gdm3/daemon.conf
    if [ "${NEGATIVE:-}" != 1 ]; then
        awk '!done && $1 == "session" { print "session requisite pam_unshare.so close"; done = 1 }
             { print }
             $1 == "@include" && $2 == "common-session" { print "session requisite pam_unshare.so open enter=fork" }' \
            "$STOCK/gdm-autologin" >/etc/pam.d/gdm-autologin
    fi
}

# A worker that has just begun does not see that GDM has ended.
stop_gdm() {
    systemctl stop gdm
    pkill -f '^gdm-session-worke[r]' || true
}

teardown() {
    rm -f /etc/security/unshare.conf
    stop_gdm
    pkill -f 'gdm-client greete[r]' || true # which it leaves, and which would hear what is for the next one
    end_desktops
    eventually no_init_left
}

@test "gdm: a desktop sees its own processes; a second login" {
    for _ in first second; do
        systemctl start gdm
        terminal_on alice
        sees_nothing_of_others alice
        eventually said 'pam_unshare\(gdm-autologin:session\): session of alice opened: .*, entered at fork'
        in_terminal alice 'ps -eo pid,user,args'
        picture "$(in_terminal alice 'echo "$DISPLAY"' | tail -n 1)" /run/user/1000/gdm/Xauthority gdm
        log_out_of_xfce alice
        eventually said 'pam_unshare\(gdm-autologin:session\): session of alice closed'
        stop_gdm
        eventually no_init_left
    done
}

# answer USER [PASSWORD]: what is in the place of the login screen
answer() {
    timeout 60 sh -c 'echo "$1 $2" >/run/desk/greeter.ask' sh "$1" "${2:-$1-password}" || die "the greeter does not listen"
}

log_in() { # USER [PASSWORD]
    printf '[daemon]\nWaylandEnable=false\n' >/etc/gdm3/daemon.conf
    rm -f "$DESK/greeter.ask"
    mkfifo -m 666 "$DESK/greeter.ask"
    systemctl start gdm
    answer "$@"
}

@test "gdm: a login with a password; unlock with it" {
    enable gdm-password
    log_in alice
    terminal_on alice
    sees_nothing_of_others alice
    eventually said 'pam_unshare\(gdm-password:session\): session of alice opened: .*, entered at fork'
    in_terminal alice 'gdm-client unlock wrong-password' | grep -qx refused
    in_terminal alice 'gdm-client unlock alice-password' | grep -qx unlocked
    # it is asked for by a process of root's in the session, which GDM's worker forks
    eventually sees_nothing_of_others alice
    log_out_of_xfce alice
    eventually said 'pam_unshare\(gdm-password:session\): session of alice closed'
}

@test "gdm: a wrong password is refused, and nothing is left" {
    enable gdm-password
    log_in alice wrong-password
    LIMIT=30 eventually said 'pam_unix\(gdm-password:auth\): authentication failure; .* user=alice'
    no_terminal alice
    no_init_left
}

@test "gdm: two users, one after the other at the same seat, each on a desktop of their own" {
    enable gdm-password
    log_in alice
    terminal_on alice
    in_terminal alice "gdbus call --system -d org.gnome.DisplayManager -o /org/gnome/DisplayManager/LocalDisplayFactory \
        -m org.gnome.DisplayManager.LocalDisplayFactory.CreateTransientDisplay"
    answer bob
    terminal_on bob
    eventually said 'pam_unshare\(gdm-password:session\): session of bob opened: .*, entered at fork'
    apart
    log_out_of_xfce bob
    log_out_of_xfce alice
}

by_greeter() {
    stop_gdm
    pkill -f 'gdm-client greete[r]' || true
    log_in alice
}

@test "gdm: who is refused has no desktop" {
    enable gdm-password
    refused_then_let_in gdm-password by_greeter
    log_out_of_xfce alice
}

@test "gdm: a desktop whose processes cannot enter does not begin" {
    enable gdm-password
    cannot_enter gdm-password by_greeter
    log_out_of_xfce alice
}

@test "gdm: with scope=user desktop, ssh and terminal are in one namespace" {
    enable gdm-password
    is_one_namespace by_greeter
}

@test "gdm: without the module the processes of others are seen" {
    cp "$STOCK/gdm-autologin" /etc/pam.d/gdm-autologin
    systemctl start gdm
    terminal_on alice
    sees_the_host alice
}

@test "gdm: without enter=fork refused, and the log says why" {
    sed -i 's/ enter=fork//' /etc/pam.d/gdm-autologin
    systemctl start gdm
    LIMIT=60 eventually said 'pam_unshare\(gdm-autologin:session\): cannot isolate the session of alice: the application has [0-9]+ threads'
    no_terminal alice
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# GDM and Xfce. Its login screen is GNOME's, which needs a graphics card: alice is logged in without a password. GDM has
# threads: enter=fork.

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
    printf '[daemon]\nWaylandEnable=false\nAutomaticLoginEnable=true\nAutomaticLogin=alice\n' >/etc/gdm3/daemon.conf
    mkdir -p /var/lib/AccountsService/users
    printf '[User]\nSession=xfce\nXSession=xfce\nSystemAccount=false\n' >/var/lib/AccountsService/users/alice
    systemctl restart accounts-daemon
}

teardown_file() {
    for server in /usr/bin/Xorg /usr/lib/xorg/Xorg; do
        mv "$server.real" "$server"
    done
    cp "$STOCK/gdm-autologin" /etc/pam.d/gdm-autologin
}

setup() {
    since=$(date '+%F %T')
    start_secret
    if [ "${NEGATIVE:-}" != 1 ]; then
        awk '!done && $1 == "session" { print "session requisite pam_unshare.so close"; done = 1 }
             { print }
             $1 == "@include" && $2 == "common-session" { print "session requisite pam_unshare.so open enter=fork" }' \
            "$STOCK/gdm-autologin" >/etc/pam.d/gdm-autologin
    fi
}

teardown() {
    systemctl stop gdm
    end_desktops
    eventually no_init_left
}

said() { # PATTERN
    journalctl --since "$since" --no-pager | grep -qE -- "$1"
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
        systemctl stop gdm
        eventually no_init_left
    done
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

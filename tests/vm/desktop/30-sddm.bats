#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# SDDM (Qt 6) and Xfce. Its login screen needs a graphics card or much time: alice is logged in without a password.

load ../guest/lib
load desktop

setup_file() {
    prepare
    virtual_x
    terminals
    seat_has_graphics
    mkdir -p /etc/sddm.conf.d
    cat >/etc/sddm.conf.d/test.conf <<-'END'
	[General]
	DisplayServer=x11
	[X11]
	ServerPath=/usr/local/bin/virtual-x
	DisplayCommand=/bin/true
	DisplayStopCommand=/bin/true
	[Autologin]
	User=alice
	Session=xfce
	Relogin=true
	END
}

teardown_file() {
    cp "$STOCK/sddm-autologin" /etc/pam.d/sddm-autologin
}

setup() {
    since=$(date '+%F %T')
    start_secret
    if [ "${NEGATIVE:-}" != 1 ]; then
        awk '!done && $1 == "session" { print "session requisite pam_unshare.so close"; done = 1 }
             { print }
             END { print "session requisite pam_unshare.so open enter=fork" }' \
            "$STOCK/sddm-autologin" >/etc/pam.d/sddm-autologin
    fi
}

teardown() {
    systemctl stop sddm
    end_desktops
    eventually no_init_left
}

said() { # PATTERN
    journalctl --since "$since" --no-pager | grep -qE -- "$1"
}

another_terminal() { # PID
    has_terminal alice && [ "$(cat "$DESK/alice.pid")" != "$1" ]
}

@test "sddm: a desktop sees its own processes; a second login" {
    systemctl start sddm
    terminal_on alice
    sees_nothing_of_others alice
    eventually said 'pam_unshare\(sddm-autologin:session\): session of alice opened: .*, entered at fork'
    in_terminal alice 'ps -eo pid,user,args; cat "$XAUTHORITY" >/dev/null && echo "$XAUTHORITY"'
    first=$(cat "$DESK/alice.pid")
    ask_terminal alice 'xfce4-session-logout --logout --fast'
    LIMIT=60 eventually another_terminal "$first" # it logs in again by itself
    eventually said 'pam_unshare\(sddm-autologin:session\): session of alice closed'
    sees_nothing_of_others alice
}

@test "sddm: without the module the processes of others are seen" {
    cp "$STOCK/sddm-autologin" /etc/pam.d/sddm-autologin
    systemctl start sddm
    terminal_on alice
    sees_the_host alice
}

@test "sddm: without enter=fork no desktop begins: it uses /proc/self in the session" {
    sed -i 's/ enter=fork//' /etc/pam.d/sddm-autologin
    systemctl start sddm
    LIMIT=60 eventually said 'Failed to write the Xauthority file'
    no_terminal alice
}

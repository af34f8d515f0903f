#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# SDDM (Qt 6) and Xfce, without a password, and by its login screen, which is drawn without a graphics card.

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
	GreeterEnvironment=QT_QUICK_BACKEND=software
	[Theme]
	Current=maldives
	[X11]
	ServerPath=/usr/local/bin/virtual-x
	DisplayCommand=/bin/true
	DisplayStopCommand=/bin/true
	END
}

teardown_file() {
    cp "$STOCK/sddm-autologin" /etc/pam.d/sddm-autologin
    disable sddm
}

setup() {
    since=$(date '+%F %T')
    start_secret
    printf '[Autologin]\nUser=alice\nSession=xfce\nRelogin=true\n' >/etc/sddm.conf.d/without-password.conf
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

# Its login screen asks for a password, and has the keyboard
asks() {
    authority=$(echo /run/sddm/xauth_*)
    shows :0 "$authority" sddm-greeter && [ "$(on :0 "$authority" xdotool getwindowfocus)" -gt 1 ] && said 'Message received from greeter: Connect'
}

# start_screen: for the user who was there last, and asks for the password
start_screen() {
    rm -f /etc/sddm.conf.d/without-password.conf
    printf '[Last]\nSession=/usr/share/xsessions/xfce.desktop\nUser=alice\n' >/var/lib/sddm/state.conf
    chown sddm: /var/lib/sddm/state.conf
    systemctl start sddm
    LIMIT=60 eventually asks
}

locked() {
    pgrep -x -u alice i3lock
}

unlocks_by() { # DISPLAY XAUTHORITY PASSWORD; it takes no answer while it says no to the one before
    types "$1" "$2" "$3" && sleep 1 && ! locked
}

@test "sddm: a login by its screen with a password; lock and unlock with it" {
    enable sddm
    start_screen
    picture :0 "$authority" sddm-screen
    types :0 "$authority" wrong-password
    eventually said 'Authentication for user .* failed'
    no_terminal alice
    types :0 "$authority" alice-password
    terminal_on alice
    sees_nothing_of_others alice
    eventually said 'pam_unshare\(sddm:session\): session of alice opened: .*, entered at fork'
    in_terminal alice 'ps -eo pid,user,args'
    read -r display authority < <(in_terminal alice 'echo "$DISPLAY $XAUTHORITY"')
    picture "$display" "$authority" sddm
    in_terminal alice 'i3lock --color 204060 >/dev/null 2>&1'
    types "$display" "$authority" wrong-password
    eventually said 'pam_unix\(i3lock:auth\): authentication failure; .* user=alice'
    locked
    LIMIT=30 eventually unlocks_by "$display" "$authority" alice-password
    sees_nothing_of_others alice
    log_out_of_xfce alice
    eventually said 'pam_unshare\(sddm:session\): session of alice closed'
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

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
    from_now
    systemctl reset-failed sddm 2>/dev/null || true
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
    rm -f /etc/security/unshare.conf
    systemctl stop sddm
    end_desktops
    eventually no_init_left
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

# Its login screen on DISPLAY asks for a password, and has the keyboard
asks() {
    # shellcheck disable=SC2012 # the names are SDDM's
    authority=$(ls -t /run/sddm/xauth_* | head -n 1)
    shows "$1" "$authority" sddm-greeter && [ "$(on "$1" "$authority" xdotool getwindowfocus)" -gt 1 ] && said 'Message received from greeter: Connect'
}

# The screen asks for the password of the user who was there last
last_was() { # USER
    printf '[Last]\nSession=/usr/share/xsessions/xfce.desktop\nUser=%s\n' "$1" >/var/lib/sddm/state.conf
    chown sddm: /var/lib/sddm/state.conf
}

start_screen() {
    rm -f /etc/sddm.conf.d/without-password.conf
    last_was alice
    systemctl start sddm
    eventually asks :0
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

@test "sddm: two users, one after the other at the same seat, each on a desktop of their own" {
    enable sddm
    start_screen
    types :0 "$authority" alice-password
    terminal_on alice
    last_was bob
    from_now
    in_terminal alice 'gdbus call --system -d org.freedesktop.DisplayManager -o "$XDG_SEAT_PATH" -m org.freedesktop.DisplayManager.Seat.SwitchToGreeter'
    eventually asks :1
    types :1 "$authority" bob-password
    terminal_on bob
    eventually said 'pam_unshare\(sddm:session\): session of bob opened: .*, entered at fork'
    apart
    log_out_of_xfce bob
    log_out_of_xfce alice
}

by_screen() {
    systemctl stop sddm
    from_now
    start_screen
    types :0 "$authority" alice-password
}

@test "sddm: who is refused has no desktop" {
    enable sddm
    refused_then_let_in sddm by_screen
    log_out_of_xfce alice
}

@test "sddm: a desktop whose processes cannot enter does not begin" {
    enable sddm
    cannot_enter sddm by_screen
    log_out_of_xfce alice
}

@test "sddm: with scope=user desktop, ssh and terminal are in one namespace" {
    enable sddm
    is_one_namespace by_screen
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

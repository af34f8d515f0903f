#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Two users of a seat, each with an X server on a virtual terminal of its own, and the ways from one to the other: in a
# guest, since a container has no terminals. LightDM with its GTK greeter; a desktop is the tests' shell alone.

load ../guest/lib
load desktop
load lightdm

C=/run/lightdm/root/:2
export LIMIT=300 # a guest takes long without KVM

setup_file() {
    "$BATS_TEST_DIRNAME/setup" >&2
    prepare
    configure_lightdm
    x_on_terminals
    enable lightdm
}

setup() {
    from_now
    start_secret
    start_lightdm
}

teardown() {
    tail -n 30 /var/log/lightdm/lightdm.log >&2
    on :0 "$A" xdotool search --onlyvisible --class '.*' getwindowname %@ >&2 || true
    tail -n 5 /var/log/lightdm/seat0-greeter.log /var/log/lightdm/x-0.log >&2 || true
    loginctl list-sessions --no-legend >&2 || true
    cat /sys/class/tty/tty0/active >&2
    end_lightdm
    eventually no_init_left
}

teardown_file() {
    systemctl stop lightdm
}

# In the place of Xvfb: Xorg with a driver of no graphics card. LightDM names the terminal, which Xorg takes for itself.
x_on_terminals() {
    sed -i '/^XDG_VTNR/d' /etc/security/pam_env.conf
    cat >/etc/X11/dummy.conf <<-'END'
	Section "ServerFlags"
	    Option "AutoAddDevices" "false"
	    Option "AutoEnableDevices" "false"
	EndSection
	Section "Device"
	    Identifier "dummy"
	    Driver "dummy"
	    VideoRam 16384
	EndSection
	Section "Screen"
	    Identifier "dummy"
	    Device "dummy"
	    DefaultDepth 24
	    SubSection "Display"
	        Virtual 800 600
	    EndSubSection
	EndSection
	END
    printf '#!/bin/sh\nexec /usr/lib/xorg/Xorg "$@" -config dummy.conf -noreset\n' >/usr/local/bin/virtual-x
    printf '[Desktop Entry]\nType=Application\nName=Shell\nExec=/usr/local/bin/terminal-shell\n' >/usr/share/xsessions/shell.desktop
    sed -i 's/^user-session=.*/user-session=shell/' /etc/lightdm/lightdm.conf.d/50-test.conf
}

no_display() {
    [ -z "$(pgrep -x Xorg)" ]
}

# session USER: the number of the session at the seat
session() {
    loginctl list-sessions --no-legend | awk -v user="$1" '$3 == user && $4 == "seat0" { print $1 }'
}

# is_active USER TERMINAL: for logind, and for the kernel; and nobody else is
is_active() {
    [ "$(loginctl show-session "$(session "$1")" -p Active -p State -p VTNr --value | sort | xargs)" = "$2 active yes" ] &&
        [ "$(cat /sys/class/tty/tty0/active)" = "tty$2" ] &&
        [ "$(loginctl show-seat seat0 -p ActiveSession --value)" = "$(session "$1")" ]
}

is_online() { # USER
    [ "$(loginctl show-session "$(session "$1")" -p Active -p State --value | sort | xargs)" = 'no online' ]
}

# to_and_fro CHECK…: alice and bob at the seat; CHECK holds of the terminals of both
to_and_fro() {
    log_in alice
    terminal_on alice
    eventually is_active alice 7
    in_terminal alice 'dm-tool switch-to-greeter'
    log_in bob :1 "$B"
    terminal_on bob
    eventually is_active bob 8
    is_online alice
    # the kernel's way: VT_ACTIVATE, what Xorg does at Ctrl-Alt-F7
    chvt 7
    eventually is_active alice 7
    is_online bob
    chvt 8
    eventually is_active bob 8
    is_online alice
    # logind's
    loginctl activate "$(session alice)"
    eventually is_active alice 7
    loginctl activate "$(session bob)"
    eventually is_active bob 8
    "$@" in_terminal alice "$PROBE"
    "$@" in_terminal bob "$PROBE"
    # the display manager's: by its greeter, on a third terminal, to the desktop that she has left
    in_terminal bob 'dm-tool switch-to-greeter'
    log_in alice :2 $C
    eventually logged 'Returning to existing user session alice'
    eventually is_active alice 7
    is_online bob
    [ "$(in_terminal alice 'echo $$')" = "$(cat "$DESK/alice.pid")" ]
    ask_terminal alice 'kill $$'
    ask_terminal bob 'kill $$'
    gone alice
    gone bob
}

@test "seat: two users, each on a virtual terminal, to and fro by the kernel, by logind and by LightDM" {
    to_and_fro isolated
    end_lightdm
    # on stock the same, and each sees the other
    disable lightdm
    start_secret
    start_lightdm
    to_and_fro exposed
}

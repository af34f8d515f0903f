#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Display managers with one thread, for which "open" will do: greetd by agreety, xdm, SLiM and LXDM by the keyboard,
# and TigerVNC's session of a unit. Each opens Xfce.

load ../guest/lib
load desktop

setup_file() {
    prepare
    virtual_x
    terminals
    install -m 755 "$BATS_TEST_DIRNAME/greetd-greeter" /usr/local/bin
    # greetd starts no X server
    printf '#!/bin/sh\nexec xvfb-run --auto-servernum --server-args="-screen 0 1024x640x24 -nolisten tcp -noreset" startxfce4\n' \
        >/usr/local/bin/x-session
    # LXDM does not hand on what PAM says of the environment, such as where the bus of the session is
    printf '#!/bin/sh\nexec dbus-run-session startxfce4\n' >/usr/local/bin/bus-session
    chmod 755 /usr/local/bin/x-session /usr/local/bin/bus-session
    configure
    rm -f /home/alice/.dmrc # LightDM writes there which session she has chosen, and LXDM reads it
}

configure() {
    cat >/etc/greetd/config.toml <<-'END'
	[terminal]
	vt = "none"
	[default_session]
	command = "/usr/local/bin/greetd-greeter /usr/local/bin/x-session"
	user = "_greetd"
	END
    echo ':0 local /usr/local/bin/virtual-x :0' >/etc/X11/xdm/Xservers
    sed -i -e 's|^default_xserver.*|default_xserver /usr/local/bin/virtual-x|' -e 's|^xserver_arguments.*|xserver_arguments -nolisten tcp|' \
        -e 's|^login_cmd.*|login_cmd exec /bin/bash -login /etc/X11/Xsession startxfce4|' -e '/^sessionstart_cmd/d' /etc/slim.conf
    sed -i -e 's|^#* *arg=.*|arg=/usr/local/bin/virtual-x|' -e 's|^#* *session=.*|session=/usr/local/bin/bus-session|' /etc/lxdm/lxdm.conf
    echo ':5=alice' >/etc/tigervnc/vncserver.users
    # shellcheck disable=SC2016 # Perl's variables
    printf '$session="xfce";\n$SecurityTypes="None";\n$localhost="yes";\n' >/etc/tigervnc/vncserver-config-defaults
}

# start UNIT, with a pipe that greetd's greeter listens to
start() {
    echo "/usr/bin/$1" >/etc/X11/default-display-manager # xdm and SLiM look
    rm -f "$DESK/greeter.ask"
    mkfifo -m 666 "$DESK/greeter.ask"
    systemctl reset-failed "$1" 2>/dev/null || true
    systemctl restart "$1"
}

setup() {
    from_now
    start_secret
}

teardown() {
    rm -f /etc/security/unshare.conf
    systemctl stop greetd xdm slim lxdm tigervncserver@:5
    disable login xdm slim lxdm tigervnc
    end_desktops
    eventually no_init_left
}

# sees_and_ends SERVICE UNIT LOG_IN [PAM_FILE]: a desktop that LOG_IN has opened, and the next one without the module
sees_and_ends() {
    enable "${4:-$1}"
    start "$2"
    "$3"
    terminal_on alice
    sees_nothing_of_others alice
    eventually said "pam_unshare\($1:session\): session of alice opened: "
    read -r display authority < <(in_terminal alice 'echo "$DISPLAY ${XAUTHORITY:-$HOME/.Xauthority}"')
    in_terminal alice 'ps -eo pid,user,args'
    eventually shows "$display" "$authority" xfce4-terminal
    picture "$display" "$authority" "$1"
    log_out_of_xfce alice
    eventually said "pam_unshare\($1:session\): session of alice closed"
    systemctl stop "$2"
    eventually no_init_left
    # negative control: without the module others are seen
    disable "${4:-$1}"
    from_now
    start "$2"
    "$3"
    terminal_on alice
    sees_the_host alice
    log_out_of_xfce alice
}

starts_and_logs_in() { # UNIT LOG_IN
    start "$1" || true # TigerVNC's is alice's session
    "$2"
}

# does_not_begin SERVICE UNIT LOG_IN [PAM_FILE]
does_not_begin() {
    enable "${4:-$1}"
    refused_then_let_in "$1" starts_and_logs_in "$2" "$3"
}

# begins_all_the_same SERVICE UNIT LOG_IN: the limitation
begins_all_the_same() {
    enable "$1"
    echo nonsense >/etc/security/unshare.conf
    starts_and_logs_in "$2" "$3"
    eventually said "pam_unshare\($1:session\): .*'nonsense' is unknown"
    terminal_on alice
    sees_the_host alice
}

by_agreety() {
    timeout 60 sh -c 'echo alice alice-password >/run/desk/greeter.ask' || die "the greeter does not listen"
}

@test "greetd: a desktop sees its own processes, with the lines of login, which greetd's file includes" {
    sees_and_ends greetd greetd by_agreety login
}

@test "greetd: who is refused has no desktop" {
    # not the greeter as well, whose file includes that of login, too
    cp "$STOCK/login" /etc/pam.d/greeter-login
    sed -i 's/^@include login/@include greeter-login/' /etc/pam.d/greetd-greeter
    does_not_begin greetd greetd by_agreety login
}

# has_keyboard AUTHORITY: a window of the login screen has it
has_keyboard() {
    [ "$(on :0 "$1" xdotool getwindowfocus)" -gt 1 ]
}

# heard SERVICE COMMAND…: once more where a login screen has missed keys, as on a busy machine
heard() {
    "${@:2}"
    LIMIT=30 eventually said "\($1:session\): (session opened|.*session of alice|cannot )" || "${@:2}"
}

by_xdm() {
    eventually eval 'has_keyboard "$(echo /var/lib/xdm/authdir/authfiles/*)"'
    heard xdm types :0 "$(echo /var/lib/xdm/authdir/authfiles/*)" alice alice-password
}

@test "xdm: a desktop sees its own processes" {
    sees_and_ends xdm xdm by_xdm
}

@test "xdm: who is refused has no desktop (does not work: it does not check whether the session is refused, and the user gets in, unisolated)" {
    begins_all_the_same xdm xdm by_xdm
}

slim_shows() {
    [ -n "$(on :0 /run/slim.auth xdotool search --onlyvisible --name '')" ]
}

by_slim() {
    eventually slim_shows
    sleep 1 # until it listens, of which it gives no sign: it takes the keyboard without having the focus
    heard slim types :0 /run/slim.auth alice alice-password
}

@test "slim: a desktop sees its own processes" {
    sees_and_ends slim slim by_slim
}

@test "slim: who is refused has no desktop" {
    does_not_begin slim slim by_slim
}

answer_lxdm() {
    types :0 /run/lxdm/lxdm-:0.auth alice
    sleep 1 # until it asks for the password, of which it gives no sign
    types :0 /run/lxdm/lxdm-:0.auth alice-password
}

by_lxdm() {
    eventually has_keyboard /run/lxdm/lxdm-:0.auth
    heard lxdm answer_lxdm
}

@test "lxdm: a desktop sees its own processes" {
    sees_and_ends lxdm lxdm by_lxdm
}

@test "lxdm: who is refused has no desktop (does not work: it does not check whether the session is refused, and the user gets in, unisolated)" {
    begins_all_the_same lxdm lxdm by_lxdm
}

by_nobody() {
    true # the unit is alice's
}

@test "tigervnc: a desktop sees its own processes" {
    sees_and_ends tigervnc tigervncserver@:5 by_nobody
}

@test "tigervnc: who is refused has no desktop" {
    does_not_begin tigervnc tigervncserver@:5 by_nobody
}

# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests of desktops share; loaded after ../guest/lib.bash. They run in a container: its X servers are Xvfb.
#
# In each desktop a terminal is open (/etc/xdg/autostart), whose shell does what "in_terminal" asks for.

DESK=/run/desk # where terminals and tests meet
PICTURES=${PICTURES:-/root/pictures}

# The X server that a display manager starts: it drops the arguments that are for graphics cards and terminals.
virtual_x() {
    cat >/usr/local/bin/virtual-x <<-'END'
	#!/bin/bash
	arguments=() display=:0
	while [ $# -gt 0 ]; do
	    case $1 in
	    :*) display=$1 ;;
	    -auth) arguments+=("$1" "$2"); shift ;;
	    -displayfd) arguments+=("$1" "$2"); display=; shift ;;
	    esac
	    shift
	done
	# -noreset: else it begins anew, and tells the display manager so, whenever the last client leaves, which may be a test's
	exec Xvfb $display "${arguments[@]}" -screen 0 1024x640x24 -nolisten tcp -noreset
	END
    chmod 755 /usr/local/bin/virtual-x
}

# A terminal in each desktop
terminals() {
    install -d -m 1777 "$DESK" && rm -f "$DESK"/*
    install -m 666 /dev/null "$DESK/begun"
    cat >/usr/local/bin/terminal-shell <<-'END'
	#!/bin/bash
	# Says who it is, and does what is asked for, in the terminal's process tree.
	cd /run/desk || exit
	rm -f "$USER".*
	mkfifo "$USER.ask" "$USER.status"
	env >"$USER.environment"
	echo $$ >"$USER.pid"
	echo "$USER" >>begun
	PS1='$ '
	while read -r command <"$USER.ask"; do
	    printf '$ %s\n' "$command"
	    (cd && eval "$command") 2>&1 </dev/null | tee "$USER.output"
	    echo "${PIPESTATUS[0]}" >"$USER.status"
	done
	END
    chmod 755 /usr/local/bin/terminal-shell
    cat >/etc/xdg/autostart/terminal-shell.desktop <<-'END'
	[Desktop Entry]
	Type=Application
	Name=Terminal of the tests
	Exec=xfce4-terminal --disable-server --hide-menubar --geometry 90x22+40+60 --execute /usr/local/bin/terminal-shell
	END
}

# ask_terminal USER COMMAND: and do not wait for its end
ask_terminal() {
    timeout 60 sh -c 'echo "$2" >"/run/desk/$1.ask"' sh "$1" "$2" || die "the terminal of $1 does not listen"
}

# in_terminal USER COMMAND: in the terminal of the user's desktop
in_terminal() {
    local status
    ask_terminal "$1" "$2" || return
    status=$(timeout 120 cat "$DESK/$1.status") || die "no end of: $2" || return
    cat "$DESK/$1.output"
    return "$status"
}

has_terminal() { # USER
    [ -p "$DESK/$1.status" ] && [ -s "$DESK/$1.pid" ] && pgrep -u "$1" -f terminal-shell
}

no_terminal() { # USER
    [ -z "$(pgrep -u "$1" -f terminal-shell)" ]
}

# terminal_on USER: wait for the desktop of the user's
terminal_on() {
    LIMIT=${LIMIT:-60} eventually has_terminal "$1" ||
        { journalctl --after-cursor "$from" --no-pager --lines 60 >&2; return 1; }
}

# By an entry, not by the time of day: journalctl knows seconds only
from_now() {
    journalctl --sync
    from=$(journalctl --lines 0 --show-cursor | sed -n 's/^-- cursor: //p')
    [ "$from" ]
}

# said PATTERN: in the journal, from then on
said() {
    journalctl --after-cursor "$from" --no-pager | grep -qE -- "$1"
}

gone() { # USER: the desktop has ended, with all that was in it
    LIMIT=60 eventually no_terminal "$1" && rm -f "$DESK/$1".*
}

# end_desktops: whatever a test has left, and the process of start_secret, which is bob's. A new terminal would be taken for an old one by what that has left.
end_desktops() {
    local user
    for user in alice bob; do
        pkill -KILL -u "$user" -f terminal-shell || true
        pkill -u "$user" || true
        gone "$user"
    done
}

log_out_of_xfce() { # USER
    ask_terminal "$1" 'xfce4-session-logout --logout --fast' && gone "$1"
}

# on DISPLAY XAUTHORITY COMMAND…
on() {
    DISPLAY=$1 XAUTHORITY=$2 timeout 30 "${@:3}"
}

shows() { # DISPLAY XAUTHORITY CLASS
    [ -n "$(on "$1" "$2" xdotool search --onlyvisible --class "$3")" ]
}

# types DISPLAY XAUTHORITY WORD…: each with the key Return behind it
types() {
    local word
    for word in "${@:3}"; do
        on "$1" "$2" xdotool type --delay 60 "$word"
        on "$1" "$2" xdotool key Return
    done
}

# picture DISPLAY XAUTHORITY NAME: for whoever wants to see it
picture() {
    mkdir -p "$PICTURES"
    on "$1" "$2" import -window root -colors 64 "png8:$PICTURES/$3.png"
}

# sees_nothing_of_others USER: the probe in the terminal of the desktop
sees_nothing_of_others() {
    isolated in_terminal "$1" "$PROBE"
}

# apart: alice and bob have a desktop each, see nobody else, and the desktops do not meet in what libraries name by the pid alone
apart() {
    local user names=$BATS_TEST_TMPDIR/names
    in_terminal alice 'pgrep -l -u bob || echo nobody' | grep -qx nobody
    in_terminal bob 'pgrep -l -u alice || echo nobody' | grep -qx nobody
    sees_nothing_of_others alice
    for user in alice bob; do
        in_terminal "$user" 'echo ${SESSION_MANAGER##*/}'
    done >"$names"
    [ "$(grep -cE '^[0-9]+$' "$names")" -eq 2 ]
    [ "$(sort -u "$names" | wc -l)" -eq 2 ]
}

sees_the_host() { # USER: the negative control
    exposed in_terminal "$1" "$PROBE"
}

# seat_has_graphics: logind believes that seat0 has a graphics card: a device has the tag, of which there is no udev
seat_has_graphics() {
    mkdir -p /run/udev/tags/master-of-seat /run/udev/tags/seat /run/udev/data
    touch /run/udev/tags/master-of-seat/c1:3 /run/udev/tags/seat/c1:3
    printf 'I:1\nG:seat\nG:master-of-seat\nQ:seat\nQ:master-of-seat\nV:1\n' >/run/udev/data/c1:3
    systemctl restart systemd-logind
    # It counts sessions from 1 again, and the scope of one whose processes had gone before systemd moved them is there still.
    systemctl reset-failed 'session-*.scope'
    [ "$(loginctl show-seat seat0 -p CanGraphical --value)" = yes ]
}

begun() { # USER: how many desktops have begun
    grep -cx "$1" "$DESK/begun" || true
}

# refused_then_let_in SERVICE COMMAND…: alice, who logs in by COMMAND, is refused by a mistake in the configuration file,
# and the log says so. Once it is mended she has a desktop; the one that was refused has not begun before.
refused_then_let_in() {
    local before
    before=$(begun alice)
    echo nonsense >/etc/security/unshare.conf
    "${@:2}"
    eventually said "pam_unshare\($1:session\): .*'nonsense' is unknown"
    no_terminal alice
    no_init_left
    # negative control
    rm /etc/security/unshare.conf
    "${@:2}"
    terminal_on alice
    [ "$(begun alice)" -eq $((before + 1)) ]
}

# cannot_enter SERVICE COMMAND…: alice, who logs in by COMMAND, has no desktop where the application has lost CAP_SYS_ADMIN
# since the open: each process that it forks for her ends in fork(3), and the log says so at the close. Without the module it
# needs no such capability.
cannot_enter() {
    local before
    before=$(begun alice)
    echo "session required $TOP/build/tests/programs/pam_drop.so cap_sys_admin" >>"/etc/pam.d/$1"
    "${@:2}"
    eventually said "pam_unshare\($1:session\): children of the application could not enter the session of alice and were ended, [0-9]+ of them: "
    no_terminal alice
    eventually no_init_left
    # negative control
    sed -i /pam_unshare/d "/etc/pam.d/$1"
    "${@:2}"
    terminal_on alice
    [ "$(begun alice)" -eq $((before + 1)) ]
}

# is_one_namespace COMMAND…: the desktop that alice gets by COMMAND, its terminal and an ssh session, with scope=user
is_one_namespace() {
    local desktop
    printf 'scope = user\n' >/etc/security/unshare.conf
    enable sshd
    "$@"
    terminal_on alice
    desktop=$(in_terminal alice 'readlink /proc/self/ns/pid')
    [ "$(ssh_as alice 'readlink /proc/self/ns/pid')" = "$desktop" ]
    [ "$desktop" != "$(readlink /proc/self/ns/pid)" ]
    ssh_as alice 'pgrep -x xfce4-session'
    sees_nothing_of_others alice
    log_out_of_xfce alice
    # negative control: else each has its own
    rm /etc/security/unshare.conf
    "$@"
    terminal_on alice
    desktop=$(in_terminal alice 'readlink /proc/self/ns/pid')
    [ "$(ssh_as alice 'readlink /proc/self/ns/pid')" != "$desktop" ]
    disable sshd
    log_out_of_xfce alice
}

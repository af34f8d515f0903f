#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a desktop has besides its windows, with "pam-unshare enable" and without: the keyring, audio, programs that open a
# file, logind, and polkit's questions for a password. By LightDM, which asks for a password.

load ../guest/lib
load ../guest/inside
load desktop
load lightdm

FACTS=/run/desk-facts
NOT_ASKED='Interactive authentication required|requires interactive authentication' # of trixie, and of forky

setup_file() {
    prepare
    configure_lightdm
    handler
    loudness
    default_keyring
    cp "$TOP/conf/unshare.conf" "$CONF"
    cp -p "$CONF" /root/unshare.conf
    mkdir -p "$FACTS"
    # alice may do these with her own password, and the unit is there
    mkdir -p /etc/polkit-1/rules.d
    cat >/etc/polkit-1/rules.d/10-test.rules <<-'END'
	polkit.addRule(function(action, subject) {
	    if (subject.user == "alice" && ["org.freedesktop.systemd1.manage-units", "org.freedesktop.policykit.exec"].indexOf(action.id) >= 0)
	        return polkit.Result.AUTH_SELF;
	});
	END
    printf '[Service]\nType=oneshot\nExecStart=/bin/touch /run/started\n' >/run/systemd/system/started.service
    # of an agent that registers, polkit of forky says nothing at the level "notice"
    mkdir -p /run/systemd/system/polkit.service.d
    sed -n 's/^ExecStart=.*--log-level=/[Service]\nExecStart=\n&/; s/--log-level=notice/--log-level=info/p' \
        /usr/lib/systemd/system/polkit.service >/run/systemd/system/polkit.service.d/log.conf
    systemctl daemon-reload
    systemctl restart polkit
    loginctl disable-linger alice
    desktop inside # the first login makes the keyring, which the next ones unlock: so it is on stock
    leave
    desktop inside
    look inside
    in_terminal alice 'timeout 5 lxpolkit; timeout 60 systemctl start started; echo "status $?"' >"$FACTS/inside/refused"
    desktop stock
    look stock
}

setup() {
    from_now
    rm -f /run/started
}

teardown_file() {
    leave
    stock
    rm -r /etc/polkit-1/rules.d/10-test.rules /run/systemd/system/polkit.service.d
    loginctl enable-linger alice
}

# What opens an address of this scheme says where it is.
handler() {
    local where=/home/alice/.local/share/applications
    install -d -o alice -g alice /home/alice/.local /home/alice/.local/share "$where"
    printf '[Desktop Entry]\nType=Application\nName=Handler\nExec=handler %%u\nMimeType=x-scheme-handler/test;\n' >"$where/handler.desktop"
    printf '[Default Applications]\nx-scheme-handler/test=handler.desktop\n' >"$where/mimeapps.list"
    # shellcheck disable=SC2016 # the handler's
    printf '#!/bin/sh\n{ echo "$1"; readlink /proc/self/ns/pid; } >/run/desk/opened\n' >/usr/local/bin/handler
    chmod 755 /usr/local/bin/handler
}

# What the null sink of alice's plays, for half a second
loudness() {
    cat >/usr/local/bin/loudness <<-'END'
	#!/bin/sh
	timeout 30 parec --format=s16le -d of-alice.monitor 2>/dev/null | head -c 96000 | od -An -v -t d2 |
	    awk '{ for (i = 1; i <= NF; i++) { n++; sum += $i < 0 ? -$i : $i } } END { if (n && sum / n > 1000) print "loud"; else print "silent" }'
	END
    chmod 755 /usr/local/bin/loudness
}

# Else the first one who keeps a word is asked for a keyring to keep it in, which is not that of the login.
default_keyring() {
    local where=/home/alice/.local/share/keyrings
    rm -rf "$where"
    install -d -m 700 -o alice -g alice "$where"
    printf login >"$where/default"
    chown alice:alice "$where/default"
}

# desktop STATE: alice is on a desktop: of the stock machine; of one "inside", with everything on; or of one that "asks",
# which is the latter without what refuses ordinary users to speak to polkit. The next test may find it.
desktop() {
    [ "$(cat "$FACTS/state" 2>/dev/null)" != "$1" ] || return 0
    leave
    stock
    disable lightdm
    from_now
    if [ "$1" != stock ]; then
        inside
        enable lightdm
    fi
    [ "$1" != asks ] || quiet pam-unshare harden disable bus
    start_lightdm
    log_in alice
    terminal_on alice
    echo "$1" >"$FACTS/state"
}

leave() {
    rm -f "$FACTS/state"
    end_lightdm
    loginctl terminate-user alice 2>/dev/null || true
    systemctl stop user@1000 user-runtime-dir@1000 pam-unshare@1000 2>/dev/null || true
}

# look STATE: keeps what the desktop's terminal says
look() {
    local what
    mkdir -p "$FACTS/$1"
    while read -r what command; do
        in_terminal alice "$command" >"$FACTS/$1/$what" || die "$1: $what" || return
    done <<-'END'
	namespace readlink /proc/self/ns/pid
	session loginctl show-session "$XDG_SESSION_ID" -p Active -p Seat -p Type
	keyring printf word | timeout 30 secret-tool store --label=test key value; timeout 30 secret-tool lookup key value; echo
	keyring-place readlink /proc/$(pgrep -o -u alice -x gnome-keyring-d)/ns/pid
	audio timeout 30 pactl info; timeout 30 pactl load-module module-null-sink sink_name=of-alice; timeout 30 pactl list short sinks
	heard loudness; pacat -d of-alice /dev/urandom & loudness; kill $!
	audio-place readlink /proc/$(pgrep -o -u alice -x pipewire-pulse)/ns/pid
	opened rm -f /run/desk/opened; xdg-open test:word; until [ -s /run/desk/opened ]; do sleep 0.1; done; cat /run/desk/opened
	END
    inhibitor >"$FACTS/$1/inhibitor"
}

held() {
    systemd-inhibit --list --no-legend --no-pager | grep desktop-of-alice
}

# A program that keeps the machine from sleeping; logind's list has it as long as it runs
inhibitor() {
    rm -f "$DESK/hold"
    mkfifo -m 666 "$DESK/hold"
    ask_terminal alice 'systemd-inhibit --what=sleep --who=desktop-of-alice --why=test cat /run/desk/hold'
    eventually held
    held
    echo let go | timeout 30 tee "$DESK/hold" >/dev/null
    timeout 30 cat "$DESK/alice.status" >/dev/null
    LIMIT=10 eventually not held
}

# is_at_place STATE FACT: a process of the desktop's namespace, which is the host's on the stock machine alone
is_at_place() {
    cmp "$FACTS/$1/namespace" "$FACTS/$1/$2"
    if [ "$1" = stock ]; then
        grep -xF "$(readlink /proc/self/ns/pid)" "$FACTS/$1/$2"
    else
        not grep -xF "$(readlink /proc/self/ns/pid)" "$FACTS/$1/$2"
    fi
}

@test "keyring: unlocked by the login's password, by pam_gnome_keyring; a word is kept and found" {
    for state in stock inside; do
        grep -qx word "$FACTS/$state/keyring"
        is_at_place "$state" keyring-place
    done
}

@test "audio: PipeWire of the user manager plays what a program of the desktop gives it" {
    for state in stock inside; do
        grep -q '^Server Name: PulseAudio (on PipeWire' "$FACTS/$state/audio"
        grep -qP '\tof-alice\t' "$FACTS/$state/audio"
        [ "$(paste -sd ' ' "$FACTS/$state/heard")" = 'silent loud' ] # before something is played, and then
        is_at_place "$state" audio-place
    done
}

@test "xdg-open: starts what opens it" {
    for state in stock inside; do
        grep -qx test:word "$FACTS/$state/opened"
        tail -n 1 "$FACTS/$state/opened" >"$FACTS/$state/opened-place"
        is_at_place "$state" opened-place
    done
}

@test "logind: the desktop's session is active at its seat; an inhibitor of sleep holds as long as its program" {
    for state in stock inside; do
        for line in Active=yes Seat=seat0 Type=x11; do
            grep -qx "$line" "$FACTS/$state/session"
        done
        grep -q 'sleep.*test.*block' "$FACTS/$state/inhibitor"
    done
}

# The agent of the desktop is there
agent() {
    ask_terminal alice 'lxpolkit >/dev/null 2>&1 & echo'
    timeout 30 cat "$DESK/alice.status" >/dev/null
    eventually said 'Registered Authentication Agent for unix-session:.*lxpolkit'
}

answers() { # PASSWORD…
    local word
    for word; do
        LIMIT=20 eventually shows :0 $A lxpolkit
        types :0 $A "$word"
    done
}

# ends: the command that the terminal was asked for; prints what it said
ends() {
    local status
    status=$(timeout 120 cat "$DESK/alice.status")
    cat "$DESK/alice.output"
    return "$status"
}

# becomes_root COMMAND [PASSWORD]: the desktop's agent asks
becomes_root() {
    ask_terminal alice "timeout 60 $1"
    answers "${2:-alice-password}"
    ends
}

@test "polkit: the desktop's agent asks for the password: systemctl and run0 (without the part bus of the hardening)" {
    for state in stock asks; do
        desktop "$state"
        agent
        becomes_root 'systemctl start started'
        [ -e /run/started ]
        [ "$(becomes_root 'run0 --pipe id -u' | tail -n 1)" = 0 ]
        # negative control: another password
        rm /run/started # made above
        ask_terminal alice 'timeout 20 systemctl start started'
        answers wrong-password
        not ends
        [ ! -e /run/started ]
        pkill -u alice -x lxpolkit # which goes on asking
    done
}

@test "polkit: pkexec with a password (does not work: it names its parent to polkit by the pid that it has in the session)" {
    desktop asks
    agent
    in_terminal alice 'timeout 60 pkexec touch /run/started; echo "status $?"' >"$BATS_TEST_TMPDIR/said"
    cat "$BATS_TEST_TMPDIR/said"
    grep -qx 'status 127' "$BATS_TEST_TMPDIR/said"
    grep -q 'Error checking for authorization org.freedesktop.policykit.exec: .*/proc/.*No such file or directory' "$BATS_TEST_TMPDIR/said"
    [ ! -e /run/started ]
    not shows :0 $A lxpolkit
    # negative control
    desktop stock
    agent
    [ "$(becomes_root 'pkexec id -u' | tail -n 1)" = 0 ]
}

# by_tty COMMAND: in a session with a terminal and without a desktop, with the password; its status
by_tty() {
    python3 - "$1" <<-'END'
	import sys, pexpect
	child = pexpect.spawn("ssh", ["-tt", "alice@localhost", sys.argv[1]], encoding="utf-8", timeout=60, logfile=sys.stdout)
	if child.expect(["[Pp]assword: ", pexpect.EOF]) == 0:
	    child.sendline("alice-password")
	    child.expect(pexpect.EOF)
	child.wait()
	sys.exit(child.exitstatus)
	END
}

@test "polkit: an agent on a terminal: systemctl, run0, pkexec (does not work: it registers for its parent by the pid that it has in the session)" {
    desktop stock
    for command in 'systemctl start started' 'run0 --pipe id -u'; do # negative control
        by_tty "$command"
    done
    if [ "$SUITE" = trixie ]; then
        by_tty 'pkexec id -u'
    else
        not by_tty 'pkexec id -u' # polkit 128 takes the password, and refuses
    fi
    [ -e /run/started ]
    desktop asks
    rm -f /run/started
    for command in 'systemctl start started' 'run0 --pipe touch /run/started'; do
        run by_tty "$command"
        echo "$output"
        [ "$status" -ne 0 ]
        [[ $output == *'Error registering authentication agent: '*'Cannot determine user of subject'* ]]
        grep -qE "$NOT_ASKED" <<<"$output"
    done
    by_tty 'pkexec touch /run/started; echo "status $?"' >"$BATS_TEST_TMPDIR/said"
    grep -q 'status 127' "$BATS_TEST_TMPDIR/said"
    [ ! -e /run/started ]
}

@test "polkit: the desktop's agent, with the part bus of the hardening (does not work: polkit tells of any pid whether there is such a process)" {
    cat "$FACTS/inside/refused"
    grep -qE "$NOT_ASKED" "$FACTS/inside/refused"
    grep -qx 'status 1' "$FACTS/inside/refused"
    # negative control: it asks without that part, in the first test of polkit
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# enable, disable and status: files that are written and taken back, also when the command is killed in the
# middle. With a stand-in for systemctl; real units are in tests/vm/guest/45-inside.bats.

load lib

setup_file() {
    prepare
    cp -a "$TOP/$BUILD/tests/installed" "$BATS_FILE_TMPDIR/root"
    export COMMAND=$BATS_FILE_TMPDIR/root/usr/sbin/pam-unshare
    # kills its caller when the file "kill" has the number of its call
    cat >"$BATS_FILE_TMPDIR/systemctl" <<-'END'
	#!/bin/sh
	echo "$*" >>/run/calls
	[ "$(wc -l </run/calls)" != "$(cat /run/kill 2>/dev/null)" ] || { kill -KILL "$PPID"; exit; }
	case $* in
	daemon-reload) find /etc/systemd/system -type f -exec sha256sum {} + | sort >/run/loaded ;;
	start*pam-unshare-make.socket*) mkdir -p -m 700 /run/pam_unshare && touch /run/pam_unshare/make ;;
	stop*pam-unshare-make.socket*) rm -f /run/pam_unshare/make ;;
	esac
	END
    chmod 755 "$BATS_FILE_TMPDIR/systemctl"
    mount --bind "$BATS_FILE_TMPDIR/systemctl" "$(realpath /usr/bin/systemctl)"
    mkdir -p /run/systemd/system
    cp "$TOP/conf/unshare.conf" /etc/security/unshare.conf
    [ -e /etc/pam.d/cron ] || cp /etc/pam.d/other /etc/pam.d/cron
}

teardown_file() {
    umount "$(realpath /usr/bin/systemctl)"
}

setup() {
    rm -f /run/calls /run/kill
    touch /run/calls
    everything >"$BATS_TEST_TMPDIR/before"
}

everything() {
    find /etc /var/lib/pam-unshare -xdev -type f -exec sha256sum {} + 2>/dev/null | sort -k 2
    find /etc /var/lib/pam-unshare -xdev -printf '%p %y %m %u %g %l\n' 2>/dev/null | sort
}

is_as_before() {
    everything | diff "$BATS_TEST_TMPDIR/before" -
}

# systemd has read the units that are there
are_loaded() {
    find /etc/systemd/system -type f -exec sha256sum {} + | sort | diff /run/loaded -
}

# Whatever uses a unit has it: a user manager can start, and the module finds no socket without a service.
is_usable() {
    local units=/etc/systemd/system
    [ ! -e $units/user@.service.d/pam-unshare-inside.conf ] ||
        { [ -e $units/pam-unshare@.service ] && [ -e $units/pam-unshare-make.socket ]; } || return
    [ ! -e $units/pam-unshare-make.socket ] || [ -e $units/pam-unshare-make@.service ] || return
    [ ! -e $units/pam-unshare-pin@.service ] || [ -e $units/pam-unshare@.service ] || return
    ! grep -q pam_unshare /etc/pam.d/sshd || grep -qx 'scope = user' /etc/security/unshare.conf
}

@test "enable is taken back byte for byte, and can be given again" {
    "$COMMAND" enable
    ! is_as_before || die "nothing was changed" # negative control
    for word in 'scope = user' linger; do grep -qx "$word" /etc/security/unshare.conf; done
    for service in sshd login; do [ "$(grep -c '# pam-unshare enable$' "/etc/pam.d/$service")" -eq 2 ]; done
    "$COMMAND" status
    everything >"$BATS_TEST_TMPDIR/enabled"
    "$COMMAND" enable
    everything | diff "$BATS_TEST_TMPDIR/enabled" -
    "$COMMAND" disable
    is_as_before
    run "$COMMAND" status
    [ "$status" -eq 1 ]
    "$COMMAND" disable
    is_as_before
}

@test "enable and disable that are killed leave a usable machine, and complete" {
    local verb n
    for verb in enable disable; do
        for n in 1 2 3 4 5 6 7 8 9; do
            : >/run/calls
            rm -f /run/kill
            [ $verb = enable ] || "$COMMAND" enable
            : >/run/calls
            echo "$n" >/run/kill
            run "$COMMAND" "$verb"
            rm /run/kill
            is_usable || { die "$verb, killed at call $n"; return 1; }
            [ "$status" -ne 0 ] || break
            [ "$status" -eq 137 ]
            [ $verb = disable ] || { "$COMMAND" enable && "$COMMAND" status && are_loaded; } || return
            "$COMMAND" disable
            is_as_before && are_loaded || { die "$verb, killed at call $n"; return 1; }
        done
        [ "$n" -gt 1 ] && [ "$n" -lt 9 ] || { die "$n calls"; return 1; } # negative control
        "$COMMAND" disable
        is_as_before
    done
}

@test "units are reloaded once, whatever changes" {
    reloads() {
        : >/run/calls
        "$COMMAND" "$@" >/dev/null && are_loaded && grep -c daemon-reload /run/calls
    }
    [ "$(reloads enable)" -eq 1 ]
    [ "$(reloads disable)" -eq 1 ]
    [ "$(reloads harden enable)" -eq 1 ]
    [ "$(reloads harden disable units)" -eq 1 ]
    echo >/etc/systemd/system/other.service
    ! are_loaded || die "the test sees nothing" # negative control
    rm /etc/systemd/system/other.service
    [ "$(reloads harden disable)" -eq 1 ]
    : >/run/calls
    "$COMMAND" harden enable cron # no unit
    "$COMMAND" harden disable cron
    [ ! -s /run/calls ]
    is_as_before
}

@test "status tells that the socket was stopped, and enable starts it again" {
    "$COMMAND" enable
    "$COMMAND" status
    systemctl stop pam-unshare-make.socket
    run "$COMMAND" status -n -o PART,STATE
    [ "$status" -eq 1 ]
    [ "$(awk '$2 == "off" { print $1 }' <<<"$output")" = requests ]
    "$COMMAND" enable
    "$COMMAND" status
    "$COMMAND" disable
    is_as_before
}

@test "enable makes a configuration file that is not there, and disable removes it" {
    for file in absent empty; do
        rm -f /etc/security/unshare.conf
        [ $file = absent ] || : >/etc/security/unshare.conf
        everything >"$BATS_TEST_TMPDIR/before"
        "$COMMAND" enable
        grep -qx 'scope = user' /etc/security/unshare.conf
        "$COMMAND" disable
        is_as_before
    done
    # what somebody has written in it meanwhile stays
    rm /etc/security/unshare.conf
    "$COMMAND" enable
    echo ipc >>/etc/security/unshare.conf
    "$COMMAND" disable
    [ "$(grep -v '^#' /etc/security/unshare.conf)" = ipc ]
    cp "$TOP/conf/unshare.conf" /etc/security/unshare.conf
}

@test "enable has podman use the user manager, where its configuration is" {
    local file=/etc/containers/containers.conf.d/pam-unshare.conf
    [ ! -e /etc/containers ] || skip "this machine has podman"
    "$COMMAND" enable
    [ ! -e $file ] # negative control
    [ "$("$COMMAND" status -n -o PART,STATE | awk '$1 == "podman" { print $2 }')" = absent ]
    "$COMMAND" disable
    mkdir /etc/containers
    everything >"$BATS_TEST_TMPDIR/before"
    "$COMMAND" enable
    grep -x 'cgroup_manager = "systemd"' $file
    "$COMMAND" disable
    is_as_before
    rmdir /etc/containers
}

@test "enable keeps needrestart from restarting namespaces, where its configuration is" {
    local directory=/etc/needrestart/conf.d
    [ ! -e /etc/needrestart ] || skip "this machine has needrestart"
    mkdir -p $directory
    everything >"$BATS_TEST_TMPDIR/before"
    "$COMMAND" enable
    # as needrestart reads its file and asks it, where 0 is no
    restarts() {
        perl -we 'our %nrconf = (override_rc => {qr(^dbus) => 0}); eval do { local (@ARGV, $/) = shift; <> }; die $@ if $@;
            my ($no) = grep { $ARGV[0] =~ /$_/ } keys %{$nrconf{override_rc}}; exit(defined $no)' "$directory/pam-unshare.conf" "$1"
    }
    ! restarts pam-unshare@1000.service || die "it is restarted"
    ! restarts pam-unshare-pin@1000.service || die "its pin is restarted"
    ! restarts dbus.service || die "what was there is lost"
    restarts ssh.service # negative control
    restarts pam-unshare-make@1.service
    "$COMMAND" disable
    is_as_before
    rm -r /etc/needrestart
}

@test "uninstall stops where a changed file would leave nobody a user manager" {
    local own=$BATS_FILE_TMPDIR/root drop_in=/etc/systemd/system/user@.service.d/pam-unshare-inside.conf
    cp -a "$own" "$BATS_TEST_TMPDIR/kept"
    uninstall() { make -s -C "$TOP" uninstall PREFIX="$own/usr" SECUREDIR="$own/lib" SYSCONFDIR=/etc; }
    "$COMMAND" enable
    echo '# mine' >>$drop_in
    run uninstall
    [ "$status" -ne 0 ]
    [[ $output == *$drop_in* ]]
    [ -x "$COMMAND" ]
    rm $drop_in
    uninstall # negative control
    [ ! -e "$COMMAND" ]
    rm -rf "$own"
    cp -a "$BATS_TEST_TMPDIR/kept" "$own"
    cp "$TOP/conf/unshare.conf" /etc/security/unshare.conf
    is_as_before
}

@test "a request for a namespace that is there needs no service manager" {
    request() { # prints the answer's errno; what it asks of systemctl is in /run/calls
        : >/run/calls
        python3 -c '
import socket, struct, subprocess, sys
own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
own.send(struct.pack("II", 2, 1000))
subprocess.run([sys.argv[1], "namespace", "request"], stdin=other)
print(struct.unpack("II", own.recv(64))[1])
' "$COMMAND"
    }
    "$COMMAND" namespace make alice
    [ "$(request)" = 0 ]
    [ ! -s /run/calls ]
    "$COMMAND" namespace unpin alice
    eventually no_init_left
    request # negative control
    grep -x 'start --quiet pam-unshare@1000.service' /run/calls
}

@test "without systemd enable changes nothing" {
    mv /run/systemd/system /run/systemd/gone
    run "$COMMAND" enable
    mv /run/systemd/gone /run/systemd/system
    [ "$status" -eq 2 ]
    [[ $output == *'systemd does not run here'* ]]
    is_as_before
}

@test "what the administrator has is left alone, and what harden had on" {
    cp "$TOP/pam.d-examples/sshd" /etc/pam.d/sshd
    "$COMMAND" harden enable cron
    everything >"$BATS_TEST_TMPDIR/before"
    "$COMMAND" enable
    cmp /etc/pam.d/sshd "$TOP/pam.d-examples/sshd"
    [ "$("$COMMAND" status -n -o PART,STATE | awk '$1 == "sshd" { print $2 }')" = own ]
    "$COMMAND" disable
    is_as_before
    [ "$("$COMMAND" harden status -n -o STATE cron)" = on ]
    "$COMMAND" harden disable
    cp "$STOCK/sshd" /etc/pam.d/sshd
}

@test "disable leaves both lines of PAM where one has been changed, and says so" {
    cp /etc/pam.d/sshd "$BATS_TEST_TMPDIR/sshd"
    "$COMMAND" enable
    sed -i 's/open # pam-unshare enable$/open debug/' /etc/pam.d/sshd
    cp /etc/pam.d/sshd "$BATS_TEST_TMPDIR/changed"
    run "$COMMAND" disable
    [ "$status" -eq 1 ]
    [[ $output == *'one of its two lines has been changed'* ]]
    cmp /etc/pam.d/sshd "$BATS_TEST_TMPDIR/changed"
    ! grep -q pam_unshare /etc/pam.d/login || die "one file keeps another" # negative control
    cp "$BATS_TEST_TMPDIR/sshd" /etc/pam.d/sshd
    "$COMMAND" disable
    is_as_before
}

@test "status and enable say when the configuration file does not go with the units" {
    cp /etc/security/unshare.conf "$BATS_TEST_TMPDIR/conf"
    "$COMMAND" enable
    "$COMMAND" status # negative control
    cp /etc/security/unshare.conf "$BATS_TEST_TMPDIR/enabled"
    echo nonsense >>/etc/security/unshare.conf
    run "$COMMAND" status
    [ "$status" -eq 1 ]
    [[ $output == *'/etc/security/unshare.conf is not understood: only root can log in'* ]]
    echo exempt=alice >>/etc/security/unshare.conf
    run "$COMMAND" status
    [[ $output == *'/etc/security/unshare.conf is not understood: only root and exempt users can log in'* ]]
    cp "$BATS_TEST_TMPDIR/enabled" /etc/security/unshare.conf
    "$COMMAND" disable
    echo 'scope = session' >>/etc/security/unshare.conf
    run "$COMMAND" enable
    [ "$status" -eq 1 ]
    [[ $output == *'does not say scope=user: user managers are on the host'* ]]
    run "$COMMAND" status
    [ "$status" -eq 1 ]
    "$COMMAND" disable
    cp -p "$BATS_TEST_TMPDIR/conf" /etc/security/unshare.conf
    is_as_before
}

@test "enable does not write what uses a unit that cannot be written, nor disable take out what is used" {
    units=/etc/systemd/system
    mkdir -p "$units/pam-unshare-pin@.service.pam-unshare-new/full"
    run "$COMMAND" enable
    [ "$status" -eq 1 ]
    [ ! -e "$units/user@.service.d/pam-unshare-inside.conf" ]
    ! grep -q pam_unshare /etc/pam.d/sshd || die "lines were written"
    rm -r "$units/pam-unshare-pin@.service.pam-unshare-new"
    "$COMMAND" enable # negative control
    [ -e "$units/user@.service.d/pam-unshare-inside.conf" ]
    mount --bind "$units/user@.service.d" "$units/user@.service.d"
    mount -o remount,bind,ro "$units/user@.service.d"
    run "$COMMAND" disable
    umount "$units/user@.service.d"
    [ "$status" -eq 1 ]
    is_usable
    [ -e "$units/pam-unshare@.service" ]
    "$COMMAND" disable
    is_as_before
}

@test "disable leaves a socket that cannot be taken out its service, although it has stopped it" {
    units=/etc/systemd/system
    "$COMMAND" enable
    mount --bind "$units/pam-unshare-make.socket" "$units/pam-unshare-make.socket"
    run "$COMMAND" disable
    umount "$units/pam-unshare-make.socket"
    [ "$status" -eq 1 ]
    [ -e "$units/pam-unshare-make.socket" ]
    is_usable
    "$COMMAND" disable # negative control
    is_as_before
}

@test "what enable makes can be read, whatever the umask is" {
    (umask 077 && "$COMMAND" enable)
    [ "$(stat -c %a /etc/systemd/system/user@.service.d)" = 755 ]
    [ "$(stat -c %a /etc/systemd/system/user@.service.d/pam-unshare-inside.conf)" = 644 ]
    (umask 077 && mkdir "$BATS_TEST_TMPDIR/made" && [ "$(stat -c %a "$BATS_TEST_TMPDIR/made")" = 700 ]) # negative control
    "$COMMAND" disable
    is_as_before
}

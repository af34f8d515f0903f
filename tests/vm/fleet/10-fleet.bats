#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The Ansible role, on two machines that tests/vm/fleet/run has booted. Each test begins with what the one before has left.

setup_file() {
    export PLAYBOOK=$BATS_TEST_DIRNAME/../../../ansible/pam_unshare.yml
    for name in one two; do state $name >"$WORK/fresh.$name"; done
}

die() {
    echo "$*" >&2
    return 1
}

on() { # MACHINE COMMAND…
    nsenter --target "$(cat "$WORK/$1.init")" --all -- env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin "${@:2}"
}

# Everything in /etc: names, owners, modes, contents; packages; what of systemd is on. Not when files were changed.
state() { # MACHINE
    on "$1" sh -c 'find /etc -xdev -printf "%p %y %m %u %g %l\n" | sort
        find /etc -xdev -type f -exec sha256sum {} + | sort -k 2
        dpkg-query -W
        ls -A /var/lib/pam-unshare 2>&1
        systemctl list-unit-files --no-legend | grep -v transient; systemctl list-timers --all --no-legend -o json | tr , "\n" | grep unit'
}

is_fresh() { # MACHINE
    state "$1" | diff "$WORK/fresh.$1" -
}

# play ARGUMENT…: prints what Ansible prints, and ends with its status
play() {
    ansible-playbook "$PLAYBOOK" -e "pam_unshare_package=$PACKAGE" -e '{"pam_unshare_users": ["alice"]}' \
        -e '{"pam_unshare_conf": ["exempt = @sudo"]}' -e '{"pam_unshare_audit_open": ["process-events", "bus-refusal"]}' "$@" 2>&1
}

# counted MACHINE WORD: a number of Ansible's last lines
counted() {
    sed -n "s/^$1 .*$2=\([0-9]*\).*/\1/p" <<<"$output"
}

# isolated MACHINE USER: whether a real login by ssh is in a PID namespace of its own
isolated() {
    local host inside
    host=$(on "$1" readlink /proc/1/ns/pid)
    inside=$(on "$1" ssh -o BatchMode=yes "$2@localhost" readlink /proc/self/ns/pid) || return 2
    [ "$host" != "$inside" ]
}

# soon COMMAND…: waits until it succeeds
soon() {
    for _ in $(seq 600); do
        ! "$@" || return 0
        sleep 0.2
    done
    return 1
}

# alice_is_gone MACHINE: no namespace of hers is left from a login before
alice_is_gone() {
    ! on "$1" pam-unshare list -n | grep -q alice
}

# on_host MACHINE USER: the user gets in, and is on the host
on_host() {
    local result=0
    isolated "$@" || result=$?
    [ "$result" -eq 1 ]
}

@test "check mode on fresh machines changes nothing" {
    run play --check
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(counted one changed)" -gt 0 ] # it says that it would
    is_fresh one
    is_fresh two
}

@test "a file with a mistake stops it at the first machine, and is not put in place" {
    run play -e '{"pam_unshare_conf": ["exempt = @sudo", "gracee = 5"]}'
    echo "$output"
    [ "$status" -ne 0 ]
    [[ $output == *"'gracee=5' is unknown"* ]]
    [ "$(counted one failed)" -eq 1 ]
    [ -z "$(counted two ok)" ] # it is not even looked at
    is_fresh two
    ! on one grep -q gracee /etc/security/unshare.conf || die "it was put in place"
    on_host one alice
    [ "$(on one pam-unshare status -n -o STATE | grep -c on)" -eq 0 ]
    state one >"$WORK/installed.one"
}

# stops_with_refusing_lines: lines that are understood, and with which the first machine refuses alice, stop it there
stops_with_refusing_lines() {
    on one chmod -t /var/tmp # all may write there, and it is not sticky: the module refuses to cover it
    run play -e '{"pam_unshare_conf": ["exempt = @sudo", "private = tmp"]}'
    on one chmod +t /var/tmp
    echo "$output"
    [ "$status" -ne 0 ]
    [[ $output == *'Test users are let in, isolated: '* ]]
    [ -z "$(counted two ok)" ] # it is not even looked at
}

@test "a machine without unshare.conf: a run that stops leaves none" {
    on one rm /etc/security/unshare.conf
    state one >"$BATS_TEST_TMPDIR/before"
    stops_with_refusing_lines
    state one | diff "$BATS_TEST_TMPDIR/before" -
    on_host one alice
}

# refuses USER WHEN: from now on the first machine refuses the sessions of this user as soon as the module is in sshd's
# file: "always", or "by sshd", which "pam-unshare check" does not see. Another module may do so, or sshd's policy.
refuses() {
    on one sh -c 'cat >/usr/local/sbin/refuse; chmod 755 /usr/local/sbin/refuse; cp /etc/pam.d/sshd /root/sshd.before
        sed -i "/^@include common-session/i session required pam_exec.so quiet /usr/local/sbin/refuse" /etc/pam.d/sshd' <<-END
	#!/bin/sh
	[ "\$PAM_USER" = $1 ] && [ "\$PAM_TYPE" = open_session ] && grep -q "pam_unshare.so open" /etc/pam.d/sshd || exit 0
	[ "$2" = always ] || ps -o comm= -p "\$PPID" | grep -q sshd || exit 0
	exit 1
	END
}

# made_fresh: the first machine, which has the package from the test before
made_fresh() {
    play --limit one -e pam_unshare_state=absent
    is_fresh one
}

# was_put_back: the first machine has the package, and everything else is as before it
was_put_back() {
    on one cmp /etc/pam.d/sshd /root/sshd.refusing
    on one sh -c 'cat /root/sshd.before >/etc/pam.d/sshd; rm /usr/local/sbin/refuse /root/sshd.*'
    state one | diff "$WORK/installed.one" -
    on_host one alice
    on_host one root
}

# stops_at_the_first USER WHEN WORDS: with these words, and before the second machine is looked at
stops_at_the_first() {
    made_fresh
    refuses "$1" "$2"
    on one cp /etc/pam.d/sshd /root/sshd.refusing
    run play
    echo "$output"
    [ "$status" -ne 0 ]
    [[ $output == *"$3"* ]]
    [ -z "$(counted two ok)" ] # it is not even looked at
    is_fresh two
    was_put_back
}

@test "a test user who is refused on the first machine, a fresh one, stops it, and the machine is put back" {
    stops_at_the_first alice always 'Test users are let in, isolated: '
}

@test "root who is refused on the first machine, a fresh one, stops it, and the machine is put back" {
    stops_at_the_first root always 'Root is let in: '
}

@test "a new login that fails on the first machine, a fresh one, stops it, and the machine is put back by the old one" {
    stops_at_the_first root 'by sshd' 'A new login works: '
}

@test "a probe of the audit that is OPEN, and not on the list, stops it at the first machine" {
    run play -e '{"pam_unshare_audit_open": []}' # the next run has the list, and goes on
    echo "$output"
    [ "$status" -ne 0 ]
    [[ $output == *'OPEN for alice: '*bus-refusal*'the bus tells whom it refuses'* ]]
    [ -z "$(counted two ok)" ]
    is_fresh two
    state one | diff "$WORK/installed.one" -
    on_host one alice
}

@test "absent: a machine without unshare.conf is as it was before the package" {
    on one rm -f /etc/security/unshare.conf
    run play --limit one -e pam_unshare_state=absent
    echo "$output"
    [ "$status" -eq 0 ]
    is_fresh one
}

@test "the first run changes both, and isolates alice, not root and not who is exempt" {
    is_fresh one
    is_fresh two
    on_host two alice # negative control
    run play
    echo "$output"
    [ "$status" -eq 0 ]
    for name in one two; do
        [ "$(counted $name changed)" -gt 0 ]
        [ "$(counted $name failed)" -eq 0 ]
        isolated $name alice
        on_host $name root
        on_host $name admin
        on $name pam-unshare status
        [ "$(on $name grep -cx 'scope = user' /etc/security/unshare.conf)" -eq 1 ]
        [ "$(on $name grep -cx linger /etc/security/unshare.conf)" -eq 1 ]
        state $name >"$WORK/enabled.$name"
    done
}

@test "the second run changes nothing, and neither does check mode" {
    for arguments in '' --check; do
        # shellcheck disable=SC2086 # none or one
        run play $arguments
        echo "$output"
        [ "$status" -eq 0 ]
        for name in one two; do
            [ "$(counted $name changed)" -eq 0 ]
            [ "$(counted $name ok)" -gt 5 ]
            state $name | diff "$WORK/enabled.$name" -
        done
    done
}

@test "check mode says what another file would change, and changes nothing" {
    run play --check -e '{"pam_unshare_conf": ["grace = 9"]}'
    echo "$output"
    [ "$status" -eq 0 ]
    for name in one two; do
        [ "$(counted $name changed)" -eq 1 ]
        state $name | diff "$WORK/enabled.$name" -
    done
}

@test "a mistake in the file of machines that are enabled: the old file stays, and alice gets in" {
    run play -e '{"pam_unshare_conf": ["exempt = @sudo", "grace = soon"]}'
    echo "$output"
    [ "$status" -ne 0 ]
    [ -z "$(counted two ok)" ]
    for name in one two; do
        state $name | diff "$WORK/enabled.$name" -
        isolated $name alice
    done
}

@test "lines that refuse alice, on machines that are enabled: the old file is put back, and she gets in" {
    on one sh -c 'printf "# M\374ller\n" >>/etc/security/unshare.conf' # not UTF-8
    state one >"$BATS_TEST_TMPDIR/before"
    soon alice_is_gone one # who joins a namespace that is there is not refused
    stops_with_refusing_lines
    state one | diff "$BATS_TEST_TMPDIR/before" -
    state two | diff "$WORK/enabled.two" -
    isolated one alice
    on one sed -i '$d' /etc/security/unshare.conf
    state one | diff "$WORK/enabled.one" -
}

@test "a test user who is not isolated stops it at the first machine" {
    run play -e '{"pam_unshare_users": ["admin"]}' # who is exempt
    echo "$output"
    [ "$status" -ne 0 ]
    [ "$(counted one failed)" -eq 1 ]
    [ -z "$(counted two ok)" ]
    isolated one alice # what was on before the run stays on
}

@test "a part that somebody has turned off is turned on again" {
    on two pam-unshare harden disable cron
    run play
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(counted one changed)" -eq 0 ]
    [ "$(counted two changed)" -eq 1 ]
    on two pam-unshare status
}

@test "metrics: the timer writes them, with the refused sessions, and goes again" {
    on one install -d /var/lib/prometheus/node-exporter
    run play -e pam_unshare_metrics=true
    echo "$output"
    [ "$status" -eq 0 ]
    run play -e pam_unshare_metrics=true
    echo "$output"
    [ "$(counted one changed)" -eq 0 ]
    on one systemctl is-active pam-unshare-metrics.timer
    metric() {
        on one sed -n "s/^pam_unshare_$1 //p" /var/lib/prometheus/node-exporter/pam-unshare.prom
    }
    # refused_again: the timer has written since; the mistake below is gone, and was counted
    refused_again() {
        [ "$(metric conf_understood)" = 1 ] && [ "$(metric refused_sessions_total)" -eq $((before + 1)) ]
    }
    soon on one test -e /var/lib/prometheus/node-exporter/pam-unshare.prom
    before=$(metric refused_sessions_total)
    ! refused_again || die "it says so in any case"
    on one sh -c 'cp /etc/security/unshare.conf /root/kept; echo nonsense >>/etc/security/unshare.conf'
    run isolated one alice
    [ "$status" -eq 2 ] # refused
    on one sh -c 'cat /root/kept >/etc/security/unshare.conf; rm /root/kept; journalctl --sync'
    soon refused_again # within the timer's minute
    on one rm -r /var/lib/prometheus
}

@test "lines that refuse alice where a part was off: the old file is put back, all is disabled, and she gets in" {
    on one pam-unshare harden disable cron
    before=$(on one cat /etc/security/unshare.conf)
    soon alice_is_gone one
    stops_with_refusing_lines
    [ "$(on one cat /etc/security/unshare.conf)" = "$before" ]
    [ "$(on one pam-unshare status -n -o STATE | grep -c on)" -eq 0 ]
    on_host one alice
}

@test "absent: both are as they were, byte for byte; again it changes nothing" {
    run play --check -e pam_unshare_state=absent
    echo "$output"
    [ "$status" -eq 0 ]
    isolated two alice
    run play -e pam_unshare_state=absent
    echo "$output"
    [ "$status" -eq 0 ]
    for name in one two; do
        [ "$(counted $name changed)" -gt 0 ]
        is_fresh $name
        on_host $name alice
    done
    run play -e pam_unshare_state=absent
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(counted one changed)$(counted two changed)" = 00 ]
}

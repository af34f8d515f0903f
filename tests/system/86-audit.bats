#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The audit of the side doors, by the probes that this machine allows, and the hardening's files. systemd,
# cron and at are tried in guests, tests/vm/audit.

load lib

setup_file() {
    prepare
    # where users may execute it, beside what it installs
    mkdir -p /run/sbin /run/share/pam-unshare/hardening
    install -m 755 "$TOP/${COMMAND:-pam-unshare}" /run/sbin/pam-unshare
    install -m 644 "$TOP"/hardening/* /run/share/pam-unshare/hardening
    cp "$TOP/pam.d-examples/su" /etc/pam.d/tried
    COMMAND=/run/sbin/pam-unshare
    export COMMAND
}

setup() {
    remember_host
}

teardown() {
    eventually no_init_left
    [ -z "$(compgen -G '/run/pam-unshare-audit.*')" ]
    eventually host_is_unchanged # those that have ended are reaped
}

audit() {
    run timeout 120 "$COMMAND" audit "$@"
    echo "$output"
}

# says RESULT PROBE…: of each of these probes
says() {
    local result=$1 probe
    shift
    for probe; do
        grep -qE "^$probe +$result " <<<"$output" || { die "$probe is not $result"; return 1; }
    done
}

KERNEL=(proc proc-pid ps top other-procfs descriptors kill kill-timing pidfd-open getsid getpgid
    getpriority ioprio-get capget sched-getaffinity sched-getscheduler prlimit ptrace process-vm-readv
    proc-locks proc-sysvipc sockets cgroup-procs user-namespace su sudo)

@test "audit: without a session all is open, with the module it is closed" {
    audit --no-session tried alice
    [ "$status" -eq 1 ]
    says OPEN "${KERNEL[@]}" ssh
    grep -qE '^ps +OPEN +pam_unshare.so in /etc/pam.d/tried: pam-unshare check tried alice +ps prints ' <<<"$output"
    enable sshd
    audit tried alice
    disable sshd
    [ "$status" -eq 3 ] # what needs systemd is not tested
    says closed "${KERNEL[@]}" ssh
    says 'not promised' logins network load cgroup-names tmp-names shm-names mqueue-names
    [[ ${lines[-1]} == "result: with tried, for alice: 0 OPEN, "* ]]
}

@test "audit: ssh by a service without the module is open" {
    audit --only=ssh,proc tried alice
    [ "$status" -eq 1 ]
    says OPEN ssh
    says closed proc
    grep -qE '^ssh +OPEN +pam_unshare.so in /etc/pam.d/sshd: pam-unshare check sshd alice +a second ssh login ' <<<"$output"
}

@test "audit: all that was asked for is closed" {
    audit --only=proc,ps,kill tried alice
    [ "$status" -eq 0 ]
}

@test "audit: with the line taken out of the service everything is open" {
    grep -v pam_unshare "$TOP/pam.d-examples/su" >/etc/pam.d/tried
    audit tried alice
    cp "$TOP/pam.d-examples/su" /etc/pam.d/tried
    [ "$status" -eq 1 ]
    says OPEN "${KERNEL[@]}"
}

@test "audit: what cannot be tried is not tested, and never closed" {
    local tool
    # no systemd here
    audit --only=unit-processes,systemctl-status,journal,systemd-run-user,bus-peers,bus-refusal tried alice
    [ "$status" -eq 3 ]
    says 'not tested' unit-processes systemctl-status journal systemd-run-user bus-peers bus-refusal
    [[ ${lines[-1]} == *": 0 OPEN, 0 closed, 6 not tested, 0 not promised" ]]
    # a tool that says nothing
    tool=$(readlink -f "$(command -v ps)")
    mount --bind /bin/true "$tool"
    audit --only=ps tried alice
    umount "$tool"
    [ "$status" -eq 3 ]
    says 'not tested' ps
    # another user's process, where one's own is not
    printf '#!/bin/sh\necho "   1 init"\n' >/run/ps
    chmod 755 /run/ps
    mount --bind /run/ps "$tool"
    audit --only=ps tried alice
    umount "$tool"
    says 'not tested' ps
    # no segment for the decoy
    echo 0 >/proc/sys/kernel/shmmni
    audit --only=proc-sysvipc,proc-locks tried alice
    echo 4096 >/proc/sys/kernel/shmmni
    says 'not tested' proc-sysvipc
    says closed proc-locks
}

@test "audit: of the user's processes none has root's terminal, and none the memory's descriptor" {
    script -qec "$COMMAND audit --only=tmux,ssh tried alice >/run/audit-said" /dev/null >/dev/null 3>&- &
    local script=$! pid
    found() { pid=$(pgrep -o -f ' audit-probes .* user'); }
    eventually found
    readlink "/proc/$pid/fd/"{0,1,2} >/run/descriptors
    closed() { ! find "/proc/$pid/fd" -lname '*memfd:pam-unshare-audit*' | grep .; }
    kill -0 "$pid"
    eventually closed
    kill -0 "$pid" # it is there still
    wait "$script" || true
    [ "$(sort -u /run/descriptors)" = /dev/null ]
    grep -q '^result: ' /run/audit-said
}

# A user may do root's work by the capabilities of the command's file: the probes' own negative control
SHARED=(shared-list shared-socket shared-enter shared-end)
ROOTS=cap_dac_override,cap_kill,cap_sys_admin,cap_sys_chroot,cap_sys_ptrace,cap_sys_nice+ep

@test "audit: with scope=user, a user can neither enter nor keep nor end another's namespace" {
    local only=shared-list,shared-socket,shared-enter,shared-end
    # without scope=user they are left out, and say why if they are named
    audit --only=$only tried alice
    [ "$status" -eq 3 ]
    says 'not tested' "${SHARED[@]}"
    [[ $output == *'no scope=user in /etc/pam.d/tried'* ]]
    audit tried alice
    run grep '^shared-' <<<"$output"
    [ "$status" -ne 0 ]
    sed -i 's/unshare.so open/& scope=user/' /etc/pam.d/tried
    audit tried alice # all of it; of ssh, the service has not the module
    [ "$status" -eq 1 ]
    [[ ${lines[-1]} == *': 1 OPEN, '* ]]
    says closed "${SHARED[@]}" "${KERNEL[@]}" own-descriptors tmux screen
    audit --only=$only,proc tried alice
    [ "$status" -eq 0 ]
    audit --only=$only tried nobody
    [ "$status" -eq 0 ]
    audit --no-session --only=$only tried alice # the host's pids are seen, and of no use
    [ "$status" -eq 0 ]
    says closed "${SHARED[@]}"
    # negative controls; a program with capabilities does not die with its parent, prctl(2)
    setcap "$ROOTS" /run/sbin/pam-unshare
    audit --no-session --only=$only tried alice
    says OPEN "${SHARED[@]}"
    audit --only=$only tried alice
    setcap -r /run/sbin/pam-unshare
    pkill -f ' audit-decoy '
    says OPEN shared-list shared-socket
    says closed shared-enter shared-end # the pid is not seen inside
    chmod 755 /run/pam_unshare
    audit --only=$only tried alice
    chmod 700 /run/pam_unshare
    [ "$status" -eq 1 ]
    says OPEN shared-list
    grep -qE '^shared-list +OPEN +chmod 700 /run/pam_unshare +/run/pam_unshare can be listed' <<<"$output"
    says 'not tested' shared-socket shared-enter shared-end
    [[ $output == *'no namespace of another user could be made: others than root may enter /run/pam_unshare'* ]]
    cp "$TOP/pam.d-examples/su" /etc/pam.d/tried
}

@test "audit: killed, it leaves no namespace" {
    local audit
    sed -i 's/unshare.so open/& scope=user/' /etc/pam.d/tried
    "$COMMAND" audit --only=shared-end,tmux tried alice >/dev/null 2>&1 3>&- &
    audit=$!
    eventually pgrep -f '^pam_unshare: init of nobody'
    kill -KILL "$audit"
    wait "$audit" || true
    cp "$TOP/pam.d-examples/su" /etc/pam.d/tried
    eventually no_init_left
    gone() { ! pgrep -u alice && ! pgrep -f ' audit-(decoy|probes|scan) ' && ! ls -d /run/pam-unshare-audit.*; }
    eventually gone
}

@test "audit: the process that runs the probes dies: nothing is closed" {
    "$COMMAND" audit tried alice >/run/audit-said 2>&1 3>&- &
    local audit=$!
    eventually pkill -KILL -f ' audit-probes .* user'
    wait "$audit" && return 1 || [ "$?" -eq 2 ]
    grep -q 'cannot be made: the process that runs the probes died in the session; see the system log$' /run/audit-said
}

@test "audit: as JSON" {
    audit --json --only=proc,su,load tried alice
    [ "$status" -eq 0 ]
    python3 -c '
import json, sys
told = json.loads(sys.argv[1])
assert {p["probe"]: p["result"] for p in told["probes"]} == {
    "proc": "closed", "su": "closed", "load": "not promised"}, told
assert list(told) == ["probes"] and len(told["probes"]) == 3, told
for p in told["probes"]:
    assert list(p) == ["probe", "result", "seen", "closed_by", "never_open", "service", "user", "session"], p
    assert (p["service"], p["user"], p["session"]) == ("tried", "alice", True), p
    assert p["seen"] and p["never_open"] is None, p
    # what no module and no part of harden closes
    assert p["closed_by"] == ("nothing known" if p["probe"] == "load" else
        "pam_unshare.so in /etc/pam.d/tried: pam-unshare check tried alice"), p
' "$output"
}

@test "audit: a name of any bytes is quoted in JSON" {
    local service=$'tri"ed\\\t\xc3\xa9' program
    cp "$TOP/pam.d-examples/su" "/etc/pam.d/$service"
    audit --json --only=proc "$service" alice
    rm "/etc/pam.d/$service"
    [ "$status" -eq 0 ]
    program='
import json, sys
told = json.loads(sys.argv[1])
assert [p["service"] for p in told["probes"]] == [sys.argv[2]], told
assert told["probes"][0]["closed_by"] == "pam_unshare.so in /etc/pam.d/%s: pam-unshare check %s alice" % (sys.argv[2], sys.argv[2]), told
'
    python3 -c "$program" "$output" "$service"
    # without the escapes it is another text, and no JSON: the check sees that
    run python3 -c "$program" "${output//\\/}" "$service"
    [ "$status" -ne 0 ]
    [[ $output == *JSONDecodeError* ]]
}

@test "audit: columns and headings as asked for" {
    audit --only=proc,timer-list tried alice
    [ "$status" -eq 0 ]
    [[ ${lines[0]} =~ ^PROBE\ +RESULT\ +CLOSED_BY\ +SEEN$ ]]
    [[ ${lines[2]} == 'timer-list closed '*' (never open: only root may read it)' ]]
    [ "${#lines[@]}" -eq 4 ] # the headings, two rows, the counts
    audit --noheadings -o result,probe,never_open --only=proc,timer-list tried alice
    [ "$status" -eq 0 ]
    [ "$(tr -s ' ' <<<"$output" | sed 's/ $//')" = $'closed proc\nclosed timer-list only root may read it' ]
    audit -o probe,colour --only=proc tried alice
    [ "$status" -eq 2 ]
    [[ $output == *"unknown column 'colour'; the columns are PROBE, RESULT, SEEN, CLOSED_BY, NEVER_OPEN, SERVICE, USER, SESSION" ]]
}

# Stopped while it runs a probe; the rest of its life is up to the test. On a slow machine it may be over before it is seen.
start_audit() {
    start() { "$COMMAND" audit "$@" tried alice >/run/audit-said 2>&1 3>&- & audit=$!; }
    stopped() {
        kill -0 "$audit" || start "$@"
        inside=$(pgrep -o -f ' audit-probes .* user') && kill -STOP "$inside"
    }
    start "$@"
    eventually stopped "$@"
    directory=$(echo /run/pam-unshare-audit.*)
}

@test "audit: the user can fill the user's part of its directory, and not /run" {
    local audit inside directory before
    start_audit --only=proc,tmux
    before=$(stat -f -c %a /run)
    run su alice -s /bin/bash -c "head -c 100M /dev/zero >$directory/user/full; for i in {1..5000}; do : >$directory/user/\$i || break; done"
    [[ $output == *'No space left on device'* ]]
    [ "$(stat -c %s "$directory/user/full")" -le $((1 << 20)) ]
    [ "$(stat -f -c %a /run)" -ge $((before - 64)) ]
    kill -CONT "$inside"
    wait "$audit" || true
    [ ! -e "$directory" ]
    ! grep pam-unshare-audit /proc/mounts
}

@test "audit: what it clears away below /run/user is the user's, whatever the user puts there" {
    local audit inside directory id
    mkdir -p /run/systemd/system /run/victim
    install -d -o alice -m 700 "/run/user/$(id -u alice)"
    start_audit --only=proc,tmux
    id=${directory##*.}
    touch "/run/victim/pamunshareaudit$id.service"
    su alice -s /bin/bash -c "cd /run/user/$(id -u alice) && mkdir -p systemd && ln -s /run/victim systemd/user"
    kill -CONT "$inside"
    wait "$audit" || true
    rmdir /run/systemd/system
    [ -e "/run/victim/pamunshareaudit$id.service" ]
}

@test "audit: what it cannot do" {
    audit tried root
    [ "$status" -eq 2 ]
    [[ $output == *'name an unprivileged user'* ]]
    audit tried nobodyhere
    [ "$status" -eq 2 ]
    audit --only=proc,nothing tried alice
    [ "$status" -eq 2 ]
    [[ $output == *"there is no probe 'nothing'; known are: cron at forward proc "* ]]
    audit --loud tried alice
    [ "$status" -eq 2 ]
    # another module's word before it, which refuses nobody
    sed -i 's/.*unshare.so open/session required pam_env.so envfile=\/run\/none\n& gracee=1/' /etc/pam.d/tried
    audit --only=proc tried alice
    cp "$TOP/pam.d-examples/su" /etc/pam.d/tried
    [ "$status" -eq 2 ]
    [[ $output == *"cannot be made: pam_open_session() returned 'System error'; argument 'gracee=1' is unknown"* ]]
    chmod 700 /run/sbin
    audit --only=proc tried alice
    chmod 755 /run/sbin
    [ "$status" -eq 2 ]
    [[ $output == *'may not execute this program where it is'* ]]
}

@test "audit: killed, it leaves nothing" {
    local audit how
    gone() { ! pgrep -u alice && ! pgrep -f ' audit-(decoy|probes|scan) ' && ! ls -d /run/pam-unshare-audit.*; }
    servers() { pgrep -f 'tmux -D' && pgrep -fi 'screen -D'; }
    for how in '' --no-session; do
        # shellcheck disable=SC2086 # a word or none
        "$COMMAND" audit $how tried alice >/dev/null 2>&1 3>&- &
        audit=$!
        eventually servers
        eventually pgrep -f ' audit-probes .* user'
        eventually pgrep -f ' audit-decoy '
        kill -KILL "$audit"
        wait "$audit" || true
        eventually gone
    done
}

@test "audit: killed while the servers start, and with standard input closed" {
    "$COMMAND" audit --no-session --only=tmux,screen tried alice <&- >/dev/null 2>&1 3>&- &
    local audit=$!
    eventually pgrep -f "tmux -D"
    kill -KILL "$audit"
    wait "$audit" || true
    gone() { ! pgrep -u alice && ! pgrep -f ' audit-(decoy|probes|scan) ' && ! ls -d /run/pam-unshare-audit.*; }
    eventually gone
    eventually host_is_unchanged # those that have ended are reaped
    "$COMMAND" audit --only=proc tried alice <&- 3>&-
}

@test "audit: it removes its directory, whatever the user has put there" {
    local audit directory inside
    start_audit --only=proc,tmux
    su alice -s /bin/bash -c "mkdir -p $directory/user/$(printf 'd/%.0s' {1..200})"
    kill -CONT "$inside"
    wait "$audit"
    [ ! -e "$directory" ]
}

# ---- the hardening ------------------------------------------------------------------------------

# cron's and atd's own files of Debian, in what matters
stock_jobs() {
    printf '%s\n' '@include common-auth' 'session    required   pam_loginuid.so' '@include common-account' \
        '@include common-session-noninteractive' >/etc/pam.d/cron
    printf '%s\n' '@include common-auth' '@include common-account' 'session    required   pam_loginuid.so' \
        '@include common-session-noninteractive' 'auth       required   pam_env.so user_readenv=1' >/etc/pam.d/atd
    mkdir -p /run/jobs
    cp /etc/pam.d/cron /etc/pam.d/atd /run/jobs
}

@test "harden: cron and atd are isolated, and are again what they were" {
    stock_jobs
    run "$COMMAND" harden enable cron atd
    echo "$output"
    [ "$status" -eq 0 ]
    for service in cron atd; do
        run "$COMMAND" check "$service" alice
        echo "$output"
        [ "$status" -eq 0 ]
        [[ ${lines[-1]} == *'alice is isolated; 0 problems' ]]
    done
    "$COMMAND" harden enable cron # twice is once
    [ "$(grep -c pam_unshare /etc/pam.d/cron)" -eq 2 ]
    run "$COMMAND" harden status --noheadings cron
    [[ $output =~ ^cron\ +on\  ]]
    "$COMMAND" harden disable cron atd
    cmp /etc/pam.d/cron /run/jobs/cron
    cmp /etc/pam.d/atd /run/jobs/atd
    run "$COMMAND" harden status --noheadings cron
    [[ $output =~ ^cron\ +off\  ]]
}

@test "harden: an administrator's own lines and files are left alone" {
    stock_jobs
    cp "$TOP/pam.d-examples/cron" /etc/pam.d/cron
    printf 'session required pam_loginuid.so' >/etc/pam.d/atd # without an end
    run "$COMMAND" harden enable cron atd
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *'atd: /etc/pam.d/atd: its last line does not end with a newline'* ]]
    "$COMMAND" harden disable cron atd
    cmp /etc/pam.d/cron "$TOP/pam.d-examples/cron"
    [ "$(cat /etc/pam.d/atd)" = 'session required pam_loginuid.so' ]
    mkdir -p /etc/dbus-1/system.d
    echo own >/etc/dbus-1/system.d/pam-unshare.conf
    run "$COMMAND" harden enable bus
    [ "$status" -eq 1 ]
    run "$COMMAND" harden disable bus
    [ "$status" -eq 1 ]
    [ "$(cat /etc/dbus-1/system.d/pam-unshare.conf)" = own ]
    rm /etc/dbus-1/system.d/pam-unshare.conf
    run "$COMMAND" harden enable bus
    cmp /etc/dbus-1/system.d/pam-unshare.conf "$TOP/hardening/bus.conf"
    run "$COMMAND" harden disable bus
    [ ! -e /etc/dbus-1/system.d/pam-unshare.conf ]
}

@test "harden: lines that are comments, and a file that is a symbolic link" {
    stock_jobs
    "$COMMAND" harden enable cron
    sed -i 's/^session requisite pam_unshare/#&/' /etc/pam.d/cron
    cp /etc/pam.d/cron /run/jobs/commented
    run "$COMMAND" harden status --noheadings cron
    [[ $output =~ ^cron\ +off\  ]]
    "$COMMAND" harden disable cron
    cmp /etc/pam.d/cron /run/jobs/commented
    cp /run/jobs/cron /run/cron
    ln -sf /run/cron /etc/pam.d/cron
    "$COMMAND" harden enable cron
    [ -L /etc/pam.d/cron ]
    grep -q pam_unshare /run/cron
    "$COMMAND" harden disable cron
    [ -L /etc/pam.d/cron ]
    cmp /run/cron /run/jobs/cron
    [ -z "$(compgen -G '/etc/pam.d/*-new')" ]
    [ -z "$(compgen -G '/run/*-new')" ]
}

@test "harden: what an older package enabled, and what was interrupted, is taken back" {
    local conf=/etc/dbus-1/system.d/pam-unshare.conf source=/run/share/pam-unshare/hardening/bus.conf
    mkdir -p /etc/dbus-1/system.d
    "$COMMAND" harden enable bus
    echo '<!-- newer -->' >>"$source"
    run "$COMMAND" harden status --noheadings bus
    [[ $output =~ ^bus\ +on\  ]]
    "$COMMAND" harden enable bus # the newer one
    cmp "$conf" "$source"
    cp "$TOP/hardening/bus.conf" "$source"
    "$COMMAND" harden disable bus
    [ ! -e "$conf" ]
    [ ! -e /var/lib/pam-unshare ]
    # the bus is there, and does not answer: the file is gone, and the same command completes it
    "$COMMAND" harden enable bus
    mkdir -p /run/dbus
    : >/run/dbus/system_bus_socket
    run "$COMMAND" harden disable bus
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *'correct the cause and run the same command again'* ]]
    [ ! -e "$conf" ]
    [ -e "$conf.pam-unshare-gone" ]
    rm /run/dbus/system_bus_socket
    "$COMMAND" harden disable bus
    [ -z "$(compgen -G "$conf*")" ]
    [ ! -e /var/lib/pam-unshare ]
    # changed, then removed by hand: what it did is undone all the same
    "$COMMAND" harden enable bus
    echo '<!-- changed -->' >>"$conf"
    run "$COMMAND" harden disable bus
    [ "$status" -eq 1 ]
    [[ $output == *'remove it by hand'* ]]
    rm "$conf"
    : >/run/dbus/system_bus_socket
    run "$COMMAND" harden disable bus
    [ "$status" -eq 1 ] # busctl was run, and nobody answers it
    rm /run/dbus/system_bus_socket
    "$COMMAND" harden disable bus
    [ ! -e /var/lib/pam-unshare ]
}

@test "harden: what is not understood" {
    for words in '' 'enabel' 'enable busses'; do
        # shellcheck disable=SC2086 # words
        run "$COMMAND" harden $words
        [ "$status" -eq 2 ]
    done
    [[ $output == *"there is no part 'busses'; the parts are bus units user-manager cron atd mail process-events logins"* ]]
}

@test "harden: the state of the parts, as a table and as JSON" {
    stock_jobs
    "$COMMAND" harden enable cron
    cp "$TOP/pam.d-examples/atd" /etc/pam.d/atd
    run "$COMMAND" harden status atd cron --output part,state,file
    echo "$output"
    [ "${#lines[@]}" -eq 3 ]
    [[ ${lines[0]} =~ ^PART\ +STATE\ +FILE\ *$ ]]
    [[ ${lines[1]} =~ ^cron\ +on\ +/etc/pam.d/cron\ *$ ]]
    [[ ${lines[2]} =~ ^atd\ +own\ +/etc/pam.d/atd\ *$ ]]
    "$COMMAND" harden status --json >"$BATS_TEST_TMPDIR/json"
    python3 - "$BATS_TEST_TMPDIR/json" <<'END'
import json, sys
parts = json.load(open(sys.argv[1]))["parts"]
assert {p["part"] for p in parts} == {
    "bus", "units", "user-manager", "cron", "atd", "mail", "process-events", "logins"}, parts
states = {p["file"]: p["state"] for p in parts}
assert states["/etc/pam.d/cron"] == "on" and states["/etc/pam.d/atd"] == "own", states
assert set(states.values()) <= {"on", "off", "own", "absent"}, states
assert all(set(p) == {"part", "state", "about", "file", "note"} for p in parts), parts
END
    "$COMMAND" harden disable cron
    cmp /etc/pam.d/cron /run/jobs/cron
    # a column that is misspelt changes nothing
    run "$COMMAND" harden enable cron --output parts
    [ "$status" -eq 2 ]
    [ "$output" = "pam-unshare: unknown column 'parts'; the columns are PART, STATE, ABOUT, FILE, NOTE" ]
    cmp /etc/pam.d/cron /run/jobs/cron
}

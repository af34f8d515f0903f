#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# pam-unshare enable: what ends a user's sessions, and what leaves them alone, is the same as on the stock machine:
# logind's terminate-session and terminate-user, restarts, upgrades; what is left of a user who has gone.

load lib
load inside

setup_file() {
    prepare
    install -m 755 "$BATS_TEST_DIRNAME/slow-end" /usr/local/bin
    loginctl disable-linger alice bob admin
    systemctl stop user@1001.service user-runtime-dir@1001.service
    cp -p "$CONF" /root/unshare.conf
}

setup() {
    afresh
}

teardown() {
    end_clients
    disable sshd
}

teardown_file() {
    stock
    pam-unshare harden disable
    afresh
    loginctl enable-linger alice bob admin
}

# both FUNCTION [ARGUMENT…]: what it prints with everything on is kept as "inside", without as "stock"
both() {
    inside
    PLACE=inside
    "$@" >"$BATS_TEST_TMPDIR/inside"
    end_clients
    stock
    afresh
    PLACE=stock
    "$@" >"$BATS_TEST_TMPDIR/stock"
    end_clients
    PLACE=inside # for a negative control
    afresh
    cat "$BATS_TEST_TMPDIR/inside" >&2
    diff "$BATS_TEST_TMPDIR/stock" "$BATS_TEST_TMPDIR/inside"
}

# where COMMAND: a line about the processes of alice's that are named so
where() {
    local pid
    pid=$(pgrep -u alice -xf "$1" | head -n 1)
    if [ -z "$pid" ]; then echo "$1: gone"; else echo "$1: there"; fi
}

# all_inside COMMAND…: not on the stock machine, of course
all_inside() {
    local command
    [ "$PLACE" != stock ] || return 0
    for command; do is_inside "$(pgrep -u alice -xf "$command" | head -n 1)" || { die "on the host: $command"; return; }; done
}

session_of() { # COMMAND
    local pid
    pid=$(pgrep -u alice -xf "$1") && sed -n 's,^0::.*/session-\(.*\)\.scope$,\1,p' "/proc/$pid/cgroup"
}

gone() { # COMMAND
    ! pgrep -u alice -xf "$1"
}

terminate_one() {
    begin one 'sleep 4801'
    begin two 'sleep 4802'
    all_inside 'sleep 4801' 'sleep 4802'
    loginctl terminate-session "$(session_of 'sleep 4801')"
    eventually gone 'sleep 4801'
    where 'sleep 4802'
    manager_is_up && echo 'the user manager is there'
    ssh_as alice true && echo 'a login goes on'
    where 'sleep 4802'
    loginctl terminate-user alice # negative control
    eventually gone 'sleep 4802'
    LIMIT=60 eventually nothing_of_alice
    systemctl --failed --no-legend
}

@test "inside: terminate-session ends that session and no other" {
    both terminate_one
    [ "$(grep -c there "$BATS_TEST_TMPDIR/inside")" -eq 3 ]
}

# in_tmux USER FILE: logind terminates no session that was left, so this one goes on
in_tmux() {
    hold_session "$1" "$1" "tmux new-session -d slow-end $2; exec sleep 4811"
    eventually grep -x runs "$2"
    eventually pgrep -u "$1" -xf 'sleep 4811'
}

ended() { # FILE USER: the program is no longer there
    ! pgrep -u "$2" -f "slow-end $1"
}

# alice's session is terminated, and admin
terminate_slow() {
    begin one 'sleep 4803'
    all_inside 'sleep 4803'
    in_tmux alice /tmp/slow-alice
    in_tmux admin /tmp/slow-admin
    loginctl terminate-session "$(session_of 'sleep 4811')"
    loginctl terminate-user admin
    LIMIT=90 eventually ended /tmp/slow-alice alice
    LIMIT=90 eventually ended /tmp/slow-admin admin
    echo "terminate-session: $(cat /tmp/slow-alice)"
    echo "terminate-user: $(cat /tmp/slow-admin)"
    where 'sleep 4803'
    rm -f /tmp/slow-alice /tmp/slow-admin
}

@test "inside: what needs 20 s after SIGTERM has them, at terminate-session and terminate-user" {
    both terminate_slow
    grep -x 'terminate-session: ended' "$BATS_TEST_TMPDIR/inside"
    grep -x 'terminate-user: ended' "$BATS_TEST_TMPDIR/inside"
    # negative control: SIGKILL
    in_tmux alice /tmp/slow-alice
    pkill -KILL -u alice -f 'slow-end /tmp/slow-alice'
    eventually ended /tmp/slow-alice alice
    grep -x runs /tmp/slow-alice
    rm /tmp/slow-alice
}

# What an upgrade does to what runs; "dpkg --configure" would do nothing
upgrade_of_systemd() {
    DPKG_MAINTSCRIPT_PACKAGE=systemd DPKG_MAINTSCRIPT_NAME=postinst \
        /var/lib/dpkg/info/systemd.postinst configure "$(dpkg-query -W -f '${Version}' systemd)"
    # as trixie's does; before 250 the signal ends them
    [ "$(systemctl --version | awk 'NR == 1 { print $2 }')" -lt 250 ] ||
        systemctl kill --kill-who=main --signal=SIGRTMIN+25 'user@*.service'
    # who calls a manager that executes itself anew is refused, as on stock
    eventually ssh_as alice systemctl --user show-environment
}

upgrade_of_libc() {
    local libc
    libc=$(realpath "$(ldd /bin/true | awk '$1 == "libc.so.6" { print $3 }')")
    cp -p "$libc" "$libc.new"
    mv "$libc.new" "$libc"
    systemctl restart ssh cron # as needrestart does: logind it leaves alone
}

upgrade_of_package() {
    touch "$TOP/pam_unshare.c" "$TOP/command/pam-unshare.c"
    install_module
    [ -z "${NEGATIVE:-}" ] || return 0
    if systemctl cat user@1000 | grep -q pam-unshare; then pam-unshare enable >&2; fi
}

after() { # STEP…
    "$@" >&2 || echo "$*: failed"
    eventually manager_is_up
    echo "after $*: $(where 'sleep 4804'), $(where 'sleep 4805'), manager $(
        ssh_as alice 'systemctl --user is-system-running --wait'
    )"
    all_inside 'sleep 4804' 'sleep 4805'
}

upgrades() {
    begin one 'sleep 4804'
    ssh_as alice tmux new-session -d sleep 4805
    eventually pgrep -u alice -xf 'sleep 4805'
    before=$(namespace "$(pgrep -u alice -xf 'sleep 4804')")
    after systemctl daemon-reload
    after systemctl daemon-reexec
    after upgrade_of_systemd
    after upgrade_of_libc
    after upgrade_of_package
    if systemctl cat pam-unshare-pin@1000.service >/dev/null 2>&1; then systemctl restart pam-unshare-pin@1000; fi
    after true
    [ "$(ssh_as alice readlink /proc/self/ns/pid)" = "$before" ] && echo 'a login sees them'
    ssh_as alice tmux list-sessions | wc -l
    systemctl restart user@1000
    where 'sleep 4804'
    where 'sleep 4805' # since tmux 3.3 its programs are units of the user manager
    all_inside 'sleep 4804'
    systemctl --failed --no-legend
}

@test "inside: upgrades of systemd, libc and the package leave sessions and tmux alone" {
    both upgrades
    [ "$(grep -c 'sleep 4804: there, sleep 4805: there, manager running' "$BATS_TEST_TMPDIR/inside")" -ge 6 ]
    # negative control: the namespace's unit
    inside
    begin one 'sleep 4804'
    all_inside 'sleep 4804'
    systemctl restart pam-unshare@1000
    gone 'sleep 4804'
}

# everything_of_alice: what could be left of her
everything_of_alice() {
    find /run /tmp /dev/shm /dev/mqueue -xdev -printf '%p %y %u\n' 2>/dev/null |
        grep -vE '^/run/(systemd/(units|transient|journal|propagate|inaccessible)|udev|log/journal|console|user/0|user )' | sort
    find /sys/fs/cgroup -type d | grep -E 'user-1000|1000\.service' || true
    grep -E '1000|pam_unshare' /proc/self/mountinfo || true
    systemctl list-units --all --no-legend --plain | awk '/1000|pam-unshare@|pam-unshare-pin@/ { print $1, $3, $4 }'
    loginctl list-users --no-legend | awk '$1 == 1000 { print "user", $1 }'
    pgrep -u alice -a || true
    pgrep -x pam_unshare -a || true
    ipcs -m -s -q | awk '$3 == "alice"'
    systemctl --failed --no-legend
}

@test "inside: nothing is left of a user who has gone, and no unit has failed" {
    inside
    PLACE=inside
    # /run/pam_unshare keeps a name for each user
    ssh_as alice true
    afresh
    everything_of_alice >"$BATS_TEST_TMPDIR/before"
    begin one 'sleep 4806'
    all_inside 'sleep 4806'
    # logind of 247 terminates no session that was left
    hold_session tmux alice 'tmux new-session -d sleep 4807; exec sleep 4814'
    eventually pgrep -u alice -xf 'sleep 4807'
    eventually ssh_as alice 'systemd-run --user -q --unit=left sleep 4808'
    not diff -q <(everything_of_alice) "$BATS_TEST_TMPDIR/before" # negative control
    is_inside "$(main_pid user@1000)"
    loginctl terminate-user alice
    LIMIT=60 eventually nothing_of_alice
    forgotten 1000
    as_before() { diff "$BATS_TEST_TMPDIR/before" <(everything_of_alice); }
    eventually as_before
}

# systemctl_of NAME ARGUMENT…: the user manager answers nobody who is in another PID namespace
systemctl_of() {
    if [ "$1" = root ]; then
        XDG_RUNTIME_DIR=/run/user/0 systemctl --user "${@:2}"
    else
        ssh_as "$1" systemctl --user "${@:2}"
    fi
}

result() { # UNIT
    systemctl show -p ActiveState -p Result -p ExecMainCode -p ExecMainStatus "$1" | sort | paste -sd' '
}

# how_it_ends NAME UID: what its unit says when the user manager is killed, and told to end with a status
how_it_ends() {
    local unit=user@$2.service
    eventually systemctl restart "$unit" # root's runtime directory may still be ending
    echo "$1 before: $(systemctl show -p ActiveState -p SubState --value "$unit" | paste -sd' ')"
    systemctl kill --kill-who=main -s KILL "$unit"
    down() { ! systemctl is-active --quiet "$unit"; }
    eventually down
    echo "$1 killed: $(result "$unit")"
    systemctl reset-failed "$unit"
    eventually systemctl restart "$unit"
    eventually systemctl_of "$1" show -p Version
    systemctl_of "$1" exit 7
    eventually down
    echo "$1 exit 7: $(result "$unit")"
    systemctl reset-failed "$unit" 2>/dev/null || true
}

managers_end() {
    how_it_ends root 0
    how_it_ends alice 1000
    how_it_ends admin 1002
    usermod -e 1 alice # PAM refuses
    systemctl start user@1000 2>/dev/null || true
    echo "expired: $(result user@1000)"
    usermod -e '' alice
    systemctl reset-failed user@1000 2>/dev/null || true
}

@test "inside: user managers of isolated and exempt users and of root end with the same status as on stock" {
    stock
    inside exempt=admin
    both managers_end
    grep -E 'alice exit 7: .*ExecMainStatus=7 ' "$BATS_TEST_TMPDIR/inside"
    grep -E 'expired: .*ExecMainStatus=224' "$BATS_TEST_TMPDIR/inside" # negative control: another one
}

@test "inside: AppArmor denies nothing to user manager, services and sessions" {
    [ -d /sys/kernel/security/apparmor ] || skip 'the kernel has no AppArmor'
    timeout 120 systemctl start apparmor
    confine
    inside
    before=$(denials | wc -l)
    ssh_as alice 'echo own >own; confined own'
    eventually manager_is_up
    is_inside "$(main_pid user@1000)"
    for kind in --scope '--pipe --wait'; do
        [ "$(ssh_as alice "systemd-run --user -q $kind confined own" | tail -n 1)" = own ]
    done
    pam-unshare list -n
    denials | tail -n "+$((before + 1))"
    [ "$(denials | wc -l)" -eq "$before" ]
    # negative control: what the profile does not allow
    not ssh_as alice 'systemd-run --user -q --pipe --wait confined /etc/hostname'
    LIMIT=10 eventually new_denials "$before"
    unconfine
}

# probes_of ARGUMENT…: a line "RESULT PROBE" for each
probes_of() {
    pam-unshare audit --json "$@" sshd alice |
        python3 -c 'import json, sys
for probe in json.load(sys.stdin)["probes"]: print(probe["result"], probe["probe"], sep=" ")'
}

@test "inside: the audit finds nothing open, while everybody has a user manager" {
    inside
    systemctl restart dbus.service systemd-logind.service # as at the next boot
    loginctl enable-linger alice bob admin
    for uid in 1000 1001 1002; do
        LIMIT=100 eventually systemctl is-active "user@$uid.service"
        is_inside "$(main_pid "user@$uid")"
    done
    probes_of >"$BATS_TEST_TMPDIR/said"
    cat "$BATS_TEST_TMPDIR/said" >&2
    not grep '^open' "$BATS_TEST_TMPDIR/said"
    [ "$(grep -c '^closed' "$BATS_TEST_TMPDIR/said")" -ge 60 ]
    systemctl is-active user@{1000,1001,1002}.service
    loginctl disable-linger alice bob admin
    systemctl stop user@1001.service user-runtime-dir@1001.service pam-unshare@1001.service
    # negative control: with all of it, but for the session
    probes_of --no-session --only=proc,ps | grep -x 'open proc'
}

# limits_in_force: of a service that has some
limits_in_force() {
    local group
    begin kept 'sleep 4815' # without a session the user manager ends after ten seconds
    eventually manager_is_up
    echo "delegated: $(cat /sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/cgroup.subtree_control)"
    eventually ssh_as alice 'systemd-run --user -q --unit=limited -p MemoryMax=64M -p TasksMax=77 -p CPUWeight=33 sh -c "exec sleep 4809"'
    eventually pgrep -u alice -xf 'sleep 4809'
    all_inside 'sleep 4809'
    group=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pgrep -u alice -xf 'sleep 4809')/cgroup")
    for file in memory.max pids.max cpu.weight; do echo "$file: $(cat "$group/$file")"; done
}

@test "inside: controllers are delegated to the user manager, and the limits of its services are in force" {
    grep -qw pids /sys/fs/cgroup/cgroup.controllers || skip 'this machine has no controllers in cgroup2'
    both limits_in_force
    grep -x "memory.max: $((64 << 20))" "$BATS_TEST_TMPDIR/inside"
    grep -x 'pids.max: 77' "$BATS_TEST_TMPDIR/inside"
    # negative control: without a limit
    begin kept 'sleep 4815'
    eventually ssh_as alice 'systemd-run --user -q --unit=unlimited sh -c "exec sleep 4810"'
    eventually pgrep -u alice -xf 'sleep 4810'
    group=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pgrep -u alice -xf 'sleep 4810')/cgroup")
    not grep -x 77 "$group/pids.max"
}

@test "inside: status tells a namespace apart that a session has made before" {
    old() { pam-unshare status -n -o PART,STATE,ABOUT | awk '$2 == "old" && $1 ~ /^session-/ { print $1, $3 }'; }
    stock
    echo scope=user >>"$CONF"
    enable sshd
    begin one 'sleep 4812'
    PLACE=inside all_inside 'sleep 4812'
    unit=session-$(session_of 'sleep 4812').scope
    inside
    [ "$(old)" = "$unit alice" ]
    not systemctl start pam-unshare@1000
    not pam-unshare status
    # negative control: its namespace is a unit's
    end_clients
    afresh
    begin two 'sleep 4813'
    PLACE=inside all_inside 'sleep 4813'
    [ -z "$(old)" ]
    pam-unshare status
    disable sshd
}

@test "inside: with a mistake in the configuration file root and exempt users get in, and have user managers on the host" {
    stock
    inside exempt=admin
    echo nonsense >>"$CONF"
    for user in admin root; do
        [ "$(ssh_as "$user" readlink /proc/self/ns/pid)" = "$(namespace self)" ]
    done
    systemctl restart user@1002
    not is_inside "$(main_pid user@1002)"
    # the others do not; nor does who is exempt where that is what the mistake is in
    not ssh_as alice true
    not systemctl start user@1000
    [ "$(systemctl show -p ExecMainStatus --value user@1000)" -eq 226 ]
    systemctl stop user@1002 user-runtime-dir@1002
    forgotten 1002
    echo exempt=bob >>"$CONF"
    not ssh_as admin true
    not systemctl start user@1002
    [ "$(systemctl show -p ExecMainStatus --value user@1002)" -eq 226 ]
    [ "$(ssh_as root readlink /proc/self/ns/pid)" = "$(namespace self)" ]
    stock
}

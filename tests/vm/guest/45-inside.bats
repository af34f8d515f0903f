#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# pam-unshare enable: the user's life inside one namespace. The units of systemd/, the launcher of the user
# manager, and the module that asks a unit for the namespace.

load lib
load inside

setup_file() {
    prepare
    loginctl disable-linger alice bob admin
    # right after "enable-linger" it was seen to leave a user manager, which status then calls old
    systemctl stop user@1001.service user-runtime-dir@1001.service
    cp -p "$CONF" /root/unshare.conf
}

# What one test leaves on stays on for the next one: it takes half a minute without KVM.
setup() {
    afresh
    pam-unshare status >/dev/null 2>&1 || {
        stock
        inside
        cp -p "$CONF" /root/unshare.inside
    }
}

teardown() {
    end_clients
    cp -p /root/unshare.inside "$CONF"
    cp -p "$STOCK/common-session" /etc/pam.d/common-session
    # a test has stopped it, and setup would enable everything anew; on the stock machine there is none
    systemctl start pam-unshare-make.socket 2>/dev/null || true
}

teardown_file() {
    stock
    pam-unshare harden disable
    afresh
    loginctl enable-linger alice bob admin
}

# what root may have the OOM killer be told here: a container may lack CAP_SYS_RESOURCE
lowest_adjustment() {
    if [ $((0x$(sed -n 's/^CapEff:\t//p' /proc/1/status) >> 24 & 1)) -eq 1 ]; then echo -1000; else echo 0; fi
}

@test "inside: the init is the main process of its unit, and ends with it" {
    systemctl start pam-unshare@1000
    pid=$(main_pid pam-unshare@1000)
    [ "$(cat "/proc/$pid/comm")" = pam_unshare ]
    grep -x "PPid:	1" "/proc/$pid/status"
    grep -x '0::/pamunshare.slice/pam-unshare@1000.service' "/proc/$pid/cgroup"
    [ "$(cat "/proc/$pid/oom_score_adj")" -eq "$(lowest_adjustment)" ]
    systemctl stop pam-unshare@1000
    [ ! -e "/proc/$pid" ]
    # negative control: without a unit the init is the caller's
    pid=$(pam-unshare namespace make alice)
    cmp "/proc/$pid/cgroup" /proc/self/cgroup
    pam-unshare namespace unpin alice
    LIMIT=30 eventually no_init_left
}

@test "inside: the pin keeps the namespace, and its end ends it" {
    systemctl start user-runtime-dir@1000
    is_pinned() { [ "$(pam-unshare list -n -o STAYS)" = pinned,linger ]; }
    LIMIT=30 eventually is_pinned
    systemctl stop user-runtime-dir@1000
    LIMIT=30 eventually nothing_of_alice
    # negative control: without the pin it waits for its first member, and ends after it
    systemctl start pam-unshare@1000
    [ "$(pam-unshare list -n -o STAYS)" = linger ]
    pamtester cron alice open_session close_session
    LIMIT=30 eventually nothing_of_alice
}

@test "inside: the user manager and its services see no other user" {
    start_secret
    from_unit() {
        isolated ssh_as alice "systemd-run --user --quiet --pipe --wait $LOOK"
    }
    from_unit
    ssh_as alice 'systemctl --user is-system-running' | grep -x running
    stock
    afresh
    not from_unit
    exposed ssh_as alice "systemd-run --user --quiet --pipe --wait $LOOK" # negative control
}

@test "inside: session, user manager, its scope and its service have one namespace" {
    begin one 'sleep 4501'
    eventually manager_is_up
    one=$(namespace "$(pgrep -u alice -xf 'sleep 4501')")
    [ "$one" != "$(namespace self)" ]
    [ "$(namespace "$(main_pid user@1000)")" = "$one" ]
    [ "$(ssh_as alice readlink /proc/self/ns/pid)" = "$one" ]
    [ "$(ssh_as alice systemd-run --user -q --pipe --wait readlink /proc/self/ns/pid)" = "$one" ]
    [ "$(ssh_as alice systemd-run --user -q --scope readlink /proc/self/ns/pid)" = "$one" ]
    # negative control: without the slice's cgroup.procs the scope cannot be made
    chown root /sys/fs/cgroup/user.slice/user-1000.slice/cgroup.procs
    not ssh_as alice systemd-run --user -q --scope true
}

@test "inside: a restart and a reload of the user manager leave sessions alone" {
    begin one 'sleep 4502'
    eventually manager_is_up
    session=$(pgrep -u alice -xf 'sleep 4502')
    before=$(main_pid user@1000)
    systemctl restart user@1000
    after=$(main_pid user@1000)
    [ "$before" != "$after" ]
    is_inside "$after"
    if [ "$(systemctl show -p CanReload --value user@1000)" = yes ]; then # since systemd 253
        systemctl reload user@1000
    fi
    ssh_as alice systemctl --user daemon-reexec
    systemctl restart pam-unshare-pin@1000
    kill -0 "$session"
    [ "$(namespace "$after")" = "$(namespace "$session")" ]
    [ "$(systemctl show -p Result --value user@1000)" = success ]
    systemctl stop pam-unshare@1000 # negative control
    not kill -0 "$session"
}

@test "inside: the user manager ends in an orderly way" {
    eventually ssh_as alice 'systemd-run --user -q --unit=polite sh -c "trap \"echo polite end\" TERM; sleep 1000 & wait; wait"'
    is_inside "$(main_pid user@1000)"
    systemctl stop user@1000
    said() { journalctl -b --no-pager _UID=1000 | grep -F "$1"; }
    eventually said 'polite end'
    [ "$(systemctl show -p Result --value user@1000)" = success ]
    systemctl start user@1000
    systemctl kill -s KILL user@1000 # negative control
    failed() { [ "$(systemctl show -p Result --value user@1000)" = signal ]; }
    eventually failed
}

@test "inside: terminate-user ends everything, and nothing is left" {
    begin one 'sleep 4503'
    eventually manager_is_up
    is_inside "$(pgrep -u alice -xf 'sleep 4503')"
    not nothing_of_alice # negative control
    loginctl terminate-user alice
    LIMIT=30 eventually nothing_of_alice
    [ -z "$(systemctl --failed --no-legend)" ]
}

@test "inside: what is left at logout stays, and the next login sees it" {
    ssh_as alice 'nohup setsid sleep 4504 >/dev/null 2>&1 </dev/null &'
    eventually pgrep -u alice -xf 'sleep 4504' # nohup and setsid have executed it
    pid=$(pgrep -u alice -xf 'sleep 4504')
    is_inside "$pid"
    [ "$(ssh_as alice pgrep -xfc "'sleep 4504'")" -eq 1 ]
    kill "$pid"
    [ "$(ssh_as alice pgrep -xfc "'sleep 4504'" || true)" -eq 0 ] # negative control
}

@test "inside: with lingering the user manager is there before and after a login" {
    not manager_is_up # negative control
    loginctl enable-linger alice
    LIMIT=100 eventually manager_is_up
    pid=$(main_pid user@1000)
    is_inside "$pid"
    [ "$(ssh_as alice readlink /proc/self/ns/pid)" = "$(namespace "$pid")" ]
    LIMIT=30 eventually not pgrep -u alice sshd # since systemd 256 the user manager has a session too
    [ "$(main_pid user@1000)" = "$pid" ]
    loginctl disable-linger alice
    LIMIT=60 eventually nothing_of_alice
}

# what_a_manager_has UID: what a program could notice
what_a_manager_has() {
    local pid
    # pam_systemd has a variable for the bus of an earlier one; root's session stays, and so does that
    [ "$1" != 0 ] || systemctl start user@0.service || return
    [ "$1" = 0 ] || systemctl stop "user@$1.service" "user-runtime-dir@$1.service" || return
    [ "$1" = 0 ] || forgotten "$1" || return
    systemctl restart "user@$1.service" || return
    pid=$(main_pid "user@$1.service")
    tr '\0' '\n' <"/proc/$pid/environ" |
        sed -E 's/^(INVOCATION_ID|JOURNAL_STREAM|XDG_SESSION_ID)=.*/\1/; s/^(SYSTEMD_EXEC_PID)=.*/\1/' | sort
    ! grep -qz '^SYSTEMD_EXEC_PID=' "/proc/$pid/environ" ||
        tr '\0' '\n' <"/proc/$pid/environ" | grep -x "SYSTEMD_EXEC_PID=$(awk '/^NSpid/ { print $NF }' "/proc/$pid/status")"
    grep -E '^(Umask|PPid|Uid|Gid|Groups|Cap|Sig(Blk|Ign|Cgt)|NoNewPrivs|Seccomp)' "/proc/$pid/status"
    cat "/proc/$pid/limits" "/proc/$pid/cgroup" "/proc/$pid/oom_score_adj"
    readlink "/proc/$pid/cwd"
    cat "/sys/fs/cgroup$(sed -n 's/^0:://; T; s,/init.scope$,,; p' "/proc/$pid/cgroup")/cgroup.subtree_control"
}

# SYSTEMD_EXEC_PID= is of systemd 248; its value is looked at where it is
same_as_stock() { # UID
    what_a_manager_has "$1" | sed '/^SYSTEMD_EXEC_PID=/d' >"$BATS_TEST_TMPDIR/inside"
    is_inside "$(main_pid "user@$1")" && place=inside || place=host
    stock
    afresh
    what_a_manager_has "$1" | sed '/^SYSTEMD_EXEC_PID=/d' >"$BATS_TEST_TMPDIR/stock"
    diff "$BATS_TEST_TMPDIR/stock" "$BATS_TEST_TMPDIR/inside"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/stock")" -gt 30 ]
}

@test "inside: the user manager has the same environment, ids, limits and control groups as stock" {
    same_as_stock 1000
    [ "$place" = inside ]
    what_a_manager_has 1002 >"$BATS_TEST_TMPDIR/other"
    not diff -q "$BATS_TEST_TMPDIR/stock" "$BATS_TEST_TMPDIR/other" # negative control
}

@test "user managers of root and of exempt users are on the host, as stock" {
    same_as_stock 0
    [ "$place" = host ]
    inside exempt=admin
    same_as_stock 1002
    [ "$place" = host ]
    systemctl stop user@1002
    # negative control: a user who is not exempt
    [ "${NEGATIVE:-}" = 1 ] || {
        inside exempt=bob
        systemctl start user@1002
        is_inside "$(main_pid user@1002)"
        procs=/sys/fs/cgroup/user.slice/user-1002.slice/cgroup.procs
        [ "$(stat -c %u "$procs")" -eq 1002 ]
        # who becomes exempt has what the others have
        sed -i 's/^exempt=bob$/exempt=admin/' "$CONF"
        systemctl restart user@1002
        [ "$(stat -c %u "$procs")" -eq 0 ]
        systemctl stop user@1002 user-runtime-dir@1002
    }
}

@test "inside: with a broken configuration file root has a user manager, even without the command, and no other user" {
    systemctl start user@1000
    is_inside "$(main_pid user@1000)" # negative control
    systemctl stop user@1000
    echo nonsense >>"$CONF"
    systemctl restart user@0
    systemctl is-active user@0
    not systemctl start user@1000
    [ "$(systemctl show -p ExecMainStatus --value user@1000)" -eq 226 ]
    mount --bind /bin/false /usr/sbin/pam-unshare
    run systemctl restart user@0
    umount /usr/sbin/pam-unshare
    [ "$status" -eq 0 ]
    systemctl is-active user@0
    [ -z "$(pgrep -u alice)" ]
}

@test "inside: a job that is the first of its user has a unit make the namespace" {
    made_by() { journalctl -b --no-pager -u 'pam-unshare-make@*' -o cat | grep -c Started || true; }
    before=$(made_by)
    pamtester cron alice open_session close_session
    [ "$(made_by)" -gt "$before" ]
    LIMIT=30 eventually nothing_of_alice # it was not pinned
    # negative control: without the socket the session makes it
    systemctl stop pam-unshare-make.socket
    before=$(made_by)
    pamtester cron alice open_session close_session
    [ "$(made_by)" -eq "$before" ]
    journalctl -b --no-pager -t pamtester -o cat | grep -F "the user's, made"
}

@test "inside: after its init was killed the next login gets another one, with the user manager" {
    begin one 'sleep 4505'
    eventually manager_is_up
    first=$(main_pid pam-unshare@1000)
    [ "$first" -gt 0 ]
    kill -KILL "$first"
    gone() { [ ! -e "/proc/$first" ] && ! manager_is_up; }
    eventually gone
    ssh_as alice 'systemctl --user is-system-running' | grep -x running
    second=$(main_pid pam-unshare@1000)
    [ "$second" != "$first" ] # negative control
    [ "$(namespace "$(main_pid user@1000)")" = "$(namespace "$second")" ]
}

@test "inside: enable isolates what comes in, and hardens" {
    lines() { grep -c '# pam-unshare' "/etc/pam.d/$1"; }
    for service in sshd login cron atd; do [ "$(lines $service)" -eq 2 ]; done
    [ "$(pam-unshare harden status -n -o STATE bus units cron atd | sort -u)" = on ]
    # what was on before stays on
    stock
    for service in sshd login cron atd; do cmp "/etc/pam.d/$service" "$STOCK/$service"; done # negative control
    pam-unshare harden enable units
    inside
    pam-unshare status
    stock
    [ "$(pam-unshare harden status -n -o STATE units | sort -u)" = on ]
    [ "$(pam-unshare harden status -n -o STATE bus cron atd | sort -u)" = off ]
    # and so does what is named afterwards
    inside
    pam-unshare harden enable bus
    stock
    [ "$(pam-unshare harden status -n -o STATE bus | sort -u)" = on ]
    pam-unshare harden disable
    [ ! -e /var/lib/pam-unshare ]
}

@test "inside: with the profile, sshd and login are left as they are" {
    stock
    sed -i '$a session requisite pam_unshare.so' /etc/pam.d/common-session
    inside
    cmp /etc/pam.d/sshd "$STOCK/sshd"
    [ "$(pam-unshare status -n -o PART,STATE | grep -E '^(sshd|login) ' | sort -u | tr -s ' ' | paste -sd,)" = 'login own,sshd own' ]
    pam-unshare status
    cp -p "$STOCK/common-session" /etc/pam.d/common-session
    inside
    not cmp -s /etc/pam.d/sshd "$STOCK/sshd" # negative control
}

@test "inside: list and check know the units" {
    begin one 'sleep 4511'
    eventually manager_is_up
    listed() { pam-unshare list -n -o SERVICE,UNIT | grep -xE "$1"; }
    listed '.*pam-unshare@1000.service'
    listed '.*systemd-user +user@1000.service'
    listed '.*sshd +.*(session-.*.scope|ssh.*.service)'
    pam-unshare check sshd alice | grep -F 'the namespace is the unit pam-unshare@1000.service;'
    # negative control
    stock
    afresh
    printf 'session requisite pam_unshare.so %s\n' close open >/etc/pam.d/tried
    echo scope=user >>"$CONF"
    pam-unshare check tried alice | grep -F 'with scope=user'
    not eval 'pam-unshare check tried alice | grep -F "the namespace is the unit"'
    rm /etc/pam.d/tried
}

@test "inside: status tells what was there before apart" {
    stock
    afresh
    begin before 'sleep 4509'
    eventually manager_is_up
    old() { pam-unshare status -n -o PART,STATE,ABOUT | awk '$2 == "old" { print $1, $3 }' | sort; }
    session="session-$(loginctl list-sessions --no-legend | awk '$3 == "alice" && $0 !~ /manager/ { print $1 }').scope"
    inside
    begin after 'sleep 4510'
    is_inside "$(pgrep -u alice -xf 'sleep 4510')"
    [ "$(old)" = "$session alice
user@1000.service alice" ]
    pam-unshare status --json | grep -F "\"$session\""
    not pam-unshare status
    systemctl restart user@1000
    [ "$(old)" = "$session alice" ] # negative control
    kill "$(pgrep -u alice -xf 'sleep 4509')"
    LIMIT=60 eventually pam-unshare status
}

@test "inside: harden's user-manager has nothing to refuse" {
    pam-unshare harden enable user-manager
    systemctl start user@1000
    is_inside "$(main_pid user@1000)"
    stock
    afresh
    systemctl start user@1000 || true
    not manager_is_up # negative control
    pam-unshare harden disable user-manager
}

# machine: what "enable" changes and "disable" restores. A slice stays without its units until the next boot.
machine() {
    find /etc -xdev -type f -exec sha256sum {} + | sort -k 2
    find /etc -xdev -printf '%p %y %m %u %g %l\n' | sort
    systemctl list-unit-files --no-legend | grep -v '^session-' | sort
    systemctl list-units --all --no-legend --plain 'pam-*' | awk '{ print $1, $3, $4 }'
    stat -c '%n %U' /sys/fs/cgroup/user.slice/user-*.slice/cgroup.procs
    systemctl show -p ExecStart --value user@1000.service | sed 's/start_time.*//'
}

@test "inside: disable restores the machine, also while a session is open, which goes on" {
    stock
    afresh
    pam-unshare status -n -o STATE | grep -x off
    not pam-unshare status
    begin zero 'sleep 4506'
    eventually manager_is_up
    machine >"$BATS_TEST_TMPDIR/before"
    end_clients
    afresh
    inside
    pam-unshare status
    [ "$(pam-unshare status -n -o STATE | grep -vx absent | sort -u)" = on ]
    begin one 'sleep 4507'
    eventually manager_is_up
    machine >"$BATS_TEST_TMPDIR/enabled"
    not diff -q "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/enabled" # negative control
    session=$(pgrep -u alice -xf 'sleep 4507')
    is_inside "$session"
    pam-unshare disable
    kill -0 "$session"
    manager_is_up
    machine | sed '/pam-unshare@1000.service/d' >"$BATS_TEST_TMPDIR/after"
    diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
    kill "$session"
    LIMIT=60 eventually nothing_of_alice
    begin two 'sleep 4508'
    eventually manager_is_up
    not is_inside "$(main_pid user@1000)"
}

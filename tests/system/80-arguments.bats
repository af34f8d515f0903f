#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The module's arguments, through real stacks.

load lib

setup_file() {
    prepare
    groupadd -f shared
    usermod -aG shared bob
}

setup() {
    log_position
    HOST_NS=$(readlink /proc/self/ns/pid)
}

teardown() {
    disable su
    mount -o remount,hidepid=0,gid=0 /proc
    eventually no_init_left
}

@test "no argument: everyone but root" {
    isolates alice
    isolates bob
    leaves_alone root
}

@test "include_root" {
    isolates root include_root
    isolates alice include_root
    leaves_alone root include_root exempt=root
    leaves_alone root only=root
    isolates root include_root only=root
}

@test "exempt" {
    for list in alice 1000 500:1000 1000: :1000 bob,alice 0:999,1000 @alice; do
        leaves_alone alice "exempt=$list"
        isolates carol "exempt=${list/#1000:/1000:1001}"
    done
    leaves_alone bob exempt=@shared
    isolates alice exempt=@shared
    leaves_alone carol exempt=@sudo
}

@test "only" {
    for list in alice 1000 500:1000 1000:1000 :1000 bob,alice @alice; do
        isolates alice "only=$list"
        leaves_alone carol "only=$list"
    done
    isolates bob only=@shared
    leaves_alone alice only=@shared
    leaves_alone alice only=alice,bob exempt=alice
    isolates bob only=alice,bob exempt=alice
}

@test "what cannot be resolved is logged and decides for isolation" {
    isolates alice exempt=nobody-here
    logged "user 'nobody-here' cannot be resolved"
    isolates alice exempt=@no-group
    logged "group 'no-group' cannot be resolved"
    isolates alice only=@no-group
    isolates alice only=nobody-here,bob
    leaves_alone alice exempt=nobody-here,alice
}

@test "a wrong argument is named, users are refused, root gets in" {
    for argument in nonsense debug=1 exempt exempt= "exempt=," "exempt=alice," exempt=5:4 \
        exempt=4294967295 only= only=@ only=: grace grace= grace=-1 grace=3601 grace=1s \
        proc_options proc_options= proc_options=size=1 proc_options=hidepid=3 proc_options=gid=x \
        proc_options=subset=all ipc=1 include_root=yes open=1 scope scope= scope=users linger=1 \
        linger conf conf= conf=unshare.conf; do
        log_position
        refuses alice "$argument"
        logged "argument '$argument' (is unknown|is not understood|needs 'scope=user')"
        logged 'session of alice refused: correct the configuration'
        leaves_alone root "$argument"
        leaves_alone root include_root "$argument"
    done
    refuses alice open close
    logged "'open' and 'close' exclude each other"
    refuses alice exempt=bob exempt=alice
    isolates alice grace=3600 # negative control
}

@test "optional: a wrong argument lets the user in, unisolated" {
    { cat "$STOCK/su"; echo "session optional pam_unshare.so nonsense"; } >/etc/pam.d/su
    [ "$(su -c 'readlink /proc/self/ns/pid' alice)" = "$HOST_NS" ]
}

@test "open and close: only that half" {
    leaves_alone alice close
    isolates alice open
}

@test "debug" {
    isolates alice debug
    logged "isolating alice: grace 5 s, /proc with the options that it has.*; pam_unshare $(cat "$TOP/VERSION")"
    isolates alice debug proc_options=hidepid=2 grace=7
    logged 'isolating alice: grace 7 s, /proc with hidepid=2'
    leaves_alone root debug
    logged 'session of root is left alone'
    log_position
    leaves_alone root
    never_logged 'session of root is left alone'
}

@test "each session is logged once at its start and once at its end" {
    isolates alice
    logged 'session of alice opened: PID namespace [0-9]+, init [0-9]+'
    logged 'session of alice closed: PID namespace [0-9]+, init [0-9]+'
    [ "$(count_logged pam_unshare)" -eq 2 ]
}

@test "ipc" {
    ipc() {
        enable su "$@"
        [ "$(su -c 'readlink /proc/self/ns/ipc' alice)" != "$(readlink /proc/self/ns/ipc)" ]
    }
    ipc ipc
    run ipc grace=5
    [ "$status" -ne 0 ]
}

proc_options() {
    su -c 'sed -n "s,^.* /proc .* - proc [^ ]* ,,p" /proc/self/mountinfo' alice
}

@test "the fresh /proc has the options of the host's" {
    enable su grace=5
    [ "$(proc_options)" = rw ]
    mount -o remount,hidepid=2,gid=1001 /proc
    [[ $(proc_options) == *gid=1001* ]]
    [[ $(proc_options) == *hidepid=* ]]
}

@test "proc_options" {
    mount -o remount,hidepid=1 /proc
    enable su proc_options=hidepid=invisible,gid=1002
    [[ $(proc_options) == *gid=1002* ]]
    [[ $(proc_options) =~ hidepid=(invisible|2) ]]
    enable su proc_options=hidepid=off
    [ "$(proc_options)" = rw ]
    enable su proc_options=subset=pid
    [[ $(proc_options) == *subset=pid* ]]
    run su -c 'cat /proc/uptime' alice
    [ "$status" -ne 0 ]
}

@test "hidepid: sessions end, whatever the init sees" {
    for value in noaccess invisible ptraceable; do
        enable su "proc_options=hidepid=$value" grace=1
        su -c 'sleep 1000 >/dev/null 2>&1 & exit 0' alice
        eventually no_init_left
        run pgrep -f 'sleep 1000'
        [ "$status" -ne 0 ]
    done
}

@test "a read-only /proc stays read-only" {
    enable su include_root
    mount -o remount,ro,bind /proc
    run su -c 'grep " /proc " /proc/self/mountinfo' root
    mount -o remount,rw,bind /proc
    [[ $output == *" ro,"* ]]
    run su -c 'grep " /proc " /proc/self/mountinfo' root
    [[ $output == *" rw,"* ]]
}

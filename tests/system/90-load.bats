#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Many sessions, and applications that lack a capability.

load lib

setup_file() {
    prepare
    start_sshd 'LoginGraceTime 600' # emulated, a hundred at a time need minutes
}

teardown_file() {
    stop_sshd
}

setup() {
    remember_host
    log_position
    HOST_NS=$(readlink /proc/self/ns/pid)
}

teardown() {
    disable su
    disable sudo
    disable sshd
    eventually no_init_left
}

@test "500 su sessions in a row" {
    enable su
    local good=0 i
    for i in $(seq 500); do
        [ "$(su -c 'readlink /proc/self/ns/pid' alice)" != "$HOST_NS" ] || break
        good=$((good + 1))
    done
    [ "$good" -eq 500 ]
    eventually host_is_unchanged
    [ "$(count_logged 'session of alice opened')" -eq 500 ]
}

many_ssh() { # COMMAND: as two users, 100 at a time; prints what they say
    local i user pids=()
    for i in $(seq 100); do
        user=alice
        [ $((i % 2)) -eq 0 ] || user=bob
        LIMIT=600 ssh_as "$user" -o ConnectTimeout=600 "$1" >"$BATS_TEST_TMPDIR/out.$i" 2>&1 3>&- &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        wait "$i" || true
    done
    cat "$BATS_TEST_TMPDIR"/out.*
}

all_met() {
    [ "$(ls /run/meet | wc -l)" -eq 100 ]
}

@test "100 concurrent ssh sessions by two users" {
    enable sshd
    # Each waits until all are there, so that they do run at the same time: it opens a FIFO that has no
    # writer yet. None may poll: on a slow machine those that are in would keep the others out.
    mkdir -p /run/meet
    chmod 1777 /run/meet
    mkfifo -m 644 /run/all-met
    { until all_met; do sleep 0.2; done; exec sleep 600 >/run/all-met; } 3>&- &
    output=$(many_ssh 'touch /run/meet/$$-$(readlink /proc/self/ns/pid | tr -dc 0-9); : </run/all-met
        ls /run/meet | wc -l | sed s/^/met=/; '"$PROBE")
    kill $!
    rm -r /run/meet /run/all-met
    [ "$(grep -cx met=100 <<<"$output")" -eq 100 ]
    [ "$(grep -cx foreign=0 <<<"$output")" -eq 100 ]
    [ "$(grep '^pid_namespace=' <<<"$output" | sort -u | wc -l)" -eq 100 ]
    eventually host_is_unchanged
    # negative control
    disable sshd
    output=$(many_ssh "$PROBE")
    [ "$(grep -c '^foreign=' <<<"$output")" -eq 100 ]
    [ "$(grep -cx foreign=0 <<<"$output")" -eq 0 ]
    eventually host_is_unchanged
}

# without CAPABILITY COMMAND…
without() {
    local cap=$1
    shift
    setpriv --bounding-set "-$cap" --inh-caps "-$cap" -- "$@"
}

@test "su and sudo without a capability: required refuses and names it, optional goes on" {
    for cap in sys_admin sys_chroot; do
        for service in su sudo; do
            enable "$service" grace=5
            command=(su -c 'readlink /proc/self/ns/pid' alice)
            [ "$service" = su ] || command=(sudo -u alice readlink /proc/self/ns/pid)
            log_position
            run without "$cap" "${command[@]}"
            [ "$status" -ne 0 ]
            [[ $output != *pid:* ]]
            logged "pam_unshare\\($service:session\\): .*the application lacks CAP_${cap^^}"
            sed -i 's/required pam_unshare/optional pam_unshare/' "/etc/pam.d/$service"
            [ "$(without "$cap" "${command[@]}")" = "$HOST_NS" ]
            [ "$("${command[@]}")" != "$HOST_NS" ] # negative control
            eventually host_is_unchanged
        done
    done
}

@test "sshd without a capability: required runs no command, optional goes on" {
    install -m 644 "$TOP/$BUILD/tests/programs/pam_drop.so" "$SECURITY_DIR/pam_drop.so"
    for cap in cap_sys_admin cap_sys_chroot; do
        enable sshd
        sed -i "/pam_unshare.so open/i session required pam_drop.so $cap" /etc/pam.d/sshd
        log_position
        run ssh_as alice "echo ran; $PROBE"
        echo "$output"
        [ "$status" -ne 0 ]
        [[ $output != *ran* ]]
        logged "the application lacks ${cap^^}"
        sed -i 's/requisite  pam_unshare/optional pam_unshare/' /etc/pam.d/sshd
        [ "$(ssh_as alice 'readlink /proc/self/ns/pid')" = "$HOST_NS" ]
    done
    enable sshd
    [ "$(ssh_as alice 'readlink /proc/self/ns/pid')" != "$HOST_NS" ] # negative control
    eventually host_is_unchanged
}

@test "a whole sshd without CAP_SYS_ADMIN runs no command" {
    stop_sshd
    without sys_admin bash -c ". '$BATS_TEST_DIRNAME/lib.bash'; start_sshd"
    enable sshd
    log_position
    run ssh_as alice "echo ran"
    stop_sshd
    start_sshd
    echo "$output"
    [ "$status" -ne 0 ]
    [[ $output != *ran* ]]
    logged "the application lacks CAP_SYS_ADMIN"
}

@test "sudo isolates like su" {
    enable sudo grace=5
    run sudo -u alice /run/probe "$SECRET"
    [[ $output == *foreign=0* ]]
    disable sudo
    run sudo -u alice /run/probe "$SECRET"
    [[ $output != *foreign=0* ]]
}

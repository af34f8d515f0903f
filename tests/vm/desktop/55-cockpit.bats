#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# cockpit's session and its terminal; what it does in a guest of each suite is in ../guest/30-su.bats.

load ../guest/lib
load desktop

setup_file() {
    prepare
}

setup() {
    from_now
    start_secret
}

teardown() {
    disable cockpit
    eventually no_init_left
}

log_in() { # USER
    "$BATS_TEST_DIRNAME/../guest/cockpit-login" "$1" "$1-password" $PROBE
}

@test "cockpit: its terminal sees its own processes" {
    enable cockpit
    isolated log_in alice
    eventually said 'pam_unshare\(cockpit:session\): session of alice opened: .*, entered at fork'
    eventually said 'pam_unshare\(cockpit:session\): session of alice closed'
    disable cockpit # negative control
    exposed log_in alice
}

@test "cockpit: a session whose processes cannot enter does not begin" {
    enable cockpit
    echo "session required $TOP/build/tests/programs/pam_drop.so cap_sys_admin" >>/etc/pam.d/cockpit
    run log_in alice
    [ "$status" -ne 0 ]
    [[ $output != *pid_namespace* ]]
    eventually said 'pam_unshare\(cockpit:session\): session of alice opened: .*, entered at fork' # cockpit-session does not close it
    eventually no_init_left
    sed -i /pam_unshare/d /etc/pam.d/cockpit # negative control
    exposed log_in alice
}

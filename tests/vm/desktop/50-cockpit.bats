#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# cockpit reads its /proc/self while the session is open: enter=fork. Without that: tests/vm/guest/30-su.bats. What has
# the secret outside is the test's own client. On bookworm and forky a process inside has it, too: not tried there.

load ../guest/lib

setup_file() {
    prepare
}

teardown() {
    disable cockpit
}

@test "cockpit: a login is isolated, and root's sees the machine" {
    log_in() { # USER
        "$BATS_TEST_DIRNAME/../guest/cockpit-login" "$1" "$1-password" $PROBE
    }
    with_and_without cockpit isolated log_in alice
    eventually no_init_left
    # root sees the machine, as on stock
    cp /etc/cockpit/disallowed-users "$BATS_TEST_TMPDIR/disallowed" 2>/dev/null || true
    rm -f /etc/cockpit/disallowed-users
    cp -p /etc/shadow "$BATS_TEST_TMPDIR/shadow"
    echo root:root-password | chpasswd
    facts=$(log_in root)
    grep -qx secret=found <<<"$facts"
    cp -p "$BATS_TEST_TMPDIR/shadow" /etc/shadow
    cp "$BATS_TEST_TMPDIR/disallowed" /etc/cockpit/disallowed-users 2>/dev/null || true
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# In a guest that was booted with SELinux in permissive mode, and Debian's policy.

load ../guest/lib
load lib

setup_file() {
    prepare
    start_secret
    restorecon /usr/local/bin/probe /usr/local/bin/look
}

teardown() {
    setenforce 0
    disable sshd
}

# First, because in permissive mode a denial is logged once, and then remembered.
@test "SELinux: what is denied because of the module is what selinux/pam_unshare.cil allows" {
    disable sshd
    exposed ssh_as alice "$PROBE"
    denials >"$BATS_TEST_TMPDIR/stock"
    enable sshd
    isolated ssh_as alice "$PROBE"
    LIMIT=30 eventually no_init_left
    # auditd writes them by and by
    mounts_are_denied() { denials | grep -qx 'sshd_t proc_t filesystem mount'; }
    LIMIT=30 eventually mounts_are_denied
    denials | comm -13 "$BATS_TEST_TMPDIR/stock" - | tee "$BATS_TEST_TMPDIR/caused"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/caused")" -ge 3 ]
    allowed >"$BATS_TEST_TMPDIR/allowed"
    run comm -23 "$BATS_TEST_TMPDIR/caused" "$BATS_TEST_TMPDIR/allowed"
    [ -z "$output" ]
}

@test "SELinux: a session in permissive mode" {
    [ "$(getenforce)" = Permissive ]
    with_and_without sshd isolated ssh_as alice "$PROBE"
    [ "$(ssh_as alice id -Z)" = "$(disable sshd; ssh_as alice id -Z)" ]
}

@test "SELinux: a session in enforcing mode (does not work: refused, Debian's policy does not let sshd mount; with selinux/pam_unshare.cil it does)" {
    enable sshd
    setenforce 1
    run ssh_as alice echo in
    setenforce 0
    [ "$status" -ne 0 ]
    [[ $output != *in ]]
    journalctl -b -q --no-pager -g 'pam_unshare.*cannot isolate the session of alice' | grep .
    isolated ssh_as alice "$PROBE" # in permissive mode
}

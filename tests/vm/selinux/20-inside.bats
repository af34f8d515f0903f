#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# pam-unshare enable, in a guest that was booted with SELinux in permissive mode, and Debian's policy.

load ../guest/lib
load ../guest/inside
load lib

setup_file() {
    prepare
    cp -p "$CONF" /root/unshare.conf
    loginctl disable-linger alice bob admin
    systemctl stop user@1001.service user-runtime-dir@1001.service
}

setup() {
    afresh
}

teardown() {
    setenforce 0
    semodule -r pam_unshare 2>/dev/null || true
    end_clients
    rm -f /etc/cron.d/selinux /tmp/cron
}

teardown_file() {
    stock
    pam-unshare harden disable
    afresh
    loginctl enable-linger alice bob admin
}

# what_people_do: a job of cron's is the first of its user, then come a session and the user manager
what_people_do() {
    printf '* * * * * alice { id -Z; readlink /proc/self/ns/pid; } >/tmp/cron\n' >/etc/cron.d/selinux
    LIMIT=150 eventually [ -s /tmp/cron ]
    cat /tmp/cron
    rm -f /etc/cron.d/selinux /tmp/cron
    ssh_as alice 'id -Z; readlink /proc/self/ns/pid; systemctl --user is-system-running --wait'
    systemctl restart user@0
    systemctl is-active user@0
}

# labels: of the user managers
labels() {
    local uid
    systemctl start user@{1000,1002}
    for uid in 0 1000 1002; do tr -d '\0' <"/proc/$(main_pid user@$uid)/attr/current"; echo " $uid"; done
}

# First, because in permissive mode a denial is logged once, and then remembered.
@test "SELinux: what is denied because of enable is what selinux/pam_unshare.cil allows" {
    what_people_do
    denials >"$BATS_TEST_TMPDIR/stock"
    inside
    afresh
    what_people_do >"$BATS_TEST_TMPDIR/inside"
    # auditd writes them by and by
    is_denied() { denials | grep -qx 'sshd_t initrc_t unix_stream_socket connectto'; }
    LIMIT=30 eventually is_denied
    denials | comm -13 "$BATS_TEST_TMPDIR/stock" - | tee "$BATS_TEST_TMPDIR/caused"
    allowed >"$BATS_TEST_TMPDIR/allowed"
    run comm -23 "$BATS_TEST_TMPDIR/caused" "$BATS_TEST_TMPDIR/allowed"
    [ -z "$output" ]
}

@test "SELinux: user managers of isolated and exempt users and of root have the labels of stock" {
    stock
    inside exempt=admin
    labels >"$BATS_TEST_TMPDIR/inside"
    is_inside "$(main_pid user@1000)"
    # namespace and launcher are no domain of the user's
    for pid in "$(main_pid pam-unshare@1000)" $(pgrep -f '^/usr/sbin/pam-unshare launch.* 1000 '); do
        grep -z ':initrc_t:' "/proc/$pid/attr/current" >/dev/null
    done
    stock
    afresh
    labels >"$BATS_TEST_TMPDIR/stock"
    diff "$BATS_TEST_TMPDIR/stock" "$BATS_TEST_TMPDIR/inside"
    not grep -z ':initrc_t:' "/proc/$(main_pid user@1000)/attr/current" >/dev/null # negative control
}

@test "SELinux: enforcing, with selinux/pam_unshare.cil everything of a user is inside" {
    semodule -i "$TOP/selinux/pam_unshare.cil"
    inside
    afresh
    setenforce 1
    what_people_do >"$BATS_TEST_TMPDIR/inside"
    is_inside "$(main_pid user@1000)"
    ssh_as alice loginctl list-sessions | grep alice
    setenforce 0
    sort "$BATS_TEST_TMPDIR/inside" | uniq -c
    [ "$(grep -c '^pid:' "$BATS_TEST_TMPDIR/inside")" -eq 2 ]
    not grep -qxF "$(namespace self)" "$BATS_TEST_TMPDIR/inside"
    grep -x running "$BATS_TEST_TMPDIR/inside"
    # negative control: without it
    semodule -r pam_unshare
    afresh
    setenforce 1
    run ssh_as alice echo in
    setenforce 0
    [[ $output != *in ]]
}

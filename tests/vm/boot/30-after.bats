#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The third boot: what the power-off before it was like.

load ../guest/lib
load ../guest/inside
load place

@test "power-off: a program that needs 20 s after SIGTERM had them" {
    cat /home/alice/slow >&2
    grep -x ended /home/alice/slow
}

@test "power-off: no unit has failed, and no limit of time was reached" {
    # what is left when the user manager has ended is killed: "(sd-pam)", the launcher. Which is first, is a race
    journalctl --after-cursor="$(cat /root/cursor)" -o cat | grep -vE 'Killing process [0-9]+ \((\(sd-pam|pam-unshare)\)' \
        >"$BATS_TEST_TMPDIR/journal"
    grep -E 'Stopped .*(user@1000|User Manager for UID 1000)' "$BATS_TEST_TMPDIR/journal" # negative control: it is of the power-off
    if is_inside_place; then grep -F 'pam-unshare@1000' "$BATS_TEST_TMPDIR/journal"; fi
    not grep -E '(user|unshare|session-).*(Failed with result|timed out|Killing process)' "$BATS_TEST_TMPDIR/journal"
}

@test "power-off: what lingers is there at the next boot as well" {
    LIMIT=100 eventually systemctl is-active user@1000.service
    if is_inside_place; then
        is_inside "$(main_pid user@1000)"
    else
        not is_inside "$(main_pid user@1000)"
    fi
}

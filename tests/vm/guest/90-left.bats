#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# After all other tests: nothing is in the machine that was not there before them.

load lib

@test "nothing is left, no process, zombie, PID namespace, mount, session or failed unit" {
    systemctl stop secret.service || true
    pkill -u alice || true # what a stock session leaves
    loginctl disable-linger alice bob admin || true
    as_before() { "$BATS_TEST_DIRNAME/inventory" | diff /root/before -; }
    LIMIT=60 eventually as_before
    # negative control
    mkdir -p /srv/left
    mount -t tmpfs left /srv/left
    run as_before
    umount /srv/left
    [ "$status" -ne 0 ]
    [[ $output == *'> mount /srv/left'* ]]
}

@test "the module never failed to bring an application back" {
    [ "${NEGATIVE:-}" = 1 ] ||
        [ -n "$(journalctl -b --no-pager -q -g 'pam_unshare.*session of alice closed' | head -n 1)" ]
    run journalctl -b --no-pager -q -g 'could not be brought back'
    echo "$output"
    [ -z "$(grep -v " pamtester\[" <<<"$output")" ] # 50-units asks for it
}

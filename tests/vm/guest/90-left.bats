#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# After all other tests: nothing of the module is left in the machine.

load lib

@test "left: no init, no zombie, no session, no process of the users" {
    pkill -f "^daemon-$SECRET" || true
    LIMIT=30 eventually no_init_left
    no_zombie() { [ "$(ps -eo stat= | grep -c '^Z')" -eq 0 ]; }
    LIMIT=30 eventually no_zombie
    for user in alice bob admin; do
        LIMIT=60 eventually no_session_of "$user"
    done
    no_user_left() { ! pgrep -u alice,bob,admin; }
    LIMIT=60 eventually no_user_left
}

@test "left: no mount, no PID namespace" {
    [ "$(lsns -rno NS -t pid | wc -l)" -eq 1 ]
    run grep -cE ' /run/user/100[0-9] ' /proc/self/mountinfo
    [ "$output" -eq 0 ]
}

@test "left: no failed unit" {
    failed=$(systemctl --failed --no-legend --plain)
    echo "$failed"
    [ -z "$failed" ]
}

@test "left: no complaint of the module that no test asked for" {
    run journalctl -b --no-pager -p crit -g pam_unshare
    [[ $output != *"could not be brought back"* ]]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What pam-unshare harden costs people, and what goes on to work. What it closes is in tests/vm/audit.

load lib

setup_file() {
    prepare
}

teardown_file() {
    rm -f /etc/polkit-1/rules.d/zz-test.rules
}

teardown() {
    pam-unshare harden disable >/dev/null
    disable sshd
    LIMIT=30 eventually no_init_left
}

allow_units() {
    if [ -d /etc/polkit-1/rules.d ]; then
        cat >/etc/polkit-1/rules.d/zz-test.rules <<-'END'
	polkit.addRule(function(action, subject) {
	    if (action.id == "org.freedesktop.systemd1.manage-units" && subject.user == "alice") return polkit.Result.YES;
	});
	END
        chmod 644 /etc/polkit-1/rules.d/zz-test.rules
    else
        mkdir -p /etc/polkit-1/localauthority/50-local.d
        printf '[test]\nIdentity=unix-user:alice\nAction=%s\nResultAny=yes\nResultInactive=yes\nResultActive=yes\n' \
            org.freedesktop.systemd1.manage-units >/etc/polkit-1/localauthority/50-local.d/zz-test.pkla
    fi
    systemctl restart polkit
}

@test "hardened, what people do with systemd and logind goes on to work, and what it costs does not" {
    mkdir -p /run/systemd/system
    printf '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sleep 2\nExecStop=/bin/sleep 1\n' >/run/systemd/system/harden-test.service
    systemctl daemon-reload
    allow_units
    pam-unshare harden enable bus units
    enable sshd
    # each waits for the end of the job
    ssh_as alice 'systemctl --no-ask-password start harden-test.service'
    [ "$(systemctl is-active harden-test.service)" = active ]
    ssh_as alice 'systemctl --no-ask-password restart harden-test.service && systemctl --no-ask-password stop harden-test.service'
    [ "$(systemctl is-active harden-test.service)" = inactive ]
    run ssh_as alice 'set -ex
        systemctl is-enabled cron.service
        systemctl get-default
        loginctl --no-pager session-status | grep alice
        loginctl --no-pager user-status | grep alice
        loginctl --no-pager list-sessions | grep alice
        systemd-inhibit --what=idle --mode=block true
        busctl --no-pager call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager CanPowerOff'
    echo "$output"
    [ "$status" -eq 0 ]
    costs() {
        ssh_as alice 'for command in "status cron" "show --property=MainPID cron" list-units "is-active cron"; do
                systemctl --no-pager $command >/dev/null 2>&1
                echo "$command: $?"
            done
            systemd-inhibit --list --no-pager >/dev/null 2>&1
            echo "inhibitors: $?"'
    }
    run costs
    echo "$output"
    [ "${#lines[@]}" -eq 5 ]
    [[ $output != *': 0'* ]]
    pam-unshare harden disable bus units
    run costs # negative control
    echo "$output"
    [ "$(grep -c ': 0$' <<<"$output")" -eq 5 ]
    rm /run/systemd/system/harden-test.service /etc/polkit-1/rules.d/zz-test.rules
    systemctl daemon-reload
}

@test "hardened, the files of those who inhibit something are root's, from the boot on" {
    local inhibit=/run/systemd/inhibit
    read_by_alice() {
        systemd-inhibit --what=idle --mode=block sh -c 'setpriv --reuid=alice --regid=alice --clear-groups sh -c "cat /run/systemd/inhibit/*"; : a-secret-argument'
    }
    [ "$(stat -c %a "$inhibit" 2>/dev/null || echo 755)" = 755 ]
    run read_by_alice # negative control
    [[ $output == *a-secret-argument* ]]
    pam-unshare harden enable units
    [ "$(stat -c '%a %U' "$inhibit")" = '700 root' ]
    run read_by_alice
    echo "$output"
    [[ $output == *'Permission denied'* && $output != *secret* ]]
    # as at a boot: the directory is not there, tmpfiles makes it, then systemd for logind. Not by a stop and a start:
    # a stop closes the fifos of the sessions, and logind would end that of this test.
    rm -r "$inhibit"
    systemd-tmpfiles --create --boot --prefix=/run/systemd || true # of other lines, too
    systemctl restart systemd-logind.service
    run read_by_alice
    echo "$output"
    [[ $output == *'Permission denied'* && $output != *secret* ]]
    [ "$(stat -c '%a %U' "$inhibit")" = '700 root' ]
    pam-unshare harden disable units
    [ "$(stat -c %a "$inhibit")" = 755 ]
    run read_by_alice
    [[ $output == *a-secret-argument* ]]
}

@test "hardened, the bus tells no command line of the one who was asked when it refuses, from its next start on" {
    command -v dbus-daemon >/dev/null || skip 'no dbus-daemon'
    restart() { # as at a boot: who has lost the bus starts anew
        systemctl restart dbus.service
        systemctl restart systemd-logind.service
    }
    refused() {
        ssh_as alice 'dbus-send --system --print-reply --dest=org.freedesktop.login1 / org.example.Nobody.Asks' 2>&1
    }
    run refused # negative control
    echo "$output"
    [[ $output == *'destination="org.freedesktop.login1" '*comm=\"*systemd-logind* ]]
    pam-unshare harden enable bus
    restart
    run refused
    echo "$output"
    [[ $output == *'destination="org.freedesktop.login1" '*'comm=""'* && $output != *systemd-logind* ]]
    pam-unshare harden disable bus
    restart
    run refused
    [[ $output == *'destination="org.freedesktop.login1" '*comm=\"*systemd-logind* ]]
}

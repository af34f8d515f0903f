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

RECORDS=(/run/utmp /var/log/wtmp /var/log/wtmp.1 /var/log/wtmp.db /var/log/lastlog /var/lib/lastlog /var/lib/wtmpdb
    /run/systemd/sessions /run/systemd/seats /run/systemd/users)

# Mode, owner and access control list of what the part "logins" changes
records() {
    python3 - "${RECORDS[@]}" <<-'END'
	import os, sys
	for path in filter(os.path.lexists, sys.argv[1:]):
	    st, names = os.stat(path), os.listxattr(path)
	    acl = os.getxattr(path, "system.posix_acl_access").hex() if "system.posix_acl_access" in names else ""
	    print(path, oct(st.st_mode), st.st_uid, st.st_gid, acl)
	END
}

bob_is_logged_in() { # keeps a session of bob's, until its standard input ends
    exec {bob}> >(ssh -o BatchMode=yes bob@localhost cat >/dev/null 2>&1 3>&-)
    eventually sh -c "loginctl list-sessions --no-legend | grep -w bob"
}

DATABASES=(/var/log/wtmp.db /var/lib/lastlog/lastlog2.db)

# those that alice can read: from trixie on, of sshd (wtmp.db) and of the packages of tests/vm/records
read_databases() {
    ssh_as alice "for file in ${DATABASES[*]}; do if cat \$file >/dev/null 2>&1; then echo \$file; fi; done"
}

# what alice hears of bob: nothing says that he is logged in, or since when
tells_of_bob() {
    ssh_as alice 'who; w -h; loginctl --no-pager list-sessions; loginctl --no-pager list-users
        busctl --no-pager call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager GetUser u 1001
        for session in /run/systemd/sessions/*[0-9]; do cat "$session"; done
        strings /var/log/wtmp /run/utmp || cat /var/log/wtmp /run/utmp
        timeout 10 busctl --no-pager tree org.freedesktop.login1 | grep _31001' 2>&1 | tr -d '\0' | grep -aE '\bbob\b|_31001|^UID=1001'
}

@test "hardened, who is logged in is told to root alone, and logind goes on to work" {
    local before bob
    mkdir -p /run/systemd/system
    printf '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n' >/run/systemd/system/harden-test.service
    systemctl daemon-reload
    allow_units
    bob_is_logged_in
    before=$(records)
    run tells_of_bob # negative control
    [ "$status" -eq 0 ]
    run read_databases # negative control
    [ "$output" = "$(ls -U "${DATABASES[@]}" 2>/dev/null)" ]
    pam-unshare harden enable # of itself it is not among all parts
    [ "$(records)" = "$before" ]
    pam-unshare harden disable
    systemctl start user@1000.service # which had ended, and was refused
    pam-unshare harden enable bus units logins
    run tells_of_bob
    echo "$output"
    [ "$status" -ne 0 ]
    [ -z "$(read_databases)" ]
    who >"$BATS_TEST_TMPDIR/who" # root's
    grep -w bob "$BATS_TEST_TMPDIR/who"
    run ssh_as alice 'set -ex
        test -n "$XDG_SESSION_ID" -a -d "$XDG_RUNTIME_DIR"
        systemctl --no-ask-password start harden-test.service # by a rule of polkit
        systemctl --no-ask-password stop harden-test.service
        systemd-inhibit --what=idle --mode=block true
        loginctl --no-pager user-status | grep alice
        busctl --no-pager get-property org.freedesktop.login1 /org/freedesktop/login1/session/self org.freedesktop.login1.Session Name
        busctl --no-pager call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager CanPowerOff
        systemctl --user is-system-running --wait | grep -xE "running|degraded"
        systemd-run --user --quiet --pipe --wait true
        busctl --user status >/dev/null
        tmux -L harden new-session -d true
        screen -dmS harden true'
    echo "$output"
    [ "$status" -eq 0 ]
    run ssh_as alice 'loginctl --no-pager session-status' # the price
    [ "$status" -ne 0 ]
    systemctl restart systemd-logind.service # systemd gives its directories their modes
    run tells_of_bob
    echo "$output"
    [ "$status" -ne 0 ]
    [ "$(stat -c %a /run/systemd/inhibit)" = 700 ] # by each command of the unit anew
    exec {bob}>&-
    pam-unshare harden disable
    echo "$before" && records
    [ "$(records)" = "$before" ]
    bob_is_logged_in
    run tells_of_bob
    [ "$status" -eq 0 ]
    exec {bob}>&-
    rm /run/systemd/system/harden-test.service /etc/polkit-1/rules.d/zz-test.rules
    systemctl daemon-reload
}

@test "hardened, a new wtmp of logrotate is root's, and modes of the administrator's come back" {
    local unit=/lib/systemd/system/logrotate.service made=''
    [ -e /var/log/wtmp ] || install -m 664 -g utmp /dev/null /var/log/wtmp
    if [ ! -e "$unit" ]; then # a stand-in that does what /etc/logrotate.d/wtmp says
        printf '[Service]\nType=oneshot\nExecStart=/bin/mv /var/log/wtmp /var/log/wtmp.1\nExecStart=/usr/bin/install -m 664 -g utmp /dev/null /var/log/wtmp\n' >"$unit"
        made=1
    fi
    chmod 640 /var/log/lastlog 2>/dev/null || install -m 640 -g utmp /dev/null /var/log/lastlog
    rotate() { systemctl start logrotate.service; }
    [ -n "$made" ] || rotate() { logrotate --force /etc/logrotate.d/wtmp && systemctl start logrotate.service; }
    systemctl daemon-reload
    rotate # negative control
    [ "$(stat -c %a /var/log/wtmp)" = 664 ]
    pam-unshare harden enable logins
    [ "$(stat -c %a /var/log/wtmp /var/log/wtmp.1 /var/log/lastlog | tr '\n' ' ')" = '660 660 660 ' ]
    rotate
    eventually sh -c '[ "$(stat -c %a /var/log/wtmp)" = 660 ]'
    [ "$(stat -c '%a %U %G' /var/log/wtmp)" = '660 root utmp' ]
    pam-unshare harden enable logins # again: the modes that were kept are those from before
    pam-unshare harden disable logins
    [ "$(stat -c %a /var/log/wtmp /var/log/wtmp.1 /var/log/lastlog | tr '\n' ' ')" = '664 664 640 ' ]
    [ -z "$(compgen -G '/etc/tmpfiles.d/pam-unshare*')" ]
    [ ! -e /var/lib/pam-unshare ]
    [ -z "$made" ] || rm "$unit"
    chmod 664 /var/log/lastlog
    systemctl daemon-reload
}

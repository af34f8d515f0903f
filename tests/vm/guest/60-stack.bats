#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The shipped sshd example: what the other modules of the stack do for a session, they do for an
# isolated one too. The negative control is the same file without the line of that module.

load lib

setup_file() {
    prepare
    cp -a /etc/motd "$STOCK/../stock-motd" 2>/dev/null || : >"$STOCK/../stock-motd"
    cp -a /etc/environment "$STOCK/../stock-environment" 2>/dev/null || : >"$STOCK/../stock-environment"
}

setup() {
    enable sshd
}

teardown() {
    rm -f /etc/security/limits.d/zz-test.conf
    cp "$STOCK/../stock-motd" /etc/motd
    cp "$STOCK/../stock-environment" /etc/environment
    unconfine
    disable sshd
    LIMIT=30 eventually no_init_left
}

# here_and_isolated COMMAND: in a session of alice's, which must be isolated
here_and_isolated() {
    local said
    said=$(ssh_as alice "readlink /proc/self/ns/pid; $1") || return
    [ "$(head -n 1 <<<"$said")" != "$(readlink /proc/self/ns/pid)" ] ||
        { die "the session is not isolated"; return 1; }
    tail -n +2 <<<"$said"
}

# needs MODULE CHECK…: it holds in an isolated session, and not without the lines of the module
needs() {
    local module=$1
    shift
    "$@" || { die "fails: $*"; return 1; }
    sed -i "/$module\.so/d" /etc/pam.d/sshd
    here_and_isolated true || { die "no login without $module"; return 1; }
    ! "$@" || { die "holds without $module too: $*"; return 1; }
}

# like_stock FUNCTION: it prints the same in a stock session, and is not silent
like_stock() {
    local isolated stock
    isolated=$("$1" here_and_isolated) || { echo "$isolated"; return 1; }
    disable sshd
    stock=$("$1" "ssh_as alice") || { echo "$stock"; return 1; }
    printf 'isolated: %s\nstock: %s\n' "$isolated" "$stock"
    [ -n "$isolated" ] && [ "$isolated" = "$stock" ]
}

@test "stack: pam_loginuid sets the audit loginuid and session id" {
    audited() {
        local ids
        ids=$(here_and_isolated 'cat /proc/self/loginuid; echo; cat /proc/self/sessionid; echo; echo $XDG_SESSION_ID') || return
        echo "$ids"
        [ "$(sed -n 1p <<<"$ids")" = 1000 ] && [ "$(sed -n 2p <<<"$ids")" -lt 4294967295 ] &&
            [ "$(sed -n 2p <<<"$ids")" = "$(sed -n 3p <<<"$ids")" ]
    }
    needs pam_loginuid audited
}

@test "stack: pam_loginuid after the module (does not work: it must come before)" {
    sed -i '/pam_loginuid/d' /etc/pam.d/sshd
    echo 'session required pam_loginuid.so' >>/etc/pam.d/sshd
    run ssh_as alice 'cat /proc/self/loginuid'
    echo "$output"
    [ "$output" != 1000 ]
    [ "$status" -ne 0 ] || [ "$output" = 4294967295 ]
    sed -i '/pam_unshare/d' /etc/pam.d/sshd # negative control
    [ "$(ssh_as alice 'cat /proc/self/loginuid')" = 1000 ]
}

@test "stack: pam_limits: the limits hold" {
    printf 'alice hard nofile 77\nalice soft nofile 66\nalice - core 4711\n' >/etc/security/limits.d/zz-test.conf
    limits() {
        local said
        said=$(here_and_isolated 'ulimit -Sn; ulimit -Hn; ulimit -c; ulimit -n 78 2>/dev/null || echo refused') || return
        echo "$said"
        [ "$(tr '\n' ' ' <<<"$said")" = "66 77 4711 refused " ]
    }
    needs pam_limits limits
}

@test "stack: pam_limits: maxlogins counts as stock does" {
    echo 'alice hard maxlogins 1' >/etc/security/limits.d/zz-test.conf
    second() {
        local first status=0
        timeout 120 ssh -tt -o BatchMode=yes -o LogLevel=ERROR alice@localhost 'echo up >/tmp/first; sleep 4760' \
            </dev/null >/dev/null 2>&1 3>&- &
        first=$!
        eventually test -s /tmp/first || return
        # a session of its own, which the limit refuses
        timeout 60 ssh -tt -o BatchMode=yes alice@localhost 'echo second is in' </dev/null >"$BATS_TEST_TMPDIR/second" 2>&1 ||
            status=$?
        tr -d '\r' <"$BATS_TEST_TMPDIR/second" | grep -o 'second is in' || echo "second is refused"
        kill "$first"
        wait "$first" || true
        rm -f /tmp/first
        echo "status $((status != 0))"
        eventually no_init_left
    }
    here_and_isolated true
    like_stock second
}

@test "stack: pam_motd: the message of the day is shown" {
    echo 'motd of 4711' >/etc/motd
    shown() {
        local said
        said=$(echo 'echo ns=$(readlink /proc/self/ns/pid); exit' |
            timeout 60 ssh -tt -o BatchMode=yes -o LogLevel=ERROR alice@localhost 2>&1 | tr -d '\r') || return
        grep -q '^ns=pid:' <<<"$said" && ! grep -qxF "ns=$(readlink /proc/self/ns/pid)" <<<"$said" || return
        grep -x 'motd of 4711' <<<"$said"
    }
    needs pam_motd shown
}

@test "stack: pam_env: variables are set" {
    echo 'TEST_ENVIRONMENT=4711' >>/etc/environment
    variables() {
        local said
        said=$(here_and_isolated 'echo $TEST_ENVIRONMENT $LANG') || return
        [ "$said" = '4711 C.UTF-8' ]
    }
    needs pam_env variables
}

@test "stack: pam_keyinit: a session keyring of its own" {
    keyrings_differ() {
        local one two
        one=$(here_and_isolated 'keyctl show @s | sed -n 2p') || return
        two=$(here_and_isolated 'keyctl show @s | sed -n 2p') || return
        printf '%s\n' "$one" "$two"
        [[ $one == *_ses* && $two == *_ses* && $one != "$two" ]]
    }
    needs pam_keyinit keyrings_differ
    # and a key in it is usable
    enable sshd
    [ "$(here_and_isolated 'keyctl add user test secret @s >/dev/null; keyctl print $(keyctl search @s user test)')" = secret ]
}

@test "stack: pam_systemd: loginctl session-status names the session" {
    named() {
        local said
        said=$(here_and_isolated 'echo id=$XDG_SESSION_ID runtime=$XDG_RUNTIME_DIR; loginctl session-status "$XDG_SESSION_ID" --no-pager; loginctl session-status --no-pager | head -n 1') || return
        echo "$said"
        id=$(sed -n 's/^id=\([^ ]*\) .*/\1/p' <<<"$said")
        grep -q ' runtime=/run/user/1000$' <<<"$said" && [ -n "$id" ] &&
            grep -qE "^[[:space:]]*Unit: session-$id\.scope" <<<"$said" &&
            [ "$(grep -cE "^(● )?$id - alice \(1000\)" <<<"$said")" -eq 2 ]
    }
    # It comes from common-session.
    named
    awk '/^@include common-session$/ { while ((getline line < "/etc/pam.d/common-session") > 0) if (line !~ /pam_systemd/) print line; next } { print }' \
        /etc/pam.d/sshd >"$BATS_TEST_TMPDIR/sshd"
    cp "$BATS_TEST_TMPDIR/sshd" /etc/pam.d/sshd
    run named
    echo "$output"
    [ "$status" -ne 0 ]
}

@test "stack: utmp is written as stock does, and wtmp and lastlog where the suite has them" {
    records() {
        local client pid file
        for file in /var/log/wtmp /var/log/lastlog; do
            [ ! -e "$file" ] || : >"$file"
        done
        timeout 120 ssh -tt -o BatchMode=yes -o LogLevel=ERROR alice@localhost 'echo up >/tmp/first; sleep 4761' \
            </dev/null >/dev/null 2>&1 3>&- &
        client=$!
        eventually test -s /tmp/first || return
        echo "who: $(who | grep '^alice' | tr -s '0-9' N)"
        pid=$(who -u 2>/dev/null | sed -n 's/^alice .* \([0-9]\+\) (.*/\1/p' | head -n 1)
        echo "pid: ${pid:+$(cat "/proc/$pid/comm")}"
        ! command -v last >&2 || echo "last: $(last -n 1 alice | grep '^alice' | tr -s '0-9 ' N | cut -c 1-30)"
        ! command -v lastlog >&2 || echo "lastlog: $(lastlog -u alice | grep '^alice.*pts' | tr -s '0-9 ' N | cut -c 1-30)"
        kill "$client"
        wait "$client" || true
        rm -f /tmp/first
        no_who() { ! who | grep '^alice'; }
        eventually no_who || return
        pkill -u alice -f 'sleep 4761' || true
        eventually no_init_left || return
        echo "who after: $(who | grep -c '^alice')"
    }
    here_and_isolated true
    like_stock records
    records "ssh_as alice" >"$BATS_TEST_TMPDIR/records" # and nothing of it is empty
    run grep -E ': *$' "$BATS_TEST_TMPDIR/records"
    echo "$output"
    [ -z "$output" ]
}

@test "AppArmor: denies nothing because of the module" {
    [ -d /sys/kernel/security/apparmor ] || skip "the kernel has no AppArmor"
    timeout 120 systemctl start apparmor
    [ "$(wc -l </sys/kernel/security/apparmor/profiles)" -ge 1 ]
    before=$(denials | wc -l)
    isolated ssh_as alice "$PROBE"
    ssh_as alice 'ps -ef; cat /proc/self/status /proc/1/comm; ls /proc/1 2>/dev/null; true' >/dev/null
    denials | tail -n "+$((before + 1))"
    [ "$(denials | wc -l)" -eq "$before" ]

    # A confined program runs in the session: no path of it is disconnected. What its profile does not
    # allow is denied and counted, which is the negative control.
    confine
    ssh_as alice 'echo own >own'
    said=$(here_and_isolated 'confined own /proc/1/comm /proc/self/attr/current')
    echo "$said"
    [ "$(tr '\n\0' '  ' <<<"$said")" = 'own pam_unshare zz-test (enforce) ' ]
    denials | tail -n "+$((before + 1))"
    [ "$(denials | wc -l)" -eq "$before" ]
    run here_and_isolated 'confined /etc/hostname'
    [ "$status" -ne 0 ]
    LIMIT=10 eventually new_denials "$before"
}

# An emulated processor's clocks are not as even as the kernel wishes.
warnings() {
    dmesg --level=emerg,alert,crit,err,warn | grep -vE 'clocksource|TSC|hrtimer'
}

@test "stack: the kernel warns of nothing" {
    before=$(warnings | wc -l)
    tainted=$(cat /proc/sys/kernel/tainted)
    for _ in 1 2 3 4 5; do
        isolated ssh_as alice "$PROBE"
        ssh_as alice 'setsid sleep 4762 >/dev/null 2>&1 </dev/null & exit 3' || [ $? -eq 3 ]
    done
    LIMIT=30 eventually no_init_left
    warnings | tail -n "+$((before + 1))"
    [ "$(warnings | wc -l)" -eq "$before" ]
    [ "$(cat /proc/sys/kernel/tainted)" = "$tainted" ]
    echo '<4>stack: a message for the test' >/dev/kmsg # negative control
    [ "$(warnings | wc -l)" -eq "$((before + 1))" ]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the part "mail" of pam-unshare harden does to the mailers that people have, each with its stock
# configuration; and that the audit's ~/.forward is there no longer than the audit. The image's mailer goes.

load lib

setup_file() {
    prepare
    cat >/usr/local/bin/canary <<-'END'
	#!/bin/sh
	cat >/dev/null
	readlink /proc/self/ns/pid >>/home/alice/canary
	END
    chmod 755 /usr/local/bin/canary
}

teardown_file() {
    local mailer
    for mailer in exim4 postfix; do
        systemctl disable --quiet --now "$mailer" 2>/dev/null || true
    done
    rm -f /home/alice/.forward /home/alice/canary
}

teardown() {
    pam-unshare harden disable >/dev/null
    LIMIT=30 eventually no_init_left
}

forward() { # LINE…
    printf '%s\n' "$@" >/home/alice/.forward
    chown alice: /home/alice/.forward
    chmod 644 /home/alice/.forward
}

sendmail_to_alice() { # SUBJECT
    python3 -c '
import smtplib, sys
with smtplib.SMTP("localhost") as server:
    server.sendmail("alice@localhost", ["alice@localhost"], f"Subject: {sys.argv[1]}\r\n\r\ntext")
' "$1"
}

has_come() { # SUBJECT [USER]
    grep -qs "^Subject: $1\$" "/var/mail/${2:-alice}"
}

# What comes of a mail: of a program in ~/.forward, of a filter, of an address
forward_runs() {
    rm -f /home/alice/canary
    forward '\alice' '"|/usr/local/bin/canary one two"'
    sendmail_to_alice "pipe-$1"
    eventually test -s /home/alice/canary
    [ "$(cat /home/alice/canary)" = "$(readlink /proc/self/ns/pid)" ]
    eventually has_come "pipe-$1"
}

forward_does_not_run() {
    rm -f /home/alice/canary
    forward '\alice' '"|/usr/local/bin/canary one two"'
    sendmail_to_alice "pipe-$1"
    eventually has_come "pipe-$1"
    forward bob # what came after that mail in the queue has been delivered
    sendmail_to_alice "address-$1"
    eventually has_come "address-$1" bob
    [ ! -e /home/alice/canary ]
}

filter_runs() {
    rm -f /home/alice/canary
    forward '# Exim filter' 'if "${run{/usr/local/bin/canary}}" is "x" then finish endif'
    sendmail_to_alice "filter-$1"
    eventually has_come "filter-$1"
    [ -s /home/alice/canary ]
}

filter_does_not_run() {
    rm -f /home/alice/canary
    forward '# Exim filter' 'if "${run{/usr/local/bin/canary}}" is "x" then finish endif'
    sendmail_to_alice "filter-$1"
    eventually has_come "filter-$1"
    [ ! -e /home/alice/canary ]
}

# it_fails FILE COMMAND…: with a program that fails in the place of another
it_fails() {
    local program
    program=$(readlink -f "$1")
    shift
    mount --bind /bin/false "$program"
    run "$@"
    umount "$program"
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *'correct the cause and run the same command again'* ]]
}

same_as_before() { # FILE…
    for file; do
        cmp "$file" "/root/mail-before/$(basename "$file")"
    done
}

keep_before() {
    rm -rf /root/mail-before
    mkdir /root/mail-before
    cp -a "$@" /root/mail-before
}

status_of_mail() { # WORD PATH: that of the file
    pam-unshare harden status --noheadings --output PART,STATE,FILE mail | grep -q "^mail  *$1  *$2 *$"
}

@test "dma runs no program of ~/.forward, hardened or not" {
    rm -f /home/alice/canary
    forward '\alice' '"|/usr/local/bin/canary one two"'
    printf 'Subject: with-dma\n\ntext\n' | sendmail alice
    come() { dma -q; has_come with-dma; }
    eventually come
    [ ! -e /home/alice/canary ]
    status_of_mail absent /etc/postfix/main.cf
    pam-unshare harden enable mail
    status_of_mail absent /etc/postfix/main.cf
}

@test "the audit puts ~/.forward back, whatever it is, and also when it is killed" {
    local audit was kind
    state() { ls -ld --time-style=full-iso /home/alice/.forward && cat /home/alice/.forward && compgen -G '/home/alice/.forward*'; }
    replaced() { grep -qs pam-unshare-audit /home/alice/.forward; }
    is_back() { [ "$(state 2>&1)" = "$was" ]; }
    gone() { ! compgen -G '/run/pam-unshare-audit.*'; }
    for kind in none file link dangling filter; do
        echo "$kind"
        rm -f /home/alice/.forward
        case $kind in
        file) forward '\alice' ;;
        link) echo '\alice' >/home/alice/elsewhere && ln -s elsewhere /home/alice/.forward ;;
        dangling) ln -s nowhere /home/alice/.forward ;;
        filter) forward '# Exim filter' ;;
        esac
        was=$(state 2>&1) || true
        run pam-unshare audit --no-session --only=forward sshd alice
        echo "$output"
        is_back
        case $kind in
        dangling | filter)
            [ "$status" -eq 3 ]
            continue
            ;;
        *) [ "$status" -le 1 ] ;; # as the mailer does
        esac
        pam-unshare audit --no-session --only=forward sshd alice >/dev/null 2>&1 3>&- &
        audit=$!
        LIMIT=30 eventually replaced
        kill -KILL "$audit"
        wait "$audit" || true
        LIMIT=30 eventually gone
        is_back
    done
    rm -f /home/alice/elsewhere
}

@test "exim4 with the part mail: no program and no filter runs, whichever way it is configured" {
    local template=/etc/exim4/exim4.conf.template split=/etc/exim4/conf.d/router/600_exim4-config_userforward
    local made=/var/lib/exim4/config.autogenerated way
    install_mailer exim4-daemon-light
    for way in false true; do
        sed -i "s/^dc_use_split_config=.*/dc_use_split_config='$way'/" /etc/exim4/update-exim4.conf.conf
        update-exim4.conf
        systemctl reload exim4
        keep_before "$template" "$split" "$made"
        forward_runs "before-$way"
        filter_runs "before-$way"
        pam-unshare harden enable mail
        status_of_mail on "$template"
        status_of_mail on "$split"
        forward_does_not_run "hardened-$way"
        filter_does_not_run "hardened-$way"
        pam-unshare harden disable mail
        same_as_before "$template" "$split" "$made"
        [ ! -e /var/lib/pam-unshare ]
        forward_runs "after-$way"
    done
}

@test "exim4 with the part mail, what is interrupted is completed, and what is somebody's own is left alone" {
    local template=/etc/exim4/exim4.conf.template split=/etc/exim4/conf.d/router/600_exim4-config_userforward
    local made=/var/lib/exim4/config.autogenerated
    keep_before "$template" "$split" "$made"
    it_fails /usr/sbin/update-exim4.conf pam-unshare harden enable mail
    pam-unshare harden enable mail
    [ "$(grep -c forbid_pipe "$template")" -eq 1 ] # twice is once
    forward_does_not_run completed
    it_fails /usr/sbin/update-exim4.conf pam-unshare harden disable mail
    run same_as_before "$made"
    [ "$status" -ne 0 ]
    pam-unshare harden disable mail
    same_as_before "$template" "$split" "$made"
    # of an older package
    sed -i 's/run outside/run  outside/' /usr/share/pam-unshare/hardening/mail-exim4.conf
    pam-unshare harden enable mail
    install -m 644 "$TOP/hardening/mail-exim4.conf" /usr/share/pam-unshare/hardening
    status_of_mail on "$template"
    pam-unshare harden enable mail
    [ "$(cat "$template" "$split" | grep -c 'run  outside')" -eq 0 ]
    # changed
    sed -i 's/^  forbid_pipe$/  forbid_pipe = true/' "$template"
    run pam-unshare harden disable mail
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *'take them out by hand'* ]]
    cp "/root/mail-before/$(basename "$template")" "$template"
    pam-unshare harden disable mail
    same_as_before "$template" "$split" "$made"
    # own
    sed -i 's/^  allow_filter$/  forbid_pipe = true/' "$template" "$split"
    keep_before "$template" "$split"
    pam-unshare harden enable mail
    status_of_mail own "$template"
    pam-unshare harden disable mail
    same_as_before "$template" "$split"
    sed -i 's/^  forbid_pipe = true$/  allow_filter/' "$template" "$split"
    # a configuration that none of this is for
    cp "$made" /etc/exim4/exim4.conf
    run pam-unshare harden enable mail
    rm /etc/exim4/exim4.conf
    [ "$status" -eq 1 ]
    [[ $output == *'a configuration of your own'* ]]
}

@test "Postfix with the part mail: no program runs" {
    local conf=/etc/postfix/main.cf
    install_mailer postfix
    keep_before "$conf"
    forward_runs postfix-before
    pam-unshare harden enable mail
    status_of_mail on "$conf"
    forward_does_not_run postfix-hardened
    pam-unshare harden enable mail # twice is once
    [ "$(postconf -n allow_mail_to_commands)" = 'allow_mail_to_commands = alias' ]
    [ "$(grep -c allow_mail_to_commands "$conf")" -eq 1 ]
    # a mail that the administrator's aliases pipe goes on to be
    rm -f /home/alice/canary
    printf 'robot: "|/usr/local/bin/canary"\n' >>/etc/aliases
    newaliases
    install -o nobody -m 666 /dev/null /home/alice/canary
    printf 'Subject: alias\n\ntext\n' | sendmail robot
    chmod 755 /home/alice
    eventually test -s /home/alice/canary
    sed -i '/^robot:/d' /etc/aliases
    newaliases
    pam-unshare harden disable mail
    same_as_before "$conf"
    forward_runs postfix-after
}

@test "Postfix with the part mail, what is interrupted is completed, and what is somebody's own is left alone" {
    local conf=/etc/postfix/main.cf
    keep_before "$conf"
    it_fails /bin/systemctl pam-unshare harden enable mail
    pam-unshare harden enable mail
    forward_does_not_run postfix-completed
    it_fails /bin/systemctl pam-unshare harden disable mail
    pam-unshare harden disable mail
    same_as_before "$conf"
    [ ! -e /var/lib/pam-unshare ]
    echo 'allow_mail_to_commands = alias,include' >>"$conf"
    keep_before "$conf"
    pam-unshare harden enable mail
    status_of_mail own "$conf"
    pam-unshare harden disable mail
    same_as_before "$conf"
    printf 'myorigin = guest' >>"$conf"
    sed -i /allow_mail/d "$conf"
    run pam-unshare harden enable mail
    cp /root/mail-before/main.cf "$conf"
    [ "$status" -eq 1 ]
    [[ $output == *'its last line does not end with a newline'* ]]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A home by NFSv4 with Kerberos, in a guest, which is the realm, the server and the client. Alice comes in by a ticket that ssh
# hands on. The same on the stock machine, with a namespace for each session, and after "pam-unshare enable".

load lib

setup_file() {
    begin_work
    begin_realm
    begin_server 'sec=krb5'
    printf '%s\n' 'GSSAPIAuthentication yes' 'GSSAPIStrictAcceptorCheck no' >/etc/ssh/sshd_config.d/test.conf
    systemctl restart ssh.service
}

teardown() {
    end_clients
    unmounts /home/alice || umount --lazy /home/alice
}

teardown_file() {
    end_life
    rm -f /etc/ssh/sshd_config.d/test.conf
    systemctl restart ssh.service
}

begin_realm() {
    local name
    printf '%s\n' '[libdefaults]' 'default_realm = TEST' 'dns_lookup_kdc = false' 'dns_canonicalize_hostname = false' \
        'rdns = false' '[realms]' 'TEST = {' 'kdc = 127.0.0.1' '}' >/etc/krb5.conf
    printf '%s\n' '[General]' 'Domain = test' 'Local-Realms = TEST' >/etc/idmapd.conf
    rm -f /etc/krb5.keytab /var/lib/krb5kdc/principal*
    quiet kdb5_util create -s -r TEST -P master-password
    quiet kadmin.local addprinc -pw alice-password alice
    for name in nfs/localhost host/localhost; do
        quiet kadmin.local addprinc -randkey "$name"
        quiet kadmin.local ktadd "$name"
    done
    systemctl restart krb5-kdc.service rpc-gssd.service rpc-svcgssd.service
}

by_ticket() { # COMMAND
    KRB5CCNAME=FILE:/root/ticket timeout -k 1 120 ssh -o PreferredAuthentications=gssapi-with-mic \
        -o GSSAPIAuthentication=yes -o GSSAPIDelegateCredentials=yes -o LogLevel=ERROR alice@localhost "$1" </dev/null 3>&-
}

reads_home() { # USER
    setpriv --reuid "$1" --regid "$1" --clear-groups cat /home/alice/mark
}

tickets() {
    ls /tmp/krb5cc_1000_*
}

home_works() {
    mount -t nfs4 -o sec=krb5 localhost:/alice /home/alice
    holds 'without a ticket' reads_home alice # negative control
    KRB5CCNAME=FILE:/root/ticket kinit -f alice <<<alice-password >&2
    says home by_ticket 'stat -f -c %T .; cat mark; umask 027; echo new >written; stat -c "%U %a" written'
    says server stat -c '%U %a' /srv/homes/alice/written
    in_background one by_ticket 'exec sleep 5501'
    eventually pgrep -u alice -xf 'sleep 5501'
    placed "$(pid_of 'sleep 5501')"
    holds ticket by_ticket 'klist -s'
    holds 'another user' reads_home bob
    ends 'sleep 5501'
    LIMIT=100 holds 'unmounted after the logout' eventually unmounts /home/alice
    holds 'left somewhere' mounted_somewhere /home/alice
    LIMIT=20 holds 'tickets are gone' eventually not tickets
    rm -f /srv/homes/alice/written /tmp/krb5cc_*
}

@test "Kerberos: a home by NFSv4, with the ticket that ssh hands on" {
    it_works home_works 'without a ticket: no' 'home: nfs' 'home: of the server' 'home: alice 640' 'server: alice 640' \
        'ticket: yes' 'another user: no' 'unmounted after the logout: yes' 'left somewhere: no' 'tickets are gone: yes'
}

@test "Kerberos: with private=tmp the home works, and the session has not the ticket (does not work: sshd puts it into the host's /tmp)" {
    # shellcheck disable=SC2034 # of place
    local WORDS=private=tmp
    in_place inside home_works
    said 'without a ticket: no' 'home: nfs' 'home: of the server' 'home: alice 640' 'ticket: no' \
        'unmounted after the logout: yes' 'left somewhere: no' 'tickets are gone: yes'
}

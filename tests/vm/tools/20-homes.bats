#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# File systems that are mounted while people work: autofs, pam_mount. The same on the stock machine, with a namespace for
# each session, and after "pam-unshare enable".

load lib

setup_file() {
    begin_work
    mkdir -p /srv/data/one /srv/vault
    echo 'of the server' >/srv/data/one/file
    chmod 755 /srv/data /srv/data/one
    cp -a /etc/security/pam_mount.conf.xml "$BATS_FILE_TMPDIR/"
}

teardown() {
    end_clients
    cp -a "$BATS_FILE_TMPDIR/pam_mount.conf.xml" /etc/security/
    automount_ends
}

teardown_file() {
    end_life
}

# ---- autofs --------------------------------------------------------------------------------------

needs_autofs() {
    command -v automount || skip 'this suite has no autofs'
}

data_is_mounted() {
    automounts 2 /auto '* -fstype=bind :/srv/data/&'
    private_mounts
    hold_session one alice 'exec sleep 5301'
    eventually pgrep -u alice -xf 'sleep 5301'
    says read ssh_as alice cat /auto/one/file # of a session that is younger than autofs
    hold_session two alice 'cd /auto/one && exec sleep 5302'
    eventually pgrep -u alice -xf 'sleep 5302'
    placed "$(pid_of 'sleep 5302')"
    holds 'sessions see what was mounted later' test -e "/proc/$(pid_of 'sleep 5301')/root/auto/one/file"
    holds 'a mount namespace that is cut off' in_private test -e /auto/one/file
    LIMIT=8 holds 'expired while in use' eventually not mounted /auto/one
    ends 'sleep 5302'
    LIMIT=30 holds 'expired later' eventually not mounted /auto/one
    holds 'left in a session' grep -q ' /auto/one ' "/proc/$(pid_of 'sleep 5301')/mounts"
    says 'read again' ssh_as alice cat /auto/one/file
}

@test "autofs: a session has it mounted, keeps it from expiring, and it expires afterwards" {
    needs_autofs
    it_works data_is_mounted 'read: of the server' 'sessions see what was mounted later: yes' \
        'a mount namespace that is cut off: no' 'expired while in use: no' 'expired later: yes' 'left in a session: no' \
        'read again: of the server'
}

@test "autofs: homes that are mounted at the login and unmounted after the logout" {
    needs_autofs
    keep_homes
    home_is_mounted() { home_comes_and_goes '-fstype=bind :/srv/homes/alice'; }
    it_works home_is_mounted 'home: /home/alice' 'home: of the server' 'expired while she is there: no' \
        'expired later: yes' 'left somewhere: no' 'next login: of the server' 'next login: written'
}

# ---- pam_mount -----------------------------------------------------------------------------------

by_password() { # COMMAND
    sshpass -p alice-password ssh -o PubkeyAuthentication=no -o LogLevel=ERROR alice@localhost "$1" </dev/null 3>&-
}

vault_is_mounted() {
    cat >/etc/security/pam_mount.conf.xml <<-'XML'
	<?xml version="1.0" encoding="utf-8" ?>
	<pam_mount>
	<volume user="alice" path="/srv/vault" mountpoint="/home/alice/vault" options="bind" />
	<mkmountpoint enable="1" remove="true" />
	</pam_mount>
	XML
    echo 'in the vault' >/srv/vault/file
    ! mountpoint -q /home/alice/vault || umount /home/alice/vault # see below
    private_mounts
    says read by_password 'cat vault/file'
    in_background one by_password 'exec sleep 5304'
    eventually pgrep -u alice -xf 'sleep 5304'
    placed "$(pid_of 'sleep 5304')"
    says 'second session' by_password 'cat vault/file'
    holds 'kept for the first' test -e "/proc/$(pid_of 'sleep 5304')/root/home/alice/vault/file"
    holds 'a mount namespace that is cut off' in_private test -e /home/alice/vault/file
    ends 'sleep 5304'
    says 'next login' by_password 'cat vault/file'
}

# That it stays mounted after the last logout is so on stock as well: the user manager's session counts, and ends without
# the right to unmount.
@test "pam_mount: a volume is there in each session" {
    it_works vault_is_mounted 'read: in the vault' 'second session: in the vault' 'kept for the first: yes' \
        'a mount namespace that is cut off: no' 'next login: in the vault'
}

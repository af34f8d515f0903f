#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What needs more of the kernel than a container's has: homes by NFSv4, and quota. In a guest, which serves itself. The same
# on the stock machine, with a namespace for each session, and after "pam-unshare enable".

load lib

setup_file() {
    begin_work
    begin_server sec=sys
}

teardown() {
    systemctl start nfs-server.service
    end_clients
    automount_ends
    unmounts /home/alice || umount --lazy /home/alice
}

teardown_file() {
    end_life
}

# ---- NFS -----------------------------------------------------------------------------------------

nfs_home_works() {
    mount -t nfs4 localhost:/alice /home/alice
    says home ssh_as alice 'pwd; stat -f -c %T .; cat mark; umask 027; echo new >written; stat -c "%U %a" written'
    says server stat -c '%U %G %a' /srv/homes/alice/written
    holds 'root reads it' ls /home/alice/.ssh
    hold_session one alice 'exec flock lock sleep 5401'
    eventually pgrep -u alice -xf 'sleep 5401'
    placed "$(pid_of 'sleep 5401')"
    holds 'unlocked for another session' ssh_as alice 'flock -n lock true'
    holds 'user manager' systemctl is-active user@1000.service
    holds 'unmounted while she is there' umount /home/alice
    ends 'sleep 5401'
    holds 'unlocked after it' ssh_as alice 'flock -w 60 lock true'
    LIMIT=100 holds 'unmounted after the logout' eventually unmounts /home/alice
    holds 'left somewhere' mounted_somewhere /home/alice
    rm /srv/homes/alice/written
}

@test "NFSv4: a home with root_squash, locks between sessions, and it can be unmounted after the logout" {
    it_works nfs_home_works 'home: /home/alice' 'home: nfs' 'home: of the server' 'home: alice 640' 'server: alice alice 640' \
        'root reads it: no' 'unlocked for another session: no' 'user manager: yes' \
        'unmounted while she is there: no' 'unlocked after it: yes' 'unmounted after the logout: yes' 'left somewhere: no'
}

@test "NFSv4: a home that autofs mounts at the login and unmounts after the logout" {
    nfs_home_is_mounted() { home_comes_and_goes '-fstype=nfs4 localhost:/alice'; }
    it_works nfs_home_is_mounted 'home: nfs' 'home: of the server' 'expired while she is there: no' \
        'expired later: yes' 'left somewhere: no' 'next login: of the server' 'next login: written'
}

# reads as bob, who has his home elsewhere
bob_gets_in() {
    timeout 100 ssh -o BatchMode=yes -o LogLevel=ERROR bob@localhost echo in </dev/null 3>&-
}

reader_hangs() {
    timeout -s KILL 10 stat -f /home/alice
    [ $? -eq 137 ]
}

silent_server_hinders_nobody() {
    mount -t nfs4 localhost:/alice /home/alice
    begin one 'sleep 5402'
    placed "$(pid_of 'sleep 5402')"
    systemctl stop nfs-server.service
    holds 'a reader hangs' reader_hangs
    says 'somebody else' bob_gets_in
    [ "$PLACE" = stock ] || timeout 60 pam-unshare list >&2
    [ "$PLACE" = stock ] || timeout 200 pam-unshare check sshd bob >&2
    systemctl start nfs-server.service
    says 'after it is back' ssh_as alice cat mark
    ends 'sleep 5402'
    LIMIT=100 holds 'unmounted after the logout' eventually unmounts /home/alice
}

@test "NFSv4: a server that does not answer holds up nobody whose home is elsewhere" {
    it_works silent_server_hinders_nobody 'a reader hangs: yes' 'somebody else: in' 'after it is back: of the server' \
        'unmounted after the logout: yes'
}

# ---- quota ---------------------------------------------------------------------------------------

LIMITED=/srv/limited/alice

quota_holds() {
    local write="dd if=/dev/zero of=$LIMITED/big bs=4k"
    begin one 'sleep 5404'
    placed "$(pid_of 'sleep 5404')"
    setquota -u alice 0 1000 0 0 /srv/limited
    says over ssh_as alice "$write count=1000 2>&1 | grep -o 'Disk quota exceeded'"
    says quota ssh_as alice "quota -w | awk 'END { print (\$2 + 0 > 900), \$4 }'"
    says below ssh_as alice "$write count=100 status=none; stat -c %s $LIMITED/big"
    setquota -u alice 0 0 0 0 /srv/limited
    says 'without a limit' ssh_as alice "$write count=1000 status=none; stat -c %s $LIMITED/big" # negative control
    rm $LIMITED/big
    ends 'sleep 5404'
}

@test "quota: is in force in a session that is older, and shown" {
    truncate -s 64M /srv/limited.img
    mke2fs -q -t ext4 -O quota -E quotatype=usrquota /srv/limited.img
    mkdir -p /srv/limited
    mount -o loop,usrquota /srv/limited.img /srv/limited
    install -d -o alice $LIMITED
    it_works quota_holds 'over: Disk quota exceeded' 'quota: 1 1000' 'below: 409600' 'without a limit: 4096000'
    umount /srv/limited
}

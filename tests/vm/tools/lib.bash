# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests of people's work share. A check prints what it saw, which must be the same in each place.

load ../guest/lib
load ../guest/inside
load ../life/lib

begin_work() {
    begin_life
    gcc -g -O1 -o /usr/local/bin/worker "$BATS_TEST_DIRNAME/worker.c"
    # who waits for a mount may have to wait long
    [ -z "$(command -v automount)" ] || systemctl stop autofs.service
}

# everywhere CHECK [ARGUMENT…]: the same on the stock machine, with a namespace for each session, and inside
everywhere() {
    local where
    for where in stock session inside; do
        in_place $where "$@"
        diff "$BATS_TEST_TMPDIR/stock" "$BATS_TEST_TMPDIR/$where" || { die "other than on stock: $where"; return; }
    done
}

# it_works CHECK LINE…: everywhere, and says these lines
it_works() {
    everywhere "$1"
    said "${@:2}"
}

# ends COMMAND: of alice's, and with it the session that has nothing else
ends() {
    pkill -u alice -xf "$1"
    eventually not pgrep -u alice -xf "$1"
}

# in_background NAME COMMAND…: until end_clients
in_background() {
    local name=$1
    shift
    "$@" 3>&- &
    # shellcheck disable=SC2034 # of inside.bash
    client[$name]=$!
}

# A process of root's, on the host, whose mounts get nothing from others: what no session may be like
private_mounts() {
    in_background private unshare --mount --propagation private sleep 5000
    PRIVATE=$!
    eventually private_has_begun
}

private_has_begun() {
    [ "$(readlink "/proc/$PRIVATE/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ]
}

# in_private COMMAND…
in_private() {
    nsenter --target "$PRIVATE" --mount "$@"
}

# ---- autofs --------------------------------------------------------------------------------------

# automounts SECONDS MASTER LINE: a map with one line, whose mounts are unmounted after so long
automounts() {
    automount_ends
    mkdir -p /etc/auto.master.d
    echo "$2 /etc/auto.test --timeout=$1" >/etc/auto.master.d/test.autofs
    echo "$3" >/etc/auto.test
    systemctl restart autofs.service
}

automount_ends() {
    [ -e /etc/auto.master.d/test.autofs ] || return 0
    eventually automount_has_ended
    rm -f /etc/auto.master.d/test.autofs
}

automount_has_ended() {
    local point
    systemctl stop autofs.service
    # a session that a failed test has left may be in one
    for point in $(awk '$3 == "autofs" && $4 !~ /pgrp=1,/ { print $2 }' /proc/self/mounts); do umount --lazy "$point"; done
    ! grep -q ' /etc/auto.test autofs ' /proc/self/mounts
}

# mounted POINT: on the host, by more than autofs itself. A look at the point would keep it from expiring.
mounted() {
    awk -v point="$1" '$2 == point && $3 != "autofs" { found = 1 } END { exit !found }' /proc/self/mounts
}

# keep_homes: alice's, elsewhere than in /home
keep_homes() {
    mkdir -p /srv/homes
    rm -rf /srv/homes/alice
    cp -a /home/alice /srv/homes/alice
    echo 'of the server' >/srv/homes/alice/mark
}

# home_comes_and_goes ENTRY: of a map, for alice's home
home_comes_and_goes() {
    automounts 2 /- "/home/alice $1"
    says home ssh_as alice 'pwd; stat -f -c %T .; cat mark; touch written'
    hold_session one alice 'exec sleep 5303'
    eventually pgrep -u alice -xf 'sleep 5303'
    placed "$(pid_of 'sleep 5303')"
    LIMIT=6 holds 'expired while she is there' eventually not mounted /home/alice
    ends 'sleep 5303'
    LIMIT=100 holds 'expired later' eventually not mounted /home/alice
    holds 'left somewhere' mounted_somewhere /home/alice
    says 'next login' ssh_as alice 'cat mark; ls written'
    LIMIT=100 eventually not mounted /home/alice
    automount_ends
    rm /srv/homes/alice/written
}

# ---- NFS -----------------------------------------------------------------------------------------

# begin_server OPTION: homes, of which there is alice's
begin_server() {
    keep_homes
    mkdir -p /etc/nfs.conf.d
    echo "/srv/homes *(rw,fsid=0,root_squash,no_subtree_check,$1)" >/etc/exports
    printf '[nfsd]\ngrace-time=10\nlease-time=10\n' >/etc/nfs.conf.d/test.conf
    systemctl restart nfs-server.service
}

unmounts() {
    ! mountpoint -q "$1" || umount "$1"
}

# A mount is gone when it is in no namespace of mounts; autofs itself stays.
mounted_somewhere() {
    grep -hs " $1 " /proc/[0-9]*/mountinfo | grep -qv ' - autofs '
}

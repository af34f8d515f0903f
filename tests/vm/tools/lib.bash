# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests of people's work share; loaded after lib.bash and inside.bash of tests/vm/guest and lib.bash of
# tests/vm/life. A check prints what it saw, which must be the same in each place.

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

# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests of "pam-unshare enable" share; loaded after lib.bash. The user is alice, of UID 1000.

CONF=/etc/security/unshare.conf

declare -gA client # bats reads this file in a function

# quiet COMMAND…: what it prints is of interest only if it fails
quiet() {
    "$@" >"$BATS_TEST_TMPDIR/printed" || { cat "$BATS_TEST_TMPDIR/printed" >&2; return 1; }
}

# inside [WORD…]: everything is on, with these words in the configuration file as well
inside() {
    [ "${NEGATIVE:-}" != 1 ] || return 0
    [ $# = 0 ] || printf '%s\n' "$@" >>"$CONF"
    quiet pam-unshare enable
}

stock() {
    [ "${NEGATIVE:-}" = 1 ] || quiet pam-unshare disable
    cp -p /root/unshare.conf "$CONF"
}

# afresh: alice is gone, and what she had; admin, too
afresh() {
    loginctl disable-linger alice
    loginctl terminate-user alice admin 2>/dev/null || true
    systemctl stop user@{1000,1002}.service user-runtime-dir@{1000,1002}.service pam-unshare@{1000,1002}.service \
        2>/dev/null || true
    # seen once, on the stock machine: the slice stayed, with no unit in it and StopWhenUnneeded=yes
    systemctl stop user-{1000,1002}.slice
    systemctl reset-failed
    LIMIT=100 eventually nothing_of_alice
    forgotten 1000 1002
}

# forgotten UID…: by logind, which would end at once what begins while it still ends something. Its file of the user was
# seen to stay, in 252, after a daemon-reexec.
forgotten() {
    local uid
    for uid; do LIMIT=90 eventually not loginctl show-user "$uid" || return; done
}

nothing_of_alice() {
    [ -z "$(pgrep -u alice)" ] && ! mountpoint -q /run/user/1000 && no_init_left &&
        [ ! -e /sys/fs/cgroup/user.slice/user-1000.slice ] &&
        [ -z "$(systemctl list-units --no-legend --state=active,failed '*@1000.service')" ]
}

# hold_session NAME USER COMMAND: a session that goes on, until end_clients
hold_session() {
    timeout -k 1 250 ssh -n -o BatchMode=yes -o LogLevel=ERROR "$2@localhost" "$3" 3>&- &
    client[$1]=$!
}

# begin NAME COMMAND: a session of alice's that runs it
begin() {
    hold_session "$1" alice "exec $2"
    eventually pgrep -u alice -xf "$2"
}

end_clients() {
    local pid
    for pid in "${client[@]}"; do kill "$pid" 2>/dev/null || true; done
}

# not COMMAND…: bats takes no notice of "!"
not() {
    if "$@"; then die "holds: $*"; fi
}

main_pid() { # UNIT
    systemctl show -p MainPID --value "$1"
}

namespace() { # PID
    readlink "/proc/$1/ns/pid"
}

# is_inside PID: it is there, and not on the host
is_inside() {
    [ -e "/proc/$1/ns/pid" ] && [ "$(namespace "$1")" != "$(namespace self)" ]
}

manager_is_up() {
    systemctl is-active --quiet user@1000.service
}

# kill_in_seconds NAME: what does not react to its end is killed in seconds, and not in minutes, by drop-ins of that name
kill_in_seconds() {
    mkdir -p /etc/systemd/system/user@.service.d /etc/systemd/user.conf.d
    printf '[Service]\nTimeoutStopSec=15\n' >"/etc/systemd/system/user@.service.d/$1.conf"
    printf '[Manager]\nDefaultTimeoutStopSec=10\n' >"/etc/systemd/user.conf.d/$1.conf"
    systemctl daemon-reload
}

# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests of scope=user share; loaded after lib.bash.
#
# `only_shared` demands that a check holds with scope=user and fails with scope=session.

SERVICES=(su sshd sudo cron)
# shellcheck disable=SC2034 # for the tests
MANAGER=$TOP/tests/system/unit_manager.py # stands in for systemd

# isolate ARGUMENT…: all services isolate, with the same arguments
isolate() {
    local service
    for service in "${SERVICES[@]}"; do
        enable "$service" "$@"
    done
}

isolate_nobody() {
    local service
    for service in "${SERVICES[@]}"; do
        disable "$service"
    done
}

# only_shared CHECK [ARGUMENT…]: CHECK leaves no session open when it has succeeded
only_shared() {
    isolate scope=user
    "$@" || {
        tail -n "+$LOG_FROM" /run/syslog >&2
        die "fails with scope=user: $*"
        return 1
    }
    eventually no_init_left || return
    isolate scope=session
    ! "$@" || { die "holds with scope=session too, so it shows nothing: $*"; return 1; }
    leave_all
    isolate scope=user
}

# ---- sessions that last ------------------------------------------------------------------------

STAYS=/run/stays

prepare_stays() {
    install -d -m 1777 "$STAYS"
    cat >/run/stay <<'END'
#!/bin/bash
# A session's process, which says where it is: stay NAME
readlink /proc/self/ns/pid /proc/self/ns/mnt >"/run/stays/$1.new"
mv "/run/stays/$1.new" "/run/stays/$1"
exec -a "stay-$1" sleep 1000
END
    chmod 755 /run/stay
}

# stays NAME: that session has said where it is, and has its name
stays() {
    test -s "$STAYS/$1" && pgrep -f "^stay-$1 1000\$"
}

# stay NAME COMMAND…: a session that COMMAND opens, to run the command line that is its last argument
stay() {
    local name=$1
    shift
    rm -f "$STAYS/$name"
    "$@" "/run/stay $name" </dev/null >"$BATS_TEST_TMPDIR/stay-$name" 2>&1 3>&- &
    eventually stays "$name" || { cat "$BATS_TEST_TMPDIR/stay-$name" >&2; return 1; }
}

su_as() { # USER COMMAND
    su "$1" -c "$2"
}

# leave_behind USER SECONDS: a session that ends while its `sleep SECONDS` runs
leave_behind() {
    su_as "$1" "setsid sleep $2 >/dev/null 2>&1 </dev/null &
        timeout 10 sh -c 'until pgrep -f ^sleep.$2; do sleep 0.01; done' >/dev/null"
}

sudo_as() { # USER COMMAND
    # shellcheck disable=SC2086 # words
    sudo -u "$1" $2
}

# As `stay`, by a job for the start of the machine, which cron does not wait a minute for
stay_by_cron() { # NAME USER
    rm -f "$STAYS/$1" /run/crond.reboot
    mkdir -p /var/spool/cron/crontabs
    install -o "$2" -m 600 /dev/stdin "/var/spool/cron/crontabs/$2" <<<"@reboot /run/stay $1"
    cron -f 3>&- &
    CRON=$!
    eventually stays "$1"
}

# leave NAME: end that session
leave() {
    pkill -f "^stay-$1 1000\$"
    rm -f "$STAYS/$1"
}

leave_all() {
    if [ -n "${CRON-}" ]; then
        kill "$CRON"
        CRON=
    fi
    rm -rf /var/spool/cron/crontabs "${STAYS:?}"/*
    pkill -f '^stay-.* 1000$' || true
    eventually no_init_left
}

pid_namespace() { # NAME
    sed -n 1p "$STAYS/$1"
}

mount_namespace() { # NAME
    sed -n 2p "$STAYS/$1"
}

# together NAME…: these sessions are in one PID namespace, which is not the host's
together() {
    local name first
    first=$(pid_namespace "$1")
    [[ $first == pid:* ]] && [ "$first" != "$(readlink /proc/self/ns/pid)" ] || return 1
    for name; do
        [ "$(pid_namespace "$name")" = "$first" ] || return 1
    done
}

# ---- the tests' application ----------------------------------------------------------------------

# What the application does before it opens
BEFORE=()

# hold_session NAME USER SERVICE [COMMAND…]: an application with a session open, which goes on at `let_go NAME`
hold_session() {
    local name=$1 user=$2 service=$3
    shift 3
    rm -f "$STAYS/$name."*
    mkfifo "$STAYS/$name.go"
    "$HOST" /run/pam.d "$service" "$user" "${BEFORE[@]}" open hold opened "$@" close hold closed end \
        <>"$STAYS/$name.go" >"$STAYS/$name.out" 2>&1 3>&- &
    echo "$!" >"$STAYS/$name.pid"
    disown # bash would report the end of one that is killed
    eventually grep -qx opened "$STAYS/$name.out" && grep -qx open=0 "$STAYS/$name.out"
}

let_go() { # NAME
    echo >"$STAYS/$1.go"
}

# let_all_go: end what hold_session has begun
let_all_go() {
    cat "$STAYS"/*.pid 2>/dev/null | xargs -r kill -9 2>/dev/null || true
    rm -f "$STAYS"/*.pid
}

# ask USER FIELD: what the init of that user's namespace answers
ask() {
    python3 "$TOP/tests/system/user_client.py" "$(id -u "$1")" "$2"
}

# Tell whether root may have more than its hard limit
can_raise_limits() {
    [ $((0x$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status) >> 24 & 1)) -eq 1 ] # CAP_SYS_RESOURCE
}

# ---- its init ------------------------------------------------------------------------------------

# Where the init of alice's namespace listens
# shellcheck disable=SC2034 # for the tests
PLACE="/run/pam_unshare/1000.$(stat -L -c %i /proc/self/ns/pid)"

# begin SERVICE [COMMAND…]: three members; the first one carries out the commands before it opens
# shellcheck disable=SC2034 # for the tests
begin() {
    local BEFORE=("${@:2}")
    hold_session first alice "$1"
    BEFORE=()
    hold_session second alice "$1"
    hold_session third alice "$1"
    INIT=$(pgrep -x pam_unshare)
    eventually settled "$INIT"
    FIRST=$(cat "$STAYS/first.pid")
}

# joins: another session does so
joins() {
    log_position
    host user open close end >"$BATS_TEST_TMPDIR/joins" 2>&1 && grep -qx open=0 "$BATS_TEST_TMPDIR/joins" &&
        logged "session of alice opened: PID namespace [0-9]+, init $INIT, the user.s, joined\$"
}

# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests of a user's life share; loaded after lib.bash and inside.bash of tests/vm/guest. Each is made in
# places: "stock" is the machine without the module, "session" has a namespace for each session, and "inside" is after
# "pam-unshare enable". What a check prints must be the same inside as on stock. NEGATIVE=1 leaves the module out.
# WORDS are words of the configuration file, and HARDEN parts of the hardening that "enable" leaves off.

LOGIND=/etc/systemd/logind.conf.d/life.conf
# who has a namespace for each session, and, inside, also who is not let in by "pam-unshare enable"
SERVICES='sshd su cron atd'
WORK=/home/alice/work
# a session with a terminal, for display
# shellcheck disable=SC2034 # for the tests
SSH='env TERM=vt100 ssh -tt -o BatchMode=yes -o LogLevel=ERROR alice@localhost'

begin_life() {
    prepare
    install -m 755 "$TOP/tests/vm/life/answer" /usr/local/bin
    loginctl disable-linger alice bob admin
    systemctl stop user@1001.service user-runtime-dir@1001.service
    # what packages of the image start by themselves
    systemctl --quiet mask --now postgresql.service podman.socket podman-restart.service podman-auto-update.timer 2>/dev/null || true
    # an interrupted run may have left another one
    [ -e /root/unshare.conf ] || cp -p "$CONF" /root/unshare.conf
}

end_life() {
    logind_default
    place stock
    pam-unshare harden disable
    loginctl enable-linger alice bob admin
}

# place PLACE: nothing of alice's is there, and from now on she lives so
place() {
    local service
    PLACE=$1
    end_clients
    # shellcheck disable=SC2034 # of inside.bash
    client=()
    # shellcheck disable=SC2086 # words
    disable $SERVICES
    # shellcheck disable=SC2086 # words
    if [ "$PLACE" = inside ]; then inside ${WORDS:-}; else stock; fi
    harden_more
    if [ "$PLACE" = session ]; then
        # shellcheck disable=SC2086 # words
        printf '%s\n' ${WORDS:-} >>"$CONF"
        for service in $SERVICES; do enable "$service"; done
    fi
    crontab -u alice -r 2>/dev/null || true
    pkill -KILL -u alice || true # jobs of cron and at, which logind does not know
    afresh
    # the module's absence shows
    [ "$PLACE" != session ] || [ "$(ssh_as alice readlink /proc/self/ns/pid)" != "$(namespace self)" ]
    rm -rf "$WORK"
    install -d -o alice -g alice -m 700 "$WORK"
}

harden_more() {
    local change=disable
    [ -n "${HARDEN:-}" ] || return 0
    [ "$PLACE" != inside ] || change=enable
    # shellcheck disable=SC2086 # words
    [ "${NEGATIVE:-}" = 1 ] || quiet pam-unshare harden "$change" $HARDEN
}

# in_place PLACE CHECK [ARGUMENT…]: what it prints is kept
in_place() {
    place "$1"
    shift
    echo "# in $PLACE" >&2
    "$@" >"$BATS_TEST_TMPDIR/$PLACE"
    cat "$BATS_TEST_TMPDIR/$PLACE" >&2
}

# same_as_stock CHECK [ARGUMENT…]
same_as_stock() {
    in_place stock "$@"
    in_place inside "$@"
    diff "$BATS_TEST_TMPDIR/stock" "$BATS_TEST_TMPDIR/inside"
}

# as_on_stock CHECK [ARGUMENT…]: the same, and with a namespace for each session it is another thing
as_on_stock() {
    in_place stock "$@"
    in_place session "$@"
    in_place inside "$@"
    diff "$BATS_TEST_TMPDIR/stock" "$BATS_TEST_TMPDIR/inside"
    not diff -q "$BATS_TEST_TMPDIR/stock" "$BATS_TEST_TMPDIR/session"
}

# said LINE…: on the stock machine and inside; it is no test if both say that nothing works
said() {
    local line
    for line; do grep -xF -e "$line" "$BATS_TEST_TMPDIR/inside" || { die "not said: $line"; return; }; done
}

# holds WORDS COMMAND…: a line that says whether
holds() {
    local words=$1
    shift
    if "$@" >&2; then echo "$words: yes"; else echo "$words: no"; fi
}

# says WORDS COMMAND…: a line for each one of its output, or of its failure
says() {
    local words=$1 output
    shift
    output=$("$@") || output+="${output:+
}status $?"
    sed "s/^/$words: /" <<<"$output"
}

pid_of() { # COMMAND, a pattern
    pgrep -u alice -xf "$1" | head -n 1
}

# placed PID: where this place has the user's processes
placed() {
    if [ "$PLACE" = stock ]; then
        [ "$(namespace "$1")" = "$(namespace self)" ] || die "not on the host: $1"
    else
        is_inside "$1" || die "on the host: $(tr '\0' ' ' <"/proc/$1/cmdline")"
    fi
}

# started COMMAND: a process of alice's runs it, where this place has them. What ended with its session is not there.
started() {
    [ "$PLACE" != session ] || return 0
    eventually pgrep -u alice -xf "$1"
    placed "$(pid_of "$1")"
}

# left COMMAND: a line that says whether it is there
left() {
    if [ -n "$(pid_of "$1")" ]; then echo "$1: there"; else echo "$1: gone"; fi
}

# login COMMAND…: of alice's, in a directory for the test
login() {
    ssh_as alice "export PATH=/usr/local/bin:/usr/bin:/bin; cd $WORK; $*"
}

# cron_job COMMAND: begins at once, as if the machine had just booted
cron_job() {
    echo "@reboot cd $WORK; $1" | crontab -u alice -
    rm -f /run/crond.reboot /var/run/crond.reboot
    systemctl restart cron.service
}

# ---- logind ----------------------------------------------------------------------------------------

# logind KEY=VALUE…
logind() {
    mkdir -p "${LOGIND%/*}"
    printf '%s\n' '[Login]' "$@" >"$LOGIND"
    systemctl restart systemd-logind.service
}

logind_default() {
    [ ! -e "$LOGIND" ] || { rm "$LOGIND" && systemctl restart systemd-logind.service; }
}

# her sessions but that of the user manager, which has one since systemd 256
sessions() {
    local session
    for session in $(loginctl list-sessions --no-legend | awk '$3 == "alice" { print $1 }'); do
        loginctl show-session -p Class -p State "$session" 2>/dev/null | sort | paste -sd' '
    done | grep -v '^Class=manager' || true
}

none_is_open() {
    ! pgrep -u alice sshd && ! sessions | grep -v 'State=closing'
}

none_is_there() {
    [ -z "$(sessions)" ]
}

# logged_out: from her last session, of which only what she left is there. The module ends what is left in a
# namespace of one session.
logged_out() {
    LIMIT=30 eventually none_is_open
    [ "$PLACE" != session ] || LIMIT=30 eventually no_init_left
}

state() {
    loginctl show-user -p State --value alice 2>/dev/null || echo gone
}

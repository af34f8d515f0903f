#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The crawler (tests/crawl) with systemd, a bus, cron, at and a mailer, from a session of sshd: stock and with the
# module alone, and where the kernel was booted without process events, with module and hardening, with "pam-unshare
# enable", which has user managers inside, and without one part or one line of the hardening: the crawler, which knows
# none of them, must find each. CONFIGURATIONS=NAME,... chooses.

load ../guest/lib

PARTS='bus units user-manager cron atd mail'

setup_file() {
    prepare
    # alice has a user manager where that is allowed, and no session but the crawler's
    loginctl disable-linger bob admin
    install_mailer exim4-daemon-light
}

teardown() {
    pam-unshare disable >/dev/null
    pam-unshare harden disable >/dev/null
    disable sshd su sudo login cron atd
}

# A container has no process events either; all of it is crawled in one boot there.
hardened() {
    [ -n "${CONTAINER:-}" ] || grep -q initcall_blacklist=cn_proc_init /proc/cmdline
}

stock_kernel() {
    [ -n "${CONTAINER:-}" ] || ! hardened
}

# wanted NAME: skips what was not chosen
wanted() {
    chosen "$1" || skip 'not chosen'
}

chosen() {
    [[ -z ${CONFIGURATIONS:-} || ,$CONFIGURATIONS, = *,$1,* ]]
}

module_on() {
    local service
    for service in sshd su sudo login; do
        enable "$service"
    done
}

harden_but_for() { # PART
    local part parts=()
    for part in $PARTS; do
        [ "$part" = "$1" ] || parts+=("$part")
    done
    pam-unshare harden enable "${parts[@]}"
    as_at_next_boot
}

as_at_next_boot() {
    systemctl stop user@1000.service
    systemctl restart dbus.service systemd-logind.service
}

# crawl NAME [OPTION…]: its report goes to whoever reads the TAP
crawl() {
    local name=$1 status=0
    shift
    # who uses at on the host wakes atd for those inside, too, whose at cannot; with no job at all it sleeps an hour
    echo true | at -M now + 2 minutes
    "$TOP/tests/crawl/crawl" --ssh ~/.ssh/id_ed25519.pub 'ssh -o BatchMode=yes -o LogLevel=ERROR' --pause 20 "$@" \
        ssh -o BatchMode=yes -o LogLevel=ERROR alice@localhost >"$BATS_TEST_TMPDIR/report" || status=$?
    sed "s/^/# $name: /" "$BATS_TEST_TMPDIR/report" >&3
    return "$status"
}

# found READER MARK: the table says that what is not on the list was found
found() {
    grep -qE "^# $1 +$2 +[0-9]+ +[0-9]+ +[1-9]" "$BATS_TEST_TMPDIR/report" || die "not found by $1: $2"
}

# not COMMAND…: bats takes no notice of "!"
not() {
    if "$@"; then die "holds: $*"; fi
}

not_found() {
    ! found "$@" 2>/dev/null || die "found by $1: $2"
}

@test "on a stock machine the crawler finds hundreds" {
    wanted stock
    stock_kernel || skip 'crawled in the other boot'
    crawl stock --findings 500
    found file argv
    found file pid
    found bus argv
    found bus oracle
    found bus-signal pid
    found call oracle
    found canary escape
}

@test "with the module alone the crawler finds the side doors, and no others" {
    wanted module
    stock_kernel || skip 'crawled in the other boot'
    module_on
    crawl module --findings 20
    found bus argv
    found bus-signal pid
    found canary escape
    not_found call oracle
    not_found 'name' oracle
    if grep -E '^# unexplained: .* file:/proc/' "$BATS_TEST_TMPDIR/report"; then false; fi
}

@test "with module and hardening the crawler finds nothing that is not on its list" {
    wanted harden
    hardened || skip 'crawled in the other boot'
    module_on
    harden_but_for nothing
    crawl harden
}

@test "with everything enabled, and a user manager inside, the crawler finds nothing that is not on its list" {
    wanted enable
    hardened || skip 'crawled in the other boot'
    pam-unshare enable
    as_at_next_boot
    # the unit of the namespace, and its pin, are those that have been installed just now
    ssh_as alice 'systemctl --user is-system-running --wait' | grep -xE 'running|degraded'
    ssh_as alice "systemd-run --user --quiet --pipe --wait readlink /proc/self/ns/pid" >"$BATS_TEST_TMPDIR/manager"
    not grep -xF "$(readlink /proc/self/ns/pid)" "$BATS_TEST_TMPDIR/manager"
    crawl enable
}

# NAME of what is taken out alone: a file of the hardening, and what sed does to it. Modes are as systemd gives them.
BUS=/etc/dbus-1/system.d/pam-unshare.conf
BUS_UNIT=/etc/systemd/system/dbus.service.d/pam-unshare.conf
MUTATIONS=(
    "bus-methods $BUS /<deny send_destination=.org.freedesktop.systemd1./d"
    "bus-signals $BUS /<deny receive_sender=/d"
    "bus-GetSessionByPID $BUS /<deny .*GetSessionByPID/d"
    "bus-GetUserByPID $BUS /<deny .*GetUserByPID/d"
    "bus-ListInhibitors $BUS /<deny .*ListInhibitors/d"
    "bus-polkit $BUS /<deny send_destination=.org.freedesktop.PolicyKit1./d"
    "bus-pids $BUS /<deny .*GetConnectionUnixProcessID/d"
    "bus-credentials $BUS /<deny .*GetConnectionCredentials/d"
    "bus-refusal $BUS_UNIT /^ProtectProc=/d"
    "mode-inhibit /run/systemd/inhibit -"
    "mode-transient /run/systemd/transient -"
)

take_out() { # FILE SED
    if [ -d "$1" ]; then
        chmod 755 "$1"
    else
        sed -i "$2" "$1"
        bus_anew "$1"
    fi
}

bus_anew() { # FILE
    if [ "$1" = "$BUS_UNIT" ]; then
        systemctl daemon-reload
        as_at_next_boot
    else
        busctl call org.freedesktop.DBus / org.freedesktop.DBus ReloadConfig
    fi
}

put_back() { # FILE: as the hardening had it: a file that somebody has changed stays
    cp "$TOP/hardening/bus.conf" "$BUS"
    cp "$TOP/hardening/dbus.conf" "$BUS_UNIT"
    bus_anew "$1"
    chmod 700 /run/systemd/inhibit /run/systemd/transient 2>/dev/null || true
}

@test "without one part of the hardening the crawler finds what it closes" {
    hardened || skip 'crawled in the other boot'
    module_on
    failed='' crawled=''
    for part in $PARTS; do
        chosen "$part" || continue
        harden_but_for "$part"
        crawled=1
        crawl "without-$part" --findings 1 || failed+=" $part"
        pam-unshare harden disable >/dev/null
    done
    echo "not found without:$failed"
    [ -n "$crawled" ] || skip 'not chosen'
    [ -z "$failed" ]
}

@test "without one line of the hardening the crawler finds what it closes" {
    hardened || skip 'crawled in the other boot'
    module_on
    harden_but_for nothing
    failed='' crawled=''
    for mutation in "${MUTATIONS[@]}"; do
        read -r name file edit <<<"$mutation"
        chosen "$name" || continue
        take_out "$file" "$edit"
        crawled=1
        # none of these starts a program: without the minute that cron's canary takes. It may be over in 20 seconds, and
        # must hear something start and end
        crawl "without-$name" --findings 1 --pause 3 --only listen,files,sockets,bus,netlink,calls || failed+=" $name"
        put_back "$file"
    done
    echo "not found without:$failed"
    [ -n "$crawled" ] || skip 'not chosen'
    [ -z "$failed" ]
}

@test "with the part logins no record says who is logged in, and without a piece of it the crawler finds that" {
    hardened || skip 'crawled in the other boot'
    wanted logins
    local piece failed=''
    module_on
    harden_but_for nothing
    pam-unshare harden enable logins
    as_at_next_boot
    crawl logins --with logins
    for piece in bus sessions wtmp; do
        [ "$piece" != wtmp ] || [ -s /var/log/wtmp ] || continue # from trixie on nobody writes it
        case $piece in
        bus) rm /etc/dbus-1/system.d/pam-unshare-logins.conf && bus_anew none ;;
        sessions) chmod 755 /run/systemd/sessions ;;
        wtmp) chmod 664 /var/log/wtmp ;;
        esac
        crawl "without-logins-$piece" --with logins --findings 1 --only listen,files,sockets,bus || failed+=" $piece"
        pam-unshare harden enable logins
    done
    echo "not found without:$failed"
    [ -z "$failed" ]
}

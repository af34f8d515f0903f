# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests in a guest share: they run as root on a machine that is thrown away, so they change
# its own /etc/pam.d. With NEGATIVE=1 the module is never enabled, and what needs it must fail.

TOP=$(cd "$BATS_TEST_DIRNAME/../../.." && pwd)
STOCK=/root/stock-pam.d
SECRET=token-4711
# shellcheck disable=SC2034 # for the tests
LOOK=/usr/local/bin/look # the same, where a shell's command line would have the secret
# shellcheck disable=SC2034
PROBE="/usr/local/bin/probe $SECRET"
: "${BATS_TEST_TMPDIR:=$(mktemp -d)}" # bats before 1.4
export SYSTEMD_BUS_TIMEOUT=300      # of 25 s: systemctl asks a machine that may be emulated beside others

die() {
    echo "$*" >&2
    return 1
}

# eventually COMMAND…: for what has no signal of its own to wait for; gives up after LIMIT seconds
eventually() {
    local until=$((SECONDS + ${LIMIT:-60}))
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < until)) || { "$@" >&2; die "did not come true: $*"; return 1; }
        sleep 0.1
    done
}

# The package of /root/debs, as an administrator does; where there is none, what is built here
install_module() {
    if [ -d /root/debs ]; then
        DEBIAN_FRONTEND=noninteractive apt-get -q -y --reinstall install /root/debs/libpam-unshare_*.deb >&2
    else
        make -s -C "$TOP" install
    fi
}

prepare() {
    [ -d "$STOCK" ] && return
    install_module
    make -s -C "$TOP" programs
    install -m 755 "$TOP/build/tests/programs/probe" "$TOP/build/tests/programs/host" /usr/local/bin
    printf '#!/bin/sh\nexec %s\n' "$PROBE" >"$LOOK"
    chmod 755 "$LOOK"
    # Half of a login's time is the user manager, which starts for the first session and ends with the last.
    loginctl enable-linger alice bob admin
    cp -a /etc/pam.d "$STOCK"
}

# The services that people take for one: "su -" has a file of its own since forky, which does not include
# that of su, and "sudo -i" has one since bookworm.
services() { # SERVICE
    echo "$1"
    if [ -e "$STOCK/$1-l" ]; then echo "$1-l"; fi
    if [ -e "$STOCK/$1-i" ]; then echo "$1-i"; fi
}

enable() { # SERVICE
    local service
    [ "${NEGATIVE:-}" != 1 ] || return 0
    for service in $(services "$1"); do
        grep -qE "^(@include|session[[:space:]]+include)[[:space:]]+$1\$" "$STOCK/$service" || isolate "$service"
    done
}

# The shipped example, or the two lines of pam_unshare(8) in Debian's own file
isolate() { # SERVICE
    if [ -f "$TOP/pam.d-examples/$1" ]; then
        cp "$TOP/pam.d-examples/$1" "/etc/pam.d/$1"
    else
        awk '!done && ($1 == "session" || $1 == "@include" && $2 ~ /^common-session/) {
                 print "session requisite pam_unshare.so close"
                 done = 1
             }
             { print }
             END { print "session requisite pam_unshare.so open" }' "$STOCK/$1" >"/etc/pam.d/$1"
    fi
}

disable() { # SERVICE…
    local service file
    for service; do
        for file in $(services "$service"); do
            cp "$STOCK/$file" "/etc/pam.d/$file"
        done
    done
}

# A process of bob's with a secret in its command line, which holds no descriptor of the tests
start_secret() {
    systemctl is-active --quiet secret && return
    systemd-run --quiet --unit=secret --uid=bob bash -c "exec -a daemon-$SECRET sleep 100000"
    eventually pgrep -f "^daemon-$SECRET"
}

# facts COMMAND…: what the probe says through COMMAND, without what a terminal adds: forky marks a session
# with escape sequences (OSC 3008), in front of the first line
facts() {
    "$@" | tr -d '\r' | sed 's/\x1b]3008;[^\x1b]*\x1b\\//g'
}

# isolated COMMAND…: the probe that runs through COMMAND sees nothing of the host
isolated() {
    local facts
    facts=$(facts "$@") || return
    echo "$facts" >&2
    grep -qx 'pid_namespace=pid:\[[0-9]*\]' <<<"$facts" || return
    grep -qx foreign=0 <<<"$facts" && grep -qx secret=hidden <<<"$facts" &&
        grep -qx self=resolves <<<"$facts" && grep -qx signal_init=denied <<<"$facts" &&
        grep -qx trace_init=denied <<<"$facts" &&
        ! grep -qxF "pid_namespace=$(readlink /proc/self/ns/pid)" <<<"$facts"
}

# exposed COMMAND…: the negative control of isolated: it works, on the host
exposed() {
    local facts
    facts=$(facts "$@") || return
    grep -qx secret=found <<<"$facts" && grep -qxF "pid_namespace=$(readlink /proc/self/ns/pid)" <<<"$facts"
}

# with_and_without SERVICE CHECK…: it holds with the module, and not without; where CHECK is isolated,
# what it runs works without, and is exposed. A CHECK returns 1 where it does not hold, and 2 where that could not be tried.
with_and_without() {
    local service=$1 status=0
    shift
    enable "$service"
    "$@" || { die "fails with the module: $*"; return 1; }
    disable "$service"
    if [ "$1" = isolated ]; then
        exposed "${@:2}" || { die "fails without the module: $*"; return 1; }
    else
        "$@" || status=$?
        [ "$status" -eq 1 ] || { die "without the module it returns $status: $*"; return 1; }
    fi
    enable "$service"
}

inits() {
    pgrep -xc pam_unshare
}

no_init_left() {
    [ "$(inits)" -eq 0 ]
}

# install_mailer PACKAGE: from what the image has, in the place of any other
install_mailer() {
    debconf-set-selections <<-'END'
	exim4-config exim4/dc_eximconfig_configtype select local delivery only; not on a network
	postfix postfix/main_mailer_type select Local only
	postfix postfix/mailname string guest
	END
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "/root/mailers/$1"/*.deb >/root/install.log 2>&1 ||
        { tail -n 20 /root/install.log >&2; return 1; }
}

ssh_as() { # USER [ARGUMENT…]
    local user=$1
    shift
    timeout -k 1 120 ssh -o BatchMode=yes -o LogLevel=ERROR "$user@localhost" "$@" </dev/null
}

sessions_of() { # USER
    loginctl list-sessions --no-legend | awk -v user="$1" '$3 == user' | wc -l
}

no_session_of() { # USER
    [ "$(sessions_of "$1")" -eq 0 ]
}

# Records of AppArmor, which auditd takes, or the kernel's log where it is not running
denials() {
    {
        cat /var/log/audit/audit.log 2>/dev/null
        dmesg
    } | grep -E 'apparmor="(DENIED|AUDIT)"'
}

new_denials() { # COUNT
    [ "$(denials | wc -l)" -gt "$1" ]
}

# confine: the program "confined", which is cat, has a profile of AppArmor
confine() {
    cp /bin/cat /usr/local/bin/confined
    cat >/etc/apparmor.d/zz-test <<-'END'
	abi <abi/3.0>,
	profile zz-test /usr/local/bin/confined {
	  /usr/local/bin/confined mr,
	  /lib/** mr,
	  /usr/lib/** mr,
	  /etc/ld.so.* r,
	  /proc/** r,
	  /home/alice/** r,
	  /run/user/** r,
	}
	END
    apparmor_parser -r /etc/apparmor.d/zz-test
}

unconfine() {
    if [ -e /etc/apparmor.d/zz-test ]; then
        apparmor_parser -R /etc/apparmor.d/zz-test
        rm -f /etc/apparmor.d/zz-test /usr/local/bin/confined
    fi
}

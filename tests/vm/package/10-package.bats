#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The Debian package in its life on a machine. The .deb is in /root/debs; the tests are in an order.

load ../guest/lib

setup_file() {
    export DEBIAN_FRONTEND=noninteractive
    make -s -C "$TOP" programs
    install -m 755 "$TOP/build/tests/programs/probe" /usr/local/bin
    cp -a /etc/pam.d "$STOCK" # not as the other files do: nothing is installed yet
    start_secret
    # A lower version, of the same content.
    dpkg-deb -R /root/debs/libpam-unshare_*.deb /root/lower
    sed -i 's/^Version: .*/Version: 0.0-1/' /root/lower/DEBIAN/control
    dpkg-deb -Zgzip -b /root/lower /root/debs/lower.deb
}

# Other files may run after this one.
teardown_file() {
    rm -rf "$STOCK" /root/lower /root/debs/lower.deb
}

apt() {
    apt-get -q -y "$@"
}

as_packaged() {
    [ "$(dpkg-query -W -f '${Status}' libpam-unshare)" = 'install ok installed' ] &&
        [ -z "$(dpkg --verify libpam-unshare | grep -v /usr/share/doc | grep -v /usr/share/man)" ]
}

ssh_isolated() { isolated ssh_as alice "$PROBE"; }
ssh_exposed() { exposed ssh_as alice "$PROBE"; }

# The name of every file that could be the package's, wherever it is; dpkg's log and apt's cache are theirs.
traces() {
    find / -xdev \( -path /proc -o -path /root -o -path /var/cache/apt -o -path /tmp \) -prune -o \
        \( -name '*pam_unshare*' -o -name '*pam-unshare*' -o -name 'unshare.conf*' -o -path '*pam-configs/unshare' \) -print
    grep -rl 'pam_unshare' /etc/pam.d /var/lib/pam || true
}

# open_session: of alice's, which answers on the descriptor ${to} what is asked on ${from}
open_session() {
    mkfifo "$BATS_TEST_TMPDIR/ask" "$BATS_TEST_TMPDIR/answer"
    timeout 300 ssh -o BatchMode=yes -o LogLevel=ERROR alice@localhost \
        'while read -r line; do eval "$line"; done' \
        <"$BATS_TEST_TMPDIR/ask" >"$BATS_TEST_TMPDIR/answer" 3>&- &
    session=$!
    exec 7>"$BATS_TEST_TMPDIR/ask" 8<"$BATS_TEST_TMPDIR/answer"
}

ask() { # COMMAND
    echo "$1" >&7
    read -r -t 60 answer <&8
    echo "$answer"
}

close_session() {
    exec 7>&-
    wait "$session"
    exec 8<&-
    LIMIT=30 eventually no_init_left
    LIMIT=30 eventually no_session_of alice
}

@test "package: apt installs it from a file, and nothing changes yet" {
    ssh_exposed
    apt install /root/debs/libpam-unshare_*.deb
    as_packaged
    dpkg -L libpam-unshare
    [ -e "$(dpkg -L libpam-unshare | grep '/security/pam_unshare.so$')" ]
    [[ $(dpkg-query -W -f '${Conffiles}' libpam-unshare) == *' /etc/security/unshare.conf '* ]]
    diff -r "$STOCK" /etc/pam.d
    ssh_exposed
}

@test "package: one command enables it for ssh and console logins, and for no other service" {
    pam-auth-update --enable unshare
    # last: what comes after would be opened inside
    [[ $(grep '^[^#]' /etc/pam.d/common-session | tail -n 1) =~ pam_unshare.so ]]
    ssh_isolated
    python3 "$TOP/tests/vm/guest/serial-login" alice alice-password "$PROBE" >"$BATS_TEST_TMPDIR/facts"
    isolated cat "$BATS_TEST_TMPDIR/facts"
    exposed su - alice -c "$PROBE"
    exposed runuser -u alice -- $PROBE
    # which the log says
    not_met() { journalctl -b --no-pager -t su | grep -F 'requirement "service in sshd:login" not met by user "alice"'; }
    eventually not_met
    [ "$(ssh_as root readlink /proc/self/ns/pid)" = "$(readlink /proc/self/ns/pid)" ]
    # the user manager is on the host
    systemctl restart user@"$(id -u alice)".service
    manager=$(systemctl show -P MainPID user@"$(id -u alice)".service)
    [ "$(readlink "/proc/$manager/ns/pid")" = "$(readlink /proc/self/ns/pid)" ]
    systemctl stop user@"$(id -u alice)".service
    LIMIT=30 eventually no_init_left
    LIMIT=30 eventually no_session_of alice
}

@test "package: the check agrees" {
    run pam-unshare check sshd alice
    echo "$output"
    [ "$status" -eq 0 ]
    [[ ${lines[-1]} == "result: with sshd, alice is isolated; 0 problems" ]]
    run pam-unshare check su alice
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"the line of pam_unshare.so was not reached for su: /etc/pam.d/common-session line "*"jumps over it. Put the line of pam_unshare.so before it, or lower its jump."* ]]
    open_session
    [ "$(ask 'echo ready')" = ready ]
    run pam-unshare list
    close_session
    [[ ${lines[1]} =~ ^alice\ +sshd\ +20 ]]
}

@test "package: the hardening closes side doors, and is taken back" {
    local probes=unit-processes,unit-file,bus-peers,polkit,user-bus
    run pam-unshare audit --only=$probes sshd alice
    echo "$output"
    [ "$status" -eq 1 ]
    [[ ${lines[-1]} == *': 5 OPEN, 0 closed, 0 not tested, 0 not promised' ]]
    systemctl stop user@"$(id -u alice)".service
    find /etc -xdev -type f -exec sha256sum {} + | sort >"$BATS_TEST_TMPDIR/etc"
    pam-unshare harden enable
    run pam-unshare audit --only=$probes sshd alice
    echo "$output"
    pam-unshare harden disable
    [ "$status" -eq 0 ]
    [[ ${lines[-1]} == *': 0 OPEN, 5 closed, 0 not tested, 0 not promised' ]]
    find /etc -xdev -type f -exec sha256sum {} + | sort | diff "$BATS_TEST_TMPDIR/etc" -
}

@test "package: with the hardening polkit's rules go on to hold" {
    local rule=/etc/polkit-1/rules.d/zz-test.rules unit=/run/systemd/system/unit-test.service
    printf '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n' >$unit
    systemctl daemon-reload
    pam-unshare harden enable bus
    run ssh_as alice 'systemctl --no-ask-password start unit-test.service'
    [ "$status" -ne 0 ] # negative control
    [[ $output == *'authentication required'* || $output == *'ccess denied'* ]]
    echo 'polkit.addRule(function(action, subject) {
        if (action.id == "org.freedesktop.systemd1.manage-units" && subject.user == "alice")
            return polkit.Result.YES; });' >$rule
    systemctl restart polkit
    ssh_as alice 'systemctl --no-ask-password start unit-test.service'
    run systemctl is-active unit-test
    [ "$output" = active ]
    systemctl stop unit-test
    rm $rule $unit
    systemctl restart polkit
    systemctl daemon-reload
    pam-unshare harden disable
}

@test "package: one command disables it" {
    ssh_isolated
    pam-auth-update --remove unshare
    ssh_exposed
    diff -r "$STOCK" /etc/pam.d
}

@test "package: the shipped example isolates, and the stock file again does not" {
    cp /usr/share/doc/libpam-unshare/examples/pam.d-examples/sshd /etc/pam.d/sshd ||
        cp "$TOP/pam.d-examples/sshd" /etc/pam.d/sshd # the image has no /usr/share/doc
    ssh_isolated
    cp "$STOCK/sshd" /etc/pam.d/sshd
    ssh_exposed
}

@test "package: a second sshd on another port, as the manual tells to try it" {
    cp "$TOP/pam.d-examples/sshd" /etc/pam.d/sshd-try
    pam-unshare check sshd-try alice
    if dpkg --compare-versions "$(dpkg-query -W -f '${Version}' openssh-server)" ge 1:9.8; then
        /usr/sbin/sshd -p 2222 -o PidFile=/run/sshd-try.pid -o PAMServiceName=sshd-try
    else
        ln -s /usr/sbin/sshd /usr/local/sbin/sshd-try
        /usr/local/sbin/sshd-try -p 2222 -o PidFile=/run/sshd-try.pid
    fi
    eventually test -s /run/sshd-try.pid
    isolated ssh_as alice -p 2222 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "$PROBE"
    ssh_exposed
    kill "$(cat /run/sshd-try.pid)"
    rm -f /etc/pam.d/sshd-try /usr/local/sbin/sshd-try
}

@test "package: an upgrade, with a session open" {
    apt install --allow-downgrades /root/debs/lower.deb
    [ "$(dpkg-query -W -f '${Version}' libpam-unshare)" = 0.0-1 ]
    pam-auth-update --enable unshare
    open_session
    namespace=$(ask 'readlink /proc/self/ns/pid')
    [ "$namespace" != "$(readlink /proc/self/ns/pid)" ]
    apt install /root/debs/libpam-unshare_*.deb
    [ "$(dpkg-query -W -f '${Version}' libpam-unshare)" != 0.0-1 ]
    [ "$(ask 'readlink /proc/self/ns/pid')" = "$namespace" ]
    [ "$(ask 'echo $(ps -e -o user= | sort -u)')" = 'alice root' ]
    ssh_isolated # the profile stays enabled
    close_session
}

@test "package: a removal that would lock everybody out is refused" {
    cp "$TOP/pam.d-examples/sshd" /etc/pam.d/sshd
    pam-auth-update --enable unshare
    run apt remove libpam-unshare
    echo "$output"
    grep -q '^session.*pam_unshare.so' /etc/pam.d/common-session # the profile is still enabled
    pam-auth-update --remove unshare
    cp /etc/pam.d/sshd "$BATS_TEST_TMPDIR/sshd"
    ssh_isolated
    cp "$STOCK/sshd" /etc/pam.d/sshd
    [ "$status" -ne 0 ]
    [[ $output == *'is still named in /etc/pam.d/sshd'* ]]
    cmp "$BATS_TEST_TMPDIR/sshd" "$TOP/pam.d-examples/sshd"
    as_packaged
}

@test "package: a removal takes along what enable has written" {
    pam-unshare enable
    grep -q 'pam_unshare.so' /etc/pam.d/sshd
    [ -e /etc/systemd/system/user@.service.d/pam-unshare-inside.conf ]
    ssh_isolated
    apt remove libpam-unshare
    diff -r "$STOCK" /etc/pam.d
    [ -z "$(find /etc/systemd /etc/dbus-1 /etc/tmpfiles.d -name '*pam-unshare*')" ]
    ssh_exposed
    ssh_as alice 'systemctl --user is-system-running --wait' | grep -x running
    apt install /root/debs/libpam-unshare_*.deb
    as_packaged
}

@test "package: a removal is refused while a changed drop-in starts user managers by it" {
    drop_in=/etc/systemd/system/user@.service.d/pam-unshare-inside.conf
    pam-unshare enable
    sed -i 's/ --scopes//' "$drop_in"
    run apt remove libpam-unshare
    [ "$status" -ne 0 ]
    [[ $output == *"is still the program of $drop_in"* ]]
    ssh_isolated
    rm "$drop_in"
    apt remove libpam-unshare # negative control
    ssh_as alice 'systemctl --user is-system-running --wait' | grep -x running
    apt install /root/debs/libpam-unshare_*.deb
    as_packaged
}

@test "package: a removal with a session open, and a purge, leave nothing" {
    pam-auth-update --enable unshare
    open_session
    [ "$(ask 'echo $$')" -lt 10 ]
    apt remove libpam-unshare
    [ "$(ask 'echo still here')" = 'still here' ]
    ssh_exposed
    diff -r "$STOCK" /etc/pam.d
    close_session
    [ -e /etc/security/unshare.conf ]
    dpkg --purge libpam-unshare
    [ ! -e /etc/security/unshare.conf ]
    run traces
    echo "$output"
    [ -z "$output" ]
    ssh_exposed
    [ "$(su - alice -c 'echo in')" = in ]
}

@test "package: it can be installed again" {
    apt install /root/debs/libpam-unshare_*.deb
    as_packaged
    diff -r "$STOCK" /etc/pam.d
    pam-auth-update --enable unshare
    ssh_isolated
    apt purge libpam-unshare
    run traces
    [ -z "$output" ]
    systemctl stop secret
}

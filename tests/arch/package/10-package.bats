#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The Debian package of another architecture, in a guest of it with systemd: installed, enabled, used by ssh, taken
# away. The .deb is in build/deb; the tests are in an order.

load ../../vm/guest/lib
load ../../vm/guest/inside

setup_file() {
    local user
    mkdir -p /root/debs
    cp "$TOP"/build/deb/*.deb /root/debs
    install -t /usr/local/bin "$TOP/build/tests/programs/probe"
    printf '#!/bin/sh\nexec %s\n' "$PROBE" >"$LOOK"
    chmod 755 "$LOOK"
    ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519
    printf 'StrictHostKeyChecking accept-new\n' >~/.ssh/config
    cp ~/.ssh/id_ed25519.pub ~/.ssh/authorized_keys
    for user in alice bob; do
        useradd --create-home --shell /bin/bash "$user"
        install -d -m 700 -o "$user" -g "$user" "/home/$user/.ssh"
        install -m 600 -o "$user" -g "$user" ~/.ssh/id_ed25519.pub "/home/$user/.ssh/authorized_keys"
    done
    start_secret
    files >/root/before
}

# what the package's life must not change: names, content, owners and modes; links but for their content
files() {
    find /etc \( -name '*-' -o -name 'ld.so.cache' -o -name '.pwd.lock' \) -prune -o -type f -print0 |
        xargs -0 stat -c '%n %a %u:%g' | sort
    find /etc \( -name '*-' -o -name 'ld.so.cache' -o -name '.pwd.lock' \) -prune -o -type f -exec sha256sum {} + | sort
}

ssh_sees() {
    ssh_as alice "$PROBE"
}

manager_sees() {
    ssh_as alice systemd-run --user --quiet --pipe --wait "$LOOK"
}

@test "package: of this architecture; apt installs it, and nothing changes yet" {
    exposed ssh_sees
    install_module
    [ "$(dpkg-query -W -f '${Architecture}' libpam-unshare)" = "$(dpkg --print-architecture)" ]
    [ -z "$(dpkg --verify libpam-unshare | grep -vE '/usr/share/(doc|man)/')" ] # which the guest leaves out
    pam-unshare --version
    exposed ssh_sees
    afresh # the manager of these logins stays a while, and knows nothing of enable
}

@test "package: with enable ssh and the user manager see nobody else, in one namespace" {
    quiet pam-unshare enable
    isolated ssh_sees
    isolated manager_sees
    [ "$(ssh_as alice readlink /proc/self/ns/pid)" = "$(ssh_as alice systemd-run --user -q --pipe --wait readlink /proc/self/ns/pid)" ]
    [ "$(ssh_as root readlink /proc/self/ns/pid)" = "$(readlink /proc/self/ns/pid)" ]
}

@test "package: check and status agree" {
    run pam-unshare check sshd alice
    echo "$output"
    [ "$status" -eq 0 ]
    [[ ${lines[-1]} == 'result: with sshd, alice is isolated; 0 problems' ]]
    run pam-unshare status
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "package: what is left at logout stays, the next login sees it, and it ends with the user" {
    ssh_as alice 'setsid sleep 4701 >/dev/null 2>&1 &'
    eventually pgrep -u alice -xf 'sleep 4701'
    [ "$(ssh_as alice pgrep -xfc "'sleep 4701'")" -eq 1 ]
    afresh
}

@test "package: a mistake in the configuration file refuses alice, and says why" {
    cp -p "$CONF" /root/unshare.inside
    echo 'scope=nonsense' >>"$CONF"
    not ssh_as alice true
    journalctl -b --no-pager -g "$CONF.*nonsense"
    ssh_as root true
    cp -p /root/unshare.inside "$CONF"
    ssh_as alice true # negative control
    afresh
}

@test "package: disable and purge leave /etc as it was" {
    quiet pam-unshare disable
    exposed ssh_sees
    exposed manager_sees
    DEBIAN_FRONTEND=noninteractive apt-get -q -y purge libpam-unshare
    [ ! -e /usr/sbin/pam-unshare ]
    files | diff /root/before -
}

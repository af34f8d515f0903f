#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The first of three boots of one machine: it is set up, with PLACE=inside by "pam-unshare enable". alice asks for
# lingering herself, and has a service that starts with her user manager.

load ../guest/lib
load ../guest/inside
load place

@test "set-up: alice lingers, with a service of her own" {
    prepare
    loginctl disable-linger alice bob admin
    mkdir -p /var/log/journal # the next boots read what was said at power-off
    printf '[Service]\nUser=bob\nExecStart=/bin/bash -c "exec -a daemon-%s sleep infinity"\n[Install]\nWantedBy=multi-user.target\n' \
        "$SECRET" >/etc/systemd/system/of-bob.service
    systemctl daemon-reload
    systemctl enable of-bob.service
    if is_inside_place; then quiet pam-unshare enable; fi
    ssh_as alice loginctl enable-linger
    [ "$(loginctl show-user alice -p Linger --value)" = yes ]
    ssh_as alice mkdir -p .config/systemd/user
    printf '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c "%s >early"\n[Install]\nWantedBy=default.target\n' \
        "$LOOK" >/home/alice/.config/systemd/user/early.service
    eventually ssh_as alice systemctl --user daemon-reload
    ssh_as alice systemctl --user enable early.service
    ssh_as alice test ! -e early
}

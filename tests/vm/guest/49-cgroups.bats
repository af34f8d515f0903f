#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# pam-unshare enable: the slice's cgroup.procs is the user's. What a user inside can do with it to root's processes, to
# the init and to others is what SECURITY.md says, and delays nobody else.

load lib
load inside

ATTACK=/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/attack

setup_file() {
    prepare
    install -m 755 "$BATS_TEST_DIRNAME/cgroup-attack" /usr/local/bin
    loginctl disable-linger alice bob admin
    cp -p "$CONF" /root/unshare.conf
    echo 'alice ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/attack
    kill_in_seconds attack
}

# all_afresh: bob is gone as well
all_afresh() {
    loginctl terminate-user bob 2>/dev/null || true
    systemctl stop user@1001.service user-runtime-dir@1001.service pam-unshare@1001.service 2>/dev/null || true
    afresh
}

setup() {
    all_afresh
    hold_session bob bob 'exec sleep 4830' # so that he has a slice
    eventually pgrep -u bob -xf 'sleep 4830'
}

teardown() {
    end_clients
}

teardown_file() {
    stock
    pam-unshare harden disable
    rm -f /etc/sudoers.d/attack /etc/systemd/user.conf.d/attack.conf /etc/systemd/system/user@.service.d/attack.conf
    systemctl daemon-reload
    all_afresh
    loginctl enable-linger alice bob admin
}

# victims: a sudo of root's, with what it runs, and one of another user's, in a session of alice's
victims() {
    hold_session victims alice 'sudo sleep 4821 & sudo -u bob sleep 4822 & exec sleep 4823'
    eventually pgrep -u root -xf 'sleep 4821'
    eventually pgrep -u bob -xf 'sleep 4822'
    eventually pgrep -u alice -xf 'sleep 4823'
    is_inside "$(pgrep -u alice -xf 'sleep 4823')"
}

# what_alice_can_do: to each, by the number that she sees
what_alice_can_do() {
    # shellcheck disable=SC2016 # her shell expands it
    ssh_as alice 'cgroup-attack root-sleep=$(pgrep -u root -xf "sleep 4821") root-sudo=$(pgrep -u root -xf "sudo sleep 4821") \
        bob-sleep=$(pgrep -u bob -xf "sleep 4822")'
}

frozen() { # COMMAND
    grep -q '^frozen 1$' "$ATTACK/cgroup.events" &&
        grep -qx "$(pgrep -xf "$1")" "$ATTACK/cgroup.procs"
}

@test "inside: by files of control groups the user reaches what runs in the own slice, and no init, no unit and no other user" {
    inside
    victims
    what_alice_can_do >"$BATS_TEST_TMPDIR/said"
    grep -v '^kill pam' "$BATS_TEST_TMPDIR/said" | diff - <(cat <<-'END'
	move root-sleep: done
	move root-sudo: done
	move bob-sleep: done
	move the init: refused
	enter pamunshare.slice: refused
	freeze pamunshare.slice: refused
	enter pam-unshare@1000.service: refused
	freeze pam-unshare@1000.service: refused
	freeze the slice: refused
	freeze all users: refused
	enter another user's slice: refused
	freeze a session: refused
	freeze the own group: done
	END
    )
    not grep '^kill pam.*done' "$BATS_TEST_TMPDIR/said"
    eventually frozen 'sleep 4821'
    frozen 'sleep 4822'
    # nobody is held up: others, new sessions of alice's, and root's look at them
    ssh_as bob true
    ssh_as alice true
    pam-unshare list -n | grep -w alice
    # negative control: without the slice's file nothing can be moved
    chown root /sys/fs/cgroup/user.slice/user-1000.slice/cgroup.procs
    end_clients
    hold_session other alice 'exec sleep 4824'
    eventually pgrep -u alice -xf 'sleep 4824'
    # shellcheck disable=SC2016
    ssh_as alice 'cgroup-attack own=$(pgrep -xf "sleep 4824")' | grep -x 'move own: refused'
}

@test "inside: terminate-user ends what the user has frozen, and others log in meanwhile" {
    inside
    victims
    what_alice_can_do | grep -x 'freeze the own group: done'
    eventually frozen 'sleep 4821'
    not gone_all # negative control
    loginctl terminate-user alice
    ssh_as bob true
    LIMIT=60 eventually gone_all
    LIMIT=60 eventually alice_is_gone
    ssh_as alice true
}

alice_is_gone() {
    [ -z "$(pgrep -u alice)" ] && [ ! -e /sys/fs/cgroup/user.slice/user-1000.slice ] && ! systemctl is-active pam-unshare@1000
}

gone_all() {
    ! pgrep -xf 'sleep 482[123]'
}

@test "inside: a user manager that the user has frozen, with its launcher, holds up nobody and can be restarted" {
    inside
    begin one 'sleep 4825'
    eventually manager_is_up
    is_inside "$(main_pid user@1000)"
    group=/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/init.scope
    if [ "$(systemctl --version | awk 'NR == 1 { print $2 }')" -lt 254 ]; then # the launcher has a group of its own
        not ssh_as alice "echo 1 >$group/cgroup.freeze"
        return
    fi
    ssh_as alice "echo 1 >$group/cgroup.freeze"
    ssh_as bob true
    ssh_as alice true
    # what does not react is killed after the unit's limit, and started anew
    LIMIT=100 eventually systemctl restart user@1000
    is_inside "$(main_pid user@1000)"
    pgrep -u alice -xf 'sleep 4825'
    [ "$(namespace "$(main_pid user@1000)")" = "$(namespace "$(pgrep -u alice -xf 'sleep 4825')")" ]
}

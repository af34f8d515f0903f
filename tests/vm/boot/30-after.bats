#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The third boot: what the power-off before it was like. Then a user freezes what he can, for the power-off after it.

load ../guest/lib
load ../guest/inside
load place

@test "power-off: a program that needs 20 s after SIGTERM had them" {
    cat /home/alice/slow >&2
    grep -x ended /home/alice/slow
}

@test "power-off: no unit has failed, and no limit of time was reached" {
    # what is left when the user manager has ended is killed: "(sd-pam)", the launcher. Which is first, is a race
    journalctl --after-cursor="$(cat /root/cursor)" -o cat | grep -vE 'Killing process [0-9]+ \((\(sd-pam|pam-unshare)\)' \
        >"$BATS_TEST_TMPDIR/journal"
    grep -E 'Stopped .*(user@1000|User Manager for UID 1000)' "$BATS_TEST_TMPDIR/journal" # negative control: it is of the power-off
    # the namespace itself may be there to the very end, as what lingers in it is
    if is_inside_place; then grep -E 'pam-unshare-pin@1000.*(Succeeded|Deactivated)' "$BATS_TEST_TMPDIR/journal"; fi
    not grep -E '(user|unshare|session-).*(Failed with result|timed out|Killing process)' "$BATS_TEST_TMPDIR/journal"
}

@test "power-off: what lingers is there at the next boot as well" {
    LIMIT=100 eventually systemctl is-active user@1000.service
    if is_inside_place; then
        is_inside "$(main_pid user@1000)"
    else
        not is_inside "$(main_pid user@1000)"
    fi
}

SLICE=/sys/fs/cgroup/user.slice/user-1001.slice

# frozen COMMAND: its process is in a frozen group of the user manager's
frozen() {
    local group
    group=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pgrep -xf "$1")/cgroup")
    [[ $group == "$SLICE/user@1001.service/"* ]] && grep -qx 'frozen 1' "$group/cgroup.events"
}

@test "boot: a user has frozen what he can when the machine powers off" {
    kill_in_seconds frozen
    install -m 755 "$TOP/tests/vm/guest/cgroup-attack" /usr/local/bin
    echo 'bob ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/frozen
    keep bob 'sudo sleep 4905 & exec sleep 4906'
    for command in 'sleep 4905' 'sleep 4906'; do eventually pgrep -xf "$command"; done
    eventually ssh_as bob systemd-run -q --user /bin/sleep 4907
    eventually pgrep -u bob -xf '/bin/sleep 4907'
    # shellcheck disable=SC2016 # his shell expands it
    ssh_as bob 'echo 1 >"/sys/fs/cgroup$(sed -n s/^0:://p /proc/$(pgrep -xf "/bin/sleep 4907")/cgroup)/cgroup.freeze"'
    eventually frozen '/bin/sleep 4907'
    # root's process too, with the namespaces
    # shellcheck disable=SC2016
    ssh_as bob 'cgroup-attack root-sleep=$(pgrep -xf "sleep 4905")' >"$BATS_TEST_TMPDIR/said"
    cat "$BATS_TEST_TMPDIR/said" >&2
    grep -x 'freeze the own group: done' "$BATS_TEST_TMPDIR/said"
    if is_inside_place; then
        eventually frozen 'sleep 4905'
    else # negative control
        not frozen 'sleep 4905'
    fi
}

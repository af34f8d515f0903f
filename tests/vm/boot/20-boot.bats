#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The second boot, with nobody logged in: what lingers is there, in the place where PLACE says. Then sessions are opened
# which last until power-off.

load ../guest/lib
load ../guest/inside
load place

@test "boot: the user manager of a lingering user, and her service, are there before any login" {
    LIMIT=100 eventually systemctl is-active user@1000.service
    [ -z "$(pgrep -u alice sshd)" ]
    eventually test -s /home/alice/early
    cat /home/alice/early >&2
    if is_inside_place; then
        is_inside "$(main_pid user@1000)"
        is_active_pin
        isolated cat /home/alice/early
        grep -qxF "pid_namespace=$(namespace "$(main_pid user@1000)")" /home/alice/early
    else # negative control
        exposed cat /home/alice/early
    fi
}

is_active_pin() {
    systemctl is-active pam-unshare@1000.service pam-unshare-pin@1000.service
}

@test "boot: the first login finds her user manager, and is where that is" {
    pid=$(main_pid user@1000)
    [ "$(ssh_as alice readlink /proc/self/ns/pid)" = "$(namespace "$pid")" ]
    [ "$(ssh_as alice systemctl --user is-active early.service)" = active ]
    [ "$(main_pid user@1000)" = "$pid" ]
}

@test "boot: nothing has failed" {
    systemctl --failed --no-legend >&2
    [ -z "$(systemctl --failed --no-legend '*user*' '*unshare*')" ]
}

@test "boot: sessions are opened that last until power-off" {
    install -m 755 "$TOP/tests/vm/guest/slow-end" /usr/local/bin
    rm -f /home/alice/slow
    keep alice 'exec sleep 4901'
    keep alice 'exec sleep 4902'
    keep alice 'tmux new-session -d slow-end /home/alice/slow; exec sleep 4903'
    # what a job has left, and no session
    echo '@reboot setsid -f sleep 4904 >/dev/null 2>&1 </dev/null' | crontab -u alice -
    rm -f /run/crond.reboot /var/run/crond.reboot
    systemctl restart cron.service
    for command in 'sleep 4901' 'sleep 4902' 'sleep 4903' 'sleep 4904'; do eventually pgrep -u alice -xf "$command"; done
    eventually grep -x runs /home/alice/slow
    crontab -u alice -r
    # all boots of a container have one number
    journalctl -n 0 --show-cursor | sed -n 's/^-- cursor: //p' >/root/cursor
    if is_inside_place; then
        for command in 'sleep 4903' 'sleep 4904'; do is_inside "$(pgrep -u alice -xf "$command")"; done
    else
        for command in 'sleep 4903' 'sleep 4904'; do not is_inside "$(pgrep -u alice -xf "$command")"; done
    fi
}

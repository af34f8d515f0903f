#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The end of a session, in whatever way it comes, and what is left until then.

load lib

setup_file() {
    prepare
}

setup() {
    stack plain "required pam_unshare.so grace=60"
    stack hasty "required pam_unshare.so grace=1"
    stack steady "required pam_unshare.so grace=4" # a slow machine needs seconds to look
    stack brutal "required pam_unshare.so grace=0"
    stack off "required pam_permit.so"
    work=$(mktemp -d /run/end.XXXX)
    chmod 777 "$work"
    remember_host
}

teardown() {
    exec 7>&-
    pkill -9 -f "$HOST" || true
    pkill -9 -u alice || true
    eventually no_init_left
}

# begin SERVICE COMMAND…: run the PAM application in the background; it waits at each "hold"
begin() {
    mkfifo "$work/go"
    exec 7<>"$work/go"
    host "$@" <&7 >"$work/out" 2>&1 3>&- 7>&- &
    APPLICATION=$!
}

reached() {
    eventually grep -qx "$1" "$work/out"
}

go_on() {
    echo >&7
}

# Orphans that have ended, of a shell or of a program that does not reap
orphans='for i in $(seq 200); do (sh -c "exit 0" & ); done'
children='for i in $(seq 200); do sh -c "exit 0" & done; exec sleep 4719'

@test "200 orphans are reaped" {
    begin plain open run "$orphans" hold ran close end
    reached ran
    init=$(pgrep -x pam_unshare)
    no_children() { [ "$(pgrep -cP "$1")" -eq 0 ]; }
    eventually no_children "$init"
    go_on
    wait "$APPLICATION"
    eventually host_is_unchanged
}

@test "zombies would be noticed" { # negative control of the above
    begin plain open spawn "$children" hold ran close end
    reached ran
    eventually pgrep -u alice -f '^sleep 4719'
    zombies() { [ "$(ps -o stat= --ppid "$(pgrep -u alice -f '^sleep 4719')" | grep -c Z)" -eq 200 ]; }
    eventually zombies
    go_on
    wait "$APPLICATION"
}

@test "a storm of processes that ignore SIGTERM ends after the grace period" {
    begin hasty open storm 400 hold raging close hold closed end
    reached raging
    storm_rages() { [ "$(pgrep -c -u alice)" -gt 10 ]; }
    eventually storm_rages
    go_on
    reached closed
    go_on
    eventually no_init_left
    [ "$(pgrep -c -u alice)" -eq 0 ]
    eventually host_is_unchanged
}

@test "the application is killed between open and close" {
    begin plain open spawn 'exec sleep 4720' hold opened kill-self 9
    reached opened
    eventually pgrep -u alice -f '^sleep 4720'
    go_on
    eventually no_init_left
    run pgrep -u alice -f 'sleep 4720'
    [ "$status" -ne 0 ]
    eventually host_is_unchanged
    # negative control: without the module it goes on
    rm "$work/go"
    begin off open spawn 'exec sleep 4720' hold opened kill-self 9
    reached opened
    eventually pgrep -u alice -f '^sleep 4720'
    go_on
    wait "$APPLICATION" || true
    pgrep -u alice -f 'sleep 4720'
}

saver='trap "" HUP; trap "sleep 0.5; echo saved >$work/file; exit" TERM; echo >$work/ready; while :; do sleep 0.1; done'

@test "a process that saves on SIGTERM gets to save, and close does not wait for it" {
    begin plain open spawn "${saver//\$work/$work}" hold opened close hold closed end
    reached opened
    eventually test -e "$work/ready"
    go_on
    reached closed
    [ ! -e "$work/file" ]
    go_on
    eventually test -s "$work/file"
    eventually no_init_left
    eventually host_is_unchanged
}

@test "with grace=0 nothing gets to save" { # negative control of the above
    begin brutal open spawn "${saver//\$work/$work}" hold opened close hold closed end
    reached opened
    eventually test -e "$work/ready"
    go_on
    reached closed
    go_on
    eventually no_init_left
    [ ! -e "$work/file" ]
}

@test "a process that ignores SIGTERM is killed when the grace period is over" {
    begin steady open spawn 'trap "" TERM HUP; exec sleep 4721' hold opened close hold closed end
    reached opened
    eventually pgrep -u alice -f '^sleep 4721'
    go_on
    reached closed
    pgrep -u alice -f 'sleep 4721' # close has not waited for it
    go_on
    eventually no_init_left
    run pgrep -u alice -f 'sleep 4721'
    [ "$status" -ne 0 ]
    eventually host_is_unchanged
}

@test "a stopped process is woken to end" {
    begin plain open spawn 'kill -STOP $$; sleep 4722' hold opened close hold closed end
    reached opened
    eventually eval 'ps -eo stat=,args= | grep -q "^T.*sleep 472[2]"'
    go_on
    reached closed
    go_on
    eventually no_init_left
}

@test "a process in an uninterruptible sleep that ignores SIGTERM is killed when the grace period is over" {
    uninterruptible() { [ "$(ps -u alice -o stat= | grep -c '^D')" -eq 1 ]; }
    begin hasty open stuck hold opened close hold closed end
    reached opened
    eventually uninterruptible
    go_on
    reached closed
    go_on
    eventually no_init_left
    [ "$(pgrep -c -u alice)" -eq 0 ]
    eventually host_is_unchanged
    # negative control: without the module it goes on
    rm "$work/go"
    begin off open stuck hold opened close hold closed end
    reached opened
    eventually uninterruptible
    go_on
    reached closed
    go_on
    wait "$APPLICATION"
    uninterruptible
}

@test "the init is killed by root: the session ends, close succeeds" {
    begin plain open spawn 'exec sleep 4723' hold opened close state end
    reached opened
    eventually pgrep -u alice -f '^sleep 4723'
    pkill -9 -x pam_unshare
    ended() { ! pgrep -u alice -f 'sleep 4723'; }
    eventually ended
    go_on
    wait "$APPLICATION"
    grep -qx close=0 "$work/out"
    grep -qx 'fork works' "$work/out"
    grep -qxF "/proc/self/ns/mnt -> $(readlink /proc/self/ns/mnt)" "$work/out"
    eventually host_is_unchanged
}

@test "an application that waits until no child is left" {
    # as login 2.42 and cron; the negative control is a child that does not end
    run host plain open spawn 'exit 0' spawn 'exit 3' wait-all close end
    [ "$status" -eq 0 ]
    [[ $output == *close=0* ]]
    begin plain open spawn 'exec sleep 4724' wait-all close end
    eventually pgrep -u alice -f '^sleep 4724'
    run grep -q wait-all "$work/out"
    [ "$status" -ne 0 ]
    pkill -u alice -f 'sleep 4724'
    wait "$APPLICATION"
    grep -qx wait-all=0 "$work/out"
}

@test "an application that ignores SIGCHLD" {
    run host plain ignore 17 open run 'exit 0' close state end
    [[ $output == *close=0* ]]
    eventually host_is_unchanged
}

@test "a long-lived application collects no inits" {
    local commands=()
    for _ in $(seq 20); do
        commands+=(open run 'exit 0' close end start "/run/pam.d:brutal")
    done
    begin brutal "${commands[@]}" hold ending open hold ended close end
    reached ending
    # those that the last open has not met have ended by now, and wait for the next one
    application=$(pgrep -f "$HOST" | tail -n 1)
    alive() { ps -o stat=,comm= --ppid "$application" | grep pam_unshare | grep -v ^Z; }
    none_alive() { ! alive; }
    eventually none_alive
    go_on
    reached ended
    [ "$(alive | wc -l)" -eq 1 ]
    [ "$(pgrep -cP "$application")" -eq 1 ]
    go_on
    wait "$APPLICATION"
}

@test "what is left is asked to end where root inside has taken /proc away or covered it" {
    stack with-root "required pam_unshare.so include_root"
    cat >/run/asked <<'END'
#!/bin/bash
trap 'echo HUP >>/run/asked-for' HUP
trap 'echo TERM >>/run/asked-for; exit' TERM
echo up >>/run/asked-for
while :; do sleep 0.02; done
END
    chmod +x /run/asked
    for change in true 'umount -l /proc' 'mount -t tmpfs x /proc'; do
        rm -f /run/asked-for
        run timeout 30 "$HOST" /run/pam.d with-root root open \
            run "$change; setsid /run/asked </dev/null >/dev/null 2>&1 & until [ -s /run/asked-for ]; do sleep 0.02; done" close end
        [[ $output == *open=0*close=0* ]]
        eventually grep -qx TERM /run/asked-for
        grep -qx HUP /run/asked-for
    done
    # negative control: without a grace period nobody is asked
    stack with-root "required pam_unshare.so include_root grace=0"
    rm -f /run/asked-for
    run timeout 30 "$HOST" /run/pam.d with-root root open \
        run "setsid /run/asked </dev/null >/dev/null 2>&1 & until [ -s /run/asked-for ]; do sleep 0.02; done" close end
    eventually no_init_left
    [ "$(cat /run/asked-for)" = up ]
}

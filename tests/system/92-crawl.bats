#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The crawler where there is no systemd: files, sockets, netlink and system calls from a session of sshd. What needs
# a bus is crawled in guests (make crawl).

load lib

setup_file() {
    prepare
    start_sshd
    chmod 600 /run/syslog # that of the sandbox is no log of a machine
}

teardown_file() {
    stop_sshd
}

teardown() {
    disable sshd
    disable su
}

# crawl OPTION…: as alice, by ssh. What the sandbox has of the machine as it is (/usr, /tmp) is large, and not walked.
crawl() {
    "$TOP/tests/crawl/crawl" --ssh /run/ssh/key.pub "ssh ${SSH_OPTIONS[*]}" --pause 1 --top /proc,/sys,/run,/dev,/etc,/home,/opt,/var/tmp,/var "$@" ssh "${SSH_OPTIONS[@]}" alice@127.0.0.1
}

@test "the crawler's finder and judge" {
    python3 -B "$TOP/tests/crawl/judge_test.py"
}

@test "the crawler finds hundreds of marks in a stock session" {
    run crawl --only listen,files,sockets,netlink,calls --findings 500
    echo "$output"
    [ "$status" -eq 0 ]
    for by in file name owner call; do # not by one reader alone
        grep -qE "^# $by +[^ ]+ +[0-9]+ +[0-9]+ +[1-9]" <<<"$output"
    done
}

@test "the crawler finds nothing in an isolated session but what is not promised" {
    enable sshd
    enable su
    run crawl --only listen,files,sockets,netlink,calls
    echo "$output"
    # a number of the machine's may be one that was planted, as a pid or a uid: not twice
    if [ "$status" -eq 1 ] && ! grep 'unexplained: ' <<<"$output" | grep -vE 'unexplained: (pid|who) '; then
        run crawl --only listen,files,sockets,netlink,calls
        echo "$output"
    fi
    [ "$status" -eq 0 ]
}

@test "the crawler finds a file that it was not told of" {
    enable sshd
    enable su
    leak() { # the arguments of a planted program, for as long as the crawl takes
        while sleep 0.2; do
            tr '\0' ' ' <"/proc/$(pgrep -o -f '/opt/crawl\.')/cmdline" >/run/leak || true
        done 2>/dev/null
    }
    leak 3>&- &
    leak=$!
    run crawl --only files
    kill "$leak"
    rm -f /run/leak
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *'unexplained: argv         file:/run/leak '* ]]
}

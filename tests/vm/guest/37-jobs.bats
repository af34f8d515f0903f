#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# cron and at jobs.

load lib

setup_file() {
    prepare
    start_secret
    install -d -o alice -m 755 /home/alice/jobs
    install -o alice -g mail -m 660 /dev/null /var/mail/alice
}

teardown() {
    crontab -u alice -r 2>/dev/null || true
    disable cron atd
    rm -f /home/alice/jobs/*
    : >/var/mail/alice
    LIMIT=30 eventually no_init_left
}

# dma delivers in the background, which ends with the session. What it has queued is
# delivered when the queue is run, on Debian every five minutes.
delivered() {
    dma -q
    grep -q "^mailed-self=" /var/mail/alice
}

mailed() { # the mail may be quoted-printable
    sed -n 's/=3D/=/; s/^mailed-//p' /var/mail/alice
}

# cron looks once a minute: all of a configuration's jobs go into one table
run_cron() {
    rm -f /home/alice/jobs/*
    : >/var/mail/alice
    crontab -u alice - <<END
* * * * * $LOOK >jobs/plain.new; mv jobs/plain.new jobs/plain
* * * * * $LOOK | sed 's/^/mailed-/'
* * * * * sh -s >jobs/stdin%$LOOK%mv jobs/stdin jobs/stdin.done
END
    LIMIT=90 eventually test -s /home/alice/jobs/plain -a -s /home/alice/jobs/stdin.done || return
    crontab -u alice -r
    LIMIT=30 eventually delivered
}

cron_jobs_are() { # isolated|exposed
    run_cron
    "$1" cat /home/alice/jobs/plain
    "$1" cat /home/alice/jobs/stdin.done
    "$1" mailed
    LIMIT=30 eventually no_init_left
}

@test "cron: a job, a mailed one, and one with standard input" {
    enable cron
    cron_jobs_are isolated
    disable cron # negative control
    cron_jobs_are exposed
}

at_jobs_are() { # isolated|exposed
    rm -f /home/alice/jobs/*
    : >/var/mail/alice
    ssh_as alice "echo '$LOOK >jobs/plain.new; mv jobs/plain.new jobs/plain; $LOOK | sed s/^/mailed-/' | at now"
    LIMIT=90 eventually test -s /home/alice/jobs/plain
    LIMIT=30 eventually delivered
    "$1" cat /home/alice/jobs/plain
    "$1" mailed
    LIMIT=30 eventually no_init_left
}

@test "at: a job, and its mail" {
    enable atd
    at_jobs_are isolated
    disable atd # negative control
    at_jobs_are exposed
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# cron and at jobs.

load lib

setup_file() {
    prepare
    start_secret
    install -d -o alice -m 755 /home/alice/jobs
}

teardown() {
    crontab -u alice -r 2>/dev/null || true
    disable cron atd
    rm -f /home/alice/jobs/*
    : >/var/mail/alice
    LIMIT=30 eventually no_init_left
}

# cron looks once a minute: all of a configuration's jobs go into one table
run_cron() {
    rm -f /home/alice/jobs/*
    : >/var/mail/alice
    crontab -u alice - <<END
* * * * * $PROBE >jobs/plain.new; mv jobs/plain.new jobs/plain
* * * * * $PROBE | sed 's/^/mailed-/'
* * * * * sh -s >jobs/stdin%$PROBE%mv jobs/stdin jobs/stdin.done
END
    LIMIT=150 eventually test -s /home/alice/jobs/plain -a -s /home/alice/jobs/stdin.done
    LIMIT=60 eventually grep -q ^mailed-self= /var/mail/alice
    crontab -u alice -r
}

@test "cron: a job, a mailed one, and one with standard input" {
    enable cron
    run_cron
    isolated cat /home/alice/jobs/plain
    isolated cat /home/alice/jobs/stdin.done
    mailed() { sed -n 's/^mailed-//p' /var/mail/alice; }
    isolated mailed
    LIMIT=30 eventually no_init_left
    # negative control
    disable cron
    run_cron
    run isolated cat /home/alice/jobs/plain
    [ "$status" -ne 0 ]
    run isolated mailed
    [ "$status" -ne 0 ]
}

run_at() {
    rm -f /home/alice/jobs/*
    : >/var/mail/alice
    su - alice -c "echo '$PROBE >jobs/plain.new; mv jobs/plain.new jobs/plain; $PROBE | sed s/^/mailed-/' | at now" 2>/dev/null
    LIMIT=150 eventually test -s /home/alice/jobs/plain
    LIMIT=60 eventually grep -q ^mailed-self= /var/mail/alice
}

@test "at: a job, and its mail" {
    enable atd
    run_at
    isolated cat /home/alice/jobs/plain
    mailed() { sed -n 's/^mailed-//p' /var/mail/alice; }
    isolated mailed
    LIMIT=30 eventually no_init_left
    disable atd
    run_at
    run isolated cat /home/alice/jobs/plain
    [ "$status" -ne 0 ]
}

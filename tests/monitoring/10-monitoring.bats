#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# monitoring/: what Debian's promtool says of the metrics and the alerts, and systemd of the units. "make monitoring-check".

load ../system/lib

setup_file() {
    prepare
    COMMAND=$TOP/${COMMAND:-pam-unshare}
    export COMMAND RULES=$TOP/monitoring/pam-unshare.rules.yml
    stack plain "required pam_unshare.so"
}

# tests_of RULES: runs the tests of the alerts on these rules
tests_of() {
    sed "s|RULES|$1|" "$TOP/tests/monitoring/alerts.yml" >"$BATS_TEST_TMPDIR/tests.yml"
    promtool test rules "$BATS_TEST_TMPDIR/tests.yml"
}

@test "the metrics are of the format, and named as is usual" {
    host plain open run 'exec sleep 4711' close &
    eventually pgrep -fx 'sleep 4711'
    "$COMMAND" metrics >"$BATS_TEST_TMPDIR/metrics"
    pkill -fx 'sleep 4711'
    wait
    run promtool check metrics <"$BATS_TEST_TMPDIR/metrics"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    run promtool check metrics < <(sed 's/^# HELP.*//' "$BATS_TEST_TMPDIR/metrics") # negative control
    [ "$status" -ne 0 ]
    run promtool check metrics < <(cat "$BATS_TEST_TMPDIR/metrics" "$BATS_TEST_TMPDIR/metrics")
    [ "$status" -ne 0 ]
}

@test "the alerts are understood, each fires, and only where it should" {
    local alert
    promtool check rules "$RULES"
    tests_of "$RULES"
    # negative control: without any of them its test fails
    for alert in $(sed -n 's/^ *- alert: //p' "$RULES"); do
        sed "s/alert: $alert$/alert: Other/" "$RULES" >"$BATS_TEST_TMPDIR/rules.yml"
        run tests_of "$BATS_TEST_TMPDIR/rules.yml"
        [ "$status" -ne 0 ] || die "$alert has no test"
    done
    [ -n "$alert" ]
}

@test "the alerts name metrics that there are" {
    local name
    "$COMMAND" metrics >"$BATS_TEST_TMPDIR/metrics"
    for name in $(grep -oE '\bpam_unshare_[a-z_]+' "$RULES" | sort -u); do
        [ "$name" != pam_unshare_refused_sessions_total ] || continue # only where there is a journal
        grep -q "^# TYPE $name " "$BATS_TEST_TMPDIR/metrics" || die "there is no $name"
    done
    [ -n "$name" ]
}

@test "systemd understands the units" {
    install -D -m 755 "$COMMAND" /run/bin/pam-unshare
    units_of() { # SED-EXPRESSION
        mkdir -p "$BATS_TEST_TMPDIR/units"
        local file
        for file in "$TOP"/monitoring/*.service "$TOP"/monitoring/*.timer; do
            sed -e 's|/usr/sbin/pam-unshare|/run/bin/pam-unshare|' -e "$1" "$file" \
                >"$BATS_TEST_TMPDIR/units/${file##*/}"
        done
        systemd-analyze verify --man=no "$BATS_TEST_TMPDIR"/units/* 2>&1
    }
    run units_of ''
    echo "$output"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    run units_of 's/^OnBootSec/OnBotSec/' # negative control
    [ -n "$output" ]
    # what it runs is what the command takes
    local words
    words=$(sed -n 's|^ExecStart=/usr/sbin/||p' "$TOP/monitoring/pam-unshare-metrics.service")
    mkdir -p /var/lib/prometheus/node-exporter
    PATH=/run/bin:$PATH sh -c "$words"
    grep -q '^pam_unshare_info' /var/lib/prometheus/node-exporter/pam-unshare.prom
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The audit by all probes, with systemd, cron and at. Where the kernel was booted without process events
# the hardened configurations are audited, else the others.

load ../guest/lib

setup_file() {
    prepare
    # dma, which the image has, reads no .forward
    install_mailer exim4-daemon-light
}

teardown() {
    disable sshd
    pam-unshare harden disable >/dev/null
}

hardened() {
    grep -q initcall_blacklist=cn_proc_init /proc/cmdline
}

# columns COLUMN…: said to whoever makes the table, and kept
columns() {
    "$BATS_TEST_DIRNAME/columns" "$@" >"$BATS_TEST_TMPDIR/columns"
    sed 's/^/# /' "$BATS_TEST_TMPDIR/columns" >&3
}

# judged PROGRAM: Python, with the ways of each column in the dictionary t
judged() {
    python3 -c '
import json, sys
t = {}
for line in open(sys.argv[1]):
    _, column, told = line.split(" ", 2)
    t[column] = json.loads(told)
def ways(column, verdict):
    return {name for name, way in t[column].items() if way["verdict"] == verdict}
exec(sys.argv[2])
' "$BATS_TEST_TMPDIR/columns" "$1"
}

@test "the columns of this kernel are as they must be" {
    if hardened; then
        columns 'module and hardening' hardening
        judged '
both = t["module_and_hardening"]
assert not ways("module_and_hardening", "open"), ways("module_and_hardening", "open")
assert not ways("module_and_hardening", "not tested"), ways("module_and_hardening", "not tested")
assert {"proc", "kill", "ps"} <= ways("hardening", "open")
'
    else
        columns stock module hidepid=2
        judged '
# each that is closed or not tested says why
for name in ways("stock", "closed") | ways("stock", "not tested"):
    assert t["stock"][name]["never_open"] or t["stock"][name]["seen"], name
by_module = {name for name in ways("stock", "open") if t["stock"][name]["closed_by"].startswith("pam_unshare.so")}
assert len(by_module) > 25
assert by_module <= ways("module", "closed"), by_module - ways("module", "closed")
assert {"kill", "unit-processes", "cron"} <= ways("hidepid=2", "open")
assert {"proc", "ps"} <= ways("hidepid=2", "closed")
'
    fi
}

@test "without one part of the hardening exactly its ways are open" {
    if hardened; then
        columns 'without bus' 'without units' 'without user-manager' 'without cron' 'without atd' 'without mail'
        judged '
for column in t:
    part = column.removeprefix("without_")
    assert ways(column, "open"), column
    for name in ways(column, "open"):
        assert t[column][name]["closed_by"] == "pam-unshare harden enable " + part, (column, name)
    # but for what this suite has not (varlink before systemd 258)
    for name, way in t[column].items():
        if way["closed_by"] == "pam-unshare harden enable " + part and not way["seen"].endswith("No such file or directory"):
            assert way["verdict"] in ("open", "not tested"), (column, name, way)
'
    else # the parts are closed in the other boot; here the kernel is the part that is missing
        columns 'without process-events'
        judged '
# before Linux 6.6 nobody but root hears of them
assert ways("without_process-events", "open") <= {"process-events"}, ways("without_process-events", "open")
'
    fi
}

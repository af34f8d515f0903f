#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The audit by all probes, with systemd, cron and at. Where the kernel was booted without process events
# the hardened configurations are audited, else the others; in a container, which has none, all of them.

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
    [ -n "${CONTAINER:-}" ] || grep -q initcall_blacklist=cn_proc_init /proc/cmdline
}

stock_kernel() {
    [ -n "${CONTAINER:-}" ] || ! hardened
}

# columns COLUMN…: said to whoever makes the table, and kept
columns() {
    "$BATS_TEST_DIRNAME/columns" "$@" >"$BATS_TEST_TMPDIR/columns"
    sed 's/^/# /' "$BATS_TEST_TMPDIR/columns" >&3
}

# judged PROGRAM: Python, with the probes of each column in the dictionary t
judged() {
    python3 -c '
import json, os, sys
t = {}
for line in open(sys.argv[1]):
    _, column, told = line.split(" ", 2)
    t[column] = json.loads(told)
def probes(column, result):
    return {name for name, probe in t[column].items() if probe["result"] == result}
exec(sys.argv[2])
' "$BATS_TEST_TMPDIR/columns" "$1"
}

@test "the columns of this kernel are as they must be" {
    if hardened; then
        columns 'module and hardening' hardening
        judged '
both = t["module_and_hardening"]
assert not probes("module_and_hardening", "open"), probes("module_and_hardening", "open")
# a container has a part of a procfs mounted, in which no process can see itself
untested = {"other-procfs"} if "CONTAINER" in os.environ else set()
assert probes("module_and_hardening", "not tested") <= untested, probes("module_and_hardening", "not tested")
assert {"proc", "kill", "ps"} <= probes("hardening", "open")
assert {"logins", "logind"} <= probes("module_and_hardening", "closed"), probes("module_and_hardening", "closed")
'
    fi
    if stock_kernel; then
        columns stock module hidepid=2
        judged '
# each that is closed or not tested says why
for name in probes("stock", "closed") | probes("stock", "not tested"):
    assert t["stock"][name]["never_open"] or t["stock"][name]["seen"], name
by_module = {name for name in probes("stock", "open") if t["stock"][name]["closed_by"].startswith("pam_unshare.so")}
assert len(by_module) > 25
# in a container other-procfs is not tested, and the machine may have no Yama, which keeps descriptors of a user
# manager outside; with the hardening, where there is none, they are closed
but_for = {"other-procfs", "own-descriptors"} if "CONTAINER" in os.environ else set()
assert by_module - but_for <= probes("module", "closed"), by_module - probes("module", "closed")
assert {"kill", "unit-processes", "cron"} <= probes("hidepid=2", "open")
assert {"proc", "ps"} <= probes("hidepid=2", "closed")
assert {"logins", "logind"} <= probes("stock", "not promised") & probes("module", "not promised")
'
    fi
}

@test "without one part of the hardening exactly its probes are open" {
    if hardened; then
        columns 'without bus' 'without units' 'without user-manager' 'without cron' 'without atd' 'without mail'
        judged '
# in a container, which may have no Yama, a user manager outside has descriptors of its user
but_for = {"own-descriptors"} if "CONTAINER" in os.environ else set()
for column in t:
    part = column.removeprefix("without_")
    assert probes(column, "open"), column
    for name in probes(column, "open") - but_for:
        assert t[column][name]["closed_by"] == "pam-unshare harden enable " + part, (column, name)
    # but for what this suite has not (varlink before systemd 258)
    for name, probe in t[column].items():
        if probe["closed_by"] == "pam-unshare harden enable " + part and not probe["seen"].endswith("No such file or directory"):
            assert probe["result"] in ("open", "not tested"), (column, name, probe)
'
    else # the parts are closed in the other boot; here the kernel is the part that is missing
        columns 'without process-events'
        judged '
# before Linux 6.6 nobody but root hears of them
assert probes("without_process-events", "open") <= {"process-events"}, probes("without_process-events", "open")
'
    fi
}

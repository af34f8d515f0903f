#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The comparison with other ways to hide processes, doc/alternatives.md: each cell is tried, and must be as it says.

load ../guest/lib

@test "comparison: the table in doc/alternatives.md is what this machine does" {
    [ "$SUITE" = trixie ] || skip "the table is of trixie"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q -y install /root/debs/libpam-unshare_*.deb
    "$BATS_TEST_DIRNAME/compare" >"$BATS_TEST_TMPDIR/table"
    sed 's/^/# /' "$BATS_TEST_TMPDIR/table" >&3
    apt-get -q -y purge libpam-unshare
    [ "$(wc -l <"$BATS_TEST_TMPDIR/table")" -ge 10 ]
    sed -n '/^<!-- Made by make compare-table/,/^<!-- end of the comparison/p' "$TOP/doc/alternatives.md" | grep '^|' |
        diff "$BATS_TEST_TMPDIR/table" -
}

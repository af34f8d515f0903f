#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# metrics: what it counts, and how it writes a file. check --conf: a configuration file before it is put in place.

load lib

setup_file() {
    prepare
    COMMAND=$TOP/${COMMAND:-pam-unshare}
    export COMMAND
    stack plain "required pam_unshare.so"
}

setup() {
    remember_host
}

teardown() {
    rm -f /etc/security/unshare.conf /run/metrics.prom
    eventually no_init_left
    eventually host_is_unchanged
}

# value SAMPLE: of the metrics, with its labels
value() {
    "$COMMAND" metrics | awk -v name="pam_unshare_$1" '$1 == name { print $2 }'
}

@test "metrics: each has its comment, no sample is there twice, and no user's name" {
    host plain open run 'exec sleep 4711' close &
    eventually pgrep -fx 'sleep 4711'
    "$COMMAND" metrics >"$BATS_TEST_TMPDIR/text"
    pkill -fx 'sleep 4711'
    wait $!
    cat >"$BATS_TEST_TMPDIR/parse" <<'END'
import re, sys
help_of, type_of, samples = {}, {}, set()
for line in sys.stdin.read().splitlines():
    if match := re.fullmatch(r"# HELP ([a-z_]+) (\S.*)", line):
        assert match[1] not in help_of, line
        help_of[match[1]] = match[2]
    elif match := re.fullmatch(r"# TYPE ([a-z_]+) (gauge|counter)", line):
        assert match[1] in help_of and match[1] not in type_of, line
        type_of[match[1]] = match[2]
        assert match[1].endswith("_total") == (match[2] == "counter"), line
    else:
        match = re.fullmatch(r'([a-z_]+)((?:\{[a-z]+="(?:[^"\\]|\\.)*"(?:,[a-z]+="(?:[^"\\]|\\.)*")*\})?) ([0-9]+)', line)
        assert match, line
        assert list(type_of)[-1] == match[1], f"{line}: not below its comment"
        assert match[1] + match[2] not in samples, f"{line}: twice"
        samples.add(match[1] + match[2])
assert len(samples) > 8 and all(name.startswith("pam_unshare_") for name in type_of), samples
END
    python3 "$BATS_TEST_TMPDIR/parse" <"$BATS_TEST_TMPDIR/text"
    ! grep -q alice "$BATS_TEST_TMPDIR/text" || die "a user's name"
    # negative controls
    run python3 "$BATS_TEST_TMPDIR/parse" < <(cat "$BATS_TEST_TMPDIR/text" "$BATS_TEST_TMPDIR/text")
    [ "$status" -ne 0 ]
    run python3 "$BATS_TEST_TMPDIR/parse" < <(grep -v '^# TYPE' "$BATS_TEST_TMPDIR/text")
    [ "$status" -ne 0 ]
}

@test "metrics: sessions by service, namespaces by scope, processes" {
    [ -z "$(value 'sessions{service="plain"}')" ]
    [ "$(value 'namespaces{scope="session"}')" -eq 0 ]
    host plain open run 'exec sleep 4711' close &
    host plain open run 'exec sleep 4711' close &
    eventually eval '[ "$(pgrep -fxc "sleep 4711")" -eq 2 ]'
    [ "$(value 'sessions{service="plain"}')" -eq 2 ]
    [ "$(value 'namespaces{scope="session"}')" -eq 2 ]
    [ "$(value 'namespaces{scope="user"}')" -eq 0 ]
    [ "$(value processes)" -ge 2 ]
    pkill -fx 'sleep 4711'
    wait
    eventually no_init_left
    echo 'scope = user' >/etc/security/unshare.conf
    host plain open run 'exec sleep 4711' close &
    host plain open run 'exec sleep 4711' close &
    eventually eval '[ "$(pgrep -fxc "sleep 4711")" -eq 2 ]'
    [ "$(value 'sessions{service="plain"}')" -eq 2 ]
    [ "$(value 'namespaces{scope="user"}')" -eq 1 ]
    [ "$(value 'namespaces{scope="session"}')" -eq 0 ]
    [ "$(value namespaces_silent)" -eq 0 ]
    pkill -fx 'sleep 4711'
    wait
}

@test "metrics: the configuration file" {
    [ "$(value conf_understood)$(value conf_scope_user)" = 10 ]
    echo 'scope = user' >/etc/security/unshare.conf
    [ "$(value conf_understood)$(value conf_scope_user)" = 11 ]
    echo 'scope = users' >/etc/security/unshare.conf
    [ "$(value conf_understood)$(value conf_scope_user)" = 00 ]
}

@test "metrics: parts that are off" {
    [ "$(value 'part_off{part="sshd",file="/etc/pam.d/sshd"}')" -eq 1 ]
    cp /etc/pam.d/sshd "$BATS_TEST_TMPDIR/sshd"
    echo 'session required pam_unshare.so' >>/etc/pam.d/sshd # the administrator's own counts as on
    [ "$(value 'part_off{part="sshd",file="/etc/pam.d/sshd"}')" -eq 0 ]
    cp "$BATS_TEST_TMPDIR/sshd" /etc/pam.d/sshd
    # what this machine does not have is not there
    mv /etc/pam.d/sshd /etc/pam.d/sshd.away
    [ -z "$(value 'part_off{part="sshd",file="/etc/pam.d/sshd"}')" ]
    mv /etc/pam.d/sshd.away /etc/pam.d/sshd
}

@test "metrics: a file is replaced in one step, and stays where it cannot be" {
    local inode
    "$COMMAND" metrics --write /run/metrics.prom
    [ "$(stat -c '%a %U' /run/metrics.prom)" = '644 root' ]
    grep -q '^pam_unshare_info{version=' /run/metrics.prom
    inode=$(stat -c %i /run/metrics.prom)
    exec 9</run/metrics.prom
    echo 'scope = user' >/etc/security/unshare.conf
    "$COMMAND" metrics --write /run/metrics.prom
    [ "$(stat -c %i /run/metrics.prom)" != "$inode" ]
    grep -qx 'pam_unshare_conf_scope_user 0' <&9 # whoever reads the old one reads all of it
    grep -qx 'pam_unshare_conf_scope_user 1' /run/metrics.prom
    [ "$(echo /run/metrics.prom*)" = /run/metrics.prom ]
    run "$COMMAND" metrics --write /run/nowhere/metrics.prom
    [ "$status" -eq 2 ]
    [ "$output" = "pam-unshare: cannot write /run/nowhere/metrics.prom: No such file or directory" ]
    # nobody else's file is written by way of a link
    echo mine >/run/linked
    rm /run/metrics.prom
    ln -s /run/linked /run/metrics.prom-new
    "$COMMAND" metrics --write /run/metrics.prom
    [ "$(cat /run/linked)" = mine ]
    [ ! -e /run/metrics.prom-new ]
    # all or nothing
    cp /run/metrics.prom "$BATS_TEST_TMPDIR/before"
    mkdir -p /run/systemd/system /run/pam-unshare-refused
    run "$COMMAND" metrics --write /run/metrics.prom
    rmdir /run/systemd/system /run/pam-unshare-refused
    [ "$status" -eq 2 ]
    [ "$output" = 'pam-unshare: cannot count the sessions in the journal that were refused: Is a directory' ]
    cmp /run/metrics.prom "$BATS_TEST_TMPDIR/before"
}

start_journal() {
    mkdir -p /run/systemd/system /run/systemd/journal
    rm -f /run/pam-unshare-refused
    /lib/systemd/systemd-journald 3>&- &
    JOURNAL=$!
    eventually test -S /run/systemd/journal/dev-log
    eventually journalctl --sync
}

stop_journal() {
    kill "$JOURNAL"
    wait "$JOURNAL" || true
    rm -rf /run/systemd/system /run/systemd/journal /run/log/journal /run/pam-unshare-refused
}

# says PRIORITY IDENTIFIER MESSAGE [COMMAND…]: an entry of the journal, by COMMAND
says() {
    local priority=$1 identifier=$2 message=$3
    shift 3
    "$@" logger --socket /run/systemd/journal/dev-log -p "authpriv.$priority" -t "$identifier" -- "$message"
    journalctl --sync
}

refused() {
    value refused_sessions_total
}

@test "metrics: refused sessions, by the journal, and by nothing that a user writes there" {
    local as_alice=(setpriv --reuid alice --regid alice --clear-groups)
    [ -z "$(refused)" ] # no journal, no metric
    start_journal
    [ "$(refused)" -eq 0 ]
    # the module itself: the log goes to the journal
    mv /dev/log /dev/log.away
    ln -s /run/systemd/journal/dev-log /dev/log
    host_without_namespaces plain open || true
    rm /dev/log
    mv /dev/log.away /dev/log
    journalctl --sync
    journalctl -o cat --no-pager | grep -q 'cannot isolate the session of alice' || die "nothing was refused"
    [ "$(refused)" -eq 1 ]
    [ "$(refused)" -eq 1 ]
    says err sshd 'pam_unshare(sshd:session): session of bob refused: correct the configuration'
    says err sshd 'pam_unshare(sshd:session): session refused: user x is unknown, or cannot be looked up'
    [ "$(refused)" -eq 3 ]
    # negative controls: what is none
    says info sshd 'pam_unshare(sshd:session): cannot isolate the session of bob'
    says err sshd 'Invalid user pam_unshare(sshd:session): cannot isolate the session of bob'
    says err sshd 'pam_unshare(sshd:session): cannot leave the session of bob'
    says err pam-unshare 'pam_unshare(sshd:session): cannot isolate the session of bob' # check's own session
    says err sshd 'pam_unshare(sshd:session): cannot isolate the session of bob' "${as_alice[@]}"
    [ "$(refused)" -eq 3 ]
    says err pam-unshare 'pam_unshare(systemd-user:session): cannot isolate the session of bob' # the launcher's
    [ "$(refused)" -eq 4 ]
    # entries that go do not count less, and those after them count
    journalctl --rotate
    journalctl --vacuum-files=1 --vacuum-time=1s
    rm -f /run/log/journal/*/*@*
    [ "$(refused)" -eq 4 ]
    says err sshd 'pam_unshare(sshd:session): cannot isolate the session of bob'
    [ "$(refused)" -eq 5 ]
    # a file that is not understood begins anew
    echo nonsense >/run/pam-unshare-refused
    [ "$(refused)" -eq 1 ]
    stop_journal
}

@test "metrics: for the host" {
    run host plain open run-root "$COMMAND metrics" close
    [[ $output == *'pam-unshare: this is an isolated session: run it on the host'* ]]
}

# ---- check --conf ----------------------------------------------------------------------------------

# checks STATUS FILE LINE…: check --conf prints these lines, of which each begins so
checks() {
    local wanted=$1 file=$2 line
    shift 2
    run "$COMMAND" check --conf "$file" "${NAMES[@]}"
    echo "$output"
    [ "$status" -eq "$wanted" ] && [ "${#lines[@]}" -eq $# ] || return 1
    for line; do
        [[ ${lines[0]} == "$line"* ]] || { die "not said: $line"; return 1; }
        lines=("${lines[@]:1}")
    done
}

@test "check --conf: a file that is understood, and whom it isolates" {
    local file=$BATS_TEST_TMPDIR/new NAMES=()
    printf '%s\n' 'exempt = carol' 'grace = 9' >"$file"
    checks 0 "$file" "result: $file is understood; 0 problems"
    NAMES=(alice carol root)
    checks 0 "$file" 'note: with this file alice is isolated, in a namespace for each session.' \
        'note: with this file carol is left alone.' 'note: with this file root is left alone.' 'result: '
    echo 'scope = user' >>"$file"
    NAMES=(alice)
    checks 0 "$file" 'note: with this file alice is isolated, in one namespace for all sessions.' 'result: '
    # a name that nobody has decides for isolation, and is said
    echo 'exempt = nobodyhere' >"$file"
    checks 0 "$file" "log: " 'note: with this file alice is isolated' 'result: '
    [[ ${output} == *nobodyhere* ]]
    # the file that is in place counts for nothing
    echo 'nonsense' >/etc/security/unshare.conf
    echo 'grace = 9' >"$file"
    checks 0 "$file" 'note: with this file alice is isolated' 'result: '
    NAMES=(nobodythere)
    checks 2 "$file" "pam-unshare: there is no user 'nobodythere'" 'result: '
}

@test "check --conf: mistakes, each with its line" {
    local file=$BATS_TEST_TMPDIR/new NAMES=(alice)
    printf '%s\n' 'gracee = 9' '' 'grace = soon' >"$file"
    checks 1 "$file" "problem: $file line 1: 'gracee=9' is unknown: known are " \
        "problem: $file line 3: 'grace=soon' is not understood: " "result: $file is NOT UNDERSTOOD; 2 problems"
    [ "$(grep -c 'Correct it first: with this file in place everybody but root would be refused' <<<"$output")" -eq 2 ]
    echo 'exempt = alice' >>"$file"
    checks 1 "$file" "problem: " "problem: " "result: $file is NOT UNDERSTOOD; 2 problems"
    [ "$(grep -c 'everybody but root and exempt users would be refused' <<<"$output")" -eq 2 ]
    echo 'exempt = bob' >>"$file"
    checks 1 "$file" "problem: " "problem: " "problem: " "result: $file is NOT UNDERSTOOD; 3 problems"
    [ "$(grep -c 'everybody but root would be refused' <<<"$output")" -eq 3 ]
    sed -i '$d' "$file"
    "$COMMAND" check --conf "$file" --json >"$BATS_TEST_TMPDIR/json" || [ $? -eq 1 ]
    python3 - "$BATS_TEST_TMPDIR/json" "$file" <<'END'
import json, sys
rows = json.load(open(sys.argv[1]))["findings"]
assert [(r["kind"], r["file"], r["line"]) for r in rows] == [
    ("problem", sys.argv[2], 1), ("problem", sys.argv[2], 3), ("result", None, None)], rows
END
    # what the module would say of the file itself
    checks 1 "$file.nowhere" 'problem: cannot configure the session: open the configuration file ' 'result: '
    echo 'grace = 9' >"$file"
    chmod 666 "$file"
    checks 1 "$file" 'problem: cannot configure the session: others than root can write to ' 'result: '
    chmod 600 "$file"
    checks 0 "$file" 'note: ' 'result: ' # negative control
    for words in "check --conf new alice" 'check --conf' "metrics alice" 'metrics --write' 'list --conf /x'; do
        # shellcheck disable=SC2086 # words
        run "$COMMAND" $words
        [ "$status" -eq 2 ]
        [[ $output == *'Usage: pam-unshare check'* ]]
    done
    # no session is opened for it
    log_position
    checks 0 "$file" 'note: ' 'result: '
    never_logged 'session of alice'
}

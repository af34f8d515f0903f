#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The administrator's command: what it says of good and of broken configurations, and what it lists.

load lib

setup_file() {
    prepare
    COMMAND=$TOP/${COMMAND:-pam-unshare}
    export COMMAND
    # what the examples say, in a service that only this file uses
    good=$BATS_FILE_TMPDIR/good
    cp "$TOP/pam.d-examples/su" "$good"
    export good
}

setup() {
    remember_host
    cp "$good" /etc/pam.d/tried
}

teardown() {
    install_module
    rm -f /etc/pam.d/tried /etc/pam.d/part /etc/security/unshare.conf
    disable su
    eventually no_init_left
    eventually host_is_unchanged
}

# edit SED-EXPRESSION: of the service
edit() {
    sed -i "$1" /etc/pam.d/tried
    ! cmp -s /etc/pam.d/tried "$good" || die "nothing was edited: $1"
}

# Of the service tried, or SERVICE.
# check STATUS RESULT PROBLEM…: the command ends so, and says each PROBLEM (a part of one), and no other
check() {
    local wanted=$1 result=$2 problem
    shift 2
    run "$COMMAND" check "${SERVICE:-tried}" alice
    echo "$output"
    [ "$status" -eq "$wanted" ] && [[ ${lines[-1]} == "result: with ${SERVICE:-tried}, alice is $result; "* ]] || return 1
    [ "$(grep -c '^problem: ' <<<"$output")" -eq $# ] || { die "not $# problems"; return 1; }
    for problem; do
        grep '^problem: ' <<<"$output" | grep -qF -- "$problem" || { die "not said: $problem"; return 1; }
    done
}

@test "check: a good configuration" {
    check 0 isolated
    grep -qE '^ +1 root +pam_unshare: init of alice \(tried\)$' <<<"$output"
    grep -qE '^ +2 alice +' <<<"$output"
    # and nobody else's
    [ "$(grep -cE '^ +[0-9]+ ' <<<"$output")" -eq 2 ]
}

@test "check: what users are left alone" {
    edit 's/\(unshare.so open\)/\1 exempt=alice/'
    check 0 'left alone, as the configuration says'
    [ "$(grep -cE '^ +[0-9]+ ' <<<"$output")" -gt 2 ]
    # by a group, and by another name of the same uid
    for list in @aliases alias; do
        cp "$good" /etc/pam.d/tried
        edit "s/\(unshare.so open\)/\1 exempt=$list/"
        check 0 isolated # the list has names that nobody has
        groupadd aliases
        usermod -aG aliases alice
        useradd -o -u 1000 -g alice -d /home/alice alias
        check 0 'left alone, as the configuration says'
        userdel alias
        groupdel aliases
    done
    cp "$good" /etc/pam.d/tried
    run "$COMMAND" check tried root
    [ "$status" -eq 0 ]
    [[ ${lines[-1]} == *"root is left alone, as the configuration says; 0 problems" ]]
}

@test "check: an argument that is misspelt" {
    edit 's/\(unshare.so open\)/\1 gracee=5/'
    check 1 'NOT ISOLATED' \
        "line 21: argument 'gracee=5' is unknown: known are debug, conf=, exempt=, " \
        "alice would be refused: pam_open_session() returned 'System error'. Correct what the log message before names."
}

@test "check: a value that is wrong" {
    edit 's/\(unshare.so open\)/\1 grace=soon/'
    check 1 'NOT ISOLATED' "argument 'grace=soon' is not understood: 'grace=' takes a number of seconds" \
        "Correct what the log message before names."
}

# Rows of "check --json": a file with a list of dictionaries
check_json() {
    "$COMMAND" check --json tried alice >"$BATS_TEST_TMPDIR/json" || [ $? -eq "$1" ]
    cat "$BATS_TEST_TMPDIR/json"
}

# conf LINE…: the configuration file
conf() {
    printf '%s\n' "$@" >/etc/security/unshare.conf
}

@test "check: the configuration file" {
    conf 'exempt = alice'
    check 0 'left alone, as the configuration says'
    [[ $output == *$'\nnote: the configuration file /etc/security/unshare.conf is read.\n'* ]]
    conf 'exempt = bob'
    check 0 isolated
    edit 's/\(unshare.so open\)/\1 exempt=alice/'
    check 0 'left alone, as the configuration says'
    rm /etc/security/unshare.conf
    cp "$good" /etc/pam.d/tried
    check 0 isolated
    [[ $output != *'configuration file'* ]]
}

@test "check: mistakes in the configuration file" {
    conf '# one' 'grace = soon' nonsense
    check 1 'NOT ISOLATED' \
        "problem: /etc/security/unshare.conf line 2: 'grace=soon' is not understood: 'grace=' takes a number of" \
        "problem: /etc/security/unshare.conf line 3: 'nonsense' is unknown: known are debug, exempt=, " \
        "alice would be refused: pam_open_session() returned 'System error'. Correct what the log message before"
    check_json 1
    python3 - "$BATS_TEST_TMPDIR/json" <<'END'
import json, sys
found = [f for f in json.load(open(sys.argv[1]))["findings"] if f["file"] == "/etc/security/unshare.conf"]
assert [(f["kind"], f["line"]) for f in found] == [("problem", 2), ("problem", 3), ("note", None)], found
END
    run "$COMMAND" check tried root
    [ "$status" -eq 1 ]
    [[ ${lines[-1]} == *"root is left alone, as the configuration says; 2 problems" ]]
    conf 'exempt = alice' nonsense
    run "$COMMAND" check tried alice
    [ "$status" -eq 1 ]
    [[ $output == *'until then everybody but root and exempt users is refused'* ]]
    [[ ${lines[-1]} == *"alice is left alone, as the configuration says; 1 problem" ]]
}

@test "check: a configuration file that cannot be used" {
    conf ipc
    chmod 666 /etc/security/unshare.conf
    check 1 'NOT ISOLATED' \
        "cannot configure the session: others than root can write to the configuration file /etc/security/unshare.conf: " \
        "alice would be refused"
    rm /etc/security/unshare.conf
    edit 's,\(unshare.so open\),\1 conf=/etc/security/other.conf,'
    check 1 'NOT ISOLATED' \
        "cannot configure the session: open the configuration file /etc/security/other.conf: No such file" \
        "alice would be refused"
    echo 'exempt = alice' >/etc/security/other.conf
    check 0 'left alone, as the configuration says'
    [[ $output == *'note: the configuration file /etc/security/other.conf is read.'* ]]
    rm /etc/security/other.conf
}

@test "check: who is isolated, on a line with scope=user" {
    conf 'scope = user'
    edit 's/\(unshare.so open\)/\1 exempt=alice/'
    check 1 'NOT ISOLATED' \
        "line 21: argument 'exempt=' is for one service, and 'scope=user' for all: write it into /etc/security/unshare.conf" \
        "alice would be refused"
    conf 'scope = user' 'exempt = alice'
    cp "$good" /etc/pam.d/tried
    check 0 'left alone, as the configuration says'
}

@test "check: a module that is misspelt" {
    edit 's/pam_unshare.so open/pam_unshared.so open/'
    check 1 'NOT ISOLATED' "no line says 'open': nobody is isolated. Add" \
        "alice would be refused: pam_open_session() returned 'Module is unknown'. A module of the service is missing"
}

@test "check: the module is not installed" {
    rm "$SECURITY_DIR/pam_unshare.so"
    check 1 'NOT ISOLATED' "line 7: there is no module pam_unshare.so. Correct the path, or install" \
        "line 21: there is no module" "A module of the service is missing"
}

@test "check: the service has no such file" {
    rm /etc/pam.d/tried
    check 1 'NOT ISOLATED' "there is no file /etc/pam.d/tried: PAM uses the lines of /etc/pam.d/other." \
        "no session line of the service, nor of a file that it includes, names pam_unshare.so. Add"
}

@test "check: an included file is missing" {
    edit '$a @include nowhere'
    check 1 'NOT ISOLATED' "includes nowhere, which does not exist: PAM then refuses everybody." \
        "pam_start() returned 'Critical error - immediate abort'. Correct the name of the file that is included."
}

@test "check: the module in an included file" {
    sed -n '/^session.*pam_unshare.so open/p' "$good" >/etc/pam.d/part
    edit 's/^session.*unshare.so open/@include part/'
    check 0 isolated
    [[ $output == *"/etc/pam.d/part line 1: session requisite pam_unshare.so open"* ]]
}

@test "check: no line of the module" {
    edit '/pam_unshare/d'
    check 1 'NOT ISOLATED' "no session line of /etc/pam.d/tried, nor of a file that it includes, names"
}

@test "check: another type" {
    edit 's/^session\(.*unshare.so open\)/auth \1/'
    check 1 'NOT ISOLATED' "line 21 lists pam_unshare.so with the type 'auth', which it does not have" \
        "no line says 'open'"
}

@test "check: pam_loginuid after the module" {
    edit '$a session required pam_loginuid.so'
    check 1 isolated "pam_loginuid.so comes after pam_unshare.so: the audit login uid would stay unset"
}

@test "check: pam_selinux after the module" {
    edit '$a session optional pam_selinux.so open'
    check 0 isolated # without SELinux it does nothing
    mount -t tmpfs selinux /sys/fs/selinux 2>/dev/null || mount -t tmpfs selinux /sys/fs
    mkdir -p /sys/fs/selinux
    : >/sys/fs/selinux/enforce
    run check 1 isolated "pam_selinux.so comes after pam_unshare.so: it would not find the process"
    umount /sys/fs/selinux 2>/dev/null || umount /sys/fs
    [ "$status" -eq 0 ]
}

@test "check: pam_namespace after the module" {
    edit '$a session optional pam_namespace.so'
    check 1 isolated \
        "pam_namespace.so comes after pam_unshare.so: it would be closed on the host and unmount"
}

@test "check: close comes last, open first" {
    edit '/common-session/d; s/unshare.so close/unshare.so OPEN/; s/unshare.so open/unshare.so close/; s/OPEN/open/'
    check 1 isolated "line 20 with 'close' comes after the one with 'open'"
}

@test "check: pam_namespace is closed inside" {
    edit '/unshare.so close/d; s/unshare.so open/unshare.so/; 1i session optional pam_namespace.so'
    check 1 isolated "pam_namespace.so is closed before pam_unshare.so, in the session's mount namespace"
}

@test "check: open without close, close without open" {
    edit '/unshare.so close/d'
    check 1 isolated "says 'open', and no line says 'close'" \
        "the process was not returned to the host's namespaces: see the log messages, and doc/troubleshooting.md."
    cp "$good" /etc/pam.d/tried
    edit '/unshare.so open/d'
    check 1 'NOT ISOLATED' "says 'close', and no line says 'open': nobody is isolated"
}

@test "check: the module listed twice" {
    edit '$a session requisite pam_unshare.so open exempt=bob'
    check 1 isolated "pam_unshare.so is listed 2 times to open" \
        "the process was not returned to the host's namespaces: see the log messages, and doc/troubleshooting.md."
}

@test "check: controls that let people in unisolated" {
    local control
    for control in optional sufficient '[success=ok default=ignore]' \
        '[success=ok system_err=ignore default=bad]'; do
        cp "$good" /etc/pam.d/tried
        edit "s/requisite\(.*unshare.so open\)/$control\1/"
        check 1 isolated "unisolated. Write 'requisite'."
    done
    cp "$good" /etc/pam.d/tried
    edit 's/^session\(.*unshare.so open\)/-session\1/'
    check 1 isolated "line 21 begins with '-session'"
    for control in required '[success=ok default=bad]' '[success=ok new_authtok_reqd=ok default=die]'; do
        cp "$good" /etc/pam.d/tried
        edit "s/requisite\(.*unshare.so open\)/$control\1/"
        check 0 isolated
    done
}

@test "check: a sufficient line before the module" {
    edit 's/^session.*pam_limits.*/session sufficient pam_permit.so/'
    check 1 'NOT ISOLATED' "has the control 'sufficient': when pam_permit.so succeeds, the lines that follow are skipped"
}

@test "check: from inside an isolated session" {
    # the check refuses what the module refuses, and explains it
    stack nested 'required pam_unshare.so include_root'
    cp /run/pam.d/nested /etc/pam.d/tried
    run "$COMMAND" check tried root
    [ "$status" -eq 0 ]
    [[ ${lines[-1]} == *"root is isolated; 0 problems" ]]
}

@test "check: another module refuses" {
    edit '$a session required pam_deny.so'
    check 1 'NOT ISOLATED' "returned 'Cannot make/remove an entry for the specified session'. The log messages name the module and the reason."
}

@test "check: a module ends the process that opens the session" {
    printf '#!/bin/sh\nkill -KILL $PPID\n' >/run/killer
    chmod 755 /run/killer
    edit '/unshare.so close/i session required pam_exec.so /run/killer'
    run check 1 'NOT ISOLATED' 'the process that opened the session crashed in a module, or was ended by it: see the system log.'
    rm /run/killer
    echo "$output"
    [ "$status" -eq 0 ]
    gone() { ! pgrep -x killer; }
    eventually gone
}

@test "check: a module that looks up another user" {
    install -m 644 "$TOP/$BUILD/tests/programs/pam_lookup.so" "$SECURITY_DIR/pam_lookup.so"
    sed -i '/unshare.so close/a session required pam_lookup.so carol' /etc/pam.d/tried
    echo 'session required pam_lookup.so carol' >>/etc/pam.d/tried
    log_position
    check 0 isolated
    rm "$SECURITY_DIR/pam_lookup.so"
    grep -qE '^ +2 alice +' <<<"$output"
    run grep -q carol <<<"$(grep -E '^ +[0-9]+ ' <<<"$output")"
    [ "$status" -ne 0 ]
    logged 'looked up carol in place of alice' # negative control: it has overwritten what was there
}

@test "check: a session ends with the command" {
    edit '$a session required pam_exec.so /usr/bin/sleep 1000'
    "$COMMAND" check tried alice >"$BATS_TEST_TMPDIR/out" &
    local check=$!
    eventually pgrep -f '^/usr/bin/sleep 1000'
    kill -KILL "$check"
    wait "$check" || true
    eventually no_init_left
    pkill -f '^/usr/bin/sleep 1000' || true # the host's, unless it ended with the session
}

# service NAME: the good configuration under another name
service() {
    SERVICE=$1
    cp "$good" "/etc/pam.d/$SERVICE"
}

@test "check: an application that the module would harm" {
    local name
    for name in slurm pure-ftpd xdm lxdm gdm-launch-environment lightdm-greeter sddm-greeter polkit-1 systemd-run0; do
        service "$name"
        check 1 isolated "Do not list pam_unshare.so in $name."
    done
    # those that are served with a word, and with it
    for name in cockpit gdm-password lightdm sddm; do
        service "$name"
        check 1 isolated "no session would begin. Give the line of pam_unshare.so that opens the argument 'enter=fork'."
        sed -i 's/pam_unshare.so open/& enter=fork/' "/etc/pam.d/$name"
        check 0 isolated
    done
    service lightdm
    echo 'enter = fork' >/etc/security/unshare.conf
    check 0 isolated
    echo 'session required pam_limits.so' >>/etc/pam.d/lightdm
    check 1 isolated "pam_limits.so comes after pam_unshare.so: with 'enter=fork' it could lift what keeps other children of the application out of the host."
    rm /etc/security/unshare.conf
    service slurm
    check 1 isolated "slurmstepd has threads and is refused: with UsePAM=1 every job fails, and the node is drained."
    service pure-ftpd
    check 1 isolated "pure-ftpd does not check whether its session is refused: the user gets in, unisolated."
    service xdm
    check 1 isolated "xdm does not check whether its session is refused: the user gets in, unisolated."
    # it is not told to add what does harm
    service slurm
    sed -i /pam_unshare/d /etc/pam.d/slurm
    check 1 'NOT ISOLATED' "Do not list pam_unshare.so in slurm."
    rm /etc/pam.d/{slurm,pure-ftpd,xdm,lxdm,cockpit,gdm-password,gdm-launch-environment,lightdm,lightdm-greeter,sddm,sddm-greeter,polkit-1,systemd-run0}
    # negative control
    for name in slurmd pure sshd; do
        service "$name"
        check 0 isolated
        [[ $output != *note:* ]]
    done
    rm /etc/pam.d/{slurmd,pure}
    disable sshd
}

@test "check: an application that isolates nothing" {
    local name
    for name in dovecot samba proftpd; do
        service "$name"
        check 0 isolated
        grep -qE '^note: .*nothing is isolated\.$' <<<"$output"
        rm "/etc/pam.d/$name"
    done
    SERVICE=tried check 0 isolated # negative control
    [[ $output != *note:* ]]
}

@test "check: a unit with PAMName=" {
    local dir=/etc/systemd/system
    mkdir -p "$dir/kiosk.service.d"
    check 0 isolated
    printf '[Service]\nPAMName=tried-not\n' >"$dir/kiosk.service"
    printf '[Service]\n#PAMName=tried\n' >"$dir/other.service"
    check 0 isolated # negative control: another name, a comment
    printf '[Service]\n PAMName = tried\n' >"$dir/kiosk.service"
    check 1 isolated "$dir/kiosk.service has PAMName=tried: systemd opens the session in the process that runs the unit's program, and is refused. Do not list pam_unshare.so in tried"
    printf '[Service]\nPAMName=tried-not\n' >"$dir/kiosk.service"
    printf '[Service]\nPAMName=tried\n' >"$dir/kiosk.service.d/pam.conf"
    check 1 isolated "$dir/kiosk.service.d/pam.conf has PAMName=tried: "
    rm -r "$dir"/kiosk.service* "$dir/other.service"
}

@test "check: what it does is logged" {
    log_position
    check 0 isolated
    logged 'pam-unshare.*pam_unshare\(tried:session\): session of alice opened'
}

@test "check: as JSON" {
    check_json 0
    python3 - "$BATS_TEST_TMPDIR/json" <<'END'
import json, sys
rows = json.load(open(sys.argv[1]))["findings"]
assert all(set(r) == {"kind", "file", "line", "text"} for r in rows), rows
of = lambda kind: [r for r in rows if r["kind"] == kind]
assert [(r["file"], r["line"]) for r in of("line")] == [("/etc/pam.d/tried", 7), ("/etc/pam.d/tried", 21)], rows
assert [r["text"].split()[:2] for r in of("process")] == [["1", "root"], ["2", "alice"]], rows
assert any("session of alice opened" in r["text"] for r in of("log")), rows
assert not of("problem") and rows[-1]["kind"] == "result", rows
assert rows[-1]["text"] == "with tried, alice is isolated; 0 problems", rows
END
    # problems of both halves, and text that JSON must quote
    edit 's/\(unshare.so open\)/\1 "a\\b/'
    printf 'session optional pam_echo.so "said" \\backslash\n' >>/etc/pam.d/tried
    check_json 1
    python3 - "$BATS_TEST_TMPDIR/json" <<'END'
import json, sys
rows = json.load(open(sys.argv[1]))["findings"]
problems = [r for r in rows if r["kind"] == "problem"]
assert [(r["file"], r["line"]) for r in problems] == [("/etc/pam.d/tried", 21), (None, None)], problems
assert '\'"a\\b\' is unknown' in problems[0]["text"], problems
assert problems[1]["text"].startswith("alice would be refused: "), problems
assert rows[-1]["text"] == "with tried, alice is NOT ISOLATED; 2 problems", rows
END
    # what modules say to the user, and a table of two columns
    cp "$good" /etc/pam.d/tried
    edit 's/^session.*pam_limits.*/session optional pam_echo.so said "aloud"/'
    run "$COMMAND" check tried alice
    grep -qx 'shown to the user: said "aloud"' <<<"$output"
    run "$COMMAND" check tried alice -n -o text,kind
    echo "$output"
    [ "$status" -eq 0 ]
    grep -qE '^said "aloud" +message *$' <<<"$output"
    [[ ${lines[-1]} =~ ^with\ tried,\ alice\ is\ isolated\;\ 0\ problems\ +result ]]
    # no session is opened for a column that is misspelt
    log_position
    run "$COMMAND" check tried alice -o kinds
    [ "$status" -eq 2 ]
    [ "$output" = "pam-unshare: unknown column 'kinds'; the columns are KIND, FILE, LINE, TEXT" ]
    run logged 'session of alice opened'
    [ "$status" -ne 0 ]
}

@test "what is not understood, and who may not" {
    local words
    for words in '' 'chek tried alice' 'check' 'check tried' 'check tried alice more' 'list --xml' 'list a b' \
        '--json list' 'list --only=ps' 'list --output' 'audit --only' 'namespace' 'namespace make' \
        'namespace mak alice' 'namespace make alice bob' 'namespace make --json alice' \
        'list --linger' 'enable all' 'status scope' 'hold' 'hold tried' 'hold tried alice bob' 'hold --json tried alice' 'launch 1000' 'launch 1000 systemd' 'launch --notify 1000 /bin/true'; do
        # shellcheck disable=SC2086 # words
        run "$COMMAND" $words
        [ "$status" -eq 2 ]
        [[ $output == *'Usage: pam-unshare check [OPTION...] SERVICE USER'* ]]
    done
    run "$COMMAND" check tried nobodyhere
    [ "$status" -eq 2 ]
    [[ $output == *"there is no user 'nobodyhere'"* ]]
    install -m 755 "$COMMAND" /run/command
    run setpriv --reuid alice --regid alice --clear-groups /run/command list
    [ "$status" -eq 2 ]
    [[ $output == *'must be run as root'* ]]
}

@test "the help is complete, and the manual has what it has" {
    local word man_page
    man_page=$(sed 's/\\-/-/g' "$TOP/man/pam-unshare.8")
    run "$COMMAND" --help
    [ "$status" -eq 0 ]
    # options, commands, parts of harden and columns; the manual groups the probes
    words=$(sed '/^Probes of audit/,/^$/d' <<<"$output" | grep -oE -- "--[a-z-]+|^  [a-zA-Z_-]+" | sort -u)
    for word in --json --noheadings --output --conf --write --no-session --only --grace --linger --ipc --proc-options --notify --if-shared --scopes --help \
        --version check list audit namespace hold launch enable disable status harden metrics \
        bus units user-manager cron atd mail process-events logins NPROCS NS; do
        grep -qE "^ *$word$" <<<"$words" || die "not in the help: $word"
    done
    for word in $words; do
        grep -qE -- "(^|[^A-Za-z_-])$word([^A-Za-z_-]|$)" <<<"$man_page" || die "not in the manual: $word"
    done
    for command in check list audit namespace hold launch harden metrics; do
        run "$COMMAND" "$command" --help
        [ "$status" -eq 0 ]
        [[ $output == Usage:* ]]
        [[ $man_page == *"pam-unshare $command"* ]]
    done
    for word in --version -V 'list --version'; do
        # shellcheck disable=SC2086 # words
        run "$COMMAND" $word
        [ "$status" -eq 0 ]
        [ "$output" = "pam-unshare $(cat "$TOP/VERSION")" ]
    done
}

# unnamed_probes SECTION: the probes of the help that this text of the manual does not have in bold
unnamed_probes() {
    local probe
    for probe in $("$COMMAND" --help | sed -n '/^Probes of audit/,/^$/{//!p}'); do
        grep -qE "^\.(B|BR|RB \() $probe( |$)" <<<"$1" || echo "$probe"
    done
}

@test "the manual names each probe of the audit" {
    local section
    section=$(sed 's/\\-/-/g' "$TOP/man/pam-unshare.8" | sed -n '/^\.SS audit/,/^\.SS harden/p')
    run unnamed_probes "$section"
    echo "$output"
    [ -z "$output" ]
    # negative control
    run unnamed_probes "$(grep -vE ' (unit-by-pid|load) ' <<<"$section")"
    [ "$output" = $'unit-by-pid\nload' ]
}

@test "list: columns, headings, and a column that is misspelt" {
    run "$COMMAND" list
    [ "$output" = 'USER SERVICE SINCE NPROCS NS PID OPENER STAYS' ]
    run "$COMMAND" list -o pid,USER
    [ "$output" = 'PID USER' ]
    run "$COMMAND" list --noheadings
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    run "$COMMAND" list --output USER,PIDS --json
    [ "$status" -eq 2 ]
    [ "$output" = "pam-unshare: unknown column 'PIDS'; the columns are USER, SERVICE, SINCE, NPROCS, NS, PID, OPENER, STAYS, SCOPE, UNIT" ]
    run "$COMMAND" list --output ''
    [ "$status" -eq 2 ]
}

@test "list: the sessions that are open" {
    run "$COMMAND" list --json
    [ "$(tr -d '[:space:]' <<<"$output")" = '{"namespaces":[]}' ]
    enable su
    local before after
    before=$(date +%s)
    su -c 'sleep 4711 & exec sleep 4711' alice 3>&- &
    su -c 'exec sleep 4711' bob 3>&- &
    eventually eval '[ "$(pgrep -fc "^sleep 4711")" -eq 3 ]'
    after=$(date +%s)
    "$COMMAND" list --json >"$BATS_TEST_TMPDIR/json"
    run "$COMMAND" list
    echo "$output"
    [ "${#lines[@]}" -eq 3 ]
    run "$COMMAND" list -n -o NPROCS,USER
    [ "${#lines[@]}" -eq 2 ]
    [[ $output =~ (^|$'\n')\ *2\ alice($|$'\n') ]]
    python3 - "$BATS_TEST_TMPDIR/json" "$before" "$after" <<'END'
import calendar, json, os, sys, time
path, before, after = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
found = json.load(open(path))["namespaces"]
assert sorted((n["user"], n["nprocs"], n["scope"]) for n in found) == [
    ("alice", 2, "session"), ("bob", 1, "session")], found
for n in found:
    assert n["service"] is n["opener"] is n["stays"] is None, n
    assert os.stat(f"/proc/{n['pid']}/ns/pid").st_ino == n["ns"]
    [s] = n["children"]
    assert (s["user"], s["service"], s["nprocs"]) == (n["user"], "su", None), s
    assert (s["ns"], s["pid"]) == (n["ns"], n["pid"]), s
    assert open(f"/proc/{s['opener']}/comm").read() == "su\n", s
    since = calendar.timegm(time.strptime(s["since"], "%Y-%m-%dT%H:%M:%SZ"))
    assert before - 2 <= since <= after + 2, s
END
    pkill -f '^sleep 4711'
    eventually no_init_left
    run "$COMMAND" list
    [ "${#lines[@]}" -eq 1 ]
}

# ---- namespace ----------------------------------------------------------------------------------

# make [OPTION…] USER: sets init
make_namespace() {
    run "$COMMAND" namespace make "$@"
    echo "$output"
    [[ $status -eq 0 && $output =~ ^[0-9]+$ ]] || return 1
    init=$output
}

# session COMMAND…: of alice, with scope=user
session() {
    stack shared 'required pam_unshare.so scope=user'
    host shared "$@"
}

# hold_session: one that stays open until release_session
hold_session() {
    mkfifo "$BATS_TEST_TMPDIR/go"
    session open hold held close <"$BATS_TEST_TMPDIR/go" >"$BATS_TEST_TMPDIR/held" 3>&- &
    holder=$!
    exec 9>"$BATS_TEST_TMPDIR/go"
    eventually grep -q held "$BATS_TEST_TMPDIR/held"
}

release_session() {
    exec 9>&-
    wait "$holder"
    rm "$BATS_TEST_TMPDIR/go"
}

@test "hold: a session for a program that enters it" {
    local holder inside
    # tried: two lines with scope=session; the holder's namespaces are for its children
    mkfifo "$BATS_TEST_TMPDIR/input"
    exec 7<>"$BATS_TEST_TMPDIR/input"
    "$COMMAND" hold tried alice <"$BATS_TEST_TMPDIR/input" >"$BATS_TEST_TMPDIR/said" 7>&- 3>&- &
    holder=$!
    eventually grep -qx isolated "$BATS_TEST_TMPDIR/said"
    [ "$("$COMMAND" list -n -o USER,SERVICE,OPENER | tr -s " ")" = "alice tried $holder" ]
    inside=$(nsenter --mount=/proc/$holder/ns/mnt --pid=/proc/$holder/ns/pid_for_children ps -eo user --no-headers | sort -u)
    [ "$inside" = root ] # the init and ps itself: nobody else's
    [ "$(nsenter --mount=/proc/$holder/ns/mnt --pid=/proc/$holder/ns/pid_for_children ps -e --no-headers | wc -l)" -eq 2 ]
    [ "$(ps -e --no-headers | wc -l)" -gt 2 ] # negative control
    exec 7>&-
    wait $holder
    eventually no_init_left
    # it is killed: the session ends
    exec 7<>"$BATS_TEST_TMPDIR/input"
    "$COMMAND" hold tried +1000 <"$BATS_TEST_TMPDIR/input" >"$BATS_TEST_TMPDIR/said2" 7>&- 3>&- &
    holder=$!
    eventually grep -qx isolated "$BATS_TEST_TMPDIR/said2"
    kill -KILL $holder
    wait $holder || true
    eventually no_init_left
    exec 7>&-
}

# holds SERVICE USER STATUS OUTPUT: until its input is at its end, at once
holds() {
    run "$COMMAND" hold "$1" "$2" </dev/null
    echo "$output"
    [ "$status" -eq "$3" ]
    [ "$output" = "$4" ]
}

@test "hold: who is left alone, refused, or unknown" {
    holds tried root 0 'left alone'
    holds tried alice 0 isolated # negative control
    edit 's/\(unshare.so open\)/\1 gracee=5/'
    holds tried alice 1 'pam-unshare: no session of tried for alice: System error; the system log says why'
    for service in other nosuchservice; do
        holds $service alice 2 "pam-unshare: no session line of $service names pam_unshare.so"
    done
    for user in nobodyhere +4711 +1000x +; do
        holds tried $user 2 "pam-unshare: there is no user '$user'"
    done
}

@test "hold: with enter=fork nothing is opened, and check says so" {
    local refusal="pam-unshare: tried has 'enter=fork', and no session of it can be held: give its line of pam_unshare.so that opens the argument 'enter=open'"
    edit 's/\(unshare.so open\)/\1 enter=fork/'
    holds tried alice 2 "$refusal"
    no_init_left
    # for other services it may be in the file
    echo 'enter = fork' >/etc/security/unshare.conf
    edit 's/enter=fork/enter=open/'
    holds tried alice 0 isolated # negative control
    edit 's/enter=open/debug/'
    holds tried alice 2 "$refusal"
    service slurm-unshare
    check 1 isolated "'pam-unshare hold' opens no session with 'enter=fork': no task would be started."
    rm /etc/security/unshare.conf
    check 0 isolated
    rm /etc/pam.d/slurm-unshare
}

@test "namespace: it is made without a session, and stays until it is unpinned" {
    local init first
    make_namespace alice
    first=$init
    grep -qzx 'pam_unshare: init of alice' "/proc/$init/cmdline"
    make_namespace 1000 # is there
    [ "$init" -eq "$first" ]
    run session open run 'readlink /proc/self/ns/pid' close
    [[ $output == *"$(readlink "/proc/$init/ns/pid")"* ]]
    [ "$(inits)" -eq 1 ]
    "$COMMAND" namespace pin alice
    "$COMMAND" namespace unpin alice
    eventually no_init_left
    run "$COMMAND" namespace unpin alice
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    run "$COMMAND" namespace pin alice
    [ "$status" -eq 1 ]
    [ "$output" = 'pam-unshare: alice has no namespace: make one' ]
    # negative control: a session's ends with it
    session open close
    eventually no_init_left
}

@test "namespace: that of a session is pinned" {
    local holder
    hold_session
    "$COMMAND" namespace pin alice
    release_session
    [ "$(inits)" -eq 1 ]
    "$COMMAND" namespace unpin alice
    eventually no_init_left
}

@test "namespace make: its settings" {
    local init
    make_namespace --ipc --linger --grace 0 --proc-options=hidepid=invisible alice
    [ "$(readlink "/proc/$init/ns/ipc")" != "$(readlink /proc/self/ns/ipc)" ]
    session open run 'exec sleep 4711 >/dev/null 2>&1 & grep " /proc " /proc/self/mounts' close >/run/said
    grep hidepid /run/said
    "$COMMAND" namespace unpin alice
    eventually pgrep -f '^sleep 4711'
    [ "$(inits)" -eq 1 ]
    pkill -f '^sleep 4711'
    eventually no_init_left
    # those that are there keep theirs, and without options there are none
    make_namespace bob
    [ "$(readlink "/proc/$init/ns/ipc")" = "$(readlink /proc/self/ns/ipc)" ]
    make_namespace --ipc bob
    [ "$(readlink "/proc/$init/ns/ipc")" = "$(readlink /proc/self/ns/ipc)" ]
    "$COMMAND" namespace unpin bob
    eventually no_init_left
    # the configuration file's
    echo ipc >/etc/security/unshare.conf
    make_namespace bob
    [ "$(readlink "/proc/$init/ns/ipc")" != "$(readlink /proc/self/ns/ipc)" ]
    "$COMMAND" namespace unpin bob
    eventually no_init_left
    echo ipcc >/etc/security/unshare.conf
    run "$COMMAND" namespace make bob
    rm /etc/security/unshare.conf
    [ "$status" -eq 2 ]
    [ "$output" = "pam-unshare: cannot understand /etc/security/unshare.conf: see 'pam-unshare check SERVICE USER'" ]
    run "$COMMAND" namespace make --grace=soon bob
    [ "$status" -eq 2 ]
    [ "$output" = "pam-unshare: 'grace=soon' is not understood: pam_unshare(8) says what it takes" ]
}

@test "namespace make: where it fails, none is left" {
    local call
    for call in clone mount chroot; do # the last one on the way back
        run strace -o /dev/null -e inject="$call:error=ENOMEM" "$COMMAND" namespace make alice
        echo "$call: $output"
        [ "$status" -eq 2 ]
        [[ $output == *'cannot make the namespace of alice: '* ]]
        eventually no_init_left
    done
    run strace -o /dev/null -e inject=pidfd_send_signal:error=ENOMEM "$COMMAND" namespace make alice # negative control
    [ "$status" -eq 0 ]
    run eval '"$COMMAND" namespace make alice >/dev/full'
    [ "$status" -eq 2 ]
    [ "$output" = 'pam-unshare: the namespace of alice is there, but the pid of its init could not be written: No space left on device' ]
    "$COMMAND" namespace unpin alice
    eventually no_init_left
}

@test "namespace make: twenty at the same time make one" {
    local i pids=()
    for i in {1..20}; do
        "$COMMAND" namespace make alice >"$BATS_TEST_TMPDIR/$i" 3>&- &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        wait "$i"
    done
    [ "$(cat "$BATS_TEST_TMPDIR"/[0-9]* | sort -u)" = "$(pgrep -x pam_unshare)" ]
    "$COMMAND" namespace unpin alice
    eventually no_init_left
}

@test "enable, disable and status are for the host" {
    local verb
    for verb in enable disable status; do
        run session open run-root "$COMMAND $verb" close
        [[ $output == *'pam-unshare: this is an isolated session: run it on the host'* ]]
        [[ $output != *PART* ]]
    done
    eventually no_init_left
    run "$COMMAND" status # negative control
    [[ $output == *PART* ]]
}

@test "namespace: a frozen init holds nobody up" {
    local init verb
    make_namespace alice
    kill -STOP "$init"
    for verb in make pin unpin; do
        run timeout 20 "$COMMAND" namespace "$verb" alice
        echo "$output"
        [ "$status" -eq 2 ]
        [[ $output == *"the namespace of alice: wait for the init's answer: Connection timed out" ]]
    done
    kill -CONT "$init"
    "$COMMAND" namespace unpin alice
    eventually no_init_left
}

@test "namespace: whose it cannot be" {
    local init
    make_namespace bob
    cp -a /etc/passwd /run/passwd
    sed -i 's/^bob:/dave:/' /etc/passwd
    run "$COMMAND" namespace make dave
    cat /run/passwd >/etc/passwd
    [ "$status" -eq 2 ]
    [[ $output == *"was made for user bob, who is not dave: end that process if bob is gone: File exists" ]]
    make_namespace bob # negative control
    # a user who is gone is named by the uid
    sed -i '/^bob:/d' /etc/passwd
    run "$COMMAND" namespace make 1001
    "$COMMAND" namespace unpin 1001
    cat /run/passwd >/etc/passwd
    [ "$status" -eq 2 ]
    [ "$output" = "pam-unshare: there is no user '1001'" ]
    eventually no_init_left
    run "$COMMAND" namespace pin nobodyhere
    [ "$status" -eq 2 ]
    [ "$output" = "pam-unshare: there is no user 'nobodyhere'" ]
}

@test "namespace: a name may be a number, and +UID is none" {
    cp -a /etc/passwd /run/passwd
    sed -i 's/^bob:/1000:/' /etc/passwd # 1000 is alice's
    init_of() { pam_unshare_init=$("$COMMAND" namespace make "$1") && tr -d '\0' <"/proc/$pam_unshare_init/cmdline"; }
    [ "$(init_of +1000)" = 'pam_unshare: init of alice' ]
    [ "$(init_of 1000)" = 'pam_unshare: init of 1000' ] # negative control
    "$COMMAND" namespace unpin +1000
    "$COMMAND" namespace unpin 1000
    cat /run/passwd >/etc/passwd
    eventually no_init_left
    for wrong in + +alice ++1000 +-1; do
        run "$COMMAND" namespace make "$wrong"
        [ "$status" -eq 2 ]
        [ "$output" = "pam-unshare: there is no user '$wrong'" ]
    done
    # the units say it so
    run grep -E '^Exec.* %i$' "$TOP"/systemd/*.service
    [ -z "$output" ]
}

@test "namespace: where it cannot be made" {
    run session open run-root "$COMMAND namespace make bob" close
    [[ $output == *'pam-unshare: this is an isolated session: run it on the host'* ]]
    eventually no_init_left
    chmod 755 /run/pam_unshare
    run "$COMMAND" namespace make alice
    chmod 700 /run/pam_unshare
    [ "$status" -eq 2 ]
    [[ $output == *': others than root may enter /run/pam_unshare: give it mode 0700 and owner root: Operation not permitted' ]]
    # from another mount namespace it is made of the host's mounts
    local init
    init=$(unshare -m sh -c 'mount -t tmpfs private /mnt && exec "$1" namespace make alice' - "$COMMAND")
    grep -q ' / ' "/proc/$init/mounts"
    [ "$(grep -c ' /mnt ' "/proc/$init/mounts")" -eq 0 ]
    unshare -m sh -c 'mount -t tmpfs private /mnt && grep " /mnt " /proc/self/mounts' # negative control
    "$COMMAND" namespace unpin alice
    eventually no_init_left
}

# ---- list, with scope=user -----------------------------------------------------------------------

# namespaces: those of "list --json", a line each: user, scope, stays, services, and pids of the openers
namespaces() {
    "$COMMAND" list --json | python3 -c '
import json, os, sys
for n in json.load(sys.stdin)["namespaces"]:
    sessions = n.get("children", [])
    assert os.stat("/proc/%d/ns/pid" % n["pid"]).st_ino == n["ns"], n
    assert all((s["ns"], s["pid"], s["scope"]) == (n["ns"], n["pid"], n["scope"]) for s in sessions), n
    print(n["user"], n["scope"], n["stays"], ",".join(sorted(s["service"] for s in sessions)) or "-",
        *sorted(s["opener"] for s in sessions))'
}

@test "list: a namespace that is shared is shown once, with its sessions" {
    local holder first second
    hold_session
    first=$(pgrep -f "^$HOST /run/pam.d shared alice open hold")
    [ "$(namespaces)" = "alice user None shared $first" ]
    # another one of another service, which dies without a close
    stack another 'required pam_unshare.so scope=user'
    "$HOST" /run/pam.d another alice open run 'exec sleep 4711' </dev/null >/dev/null 3>&- &
    second=$!
    eventually pgrep -f '^sleep 4711'
    [ "$(namespaces)" = "alice user None another,shared $first $second" ]
    run "$COMMAND" list
    echo "$output"
    [ "${#lines[@]}" -eq 4 ]
    [[ ${lines[1]} =~ ^alice\ +20[0-9-]+\ [0-9:]+\ +1\ +[0-9]+\ +[0-9]+\ *$ ]]
    grep -qE "^[|\`]-alice +shared .* $first *$" <<<"$output"
    grep -qE "^[|\`]-alice +another .* $second *$" <<<"$output"
    kill -KILL "$second"
    wait "$second" || true
    one() { [ "$(namespaces)" = "alice user None shared $first" ]; }
    eventually one
    # negative control: two of scope=session are two
    stack own 'required pam_unshare.so'
    "$HOST" /run/pam.d own alice open run 'exec sleep 4712' </dev/null >/dev/null 3>&- &
    eventually pgrep -f '^sleep 4712'
    [ "$(namespaces | sort)" = "alice session None own $!"$'\n'"alice user None shared $first" ]
    pkill -f '^sleep 471[12]'
    release_session
    eventually no_init_left
}

@test "list: what has no sessions, and what does not answer" {
    local init
    make_namespace alice
    [ "$(namespaces)" = 'alice user pinned -' ]
    make_namespace --linger bob
    [ "$(namespaces | sort)" = $'alice user pinned -\nbob user pinned,linger -' ]
    kill -STOP "$init"
    [ "$(timeout 20 "$COMMAND" list -n -o USER,SERVICE,OPENER,STAYS | tr -s ' ' | sed 's/ $//' | sort)" = \
        $'alice pinned\nbob ? ?' ]
    [ "$(namespaces | sort)" = $'alice user pinned -\nbob user ? -' ]
    kill -CONT "$init"
    "$COMMAND" namespace unpin alice
    "$COMMAND" namespace unpin bob
    eventually no_init_left
    # leftovers are of nobody
    [ -e "/run/pam_unshare/1000.$(stat -L -c %i /proc/self/ns/pid)" ]
    [ -z "$(namespaces)" ]
}

# ---- check, with scope=user ----------------------------------------------------------------------

# notes: what the last check noted
notes() {
    grep '^note: ' <<<"$output"
}

@test "check: with scope=user the session makes the user's namespace, or joins it" {
    local holder init
    edit 's/\(unshare.so open\)/\1 scope=user/'
    check 0 isolated
    [ "$(notes)" = "note: with scope=user all sessions of alice share one namespace: there is none now, so this one makes it.
note: without linger the namespace ends after the last session: the processes that are left get SIGHUP and SIGTERM, and are killed after the grace period." ]
    eventually no_init_left
    hold_session
    init=$(pgrep -x pam_unshare)
    check 0 isolated
    [[ $(notes) == *": this one joins it; its init is $init, and it has 1 other session."* ]]
    "$COMMAND" namespace pin alice
    edit 's/scope=user/scope=user linger/'
    check 0 isolated
    [[ $(notes) == *"note: the namespace is pinned, and stays without sessions until 'pam-unshare namespace unpin alice'."* ]]
    [[ $(notes) == *"note: the namespace was made with other arguments linger, ipc, private= or hide=, and keeps them until it ends." ]]
    "$COMMAND" namespace unpin alice
    release_session
    eventually no_init_left
    check 0 isolated
    [[ $(notes) == *"note: with linger the namespace stays after the last session, as long as a process is left in it." ]]
    # negative control: with scope=session nothing is noted
    cp "$good" /etc/pam.d/tried
    check 0 isolated
    run notes
    [ -z "$output" ]
}

@test "check: with scope=user and a private / only the PID namespace is shared" {
    edit 's/\(unshare.so open\)/\1 scope=user/'
    run unshare --mount --pid --fork --mount-proc --propagation private -- \
        sh -c '"$1" check tried alice && true' - "$COMMAND" # the shell is PID 1
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $(notes) == *'note: "/" is not a shared mount on this machine: the sessions share the PID namespace only, and each has a mount namespace of its own.'* ]]
    check 0 isolated # negative control
    [[ $(notes) != *'not a shared mount'* ]]
}

@test "check: with scope=user the session gets a namespace of its own" {
    local init problem='the session gets a namespace of its own, and not the one that other sessions of alice share.'
    edit 's/\(unshare.so open\)/\1 scope=user/'
    check 0 isolated # negative control
    chmod 755 /run/pam_unshare
    run check 1 isolated "$problem Correct its owner and mode"
    chmod 700 /run/pam_unshare
    [ "$status" -eq 0 ]
    make_namespace alice
    kill -STOP "$init"
    check 1 isolated "$problem Somebody has stopped or frozen the init"
    kill -CONT "$init"
    cp -a /etc/passwd /run/passwd
    sed -i '/^alice:/{p;s/alice/erin/;s/1000/1042/}' /etc/passwd
    sed -i 's/^alice:x:1000:/alice:x:1042:/;s/^erin:x:1042:/erin:x:1000:/' /etc/passwd
    run "$COMMAND" check tried erin
    cat /run/passwd >/etc/passwd
    echo "$output"
    grep -q '^problem: .* other sessions of erin share. If that user is gone, end the init' <<<"$output"
    run session open run-root "$COMMAND check tried alice" close
    [[ $output == *'problem: this is a session of alice already: check from a root shell of the machine.'* ]]
    run session open run-root "$COMMAND check tried bob" close
    [[ $output == *'other sessions of bob share. Check from a root shell of the machine.'* ]]
    "$COMMAND" namespace unpin alice
    eventually no_init_left
}

# completes WORD… -- COMPLETION…: bash completes the last word to these, and to nothing else
completes() {
    local words=() wanted
    while [ "$1" != -- ]; do
        words+=("$1")
        shift
    done
    shift
    wanted=$(printf '%s\n' "$@" | sort)
    run env PATH="$PATH" bash -c '. "$1"
        shift
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        _pam_unshare
        printf "%s\n" "${COMPREPLY[@]}"' - "$TOP/completion/pam-unshare" "${words[@]}"
    [ "$(sort <<<"$output")" = "$wanted" ] || { die "${words[*]}: $output"; return 1; }
}

@test "bash completes commands, options, services, users, columns, probes and parts" {
    completes pam-unshare '' -- check list audit namespace hold launch enable disable status harden metrics # no name is asked for
    mkdir -p /run/bin
    ln -sf "$COMMAND" /run/bin/pam-unshare
    local PATH=/run/bin:$PATH
    completes pam-unshare --v -- --version
    completes pam-unshare check --o -- --output
    completes pam-unshare list --on --
    completes pam-unshare check --c -- --conf
    completes pam-unshare list --c --
    completes pam-unshare check --conf /etc/security/pam_e -- /etc/security/pam_env.conf
    completes pam-unshare check --conf = /etc/security/pam_e -- /etc/security/pam_env.conf
    completes pam-unshare check --conf /etc/x ali -- alice
    completes pam-unshare check --conf /etc/x tri --
    completes pam-unshare metrics --w -- --write
    completes pam-unshare metrics --j --
    completes pam-unshare metrics --write /etc/security/pam_e -- /etc/security/pam_env.conf
    completes pam-unshare audit --on -- --only
    completes pam-unshare check tri -- tried
    completes pam-unshare check --json tried ali -- alice
    completes pam-unshare audit -o PROBE tri -- tried
    completes pam-unshare audit --only = ps,su tri -- tried
    completes pam-unshare list -o N -- NPROCS NS
    completes pam-unshare list --output = USER,N -- USER,NPROCS USER,NS
    completes pam-unshare list --output NPROCS,N -- NPROCS,NS
    completes pam-unshare list -o PID,S -- PID,SERVICE PID,SINCE PID,STAYS PID,SCOPE
    completes pam-unshare audit --only = ps,pidf -- ps,pidfd-open
    completes pam-unshare namespace m -- make
    completes pam-unshare hold tri -- tried
    completes pam-unshare hold tried ali -- alice
    completes pam-unshare hold --j --
    completes pam-unshare namespace --grace = 5 pin ali -- alice
    completes pam-unshare namespace --l -- --linger
    completes pam-unshare harden dis -- disable
    completes pam-unshare harden enable c -- cron
    completes pam-unshare harden status --json bus '' -- bus units user-manager cron atd mail process-events logins
    # negative control: what a name has in it is not run
    cp /etc/passwd /run/passwd
    echo 'owner$(touch${IFS}/run/owned):x:4711:4711::/:/bin/sh' >>/etc/passwd
    completes pam-unshare check tried owner -- 'owner\$\(touch\$\{IFS\}/run/owned\)'
    [ ! -e /run/owned ]
    run bash -c 'compgen -W "$(compgen -u)" -- owner'
    cat /run/passwd >/etc/passwd
    [ -e /run/owned ] # by compgen's expansion
    rm /run/owned
    # negative control: without the command it knows no names
    rm /run/bin/pam-unshare
    completes pam-unshare harden enable c --
}

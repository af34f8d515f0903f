#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# su, runuser, sudo and doas, by root and by an ordinary user with a password.

load lib

setup_file() {
    prepare
    start_secret
    cp /etc/sudoers /root/sudoers
    # what doas.conf is called differs, what is in it does not
    printf 'permit nopass root\npermit keepenv bob as alice\n' >/etc/doas.conf
    chmod 600 /etc/doas.conf
}

teardown() {
    cp /root/sudoers /etc/sudoers
    rm -f /etc/sudoers.d/test
    disable su sudo runuser cockpit doas
    LIMIT=20 eventually no_init_left
}

# typed PASSWORD USER COMMAND…: USER runs COMMAND on a terminal and types a password; prints its output
typed() {
    setpriv --reuid "$2" --regid "$2" --init-groups env HOME="/home/$2" USER="$2" \
        python3 - "$1" "${@:3}" <<'END'
import sys, pexpect
child = pexpect.spawn(sys.argv[2], sys.argv[3:], encoding="utf-8", timeout=60)
if child.expect(["[Pp]assword.*: ", pexpect.EOF]) == 0:
    print(child.before)
    child.sendline(sys.argv[1])
    child.expect(pexpect.EOF)
print(child.before)
child.wait() # a process closes its terminal before it has ended, and close() would signal it
sys.exit(child.exitstatus if child.exitstatus is not None else 128 + child.signalstatus)
END
}

@test "su: by root" {
    with_and_without su isolated su -c "$PROBE" alice
}

@test "su: su - by root" {
    with_and_without su isolated su - alice -c "$PROBE"
}

@test "su: by an ordinary user with a password" {
    with_and_without su isolated typed alice-password bob su -c "$PROBE" alice
}

@test "su: a wrong password is refused" {
    enable su
    run typed wrong bob su -c "$PROBE" alice
    [ "$status" -ne 0 ]
    [[ $output != *pid_namespace* ]]
    isolated typed alice-password bob su -c "$PROBE" alice
}

@test "su: su --pty" {
    with_and_without su isolated su --pty -c "$PROBE" alice
}

@test "su: to root is left alone" {
    enable su
    [ "$(su - root -c 'readlink /proc/self/ns/pid')" = "$(readlink /proc/self/ns/pid)" ]
    isolated su - alice -c "$PROBE"
}

@test "su: SIGTERM to a running su ends the session" {
    enable su
    su -c 'exec sleep 4720' alice >/dev/null 2>&1 3>&- &
    su=$!
    eventually pgrep -u alice -f '^sleep 4720'
    [ "$(inits)" -eq 1 ]
    kill -TERM "$su"
    wait "$su" || true
    LIMIT=20 eventually no_init_left
    run pgrep -u alice -f '^sleep 4720'
    [ "$status" -ne 0 ]
}

@test "su: job control and the terminal's size" {
    enable su
    python3 "$TOP/tests/system/job_control.py" su - alice
    python3 "$TOP/tests/system/job_control.py" su --pty - alice
    isolated su - alice -c "$PROBE"
}

@test "su: a resized terminal" {
    cat >"$BATS_TEST_TMPDIR/resize.py" <<'END'
import pexpect, sys
child = pexpect.spawn(sys.argv[1], sys.argv[2:], encoding="utf-8", timeout=60)
child.sendline("unset PROMPT_COMMAND; PS1=; echo rea''dy")
child.expect_exact("ready")
child.setwinsize(31, 97)
# su --pty may hand on what is typed before it hands on the size, without the module, too.
child.sendline('until [ "$(stty size)" = "31 97" ]; do :; done; echo now $(stty size)')
child.expect_exact("now 31 97")
child.sendline("exit")
child.expect(pexpect.EOF)
print("resized")
END
    enable su
    [ "$(python3 "$BATS_TEST_TMPDIR/resize.py" su - alice)" = resized ]
    [ "$(python3 "$BATS_TEST_TMPDIR/resize.py" su --pty - alice)" = resized ]
    isolated su - alice -c "$PROBE"
}

@test "su: exit status and signals" {
    enable su
    for line in 'exit 7' 'kill -9 $$' 'kill -TERM $$'; do
        enable su
        with=0
        su -c "$line" alice || with=$?
        disable su
        without=0
        su -c "$line" alice || without=$?
        [ "$with" -eq "$without" ]
    done
    enable su
    isolated su -c "$PROBE" alice
}

@test "runuser: runuser and runuser -" {
    with_and_without runuser isolated runuser alice -c "$PROBE"
    with_and_without runuser isolated runuser - alice -c "$PROBE"
}

@test "sudo: with use_pty and without" {
    for setting in use_pty '!use_pty'; do
        echo "Defaults $setting" >/etc/sudoers.d/test
        with_and_without sudo isolated sudo -u alice $PROBE
        # On a terminal use_pty has a monitor, root's, in the session.
        on_terminal() {
            script -qec "sudo -u alice $LOOK" /dev/null </dev/null | tr -d '\r' | sed 's/^^@//' | if [ "$setting" = use_pty ]; then
                sed 's/^foreign=0$/foreign=no monitor/; s/^foreign=1$/foreign=0/'
            else
                cat
            fi
        }
        with_and_without sudo isolated on_terminal
    done
}

@test "sudo: sudo -i" {
    with_and_without sudo isolated sudo -i -u alice $PROBE
}

@test "sudo: by an ordinary user with a password" {
    # On a terminal sudo has a monitor, root's, in the session.
    with_sudo() {
        typed admin-password admin sudo -u alice "$LOOK" | tr -d '\r' | sed 's/^foreign=1$/foreign=0/'
    }
    with_and_without sudo isolated with_sudo
}

@test "sudo: to root is left alone" {
    enable sudo
    run typed admin-password admin sudo readlink /proc/self/ns/pid
    [[ $output == *"$(readlink /proc/self/ns/pid)"* ]]
    isolated sudo -u alice $PROBE
}

@test "sudo: SIGTERM to a running sudo ends the session" {
    for setting in use_pty '!use_pty'; do
        echo "Defaults $setting" >/etc/sudoers.d/test
        enable sudo
        script -qec 'sudo -u alice sleep 4721' /dev/null </dev/null >/dev/null 2>&1 3>&- &
        terminal=$!
        eventually pgrep -u alice -f '^sleep 4721'
        [ "$(inits)" -eq 1 ]
        # sudo ignores a signal from its own process group
        setsid kill -TERM "$(pgrep -oxf 'sudo -u alice sleep 4721')"
        wait "$terminal" || true
        LIMIT=20 eventually no_init_left
    done
}

@test "sudo: job control" {
    enable sudo
    python3 "$TOP/tests/system/job_control.py" sudo -i -u alice
    isolated sudo -u alice $PROBE
}

@test "doas: OpenDoas" {
    with_and_without doas isolated doas -u alice $PROBE
}

@test "pamtester: open and close" {
    enable su
    sleep 1
    since=$(date +%s)
    run pamtester su alice open_session close_session
    echo "$output"
    [ "$status" -eq 0 ]
    logged() { [ "$(journalctl -t pamtester --since "@$since" | grep -c 'pam_unshare.*session of alice')" -eq 2 ]; }
    eventually logged
}

cockpit_log_in() { # USER
    "$BATS_TEST_DIRNAME/cockpit-login" "$1" "$1-password" $PROBE
}

@test "cockpit: a login with enter=fork" {
    with_and_without cockpit isolated cockpit_log_in alice
    eventually no_init_left
}

@test "cockpit: who is refused has no session" {
    enable cockpit
    cp -p /etc/security/unshare.conf "$BATS_TEST_TMPDIR/conf"
    echo nonsense >/etc/security/unshare.conf
    since=$(date '+%F %T')
    run cockpit_log_in alice
    cp -p "$BATS_TEST_TMPDIR/conf" /etc/security/unshare.conf
    [ "$status" -ne 0 ]
    [[ $output != *pid_namespace* ]]
    logged() { journalctl --since "$since" | grep -E "pam_unshare\(cockpit:session\): .*'nonsense' is unknown"; }
    eventually logged
    no_init_left
    isolated cockpit_log_in alice # negative control
}

@test "cockpit: root's login with enter=fork sees the machine, as on stock" {
    enable cockpit
    cp -p /etc/shadow "$BATS_TEST_TMPDIR/shadow"
    if [ -e /etc/cockpit/disallowed-users ]; then cp /etc/cockpit/disallowed-users "$BATS_TEST_TMPDIR"; fi
    rm -f /etc/cockpit/disallowed-users
    echo root:root-password | chpasswd
    exposed cockpit_log_in root
    cp -p "$BATS_TEST_TMPDIR/shadow" /etc/shadow
    if [ -e "$BATS_TEST_TMPDIR/disallowed-users" ]; then cp "$BATS_TEST_TMPDIR/disallowed-users" /etc/cockpit; fi
    isolated cockpit_log_in alice # negative control
}

@test "cockpit: a login (does not work: its session program uses /proc/self after it has opened the session)" {
    disable cockpit # negative control
    cockpit_log_in alice | grep -xF "pid_namespace=$(readlink /proc/self/ns/pid)"
    enable cockpit
    sed -i 's/ enter=fork$//' /etc/pam.d/cockpit
    run cockpit_log_in alice
    echo "$output"
    [ "$status" -ne 0 ]
    [[ $output == *readonly_fd* ]]
    pkill -u alice ssh-agent # pam_ssh_add's, which it did not come to close
}

@test "application: one that forks several children in one PAM session" {
    mkdir -p /run/pam.d
    printf '%s\n' 'auth required pam_permit.so' 'account required pam_permit.so' \
        "session $([ "${NEGATIVE:-}" = 1 ] && echo 'required pam_permit.so' || echo 'required pam_unshare.so')" >/run/pam.d/several
    run host /run/pam.d several alice state open run "$PROBE" run 'exit 3' run "$PROBE" spawn 'exit 0' run "$PROBE" wait-all close state end
    echo "$output"
    [ "$(grep -cx foreign=0 <<<"$output")" -eq 3 ]
    [ "$(grep ^pid_namespace= <<<"$output" | sort -u | wc -l)" -eq 1 ]
    grep -qx close=0 <<<"$output"
}

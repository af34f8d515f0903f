#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# pam-unshare launch: the launcher of a user manager, which a shell stands in for. unit_manager.py stands in
# for systemd; tests/vm/guest/45-inside.bats has the real ones.

load lib
load user

setup_file() {
    COMMAND=$TOP/${COMMAND:-pam-unshare}
    export COMMAND
    prepare
    install -m 644 "$TOP/$BUILD/tests/programs/pam_getenv.so" "$SECURITY_DIR/pam_getenv.so"
}

teardown_file() {
    rm "$SECURITY_DIR/pam_getenv.so"
}

setup() {
    log_position
    cp -a /etc/pam.d "$BATS_TEST_TMPDIR/pam.d"
    echo scope=user >/etc/security/unshare.conf
    service
}

teardown() {
    "$COMMAND" namespace unpin alice
    eventually no_init_left
    rm -f /etc/security/unshare.conf
    rm -f /etc/pam.d/systemd-user
    cp -a "$BATS_TEST_TMPDIR/pam.d/." /etc/pam.d
}

# service [LINE…]: the PAM service of user managers, with these lines for sessions
service() {
    {
        echo 'account required pam_permit.so'
        echo 'session required pam_permit.so'
        [ $# = 0 ] || printf 'session %s\n' "$@"
    } >/etc/pam.d/systemd-user
}

# launch USER COMMAND: what it prints, and what its manager hears. The manager reads what the main process says.
launch() {
    "$MANAGER" notify "$COMMAND" launch "$(id -u "$1")" -- /bin/bash -c "$2" 3>&-
}

@test "launch: the program runs as the user, inside, and is the manager's child" {
    "$COMMAND" namespace make alice >/dev/null
    run launch alice 'id -un; readlink /proc/self/ns/pid'
    [[ $output == *alice* ]]
    [[ $output == *'child of the manager'* ]]
    [[ $output == *'main ended 0'* ]]
    [[ $output == *pid:* ]]
    [[ $output != *"$(readlink /proc/self/ns/pid)"* ]]
    run launch root 'id -un; readlink /proc/self/ns/pid' # negative control
    [[ $output == *"$(readlink /proc/self/ns/pid)"* ]]
}

@test "launch: credentials that cannot be set are no reason to refuse, as without the launcher" {
    # without lines of its own, the service has those of this one
    echo 'auth required pam_deny.so' >/etc/pam.d/other
    "$COMMAND" namespace make alice >/dev/null
    run launch alice 'echo started'
    [[ $output == *started* ]]
    echo 'account required pam_deny.so' >>/etc/pam.d/systemd-user # negative control
    run launch alice 'echo started'
    [[ $output != *started* ]]
    [[ $output == *'command ended 224'* ]]
}

@test "launch: what PAM sets is in the environment of the program, and not of the launcher" {
    # may be the user's: pam_env(8) with user_readenv=1
    echo 'LOCPATH DEFAULT=/home/alice' >"$BATS_TEST_TMPDIR/env.conf"
    service "required pam_env.so conffile=$BATS_TEST_TMPDIR/env.conf" 'required pam_getenv.so LOCPATH' \
        'required pam_getenv.so HOME'
    "$COMMAND" namespace make alice >/dev/null
    run launch alice 'echo "$LOCPATH $HOME $USER"'
    [[ $output == *'/home/alice /home/alice alice'* ]] # negative control
    eventually logged "LOCPATH: own '', of PAM '/home/alice'"
    logged "HOME: own '/root', of PAM ''" # negative control
}

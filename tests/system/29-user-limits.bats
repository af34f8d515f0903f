#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# scope=user: whose namespace it is, and what limits do to the first session and to a later one.

load lib
load user

setup_file() {
    prepare
    prepare_stays
    stack user "required pam_unshare.so scope=user grace=1"
    mkdir /run/accounts
    cp -a /etc/passwd /etc/shadow /etc/group /etc/gshadow /run/accounts
}

setup() {
    log_position
    isolate scope=user grace=1
}

teardown() {
    let_all_go
    pkill -9 -u alice || true
    cp -a /run/accounts/* /etc
    leave_all
    isolate_nobody
}

# ---- whose it is -------------------------------------------------------------------------------

two_names() {
    stay first su_as alice && stay second su_as alias && together first second &&
        [ "$(su_as alias 'pgrep -cf ^stay-')" -eq 2 ] && leave_all
}

@test "a user with two names for one uid has one namespace" {
    useradd --non-unique --uid 1000 --gid alice --no-create-home --home-dir /home/alice --shell /bin/bash alias
    only_shared two_names
    isolate scope=user # negative control: another uid
    stay first su_as alice
    stay second su_as bob
    run together first second
    [ "$status" -ne 0 ]
}

forget_alice() {
    sed -i '/^alice:/d' /etc/passwd /etc/shadow /etc/group /etc/gshadow
}

@test "a uid that is reused while its namespace lingers: the new user gets one of his own, and sees nothing of the old" {
    isolate scope=user linger grace=1
    leave_behind alice 4751
    old=$(pgrep -x pam_unshare)
    sees() { # USER
        su_as "$1" 'pgrep -f "^sleep 4751"'
    }
    sees alice # negative control: it is reached by whom it belongs to
    forget_alice
    useradd --uid 1000 --no-create-home --home-dir / --shell /bin/bash newcomer
    stay first su_as newcomer
    reason="the namespace with init $old was made for user alice, who is not newcomer: end that process if alice is gone"
    logged "session of newcomer gets a namespace of its own, which the user.s other sessions do not share: $reason"
    run sees newcomer
    [ "$status" -ne 0 ]
    two() { [ "$(inits)" -eq 2 ]; }
    eventually two # the third, of the session that has looked, has just been told to end
    leave first
    # as the message says
    kill "$old"
    eventually no_init_left
    stay first su_as newcomer
    stay second su_as newcomer
    together first second
}

# ---- limits --------------------------------------------------------------------------------------

@test "user.max_pid_namespaces: the first is refused, and nothing is changed" {
    run host_without_namespaces user state open state end
    [[ $output == *open=4* ]]
    same_state "$output"
    logged 'cannot isolate the session of alice: .*user.max_pid_namespaces.*No space left'
}

@test "user.max_pid_namespaces: a later one needs no new namespace" {
    full() {
        timeout 60 strace -qq -o /dev/null --inject=unshare:error=ENOSPC "$HOST" /run/pam.d user alice \
            state open run 'readlink /proc/self/ns/pid' close state end
    }
    run full # negative control: the first is refused
    [[ $output == *open=4* ]]
    same_state "$output"
    logged 'cannot isolate the session of alice: .*user.max_pid_namespaces.*No space left'
    hold_session first alice user
    log_position
    run full
    [[ $output == *open=0* ]]
    same_state "$output"
    logged 'the user.s, joined'
}

# hundred LIMIT…: a first session with these limits, and 100 after it; sets MADE, JOINED and OWN
hundred() {
    log_position
    mkfifo "$STAYS/hundred.go"
    # a shell of its own, since bats follows each command of this one
    cat >"$STAYS/hundred" <<'END'
cd /run/stays
rm -f ./*.out # of the last hundred, who have opened, too
for n in first {1..100}; do
    [ "$n" = first ] || set -- "$1" --core=0
    prlimit "${@:2}" "$1" /run/pam.d user alice open hold opened run true close end <>hundred.go >"$n.out" 2>&1 &
    echo "$!" >"$n.pid"
    until [ "$n" != first ] || grep -qx opened first.out; do sleep 0.02; done
done
until [ "$(cat ./*.out | grep -cx opened)" -eq 101 ]; do sleep 0.02; done
cat ./*.out | grep -cx open=0
END
    [ "$(timeout 60 bash "$STAYS/hundred" "$HOST" "$@" 3>&-)" -eq 101 ]
    all_logged() { [ "$(count_logged 'session of alice opened')" -eq 101 ]; }
    eventually all_logged
    MADE=$(count_logged 'the user.s, made') JOINED=$(count_logged 'the user.s, joined')
    OWN=$(count_logged 'session of alice gets a namespace of its own')
    echo "$MADE have made it, $JOINED have joined, $OWN have one of their own"
    let_all_go
    eventually no_init_left
    rm "$STAYS/hundred.go"
}

@test "a first session with limits that its init cannot live with, and 100 after it: those share one" {
    for limit in --nofile=40 --cpu=1000; do
        hundred "$limit:${limit#*=}"
        if can_raise_limits; then
            [ "$MADE $JOINED $OWN" = "1 100 0" ]
        else # the first has one of its own, which no other is to live in, and the next makes it
            [ "$MADE $JOINED $OWN" = "1 99 1" ]
            grep_log "init: be free of the application's limits RLIMIT_CPU and RLIMIT_NOFILE .CAP_SYS_RESOURCE."
        fi
    done
    hundred --core=0 # negative control
    [ "$MADE $JOINED $OWN" = "1 100 0" ]
}

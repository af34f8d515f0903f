#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# People's tools in an isolated ssh session. Each test also shows that the session is isolated.

load lib

setup_file() {
    prepare
    start_secret
    enable sshd
}

teardown_file() {
    disable sshd
}

teardown() {
    LIMIT=20 eventually no_init_left
}

# in_session COMMAND: what it says in a session of alice's, which must be isolated
in_session() {
    local said
    said=$(ssh_as alice -tt "readlink /proc/self/ns/pid; export TERM=xterm; $1" | tr -d '\r')
    [[ $said == pid:* ]] && [ "$(head -n 1 <<<"$said")" != "$(readlink /proc/self/ns/pid)" ] || {
        die "not isolated: $said"
        return
    }
    tail -n +2 <<<"$said"
}

@test "tools: tmux" {
    out=$(in_session 'tmux new-session -d -s t "echo in-tmux >tmux.out; sleep 100"; tmux list-sessions; sleep 2; cat tmux.out; tmux kill-server')
    [[ $out == *"t: 1 windows"* && $out == *in-tmux* ]]
}

@test "tools: screen" {
    out=$(in_session 'screen -dmS s sh -c "echo in-screen >screen.out; sleep 100"; sleep 3; screen -ls; cat screen.out; screen -S s -X quit')
    [[ $out == *.s* && $out == *in-screen* ]]
}

@test "tools: vim" {
    in_session 'rm -f f; printf "ihello\033:wq\n" | vi -n f >/dev/null 2>&1; cat f' | grep -q hello
}

@test "tools: gdb on an own process" {
    out=$(in_session 'sleep 500 & sleep 1; gdb -q -batch -p $! -ex "info proc" 2>&1; kill $!')
    [[ $out == *"process "* && $out != *"not permitted"* ]]
}

@test "tools: strace of an own process" {
    out=$(in_session 'strace -qq -e trace=execve true 2>&1; sleep 500 & slept=$!; strace -p $slept 2>attach & for _ in $(seq 100); do grep attached attach && break; sleep 0.2; done; kill $slept; cat attach')
    [[ $out == *execve*true*attached* ]] # strace may colour it
}

@test "tools: ps, pgrep, pkill, killall" {
    out=$(in_session 'sleep 501 & sleep 502 & sleep 503 & sleep 1; ps -eo args= | grep -c "^sleep 50"; pgrep -fc "^sleep 50"; pkill -f "^sleep 501"; sleep 1; pgrep -fc "^sleep 50"; killall -q sleep; sleep 1; pgrep -fc "^sleep 50"; true')
    echo "$out"
    [ "$(grep -x '[0-9]' <<<"$out" | tr '\n' ' ')" = '3 3 2 0 ' ]
}

@test "tools: htop and top" {
    out=$(in_session 'top -b -n 1 | head -20; (sleep 3; printf q) | timeout 20 htop >htop.out 2>&1; echo "htop ended with $?"; grep -ac CPU htop.out')
    echo "$out"
    [[ $out == *"htop ended with 0"*[1-9] ]]
    [[ $out == *pam_uns* && $out == *PID* ]] # top cuts names
}

@test "tools: systemctl status of a system unit" {
    out=$(in_session 'systemctl --no-pager status cron.service; systemctl is-active cron.service')
    [[ $out == *"active (running)"* ]]
}

@test "tools: journalctl --user" {
    # as on the host: the answer of a user who may read nothing is the same
    with=$(in_session 'journalctl --user -n 1 --no-pager -q; echo status $?' | tail -n 1)
    disable sshd
    without=$(ssh_as alice -tt 'journalctl --user -n 1 --no-pager -q; echo status $?' | tr -d '\r' | tail -n 1)
    enable sshd
    [ "$with" = "$without" ]
}

@test "tools: a container of one's own, unshare -Urp" {
    out=$(in_session 'unshare -Urpf --mount-proc sh -c "id -u; ps ax | wc -l; readlink /proc/self/ns/pid"' 2>&1)
    echo "$out"
    [[ $out != *"denied"* && $out != *"not permitted"* ]] || {
        disable sshd
        stock=$(ssh_as alice -tt 'unshare -Urpf --mount-proc sh -c "id -u; ps ax | wc -l"' 2>&1) || true
        enable sshd
        [[ $stock == *denied* || $stock == *"not permitted"* ]] || die "works without the module: $stock"
        skip "user namespaces are closed to ordinary users on this suite"
    }
    [[ $out == *0*pid:* ]]
}

@test "tools: bubblewrap" {
    out=$(in_session 'bwrap --ro-bind / / --dev /dev --proc /proc --unshare-pid ps ax' 2>&1)
    echo "$out"
    if [[ $out == *bwrap:* ]]; then
        disable sshd
        stock=$(ssh_as alice 'bwrap --ro-bind / / --dev /dev --proc /proc --unshare-pid ps ax' 2>&1) || true
        enable sshd
        [[ $stock == *bwrap:* ]] || die "works without the module: $stock"
        skip "bubblewrap does not work for ordinary users on this suite"
    fi
    [[ $out == *"ps ax"* ]]
    [[ $out != *"$SECRET"* ]]
}

@test "tools: nohup does not outlive the session" {
    in_session 'nohup sleep 504 >/dev/null 2>&1 & sleep 1; pgrep -fc "^sleep 504"' | grep -qx 1
    LIMIT=20 eventually no_init_left
    run pgrep -f 'sleep 504'
    [ "$status" -ne 0 ]
}

@test "tools: script" {
    out=$(in_session 'script -q -c "echo in-script; tty" typescript; grep -c in-script typescript')
    [[ $out == *in-script*/dev/pts/* ]]
}

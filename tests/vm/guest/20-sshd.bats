#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sshd as Debian installs and systemd starts it, with pam_systemd in its stack.

load lib

setup_file() {
    prepare
    start_secret
}

setup() {
    enable sshd
}

teardown() {
    if [ -e /etc/ssh/sshd_config.d/zz-test.conf ]; then
        rm /etc/ssh/sshd_config.d/zz-test.conf
        restart_sshd
    fi
    disable sshd
    LIMIT=20 eventually no_init_left
}

# A reload is over before the new sshd listens.
restart_sshd() {
    systemctl reset-failed ssh 2>/dev/null || true # its count of starts: a fast machine comes to StartLimitBurst=
    systemctl restart ssh
}

# configure LINE…: for the user alice alone
configure() {
    printf '%s\n' "Match User alice" "$@" >/etc/ssh/sshd_config.d/zz-test.conf
    restart_sshd
}

@test "sshd: a command" {
    with_and_without sshd isolated ssh_as alice "$PROBE"
}

@test "sshd: a login shell, fed on standard input" {
    shell() { echo "$PROBE" | timeout 120 ssh -o BatchMode=yes -o LogLevel=ERROR alice@localhost 2>/dev/null; }
    with_and_without sshd isolated shell
}

@test "sshd: a pty" {
    with_and_without sshd isolated ssh_as alice -tt "$PROBE"
}

@test "sshd: password login" {
    password() {
        sshpass -p alice-password ssh -o PubkeyAuthentication=no -o LogLevel=ERROR alice@localhost "$PROBE" </dev/null
    }
    with_and_without sshd isolated password
}

@test "sshd: root is left alone" {
    enable sshd
    ns=$(timeout 120 ssh -o BatchMode=yes root@localhost readlink /proc/self/ns/pid </dev/null)
    [ "$ns" = "$(readlink /proc/self/ns/pid)" ]
    isolated ssh_as alice "$PROBE" # negative control: alice is not
}

sftp_proc() {
    local list
    list=$(echo 'ls -1 /proc' | timeout 120 sftp -q -b - alice@localhost | tr -d '\r ') || return 2
    grep -qE '^(/proc/)?1$' <<<"$list" && ! grep -qE "^(/proc/)?$(pgrep -f "^daemon-$SECRET")\$" <<<"$list"
}

@test "sshd: sftp, the external server" {
    with_and_without sshd sftp_proc
}

@test "sshd: sftp, the internal server" {
    configure "ForceCommand internal-sftp"
    with_and_without sshd sftp_proc
}

@test "sshd: sftp in a ChrootDirectory" {
    install -d -m 755 /srv/jail
    install -d -o alice /srv/jail/in
    configure "ChrootDirectory /srv/jail" "ForceCommand internal-sftp"
    echo hello >"$BATS_TEST_TMPDIR/file"
    sleep 1
    since=$(date +%s)
    printf '%s\n' "put $BATS_TEST_TMPDIR/file /in/file" 'ls -1 /' | timeout 120 sftp -q -b - alice@localhost
    cmp "$BATS_TEST_TMPDIR/file" /srv/jail/in/file
    logged() { journalctl -t sshd -t sshd-session --since "@$since" | grep 'pam_unshare.*session of alice opened'; }
    eventually logged
}

@test "sshd: ForceCommand" {
    configure "ForceCommand $PROBE"
    with_and_without sshd isolated ssh_as alice "echo other"
}

@test "sshd: scp, both protocols" {
    head -c 300000 /dev/urandom >"$BATS_TEST_TMPDIR/file"
    scp -q -o BatchMode=yes "$BATS_TEST_TMPDIR/file" alice@localhost:file
    cmp "$BATS_TEST_TMPDIR/file" /home/alice/file
    run scp -q -O -o BatchMode=yes alice@localhost:file "$BATS_TEST_TMPDIR/back"
    if [[ $output == *"unknown option -- O"* ]]; then # before OpenSSH 8.7 there is only one
        run scp -q -o BatchMode=yes alice@localhost:file "$BATS_TEST_TMPDIR/back"
    fi
    echo "$output"
    [ "$status" -eq 0 ]
    cmp "$BATS_TEST_TMPDIR/file" "$BATS_TEST_TMPDIR/back"
    isolated ssh_as alice "$PROBE"
}

@test "sshd: rsync" {
    mkdir -p "$BATS_TEST_TMPDIR/tree/a/b"
    head -c 100000 /dev/urandom >"$BATS_TEST_TMPDIR/tree/a/b/file"
    rsync -a -e 'ssh -o BatchMode=yes' "$BATS_TEST_TMPDIR/tree/" alice@localhost:tree/
    cmp "$BATS_TEST_TMPDIR/tree/a/b/file" /home/alice/tree/a/b/file
    isolated ssh_as alice "$PROBE"
}

@test "sshd: git" {
    rm -rf /home/alice/repo.git
    ssh_as alice git init -q --bare repo.git
    export GIT_SSH_COMMAND='ssh -o BatchMode=yes' HOME=$BATS_TEST_TMPDIR
    git init -q "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first
    git push -q alice@localhost:repo.git HEAD:refs/heads/main
    [ "$(git ls-remote alice@localhost:repo.git refs/heads/main | wc -l)" -eq 1 ]
    isolated ssh_as alice "$PROBE"
}

# banner PORT: an sshd answers there
banner() {
    local line=
    exec 9<>"/dev/tcp/127.0.0.1/$1" || return
    read -r -t 20 line <&9
    exec 9>&-
    [[ $line == SSH-2.0-* ]]
}

@test "sshd: local and remote forwards, without a command" {
    ssh -o BatchMode=yes -N -L 3333:127.0.0.1:22 -R 3334:127.0.0.1:22 alice@localhost </dev/null >/dev/null 2>&1 3>&- &
    client=$!
    eventually banner 3333
    eventually banner 3334
    [ "$(inits)" -eq 1 ]
    kill "$client"
    wait "$client" || true
    run banner 3333
    [ "$status" -ne 0 ]
}

@test "sshd: X11 forwarding, off and on" {
    configure "X11Forwarding no"
    [ "$(DISPLAY=:77 ssh_as alice -X 'echo "none $DISPLAY"' 2>/dev/null)" = 'none ' ]
    configure "X11Forwarding yes"
    display=$(DISPLAY=:77 ssh_as alice -X 'echo $DISPLAY; xauth list | wc -l')
    echo "$display"
    [[ $display == localhost:1*$'\n'[1-9]* ]]
    DISPLAY=:77 isolated ssh_as alice -X "$PROBE"
}

@test "sshd: agent forwarding" {
    eval "$(ssh-agent 3>&-)"
    ssh-add -q
    keys=$(ssh_as alice -A 'ssh-add -l')
    without=$(ssh_as alice 'ssh-add -l; echo asked')
    kill "$SSH_AGENT_PID"
    [[ $keys == *ED25519* ]]
    [[ $without == *asked && $without != *ED25519* ]]
    isolated ssh_as alice "$PROBE"
}

@test "sshd: several commands over one connection" {
    three() {
        local facts first='' result=0
        ssh -o BatchMode=yes -M -S /run/master -o ControlPersist=yes -fN alice@localhost </dev/null >/dev/null 2>&1 3>&- || return 2
        for _ in 1 2 3; do
            facts=$(ssh_as alice -S /run/master "$PROBE") || { result=2 && break; }
            grep -qx foreign=0 <<<"$facts" || result=1
            facts=$(grep ^pid_namespace= <<<"$facts") || result=1
            [ "${first:=$facts}" = "$facts" ] || result=1
        done
        ssh -S /run/master -O exit alice@localhost 2>/dev/null
        return "$result"
    }
    with_and_without sshd three
}

@test "sshd: a process in the background ends with the session" {
    background_ends() {
        ssh_as alice 'nohup sleep 4711 >/dev/null 2>&1 </dev/null &' || return 2
        LIMIT=20 eventually no_init_left || return
        ! pgrep -f 'sleep 4711' >/dev/null
    }
    with_and_without sshd background_ends
    pkill -f 'sleep 4711' || true
}

@test "sshd: a client that is killed leaves nothing" {
    ssh -o BatchMode=yes alice@localhost 'exec sleep 4712' </dev/null >/dev/null 2>&1 3>&- &
    client=$!
    eventually pgrep -u alice -f 'sleep 4712'
    [ "$(inits)" -eq 1 ]
    kill -9 "$client"
    wait "$client" || true
    LIMIT=30 eventually no_init_left
    run pgrep -f 'sleep 4712'
    [ "$status" -ne 0 ]
}

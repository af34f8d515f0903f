#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Sessions of su and sshd see their own processes only, and the host stays as it is.

load lib

setup_file() {
    prepare
    start_sshd
}

teardown_file() {
    stop_sshd
}

setup() {
    remember_host
    start_secret
}

teardown() {
    kill "$SECRET_PID" 2>/dev/null || true
    disable su
    disable sshd
}

# isolated COMMAND…: the facts that the probe prints when run through COMMAND
isolated() {
    local facts
    facts=$("$@") || return
    echo "$facts" >&2
    for fact in foreign=0 secret=hidden self=resolves signal_init=denied trace_init=denied \
        read_init_memory=denied read_init_environment=denied init_root=; do
        grep -qx -- "$fact" <<<"$facts" || return 1
    done
    [ "$(sed -n 's/^processes=//p' <<<"$facts")" -le 6 ] &&
        ! grep -qxF "pid_namespace=$(readlink /proc/self/ns/pid)" <<<"$facts" &&
        ! grep -qxF "mount_namespace=$(readlink /proc/self/ns/mnt)" <<<"$facts"
}

host_sees_itself() {
    local self
    read -r self _ </proc/self/stat
    [ "$self" = "$BASHPID" ] && pgrep -f "$SECRET" >/dev/null && eventually no_init_left
}

@test "su -c" {
    with_and_without su isolated su -c "$PROBE" alice
    host_sees_itself
}

@test "su - -c" {
    with_and_without su isolated su - -c "$PROBE" alice
    host_sees_itself
}

@test "su with a shell on standard input" {
    su_stdin() { echo "$PROBE" | su alice; }
    with_and_without su isolated su_stdin
    su_stdin() { echo "$PROBE" | su - alice; }
    with_and_without su isolated su_stdin
    host_sees_itself
}

@test "su by an ordinary user, who then may not signal the init" {
    # pam_rootok does not help bob: let the test's su ask nobody
    sed -i 's/pam_rootok.so/pam_permit.so/' "$STOCK/su"
    su_as_bob() {
        sed -i 's/pam_rootok.so/pam_permit.so/' /etc/pam.d/su
        setpriv --reuid bob --regid bob --clear-groups su -c "$PROBE" alice
    }
    with_and_without su isolated su_as_bob
    sed -i 's/pam_permit.so/pam_rootok.so/' "$STOCK/su"
}

@test "ssh host command" {
    with_and_without sshd isolated ssh_as alice "$PROBE"
    host_sees_itself
}

@test "ssh with a pty" {
    ssh_pty() { ssh_as alice -tt "$PROBE" | tr -d '\r'; }
    with_and_without sshd isolated ssh_pty
}

# no_foreign_listed: an sftp listing of /proc on standard input names few processes
few_processes_listed() {
    local list
    list=$("$@") || return
    grep -qx '/proc/1' <<<"$list" && ! grep -qx "/proc/$SECRET_PID" <<<"$list"
}

sftp_list() {
    sftp -q -P "$PORT" "${SSH_OPTIONS[@]:2}" -b - alice@127.0.0.1 <<<'ls -1 /proc' |
        tr -d '\r' | sed 's,^/*proc/,,; s,^,/proc/,'
}

@test "sftp, external server" {
    with_and_without sshd few_processes_listed sftp_list
}

@test "sftp, internal server, which never executes a program" {
    stop_sshd
    start_sshd "Subsystem sftp internal-sftp"
    with_and_without sshd few_processes_listed sftp_list
    # no descriptor of the server leads out, not even through its own /proc/self/fd
    enable sshd
    run sftp -q -P "$PORT" "${SSH_OPTIONS[@]:2}" -b - alice@127.0.0.1 < <(
        for n in $(seq 0 30); do
            printf -- '-ls -1 /proc/self/fd/%d/%s\n' "$n" "$SECRET_PID" "$n" "proc/$SECRET_PID"
        done
        echo 'ls -1 /proc/self/fd')
    [ "$status" -eq 0 ]
    [[ $output == */proc/self/fd/0* ]]
    [[ $output != *cmdline* ]]
    stop_sshd
    start_sshd
}

@test "scp cannot copy another process's command line" {
    scp_fails() {
        rm -f "$BATS_TEST_TMPDIR/copy"
        scp -q -O -P "$PORT" "${SSH_OPTIONS[@]:2}" \
            "alice@127.0.0.1:/proc/$SECRET_PID/cmdline" "$BATS_TEST_TMPDIR/copy" 2>/dev/null || true
        [ ! -e "$BATS_TEST_TMPDIR/copy" ] # scp trusts st_size, so a copy would be empty
    }
    with_and_without sshd scp_fails
    # while it does copy
    enable sshd
    scp -q -P "$PORT" "${SSH_OPTIONS[@]:2}" "alice@127.0.0.1:/etc/hostname" "$BATS_TEST_TMPDIR/copy"
    cmp /etc/hostname "$BATS_TEST_TMPDIR/copy"
}

@test "root through su and ssh is left alone" {
    enable su
    run su -c "$PROBE"
    [[ $output == *secret=found* ]]
    [[ $output == *"pid_namespace=$(readlink /proc/self/ns/pid)"* ]]
}

# ---- the host ------------------------------------------------------------------------------------

# Mount events that reach the host would show in its mount table; / is shared here.
host_mounts() {
    cut -d' ' -f1-3,5- /proc/self/mountinfo
}

@test "no mount event reaches a host whose / is shared" {
    grep -q ' / / .*shared:' /proc/self/mountinfo
    before=$(host_mounts)
    enable su
    su -c "$PROBE" alice
    [ "$before" = "$(host_mounts)" ]
    coproc SESSION { su -c 'echo up; read -r _' alice; }
    session=$SESSION_PID # bash unsets it when the session has ended
    read -r up <&"${SESSION[0]}"
    [ "$up" = up ]
    [ "$before" = "$(host_mounts)" ]
    echo >&"${SESSION[1]}"
    wait "$session"
    # the same with mounts that root makes inside
    enable su include_root
    su -c 'mount -t tmpfs x /mnt && umount /proc && mount -t proc x /proc && mount -t tmpfs x /opt' root
    [ "$before" = "$(host_mounts)" ]
    # negative control: without the slave mount the event arrives
    unshare --mount --propagation unchanged mount -t tmpfs x /mnt
    [ "$before" != "$(host_mounts)" ]
    umount /mnt
}

@test "the administrator's later mounts and umounts reach a session" {
    enable su
    coproc SESSION { su -c 'echo up; while read -r _; do cat /mnt/file || echo none; done' alice; }
    read -r line <&"${SESSION[0]}"
    [ "$line" = up ]
    mount -t tmpfs x /mnt
    echo arrived >/mnt/file
    echo >&"${SESSION[1]}"
    read -r line <&"${SESSION[0]}"
    [ "$line" = arrived ]
    eventually umount /mnt # the session reads it still
    echo >&"${SESSION[1]}"
    read -r line <&"${SESSION[0]}"
    [ "$line" = none ]
    kill "$SESSION_PID"
}

@test "a private / works as well" {
    enable su
    run unshare --mount --propagation private su -c "$PROBE" alice
    [[ $output == *foreign=0* ]]
    [[ $output == *secret=hidden* ]]
}

@test "nothing is left" {
    enable su
    enable sshd
    su -c "$PROBE" alice
    ssh_as alice "$PROBE"
    kill "$SECRET_PID"
    wait "$SECRET_PID" || true
    eventually host_is_unchanged
}

@test "a lock by pid does not hold between two sessions of one user, as the manual says" {
    mkfifo -m 666 /run/lock-held /run/lock-go
    exec 7<>/run/lock-held 8<>/run/lock-go
    # finds_owner: does a second session take the first one for alive?
    finds_owner() {
        su alice -c 'echo $$ >~/lock; echo held >/run/lock-held; read -r _ </run/lock-go' </dev/null 3>&- &
        read -r _ <&7
        local found=0
        su alice -c 'pid=$(cat ~/lock); [ "$pid" -ne $$ ] && kill -0 "$pid"' </dev/null 2>/dev/null || found=1
        echo >&8
        wait "$!"
        return "$found"
    }
    enable su
    run finds_owner
    [ "$status" -eq 1 ]
    disable su
    finds_owner # negative control
    exec 7>&- 8>&-
    rm /run/lock-held /run/lock-go
    grep -q '^.SS Locks by pid$' "$TOP/man/pam_unshare.8"
}

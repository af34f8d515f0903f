#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What applications may do that su and sshd do not, shown with the tests' own PAM application.

load lib

setup_file() {
    prepare
    stack plain "required pam_unshare.so"
    stack ipc "required pam_unshare.so ipc"
    stack twice "required pam_unshare.so" "required pam_unshare.so"
    stack pair "requisite pam_unshare.so close" "required pam_permit.so" "requisite pam_unshare.so open"
    stack systemd-user "required pam_unshare.so"
    stack off "required pam_permit.so"
    busybox=$(command -v busybox)
    install -D -m 755 "$busybox" /run/root/bin/busybox
}

setup() {
    remember_host
    log_position
    IN_HOST="pid:\\[$(readlink /proc/self/ns/pid | tr -dc 0-9)\\]"
}

teardown() {
    mount | grep -q ' on /run/extra' && umount -R -l /run/extra || true
    eventually no_init_left
}

NS='readlink /proc/self/ns/pid'

isolated_run() { # OUTPUT: a run printed the number of another PID namespace
    grep -E '^pid:' <<<"$1" | grep -qvE "$IN_HOST"
}

@test "open and close bring the application back" {
    run host plain state open run "$NS" close state end
    [[ $output == *open=0* && $output == *close=0* ]]
    isolated_run "$output"
    same_state "$output"
    # negative control
    run host off state open run "$NS" close state end
    run isolated_run "$output"
    [ "$status" -ne 0 ]
    run host plain state open state
    run same_state "$output"
    [ "$status" -ne 0 ]
}

@test "close twice" {
    run host plain state open close close state end
    [ "$(grep -cx close=0 <<<"$output")" -eq 2 ]
    same_state "$output"
}

@test "close without open" {
    run host plain state close state end
    [[ $output == *close=0* ]]
    same_state "$output"
}

@test "open twice: closed by the second close" {
    run host plain state open open run "$NS" close run "$NS" close state end
    [ "$(grep -cx open=0 <<<"$output")" -eq 2 ]
    [ "$(grep -E '^pid:' <<<"$output" | sort -u | wc -l)" -eq 1 ]
    isolated_run "$output"
    same_state "$output"
}

@test "open again after close" {
    run host plain state open run "$NS" close open run "$NS" close state end
    [ "$(grep -cx open=0 <<<"$output")" -eq 2 ]
    isolated_run "$output"
    same_state "$output"
}

@test "the module listed twice, and as a pair" {
    for service in twice pair; do
        log_position
        run host "$service" state open run "$NS" close state end
        [[ $output == *open=0* && $output == *close=0* ]]
        isolated_run "$output"
        same_state "$output"
        logged 'session of alice opened'
    done
}

@test "two transactions in one process: the second is refused by name" {
    run host plain open start /run/pam.d:plain open
    [[ $output == *open=4* ]]
    logged 'it has a session of this module open already'
}

@test "pam_end in a forked child touches nothing" {
    run host plain state open child-end run "$NS" close state end
    [[ $output == *child-end=0* ]]
    isolated_run "$output"
    same_state "$output"
    [ "$(count_logged 'session of alice closed')" -eq 1 ]
}

@test "pam_end without close brings the application back" {
    run host plain state open end state
    same_state "$output"
    logged 'session of alice closed'
}

@test "pam_end without close is logged under the module's name, as close is" {
    closed="pam_unshare\\(plain:session\\): session of alice closed: PID namespace [0-9]+, init [0-9]+$"
    run host plain open close end
    logged "$closed"
    log_position
    run host plain open end
    logged "$closed"
    never_logged 'PAM session|pam_unshare.*pam_unshare' # neither libpam's name instead nor ours twice
}

# The inits of a running application that have ended and are not waited for
zombies() { # APPLICATION
    ps -o stat=,comm= --ppid "$1" | grep -c '^Z.*pam_unshare' || true
}

@test "an application that lives on keeps no init that has ended, or one until its next session" {
    mkfifo "$BATS_TEST_TMPDIR/go"
    exec 7<>"$BATS_TEST_TMPDIR/go"
    reached() { eventually grep -qx "$1" "$BATS_TEST_TMPDIR/out"; }
    has() { [ "$(zombies "$(pgrep -x host)")" -eq "$1" ]; }
    start_application() {
        : >"$BATS_TEST_TMPDIR/out"
        host "$@" <&7 >"$BATS_TEST_TMPDIR/out" 3>&- 7>&- &
        application=$!
    }
    # one that forks nothing, as dovecot and samba: none, also after pam_end without close. Often, for
    # an init may have ended by chance. One that takes longer than 100 ms is not waited for: not thrice.
    local points=() commands=() point
    for point in {1..10}; do
        points+=("closed-$point" "ended-$point")
        commands+=(open close hold "closed-$point" open end hold "ended-$point" start /run/pam.d:plain)
    done
    keeps_none() {
        local result=0
        start_application plain "${commands[@]}"
        for point in "${points[@]}"; do
            reached "$point" || return
            has 0 || result=1
            echo >&7
        done
        wait "$application" && return "$result"
    }
    keeps_none || keeps_none || keeps_none
    # one that forks: the last one, which goes with the next session. This one ends a second after the close.
    stack slow "required pam_unshare.so grace=1"
    start_application slow ignore 17 open spawn 'trap "" HUP TERM; exec sleep 4735' hold spawned close hold first \
        open hold second close
    reached spawned
    eventually pgrep -u alice -f '^sleep 4735' # it ignores the signals by now
    echo >&7
    reached first
    eventually has 1
    echo >&7
    reached second
    has 0
    echo >&7
    wait "$application"
    exec 7>&-
}

@test "a close does not wait for processes that are left, though nothing has been waited for" {
    # the kernel waits for this application's children: it seems to have had none
    mkfifo "$BATS_TEST_TMPDIR/go"
    exec 7<>"$BATS_TEST_TMPDIR/go"
    host plain ignore 17 open run 'trap "" HUP TERM; setsid -f sleep 4734' close hold closed <&7 \
        >"$BATS_TEST_TMPDIR/out" 3>&- 7>&- &
    application=$!
    eventually grep -qx closed "$BATS_TEST_TMPDIR/out"
    grep -qx close=0 "$BATS_TEST_TMPDIR/out"
    eventually pgrep -u alice -f '^sleep 4734' # it has its grace period
    echo >&7
    wait "$application"
    exec 7>&-
    eventually no_init_left
    run pgrep -u alice -f '^sleep 4734'
    [ "$status" -ne 0 ]
}

@test "an application that has not said who it is for is asked" {
    run host plain forget-user answer alice state open run "$NS" close state end
    [[ $output == *open=0* && $output == *close=0* ]]
    isolated_run "$output"
    same_state "$output"
    logged 'session of alice opened'
    # root is left alone, as when it is named
    run host plain forget-user answer root open state close state end
    [[ $output == *open=0* ]]
    same_state "$output"
    run host pair forget-user answer alice open run "$NS" close end
    [[ $output == *open=0* ]]
    isolated_run "$output"
}

@test "an application that does not say who it is for is refused, but not by the line that closes" {
    stack closing "requisite pam_unshare.so close" "required pam_permit.so"
    for service in plain pair; do
        log_position
        run host "$service" forget-user state open state close end
        [[ $output == *open=4* ]]
        same_state "$output"
        logged 'session refused: the application has set no user: Conversation error'
    done
    log_position
    run host closing forget-user open close end
    [[ $output == *open=0* && $output == *close=0* ]]
    never_logged 'refused'
    # an argument that is wrong refuses there too
    stack closing "requisite pam_unshare.so close nonsense" "required pam_permit.so"
    run host closing forget-user open close end
    [[ $output == *open=4* ]]
}

@test "an answer that comes later is waited for" {
    run host plain forget-user answer alice answer-later 2 open open open run "$NS" close state end
    [ "$(grep -cx open=31 <<<"$output")" -eq 2 ] # PAM_INCOMPLETE
    [[ $output == *open=0* && $output == *close=0* ]]
    isolated_run "$output"
}

# bats test_tags=plain
@test "privilege that is gone at the close: one warning, and the session ends" {
    local numbers='PID namespace [0-9]+, init [0-9]+' said name
    for gone in "become alice" "drop cap_sys_admin" "drop cap_sys_chroot"; do
        log_position
        # shellcheck disable=SC2086 # a command and its argument
        run host plain open $gone close end
        [[ $output == *open=0* && $output == *close=4* ]]
        case $gone in
            become*) said="goes on until the application ends: $numbers; the application lacks CAP_SYS_ADMIN CAP_SYS_CHROOT by now" ;;
            drop*) name=${gone#drop }; said="closed: $numbers; the application lacks ${name^^} by now and stays inside until it ends" ;;
        esac
        logged "pam_unshare\\(plain:session\\): session of alice $said$"
        eventually no_init_left
        [ "$(count_logged pam_unshare)" -eq 2 ] # with "opened"
        never_logged 'could not be brought back'
    done
    # where it may still be told, the session ends now: what is in it does so while the application lives
    mkfifo "$BATS_TEST_TMPDIR/go"
    exec 7<>"$BATS_TEST_TMPDIR/go"
    host plain open spawn 'exec sleep 4733' hold spawned drop cap_sys_admin close hold closed end <&7 >"$BATS_TEST_TMPDIR/out" 3>&- 7>&- &
    application=$!
    eventually pgrep -u alice -r S -f '^sleep 4733'
    echo >&7
    eventually grep -qx closed "$BATS_TEST_TMPDIR/out"
    gone() { ! pgrep -u alice -r S -f '^sleep 4733'; }
    eventually gone
    kill -0 "$application"
    echo >&7
    wait "$application"
    # and where not, with the application
    host plain open spawn 'exec sleep 4733' become bob hold open close hold closed end <&7 >"$BATS_TEST_TMPDIR/out" 3>&- 7>&- &
    application=$!
    eventually grep -qx open "$BATS_TEST_TMPDIR/out"
    eventually pgrep -u alice -r S -f '^sleep 4733'
    echo >&7
    eventually grep -qx closed "$BATS_TEST_TMPDIR/out"
    pgrep -u alice -r S -f '^sleep 4733'
    echo >&7
    wait "$application"
    eventually gone
    exec 7>&-
    # negative control: every other failure is as grave as it was
    log_position
    run timeout 60 strace -qq -o /run/strace --inject=setns:error=EPERM \
        "$HOST" /run/pam.d plain alice open close end
    [[ $output == *close=4* ]]
    logged 'could not be brought back and stays in the namespaces of the session of alice'
}

@test "an application that executes the program instead of forking it is half isolated" {
    setpriv --reuid alice --regid alice --clear-groups sleep 4736 3>&- &
    other=$!
    eventually grep -q sleep "/proc/$other/comm"
    look="[ -e /proc/self ] || echo no-self; echo /proc/[0-9]*; kill -0 $other && echo reaches"
    # documented: it sees the session, but is outside, and so is what its signals reach
    run host plain open exec "$look"
    grep -qx no-self <<<"$output"
    grep -qx /proc/1 <<<"$output"
    grep -qx reaches <<<"$output"
    # the session ends with it
    eventually no_init_left
    # negative control: forked, it is inside
    run host plain open run "$look" close
    ! grep -qx -e no-self -e reaches <<<"$output" || false
    grep -qE '^/proc/1 /proc/[0-9]+$' <<<"$output"
    kill "$other"
}

# ---- openers that are refused --------------------------------------------------------------------

# A second root directory: a mount point, or a directory that only holds mount points
second_root() { # KIND
    mkdir -p /run/second
    if [ "$1" = mount ]; then
        mount --rbind / /run/second
        mount --make-rslave /run/second
    else
        mount -t tmpfs x /run/second
        mkdir -p /run/second/root
        # the dynamic linker is in /lib or, by the architecture, in /lib64
        for dir in /bin /sbin /lib* /usr /etc /proc /dev /run; do
            mkdir "/run/second/root$dir"
            mount --rbind "$dir" "/run/second/root$dir"
            mount --make-rslave "/run/second/root$dir"
        done
    fi
}

@test "a chrooted application is refused by name" {
    for kind in mount directory; do
        second_root "$kind"
        log_position
        run host plain chroot "/run/second$([ "$kind" = mount ] || echo /root)" state open state end
        umount -R -l /run/second
        [[ $output == *open=4* ]]
        same_state "$output"
        logged 'the application is chrooted'
        eventually host_is_unchanged
    done
}

@test "a multithreaded application is refused, naming the number of threads" {
    run host plain thread thread open close end
    [[ $output == *open=4* ]]
    logged 'the application has 3 threads, only one is supported'
}

@test "an executable named systemd is refused, but not for root; a like name is not" {
    for name in systemd systemd-executor; do
        install -m 755 "$HOST" "/run/$name"
        run "/run/$name" /run/pam.d plain alice state open state end
        [[ $output == *open=4* ]]
        same_state "$output"
        logged "unit with PAMName= cannot be isolated: /run/$name"
        run "/run/$name" /run/pam.d plain root open close end
        [[ $output == *open=0* ]]
        rm "/run/$name"
    done
    install -m 755 "$HOST" /run/systemd-run
    run /run/systemd-run /run/pam.d plain alice open run "$NS" close end
    isolated_run "$output"
}

@test "the service systemd-user is left alone" {
    run host systemd-user state open state run "$NS" close end
    [[ $output == *open=0* ]]
    same_state "$output"
    run isolated_run "$output"
    [ "$status" -ne 0 ]
}

@test "a missing capability is named, and nothing is changed" {
    for cap in cap_sys_admin cap_sys_chroot; do
        log_position
        run host plain drop "$cap" state open state end
        [[ $output == *open=4* ]]
        same_state "$output"
        logged "the application lacks ${cap^^}"
    done
    log_position
    run host plain drop cap_sys_admin drop cap_sys_chroot open end
    logged "the application lacks CAP_SYS_ADMIN CAP_SYS_CHROOT"
}

@test "32 nested levels, and a message at the limit" {
    # each level opens inside the session of the one before
    cat >"/run/nest" <<END
#!/bin/sh
[ "\$1" -gt 0 ] || exit 0
exec "$HOST" /run/pam.d plain alice open run-root "/run/nest \$((\$1 - 1))" close end
END
    chmod 755 /run/nest
    run /run/nest 25
    [ "$(grep -cx open=0 <<<"$output")" -eq 25 ]
    [[ $output != *open=4* ]]
    log_position
    run /run/nest 33
    [[ $output == *open=4* ]]
    logged '32 nested levels'
    eventually host_is_unchanged
}

@test "user.max_pid_namespaces=0" {
    run host_without_namespaces plain state open state end
    [[ $output == *open=4* ]]
    logged 'user.max_pid_namespaces.*No space left'
    same_state "$output"
}

# ---- a hostile or unusual caller -----------------------------------------------------------------

@test "the real uid of the caller does not own the init" {
    mkfifo "$BATS_TEST_TMPDIR/go"
    exec 7<>"$BATS_TEST_TMPDIR/go"
    host plain ruid 1001 open hold opened ruid 0 close end <&7 >"$BATS_TEST_TMPDIR/out" 3>&- 7>&- &
    application=$!
    eventually grep -qx opened "$BATS_TEST_TMPDIR/out"
    init=$(pgrep -x pam_unshare)
    run setpriv --reuid bob --regid bob --clear-groups kill -9 "$init"
    [ "$status" -ne 0 ]
    [ -e "/proc/$init" ]
    # negative control: the application itself is bob's to signal
    setpriv --reuid bob --regid bob --clear-groups kill -0 "$(pgrep -P "$application" -x host || pgrep -xn host)"
    echo >&7
    wait "$application"
    exec 7>&-
}

@test "closed descriptors 0 to 2" {
    run host plain close-standard state open run "$NS >&9" close state end
    [[ $output == *open=0* && $output == *close=0* ]]
    isolated_run "$output"
    same_state "$output"
}

@test "descriptors 0 to 2 that are closed, and others put in their place" {
    # it keeps nothing of the test's output open, which the test would wait for
    sleeper='exec setsid -f sleep 4731 >/dev/null 2>&1 9>&-'
    run host plain close-standard open reopen-standard run "$sleeper" close end
    [[ $output == *close=0* ]]
    eventually no_init_left
    run pgrep -u alice -f 'sleep 4731'
    [ "$status" -ne 0 ]
    # negative control: with the module off it goes on
    run host off close-standard open reopen-standard run "$sleeper" close end
    eventually pkill -u alice -f '^sleep 4731'
}

# bats test_tags=plain
@test "a descriptor on a file system of many terabytes" {
    mkdir -p /run/big
    mount -t tmpfs -o size=20T big /run/big
    : >/run/big/file
    host plain state open run "$NS" close state end </run/big/file >"$BATS_TEST_TMPDIR/out"
    umount /run/big
    isolated_run "$(cat "$BATS_TEST_TMPDIR/out")"
}

# bats test_tags=plain
@test "no descriptor is to be had at close: the application comes back" {
    log_position
    run host plain state open descriptors 4 close state end
    for ns in mnt pid pid_for_children; do # libpam's own audit fails, so the result does not tell
        [ "$(grep -c "^/proc/self/ns/$ns -> $(readlink /proc/self/ns/$ns | sed 's/[][]/\\&/g')$" <<<"$output")" -eq 2 ]
    done
    logged 'session of alice closed'
    never_logged 'could not be brought back'
    run host plain open descriptors 4 run 'exit 0' close open close end # and cannot open again
    [[ $output == *open=4* ]]
}

@test "exhausted descriptors: refused, and everything as before" {
    for limit in 4 5 6 8 10 11 12 13 14 15 16; do
        run host plain descriptors "$limit" state open state close end
        [[ $output == *open=[04]* ]]
        [[ $output == *open=0* ]] || same_state "$output"
        eventually no_init_left
    done
    run host plain descriptors 10 open end
    [[ $output == *open=4* ]]
    logged 'Too many open files'
    run host plain descriptors 64 open close end # negative control
    [[ $output == *open=0* ]]
}

@test "a working directory inside the host's procfs is left, and returned to" {
    for dir in /proc /proc/1 /proc/sys/kernel; do
        run host plain chdir "$dir" state open run 'pwd; ls | head -n 200' close state end
        [[ $output == *open=0* ]]
        grep -qx / <<<"$output"
        grep -qx bin <<<"$output"
        same_state "$output"
        # negative control: without the module it shows the host
        run host off chdir "$dir" open run 'pwd' close end
        grep -qx "$dir" <<<"$output"
    done
}

@test "a working directory in another mount namespace is left" {
    start_secret
    unshare --mount sleep 1000 3>&- &
    other=$!
    eventually grep -q sleep "/proc/$other/comm" # which it executes after it is elsewhere
    run host plain chdir "/proc/$other/root/usr" open run "ls ../proc/$SECRET_PID; pwd -P" close end
    [[ $output == *open=0* ]]
    [[ $output != *cmdline* ]]
    run host off chdir "/proc/$other/root/usr" open run "ls ../proc/$SECRET_PID" close end
    [[ $output == *cmdline* ]]
    kill "$other" "$SECRET_PID"
}

@test "a deleted working directory" {
    mkdir /run/gone
    run sh -c 'cd /run/gone && rmdir /run/gone && exec "$0" /run/pam.d plain alice open run "$1" close end' \
        "$HOST" "$NS"
    [[ $output == *open=0* && $output == *close=0* ]]
    isolated_run "$output"
}

@test "descriptors on the host's procfs do not reach the session's programs" {
    list='for fd in /proc/self/fd/*; do ls "$fd/" 2>/dev/null; done; true'
    run host plain keep /proc keep /proc/1 keep /proc/uptime open run "$list" close end
    [[ $output == *open=0* ]]
    [[ $output != *cmdline* && $output != *loadavg* ]]
    run host off keep /proc keep /proc/1 open run "$list" close end
    [[ $output == *cmdline* && $output == *loadavg* ]]
}

@test "nor does one with a number too high to be tried" {
    ulimit -n 4096
    exec 1500</proc
    run host plain open run 'ls /proc/self/fd/1500/' close end
    [[ $output == *open=0* && $output != *loadavg* ]]
    run host off open run 'ls /proc/self/fd/1500/' close end
    [[ $output == *loadavg* ]]
    exec 1500<&-
}

# bats test_tags=plain
@test "an inherited descriptor of a directory is no way to the host's processes" {
    start_secret
    list="for n in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        cat /proc/self/fd/\$n/proc/$SECRET_PID/cmdline /proc/self/fd/\$n/../proc/$SECRET_PID/cmdline 2>/dev/null; done; true"
    run host plain keep / keep /usr open run "$list" close end
    [[ $output == *open=0* && $output != *"$SECRET"* ]]
    run host off keep / keep /usr open run "$list" close end
    [[ $output == *"$SECRET"* ]]
    # a caller of su
    enable su
    run su alice -c "$list" 5</
    [[ $output != *"$SECRET"* ]]
    run su alice -c "$list" </
    [[ $output != *"$SECRET"* ]]
    disable su
    run su alice -c "$list" 5</
    [[ $output == *"$SECRET"* ]]
    kill "$SECRET_PID"
}

@test "other procfs instances show the session too" {
    mkdir -p /run/extra/proc /run/extra/process /run/extra/tree
    mount -t tmpfs x /run/extra
    mkdir -p /run/extra/proc /run/extra/process /run/extra/tree '/run/extra/a b\z'
    mount -t proc x /run/extra/proc
    mount -t proc x '/run/extra/a b\z'
    mount --bind /proc/1 /run/extra/process
    mount --rbind / /run/extra/tree
    mount --make-rslave /run/extra/tree
    start_secret
    list='for d in /run/extra/proc "/run/extra/a b\z" /run/extra/tree/proc; do echo "$d:" "$d"/[0-9]*; done; ls /run/extra/process'
    run host plain state open run "$list" close state end
    [[ $output == *"/run/extra/proc: /run/extra/proc/1 "* ]]
    [[ $output == *'/run/extra/a b\z: /run/extra/a b\z/1 '* ]]
    [[ $output == *"/run/extra/tree/proc: /run/extra/tree/proc/1 "* ]]
    [[ $output != *"/$SECRET_PID "* && $output != *cmdline* ]]
    same_state "$output"
    run host off open run "$list" close end
    [[ $output == *"/run/extra/proc/$SECRET_PID "* && $output == *cmdline* ]]
    kill "$SECRET_PID"
    umount -R -l /run/extra
}

@test "a procfs that another mount covers goes, and that stays" {
    mkdir -p /run/extra
    mount -t proc x /run/extra
    mount -t tmpfs x /run/extra
    touch /run/extra/file
    look='ls /run/extra; grep -c " /run/extra " /proc/self/mountinfo'
    run host plain state open run "$look" close state end
    [[ $output == *open=0*$'\nfile\n1\n'* ]]
    same_state "$output"
    run host off open run "$look" close end # negative control
    [[ $output == *$'\nfile\n2\n'* ]]
    umount /run/extra
    umount /run/extra
}

@test "a procfs mounted twice over /proc" {
    mount -t proc x /proc
    run host plain state open run "$NS; ls -d /proc/[0-9]* | wc -l; grep -c ' /proc ' /proc/self/mountinfo" close state end
    umount /proc
    isolated_run "$output"
    grep -qx 1 <<<"$output"
    same_state "$output"
}

@test "what is mounted below /proc comes along, binfmt_misc excepted" {
    echo masked >/run/mask
    echo stacked >/run/stacked
    mount --bind /run/mask /proc/uptime
    mount --bind /run/stacked /proc/uptime
    mount --bind /dev/null /proc/version
    mount -t tmpfs -o ro x /proc/acpi 2>/dev/null || mount -t tmpfs -o ro x /proc/bus
    mount -t tmpfs x /proc/1/net 2>/dev/null || mount -t tmpfs x /proc/1/task
    mount -t tmpfs x /proc/sys/fs
    look='cat /proc/uptime; stat -c "version %F" /proc/version; grep -cE " /proc/(acpi|bus|sys/fs) " /proc/self/mountinfo; grep -c /proc/1/ /proc/self/mountinfo'
    run host plain old-kernel open run "$look" close end # that reads the mount table as text
    as_text=$(grep -vE '=|^state' <<<"$output")
    run host plain state open run "$look" close state end
    same_state "$output"
    umount /proc/uptime /proc/uptime /proc/version /proc/sys/fs
    umount /proc/acpi 2>/dev/null || umount /proc/bus
    umount /proc/1/net 2>/dev/null || umount /proc/1/task
    grep -qx stacked <<<"$output"
    grep -qx 'version character special file' <<<"$output"
    grep -qx 2 <<<"$output"
    grep -qx 0 <<<"$output"
    for line in stacked 'version character special file' 2 0; do
        grep -qx "$line" <<<"$as_text"
    done
    # negative control: nothing is mounted there of itself
    run host plain open run "$look" close end
    run grep -qx stacked <<<"$output"
    [ "$status" -ne 0 ]
}

@test "the mount table is read as text only where the kernel cannot be asked by mount" {
    reads_text() { # COMMAND…
        strace -f -qq -e trace=openat -o /run/strace "$HOST" /run/pam.d plain alice "$@" open close end >/run/out
        [ "$(grep -cx open=0 /run/out)" -eq 1 ] || return 2
        grep -q '[0-9], "mountinfo"' /run/strace
    }
    run reads_text old-kernel
    [ "$status" -eq 0 ]
    printf '%s\n' 6.11 "$(uname -r)" | sort -VC || skip "the kernel is an old one"
    run reads_text # negative control
    [ "$status" -eq 1 ]
}

@test "a working directory in a mount that is carried over is returned to" {
    mount --bind /proc/sys /proc/sys
    run host plain chdir /proc/sys/kernel state open run 'pwd; ls -d /proc/sys/kernel' close state end
    umount /proc/sys
    [[ $output == *open=0* ]]
    grep -qx / <<<"$output"
    same_state "$output"
}

@test "the IPC namespace" {
    run host ipc state open run 'readlink /proc/self/ns/ipc' close state end
    [[ $output == *open=0* ]]
    grep -E '^ipc:' <<<"$output" | grep -qvF "$(readlink /proc/self/ns/ipc)"
    same_state "$output"
    run host plain open run 'readlink /proc/self/ns/ipc' close end # negative control
    grep -qxF "$(readlink /proc/self/ns/ipc)" <<<"$output"
}

@test "the application changes its root between open and close: it is not let out" {
    run host plain open chroot /run/root close
    [[ $output == *close=4* ]]
    logged 'the application has changed its root directory'
}

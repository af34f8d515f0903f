#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# enter=fork: an application with threads stays on the host, and its children enter in fork(3). What it starts
# otherwise executes nothing as the user.

load lib

setup_file() {
    prepare
    stack fork "required pam_unshare.so enter=fork"
    stack ipc "required pam_unshare.so enter=fork ipc"
    stack user "required pam_unshare.so enter=fork scope=user"
    stack places "required pam_unshare.so enter=fork private=tmp"
    stack plain "required pam_unshare.so"
    stack root "required pam_unshare.so enter=fork include_root"
    stack off "required pam_permit.so"
    # what a session cannot see if it is isolated
    start_secret
    export SECRET_PID
}

teardown_file() {
    kill "$SECRET_PID" || true
}

setup() {
    remember_host
    log_position
    HOST_NS=$(readlink /proc/self/ns/pid)
}

teardown() {
    eventually no_init_left
}

NS='readlink /proc/self/ns/pid'

# How many lines of the output say that a process was in another PID namespace than the host's
inside() { # OUTPUT
    grep -E '^pid:' <<<"$1" | grep -cvxF "$HOST_NS" || true
}

on_host() { # OUTPUT
    grep -cxF "$HOST_NS" <<<"$1" || true
}

SERVICES_AT_FORK=(fork ipc user places)

@test "an application with threads: each child is inside, of every thread, and nothing of the host is seen" {
    look="$NS; readlink /proc/self/ns/mnt; id -un; ps -eo args; [ \$\$ -ne 2 ]"
    for service in "${SERVICES_AT_FORK[@]}"; do
        run host "$service" thread thread open run "$look" thread-run "$look" run "$look" close run "$NS" end
        [[ $output == *open=0* && $output == *close=0* ]]
        [ "$(inside "$output")" -eq 3 ]
        [ "$(grep -c '^pid:' <<<"$output" )" -eq 4 ]
        [ "$(on_host "$output")" -eq 1 ] # after the close
        [ "$(grep -cx 'alice' <<<"$output")" -eq 3 ]
        [ "$(grep -cE '^(thread-)?run=0$' <<<"$output")" -eq 4 ]
        [[ $output != *"$SECRET"* ]]
        logged "pam_unshare\\($service:session\\): session of alice opened: .*, entered at fork"
        never_logged 'no child of the application|could not enter|changed the limit'
    done
    # negative controls: the processes are seen without the module, and the word is needed
    run host off thread open run "$look" end
    [[ $output == *"$SECRET"* ]]
    [ "$(inside "$output")" -eq 0 ]
    run host plain thread open end
    [[ $output == *open=4* ]]
    logged 'the application has 2 threads, only one is supported'
}

@test "the application itself is where it was, all the time, but for its limit" {
    for service in "${SERVICES_AT_FORK[@]}"; do
        run host "$service" thread state open run "$NS" state close state end state
        [[ $output == *open=0* ]]
        [ "$(inside "$output")" -eq 1 ]
        # its namespaces, root and directory: of the states before, in and after the session
        for what in ns/mnt ns/pid ns/pid_for_children ns/ipc root; do
            [ "$(grep -c "^/proc/self/$what -> " <<<"$output")" -eq 4 ]
            [ "$(grep "^/proc/self/$what -> " <<<"$output" | sort -u | wc -l)" -eq 1 ]
        done
        [ "$(grep -c '^cwd /' <<<"$output")" -eq 4 ]
        [ "$(grep '^cwd /' <<<"$output" | sort -u | wc -l)" -eq 1 ]
        same_state "$output"
        # threads can be started: also in the one that has opened the session, and after forks
        run host "$service" open new-thread run true new-thread thread-run true new-thread close new-thread end
        [ "$(grep -cx 'new-thread=0' <<<"$output")" -eq 4 ]
    done
    # negative control: in a session without the word they cannot
    run host plain open new-thread close end
    [[ $output == *new-thread=22* ]]
}

@test "what is started without fork(3) cannot execute a program as the user, and can as root" {
    for service in fork user; do
        for way in vfork clone posix-spawn; do
            run host "$service" thread open "$way" "echo it runs; $NS" close end
            [[ $output == *open=0* && $output == *close=0* ]]
            [[ $output != *"it runs"* ]]
            [[ $output == *"$way=11"* || $output == *"$way=126"* ]]
            logged 'no child of the application has entered the session of alice: what it starts without fork\(3\) cannot execute'
            # negative control: without the module they run, and on the host
            run host off thread open "$way" "echo it runs; $NS" close end
            [[ $output == *"it runs"* ]]
            [ "$(on_host "$output")" -eq 1 ]
        done
        # what root starts may run on the host, and what it starts as the user may not
        run host "$service" open clone-root "$NS; setpriv --reuid alice --regid alice --clear-groups echo it runs" end
        [ "$(on_host "$output")" -eq 1 ]
        [[ $output != *"it runs"* ]]
        run host off open clone-root "setpriv --reuid alice --regid alice --clear-groups echo it runs" end
        [[ $output == *"it runs"* ]]
        # nor does the application itself, when it becomes the user
        run host "$service" open exec 'echo it runs'
        [[ $output != *"it runs"* ]]
        run host off open exec 'echo it runs'
        [[ $output == *"it runs"* ]]
        # after the close all is as it was
        run host "$service" open run true close vfork "echo it runs; $NS" end
        [[ $output == *"it runs"* ]]
    done
}

LIMIT="awk '/^Max processes/ { print \$3 }' /proc/self/limits"

@test "pids begin at random, so that two desktops do not name the same things; without the word with 2" {
    # and for a user's namespace, and where the application has a display
    for words in "fork" "user" "plain display :1"; do
        first=()
        for _ in 1 2 3; do
            # shellcheck disable=SC2086 # words
            run host $words open run 'echo "pid $$"' close end
            first+=("$(sed -n 's/^pid //p' <<<"$output")")
        done
        echo "${first[*]}"
        [ "$(printf '%s\n' "${first[@]}" | sort -un | wc -l)" -eq 3 ]
        [ "${first[0]}" -gt 1000 ]
    done
    run host plain open run 'echo "pid $$"' close end # negative control
    [[ $output == *"pid 2"* ]]
}

@test "the session has the limits that the application had" {
    for n in 4000 5000; do
        run host fork processes "$n" thread open run "$LIMIT" close end
        [[ $output == *open=0* ]]
        grep -qx "$n" <<<"$output"
        grep -qx 'run=0' <<<"$output"
    done
}

@test "somebody else changes the limit: the log says that it is open" {
    run host fork thread open processes 4000 run true close end
    [[ $output == *close=0* ]]
    logged 'has changed the limit RLIMIT_NPROC in the session of alice'
    run host fork thread open processes 4000 run "$LIMIT" end
    grep -qx 4000 <<<"$output"
    logged 'has changed the limit RLIMIT_NPROC in the session of alice'
}

@test "opened in another thread than the first" {
    for service in "${SERVICES_AT_FORK[@]}"; do
        run host "$service" new-thread state thread-open run "$NS" thread-run "$NS" close state run "$NS" end
        [[ $output == *thread-open=0* && $output == *close=0* ]]
        [ "$(inside "$output")" -eq 2 ]
        [ "$(on_host "$output")" -eq 1 ]
        same_state "$output"
    done
}

@test "the working directory: the same one inside, or / where that is not to be seen" {
    run host fork thread chdir /usr/share open run 'pwd; ls' state close end
    grep -qx /usr/share <<<"$output"
    grep -qx doc <<<"$output"
    grep -qx 'cwd /usr/share' <<<"$output"
    run host fork thread open chdir /usr/bin run pwd chdir "/proc/$SECRET_PID/fd" run-root 'pwd; ls' state close end
    [ "$(grep -cx /usr/bin <<<"$output")" -eq 1 ]
    [ "$(grep -cx / <<<"$output")" -eq 1 ]
    grep -qx "cwd /proc/$SECRET_PID/fd" <<<"$output" # the application's own
    # negative control: there is something to be seen
    run host off chdir "/proc/$SECRET_PID/fd" open run-root 'pwd; ls' close end
    grep -qx "/proc/$SECRET_PID/fd" <<<"$output"
}

@test "a directory or a procfs file of the host's that the application opens later is not the session's" {
    for path in / "/proc/$SECRET_PID/cmdline" /proc; do
        run host fork thread open keep "$path" run 'ls -l /proc/self/fd' close end
        [[ $output == *keep=0* && $output == *"run=0"* ]]
        run grep -E -- "-> ($path|/)\$" <<<"$output"
        [ "$status" -ne 0 ]
        run host off thread open keep "$path" run 'ls -l /proc/self/fd' close end # negative control
        grep -qE -- "-> $path\$" <<<"$output"
    done
    # a child that executes no program has nothing of the module's that is of use
    run host fork thread open inherit /run/none close end
    [[ $output == *inherit=0* && $output != *"is of use"* ]]
    run host fork thread open inherit-root /run/none close end
    [[ $output == *inherit-root=0* && $output != *"is of use"* ]]
}

@test "a user who has no other process is counted by a zombie, which nobody can end" {
    echo 'lonely:x:54321:54321::/:/bin/sh' >>/etc/passwd # alice's uid may be that of somebody of the machine's
    echo 'lonely:x:54321:' >>/etc/group
    lonely() { timeout -k 1 60 "$HOST" /run/pam.d fork lonely thread "$@"; }
    of_lonely='ps --no-headers -o stat= -o pid= -U 54321'
    kill_all='python3 -c "import os; os.setresuid(54321, 54321, 54321); os.kill(-1, 9)"'
    # the application's own wait(2) leaves it
    run lonely open clone-root "$kill_all" wait-all vfork 'echo it runs' clone 'echo it runs' run 'echo inside; kill -9 -1' \
        vfork 'echo it runs' close end
    [[ $output == *open=0* && $output == *inside* && $output == *close=0* ]]
    [[ $output != *"it runs"* ]]
    [ "$(grep -cx 'vfork=11' <<<"$output")" -eq 2 ]
    never_logged 'has waited for a child'
    run lonely open clone-root "$of_lonely" close clone-root "echo; $of_lonely" end
    [ "$(grep -cE '^Z' <<<"$output")" -eq 1 ] # until the close
    # negative control: one who waits for all children reaps it, and the log says what that means
    run lonely open reap vfork 'echo it runs' close end
    [[ $output == *open=0* && $output == *"it runs"* ]]
    logged 'the application has waited for a child .* in the session of lonely'
}

@test "root is refused, since nothing would keep it inside; a root that is exempt is not" {
    run timeout -k 1 60 "$HOST" /run/pam.d root root thread state open state end
    [[ $output == *open=4* ]]
    same_state "$output"
    logged "root cannot be isolated with 'enter=fork'"
    run timeout -k 1 60 "$HOST" /run/pam.d fork root thread open vfork 'echo it runs' close end
    [[ $output == *open=0* && $output == *"it runs"* ]]
}

@test "one session at a time in a process: the second is refused by name, of either kind" {
    for second in fork plain user; do
        run host fork open start "/run/pam.d:$second" state open state end
        [[ $output == *open=4* ]]
        same_state "$output"
        logged "this process has another session with 'enter=fork' open"
    done
    # two threads open at the same time
    for _ in 1 2 3; do
        log_position
        run host fork open-both /run/pam.d:fork run "$NS" close run "$NS" state open run "$NS" close state end
        [[ $output == *open-both=1* ]]
        [ "$(inside "$output")" -eq 2 ]
        [ "$(on_host "$output")" -eq 1 ]
        same_state "$output"
        logged "this process (opens|has) another session with 'enter=fork'"
    done
    run host off open-both /run/pam.d:off end # negative control
    [[ $output == *open-both=2* ]]
    # one after the other, by one and by two transactions
    run host fork open run "$NS" close open run "$NS" close end start /run/pam.d:user open run "$NS" close end
    [ "$(grep -cx open=0 <<<"$output")" -eq 3 ]
    [ "$(inside "$output")" -eq 3 ]
}

@test "an application whose children are born in another PID namespace is refused, and they live" {
    run host fork unshare-pid thread open run-root 'echo it runs' run-root 'echo it runs, too' end
    [[ $output == *open=4* && $output == *"it runs"* ]]
    logged "the application's children are born in another PID namespace than its own"
    # as with a session without the word, in whose namespace the user could end what proves the guard
    run host plain open start /run/pam.d:fork open run "$NS" end
    [ "$(grep -cx open=4 <<<"$output")" -eq 1 ]
    [ "$(inside "$output")" -eq 1 ]
    logged "the application's children are born in another PID namespace than its own"
}

@test "an application whose real user id is the user's is refused: no limit would count" {
    run host fork ruid "$(id -u alice)" open end
    [[ $output == *open=4* ]]
    logged "the application's real user id is the user's already"
    run host fork ruid "$(id -u bob)" thread open run "$NS" end # negative control
    [[ $output == *open=0* ]]
    [ "$(inside "$output")" -eq 1 ]
}

@test "opened twice, and closed by the end of the transaction" {
    run host fork state open open run "$NS" close run "$NS" close run "$NS" state end
    [ "$(inside "$output")" -eq 2 ]
    [ "$(on_host "$output")" -eq 1 ]
    same_state "$output"
    run host fork state open child-end run "$NS" end state run "$NS"
    [[ $output == *child-end=0* ]]
    [ "$(inside "$output")" -eq 1 ]
    [ "$(on_host "$output")" -eq 1 ]
    same_state "$output"
    logged 'session of alice closed'
}

@test "without the privilege at the close: the application is on the host already" {
    run host fork thread open run "$NS" drop cap_sys_admin close end
    [[ $output == *close=0* ]]
    logged 'session of alice closed'
}

@test "an application in a chroot, before or after the open" {
    mkdir -p /run/second
    mount --rbind / /run/second
    mount --make-rslave /run/second
    run host fork thread chroot /run/second open end
    [[ $output == *open=4* ]]
    logged 'the application is chrooted'
    # later: its child does not come out of the chroot by entering
    run host fork thread open chroot /run/second run 'echo it runs' close end
    [[ $output == *run=126* && $output != *"it runs"* ]]
    logged "children of the application could not enter the session of alice and were ended, 1 of them: have the application's root directory"
    run host off thread open chroot /run/second run 'echo it runs' end # negative control
    [[ $output == *"it runs"* ]]
    umount -R -l /run/second
}

@test "threads that fork while sessions are opened and closed" {
    local commands=()
    for _ in {1..20}; do
        commands+=(open run "$NS" close run "$NS")
    done
    for service in fork user; do
        run host "$service" forking true state "${commands[@]}" new-thread
        [ "$(grep -cx open=0 <<<"$output")" -eq 20 ]
        [ "$(grep -cx close=0 <<<"$output")" -eq 20 ]
        [ "$(inside "$output")" -eq 20 ]
        [ "$(on_host "$output")" -eq 20 ]
        [[ $output == *new-thread=0* ]]
    done
    # none of them is left with the guard's limit, nor half inside
    run host fork processes 5000 forking "echo \"place \$(readlink /proc/self/ns/mnt) \$($NS) \$($LIMIT)\"" \
        "${commands[@]}"
    echo "$output" | grep '^place ' | sort | uniq -c
    [ "$(grep -c '^place ' <<<"$output")" -gt 20 ]
    [ "$(awk '/^place / { print $4 }' <<<"$output" | sort -u)" = 5000 ]
    [ "$(awk -v mnt="$(readlink /proc/self/ns/mnt)" -v pid="$HOST_NS" '/^place / && ($2 == mnt) != ($3 == pid)' <<<"$output" |
        wc -l)" -eq 0 ]
}

# ---- faults in the child -------------------------------------------------------------------------

prepare_traced() {
    rm -f /run/go
    mkfifo /run/go
    exec 8<>/run/go
}

is_traced() { # PID
    ! grep -qx $'TracerPid:\t0' "/proc/$1/status"
}

# traced SERVICE COMMAND [INJECTION…]: the application is traced between open and close, when it
# forks a child, which runs the command. Its output is in /run/out.
traced() {
    local service=$1 command=$2 application tracer
    shift 2
    : >/run/out
    "$HOST" /run/pam.d "$service" alice thread state open hold opened run "$command" hold ran close state end \
        <&8 >/run/out 3>&- 8>&- &
    application=$!
    eventually grep -qx opened /run/out
    strace -f -qq -o /run/strace "${@/#/--inject=}" -p "$application" 3>&- 8>&- &
    tracer=$!
    eventually is_traced "$application"
    echo >&8
    eventually grep -qx ran /run/out
    kill -INT "$tracer" # it lets go; the close is not traced
    wait "$tracer" || true
    echo >&8
    wait "$application"
}

# Nothing of the session has run, nothing is left, and the log names the step
not_run() { # PATTERN INJECTION
    log_position
    traced ipc 'echo it runs' "$2"
    grep -qx run=126 /run/out && ! grep -q 'it runs' /run/out && same_state "$(cat /run/out)" &&
        logged "children of the application could not enter the session of alice and were ended, 1 of them: $1"
}

@test "a child that cannot enter is ended before it runs anything, and the log says at which step" {
    prepare_traced
    # negative control: a fault in what the parent alone does
    traced ipc 'echo it runs' getpeername:error=EIO
    grep -qx 'it runs' /run/out
    grep -qx run=0 /run/out
    not_run "be born in the session's PID namespace: No such process" getppid:retval=77
    not_run "hide the application's descriptors: Input/output error" getdents64:error=EIO
    not_run "hide the application's descriptors: Input/output error" statx:error=EIO
    not_run "be born in the session's PID namespace: No such process" setns:error=EPERM:when=1
    not_run "set the limit RLIMIT_NPROC: Operation not permitted" prlimit64:error=EPERM:when=2
}

@test "a thread that cannot go back after a fork: the log says so, and its children are inside or ended" {
    prepare_traced
    log_position
    traced fork 'echo it runs' setns:error=EPERM:when=2 # the child makes one call only
    grep -qx 'it runs' /run/out
    logged 'a thread of the application could not be brought back after a fork and stays in the session of alice'
    log_position
    traced fork 'echo it runs' setns:error=EPERM:when=3 # negative control
    never_logged 'could not be brought back'
}

@test "a fork that begins while the session is closed" {
    local status=0
    prepare_traced
    : >/run/out # of the test before
    "$HOST" /run/pam.d fork alice forking true open hold opened close hold closed end <&8 >/run/out 3>&- 8>&- &
    application=$!
    eventually grep -qx opened /run/out
    # the close takes long where it ends the guard, and so does each fork where it goes back to the host
    strace -f -qq -o /run/strace --inject=setns:delay_enter=200000 --inject=waitid:delay_enter=600000 -p "$application" \
        3>&- 8>&- &
    tracer=$!
    eventually is_traced "$application"
    echo >&8
    eventually grep -qx closed /run/out
    kill -INT "$tracer"
    wait "$tracer" || true
    echo >&8
    wait "$application" || status=$?
    [ "$status" -eq 0 ]
    grep -qx close=0 /run/out
    grep -q 'setns(' /run/strace && grep -q 'waitid(P_PIDFD' /run/strace # negative control: both were hit
}

@test "a filter of system calls that makes setns do nothing and report success" {
    prepare_traced
    not_run "be born in the session's PID namespace" setns:retval=0
}

@test "each system call of a child fails, in turn: it is ended, or is inside" {
    prepare_traced
    traced ipc true
    child=$(awk '/getppid\(/ { print $1; exit }' /run/strace)
    # all that it does until fork(3) returns in it: then it becomes the user
    awk -v pid="$child" '$1 == pid && sub(/\(.*/, "", $2) { print $2 }' /run/strace |
        sed -e '/^prctl$/,$d' >/run/calls
    grep -qx setns /run/calls
    runs=0 ended=0
    while read -r n call; do
        for error in EPERM EIO; do
            case $call in set_robust_list | rseq | gettid | close | munmap) continue ;; esac
            log_position
            traced ipc "$NS; ps -eo args" "$call:error=$error:when=$n"
            if grep -e "$SECRET" -e '^open=[^0]' /run/out || grep -xF "$HOST_NS" /run/out; then
                die "it is outside: $call number $n fails with $error"
            fi
            grep -qxE 'run=(0|126|-1)' /run/out || die "$call number $n, $error: $(cat /run/out)"
            ! grep -qx run=126 /run/out || ended=$((ended + 1))
            runs=$((runs + 1))
        done
    done < <(awk '{ print ++n[$1], $1 }' /run/calls)
    echo "$runs runs, $ended ended"
    [ "$runs" -gt 30 ]
    [ "$ended" -gt 15 ]
}

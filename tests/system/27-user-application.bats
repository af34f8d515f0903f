#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# scope=user with the tests' PAM application, as the first and as a later one: what it keeps and gets
# back, how often it may open, and what is left when it does not close.

load lib
load user

setup_file() {
    prepare
    prepare_stays
    stack user "required pam_unshare.so scope=user grace=1"
    stack session "required pam_unshare.so scope=session grace=1"
    stack ipc "required pam_unshare.so scope=user grace=1 ipc"
    stack twice "required pam_unshare.so scope=user grace=1" "required pam_unshare.so scope=user grace=1"
    stack pair "requisite pam_unshare.so close" "required pam_permit.so" "requisite pam_unshare.so open scope=user grace=1"
    stack off "required pam_permit.so"
}

setup() {
    log_position
    start_secret
}

teardown() {
    kill "$SECRET_PID" 2>/dev/null || true
    ! mountpoint -q /run/second || umount -R -l /run/second
    let_all_go
    pkill -9 -u alice || true
    leave_all
}

NS='readlink /proc/self/ns/pid'

# first_and_later CHECK: of the application that makes the namespace, and of one that joins it
first_and_later() {
    "$@" made || { die "fails for the first: $*"; return 1; }
    eventually no_init_left
    hold_session resident alice user || return
    "$@" joined || { die "fails for a later one: $*"; return 1; }
    let_go resident
    eventually grep -qx closed "$STAYS/resident.out"
    let_go resident
    eventually no_init_left
}

in_namespace() { # OUTPUT: it names PID namespaces, and not the host's
    grep -qE '^pid:' <<<"$1" && ! grep -qxF "$(readlink /proc/self/ns/pid)" <<<"$1"
}

# ---- opened and closed ---------------------------------------------------------------------------

comes_back() { # SERVICE COMMAND…
    local said=${*: -1} # by first_and_later
    set -- "${@:1:$#-1}"
    log_position
    run host "$1" state "${@:2}" state # no "end", which may be one of the commands
    [[ $output == *open=0* && $output != *open=[^0]* && $output != *close=[^0]* ]] && in_namespace "$output" &&
        same_state "$output" && logged "session of alice opened: .*, the user.s, $said\$"
}

@test "open and close bring the application back" {
    first_and_later comes_back user open run "$NS" close
    first_and_later comes_back user close open run "$NS" close close
    first_and_later comes_back user open run "$NS" close open run "$NS" close
    first_and_later comes_back user open run "$NS" end
    # negative control
    run host user state open state
    run same_state "$output"
    [ "$status" -ne 0 ]
}

@test "the module listed twice, as a pair, and opened twice: it is a member once" {
    for service in twice pair user; do
        first_and_later comes_back "$service" open run "$NS" close
    done
    first_and_later comes_back user open open run "$NS" close run "$NS" close
    for service in twice pair; do
        hold_session "$service" alice "$service"
    done
    [ "$(ask alice services)" = "pair twice" ]
    [ "$(ask alice n_members)" -eq 2 ]
    # opened twice, it is open still after the first close
    hold_session again alice user open close hold closed-once
    let_go again
    eventually grep -qx closed-once "$STAYS/again.out"
    [ "$(ask alice n_members)" -eq 3 ]
    let_go again # negative control: after the second it is not
    left() { [ "$(ask alice n_members)" -eq 2 ]; }
    eventually left
}

@test "several transactions of one process, one after the other: it leaves and joins each time" {
    hold_session resident alice user
    run host user open close end start /run/pam.d:user open run "$NS" close end start /run/pam.d:user open end
    [ "$(grep -cx open=0 <<<"$output")" -eq 3 ]
    eventually eval '[ "$(ask alice n_members)" -eq 1 ]'
    [ "$(count_logged 'session of alice opened: .* joined')" -eq 3 ]
    # at the same time the second is refused by name
    run host user open start /run/pam.d:user open
    [[ $output == *open=0*open=4* ]]
    logged 'it has a session of this module open already'
}

@test "members are counted, with their services" {
    hold_session first alice user
    hold_session second alice twice
    [ "$(ask alice n_members)" -eq 2 ]
    [ "$(ask alice services)" = "twice user" ]
    [ "$(ask alice user)" = alice ]
    let_go second
    eventually grep -qx closed "$STAYS/second.out"
    left() { [ "$(ask alice services)" = user ]; }
    eventually left
}

@test "pam_end in a forked child touches nothing" {
    hold_session first alice user child-end hold child-ended
    let_go first
    eventually grep -qx child-ended "$STAYS/first.out"
    [ "$(ask alice n_members)" -eq 1 ]
    [ "$(count_logged 'session of alice closed')" -eq 0 ]
    let_go first # negative control: the close does
    logged 'session of alice closed'
    let_go first
    eventually no_init_left
}

# ---- openers that die, or have lost their privilege ----------------------------------------------

@test "an opener that is killed leaves: its processes go on with those of the others, and end with the last" {
    hold_session first alice user spawn 'exec sleep 4741' hold spawned
    hold_session second alice user
    let_go first
    eventually pgrep -u alice -f '^sleep 4741'
    kill -9 "$(cat "$STAYS/first.pid")"
    left() { [ "$(ask alice n_members)" -eq 1 ]; }
    eventually left
    pgrep -u alice -f '^sleep 4741'
    kill -9 "$(cat "$STAYS/second.pid")"
    eventually no_init_left
    run pgrep -u alice -f '^sleep 4741'
    [ "$status" -ne 0 ]
    # negative control: with a session each it ends with its own
    hold_session first alice session spawn 'exec sleep 4741' hold spawned
    hold_session second alice session
    let_go first
    eventually pgrep -u alice -f '^sleep 4741'
    kill -9 "$(cat "$STAYS/first.pid")"
    gone() { ! pgrep -u alice -f '^sleep 4741'; }
    eventually gone
}

@test "the init is killed: the next login makes a new namespace, and the old members' closes are harmless" {
    hold_session first alice user spawn 'exec sleep 4742' hold spawned
    hold_session second alice user
    let_go first
    eventually pgrep -u alice -f '^sleep 4742'
    old=$(pgrep -x pam_unshare)
    kill -9 "$old"
    gone() { ! pgrep -u alice -f '^sleep 4742'; }
    eventually gone
    log_position
    hold_session third alice user
    logged 'session of alice opened: .*, the user.s, made$'
    for name in first second; do
        let_go "$name"
        eventually grep -qx close=0 "$STAYS/$name.out"
    done
    [ "$(ask alice n_members)" -eq 1 ]
    run host user open run "$NS" close state end
    in_namespace "$output"
    [ "$(count_logged 'joined')" -eq 1 ]
    # negative control: while the init lives it is joined
    [ "$(count_logged 'the user.s, made')" -eq 1 ]
}

loses_privilege() { # made|joined
    local gone lacks
    for gone in "become alice" "drop cap_sys_admin" "drop cap_sys_chroot"; do
        log_position
        # shellcheck disable=SC2086 # a command and its argument
        run host user open $gone close end
        [[ $output == *open=0* && $output == *close=4* ]] || return
        case $gone in
            become*) lacks="CAP_SYS_ADMIN CAP_SYS_CHROOT" ;;
            drop*) lacks=${gone#drop } lacks=${lacks^^} ;;
        esac
        logged "session of alice goes on until the application ends: PID namespace [0-9]+, init [0-9]+; the application lacks $lacks by now\$" ||
            return
        [ "$(count_logged 'session of alice')" -eq 2 ] || return # with "opened"
    done
}

@test "privilege that is gone at the close: one warning, and the membership ends with the application" {
    first_and_later loses_privilege
    hold_session resident alice user
    hold_session first alice user become bob
    let_go first
    eventually grep -qx closed "$STAYS/first.out"
    [ "$(ask alice n_members)" -eq 2 ]
    let_go first
    left() { [ "$(ask alice n_members)" -eq 1 ]; }
    eventually left
}

@test "an application that executes the program instead of forking it is a member until that ends" {
    hold_session resident alice user
    look='[ -e /proc/self ] || echo no-self; echo ready; sleep 4743'
    host user open exec "$look" </dev/null >"$STAYS/exec.out" 2>&1 3>&- &
    eventually grep -qx ready "$STAYS/exec.out"
    grep -qx no-self "$STAYS/exec.out" # documented: it is outside
    [ "$(ask alice n_members)" -eq 2 ]
    pkill -f '^sleep 4743'
    left() { [ "$(ask alice n_members)" -eq 1 ]; }
    eventually left
}

# ---- openers that are refused ----------------------------------------------------------------------

second_root() {
    mkdir -p /run/second
    mount --rbind / /run/second
    mount --make-rslave /run/second
}

is_refused() { # REASON COMMAND… made|joined
    log_position
    run host user "${@:2:$#-2}" state open state end
    [[ $output == *open=4* ]] && same_state "$output" && logged "cannot isolate the session of alice: .*$1"
}

@test "a chrooted application and one with threads are refused by name" {
    second_root
    first_and_later is_refused 'the application is chrooted' chroot /run/second
    first_and_later is_refused 'the application has 3 threads, only one is supported' thread thread
    first_and_later comes_back user open run "$NS" close # negative control
}

# ---- descriptors and directories -----------------------------------------------------------------

list_descriptors="for n in \$(seq 0 40); do
    cat /proc/self/fd/\$n/proc/\$0/cmdline /proc/self/fd/\$n/../proc/\$0/cmdline 2>/dev/null; ls /proc/self/fd/\$n/ 2>/dev/null; done; true"

hides_descriptors() { # SERVICE COMMAND…
    local list=${list_descriptors//\$0/$SECRET_PID}
    run host "$1" keep / keep /usr keep /proc keep /proc/1 keep /proc/uptime "${@:2:$#-2}" open run "$list" close end
    [[ $output == *open=0*close=0* && $output != *"$SECRET"* && $output != *loadavg* ]]
}

@test "descriptors of the host's directories and procfs do not reach the session's programs" {
    first_and_later hides_descriptors user
    run hides_descriptors off - # negative control
    [ "$status" -ne 0 ]
}

leaves_directory() { # DIRECTORY SHOWN made|joined
    run host user chdir "$1" state open run 'pwd; ls | head -n 200' close state end
    [[ $output == *open=0* && $output != *cmdline* ]] && grep -qx "$2" <<<"$output" && same_state "$output"
}

@test "a working directory in the host's procfs is left and returned to, any other is kept" {
    for dir in /proc /proc/1 /proc/sys/kernel; do
        first_and_later leaves_directory "$dir" /
        run host off chdir "$dir" open run 'pwd' close end # negative control
        grep -qx "$dir" <<<"$output"
    done
    for dir in /home/alice /run/stays /dev/shm; do
        first_and_later leaves_directory "$dir" "$dir"
    done
}

leaves_mount_namespace() {
    run host user chdir "/proc/$OTHER/root/usr" state open run "ls ../proc/$SECRET_PID; pwd -P" close state end
    [[ $output == *open=0* && $output != *cmdline* ]] && same_state "$output"
}

@test "a working directory in another mount namespace is left and returned to" {
    unshare --mount sleep 1000 3>&- &
    OTHER=$!
    eventually grep -q sleep "/proc/$OTHER/comm"
    first_and_later leaves_mount_namespace
    run host off chdir "/proc/$OTHER/root/usr" open run "ls ../proc/$SECRET_PID" close end # negative control
    [[ $output == *cmdline* ]]
    kill "$OTHER"
}

bears_closed_descriptors() {
    run host user close-standard state open run "$NS >&9" close state end
    [[ $output == *open=0* && $output == *close=0* ]] && in_namespace "$output" && same_state "$output" || return
    run host user close-standard open reopen-standard run "$NS >&9" close end
    [[ $output == *open=0* && $output == *close=0* ]]
}

@test "closed descriptors 0 to 2, and others put in their place" {
    first_and_later bears_closed_descriptors
}

bears_few_descriptors() {
    local limit seen=
    for limit in 4 6 8 10 11 12 13 14 15 16 17 18 19 20 21 22 24; do
        run host user descriptors "$limit" state open run "$NS" state close end
        [[ $output == *open=[04]* ]] || return
        seen+=${output##*open=}
        if [[ $output == *open=0* ]]; then in_namespace "$output"; else same_state "$output"; fi || return
    done
    [[ $output == *open=0* ]]
}

@test "exhausted descriptors: refused, and everything as before, or isolated" {
    first_and_later bears_few_descriptors
    run host user descriptors 8 open end # negative control
    [[ $output == *open=4* ]]
}

# ---- kernels and IPC -----------------------------------------------------------------------------

@test "a kernel without SO_PEERPIDFD, statmount and listmount" {
    first_and_later comes_back user old-kernel open run "$NS" close
    # 32-bit programs and those of s390x call getsockopt(2) by socketcall(2), which the filter cannot see into
    [ "$(getconf LONG_BIT)" = 64 ] && [ "$(uname -m)" != s390x ] || return 0
    hold_session resident alice user
    reads_number() { # COMMAND…
        strace -qq -e trace=getsockopt,pidfd_open -o "$STAYS/trace" "$HOST" /run/pam.d user alice "$@" open close end
        grep -q 'SO_PEERCRED' "$STAYS/trace" && [ "$(grep -c pidfd_open "$STAYS/trace")" -eq 2 ] # its own and the init's
    }
    reads_number old-kernel
    printf '%s\n' 6.5 "$(uname -r)" | sort -VC || skip "the kernel is an old one"
    run reads_number # negative control
    [ "$status" -ne 0 ]
}

@test "ipc: the first decides, and a later one that asks in vain is warned" {
    look='readlink /proc/self/ns/ipc'
    here=$(readlink /proc/self/ns/ipc)
    hold_session first alice ipc
    for service in ipc user; do
        run host "$service" state open run "$look" close state end
        grep -E '^ipc:' <<<"$output" | grep -qvxF "$here"
        same_state "$output"
    done
    [ "$(host ipc open run "$look" close end | grep '^ipc:')" = "$(host user open run "$look" close end | grep '^ipc:')" ]
    never_logged "has the host's IPC namespace"
    let_all_go
    eventually no_init_left
    hold_session first alice user # negative control
    run host ipc state open run "$look" close state end
    grep -qxF "$here" <<<"$output"
    same_state "$output"
    logged "session of alice has the host's IPC namespace: the session that made the user's namespace was opened without 'ipc'"
}

# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests of the init of a session and of a user's namespace share; loaded after lib.bash.

status_of() { # PID FIELD
    sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

settled() { # PID: the steps that the session does not wait for are done
    [ "$(cat "/proc/$1/comm")" = pam_unshare ] && [[ $(status_of "$1" State) == S* ]] && only_cap_kill "$1"
}

only_cap_kill() {
    [ "$(status_of "$1" CapEff)" = 0000000000000020 ] && [ "$(status_of "$1" CapPrm)" = 0000000000000020 ] &&
        [ "$(status_of "$1" CapInh)" = 0000000000000000 ] && [ "$(status_of "$1" CapBnd)" = 0000000000000000 ] &&
        [ "$(status_of "$1" CapAmb)" = 0000000000000000 ] && [ "$(status_of "$1" NoNewPrivs)" = 1 ]
}

root_in_every_id() {
    [ "$(status_of "$1" Uid | tr -s '\t ' ' ')" = "0 0 0 0" ] &&
        [ "$(status_of "$1" Gid | tr -s '\t ' ' ')" = "0 0 0 0" ] && [ -z "$(status_of "$1" Groups)" ]
}

no_handler_nothing_ignored() {
    [ "$(status_of "$1" SigCgt)" = 0000000000000000 ] && [ "$(status_of "$1" SigIgn)" = 0000000000000000 ]
}

session_leader_without_terminal() {
    [ "$(ps -o tty= -p "$1")" = '?' ] && [ "$(ps -o sid= -p "$1" | tr -d ' ')" = "$1" ]
}

at_the_root() {
    [ "$(readlink "/proc/$1/cwd")" = / ]
}

umask_022() {
    [ "$(status_of "$1" Umask)" = 0022 ]
}

# remembers PID: is the text in any memory of the process?
remembers() {
    python3 - "$1" "$(printf '%s%s' no-one-may- know)" <<'END'
import sys
pid, text = sys.argv[1], sys.argv[2].encode()
with open(f"/proc/{pid}/mem", "rb", 0) as memory, open(f"/proc/{pid}/maps") as maps:
    for line in maps:
        begin, end = (int(n, 16) for n in line.split()[0].split("-"))
        if line.split()[1][0] == "r" and "[v" not in line:
            memory.seek(begin)
            if text in memory.read(end - begin):
                sys.exit(0)
sys.exit(1)
END
}

forgets() {
    ! remembers "$1"
}

# Of the C library nothing that is written to, of the others nothing; libpam stands for all
no_other_library() {
    [ "$(uname -m)" = x86_64 ] || { ! grep -q libpam "/proc/$1/maps"; return; }
    ! grep -E 'libpam|/ld-|rw.*/libc[.-]' "/proc/$1/maps"
}

kilobytes() { # FILE FIELD…
    local file=$1
    shift
    awk -v fields=" $* " 'index(fields, " " $1 " ") { n += $2 } END { print n + 0 }' "$file"
}

switches() { # PID: how often it has run
    awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$1/status"
}

# The number of a system call, or nothing: this architecture does not have it
call_number() { # NAME
    local sum
    sum=$(sed -n "s/^$1 //p" "$TOP/$BUILD/tests/programs/calls")
    [ -z "$sum" ] || echo $((sum))
}

# A process of the session's that has to be killed, and a command that ends when it runs: at a signal that
# comes earlier it ends
# shellcheck disable=SC2034 # for the tests that load this
STUBBORN='trap "" TERM HUP; exec sleep 4723'
# shellcheck disable=SC2034
STUBBORN_RUNS='timeout 10 sh -c "until pgrep -f ^sleep.4723; do sleep 0.01; done" >/dev/null'

# calls_in TRACE: the system calls that the init makes once it is ready, of what strace -f has seen;
# a line each
calls_in() {
    awk '/prctl\(PR_SET_NAME, "pam_unshare"/ { init = $1 }
         init && $1 == init && $2 ~ /^[a-z0-9_]+\(/ {
             name = $2
             sub(/\(.*/, "", name)
             if (ready && name != "restart_syscall") print name # as strace calls a poll that goes on
             ready = ready || $2 ~ /^write\(2,/
         }' "$1"
}

# documented_calls BEGINNING…: the lists of doc/design.md that begin so, for this architecture, a line each
documented_calls() {
    local wide="" beginning
    [ -z "$(call_number ppoll_time64)" ] ||
        wide='s/^ppoll$/ppoll_time64/; s/^timerfd_settime$/timerfd_settime64/; s/^clock_gettime$/clock_gettime64/'
    for beginning; do
        sed -n "/^$beginning/,/^\$/p" "$TOP/doc/design.md"
    done | grep -o '`[a-z0-9_]*`' | tr -d '`' | sed "$wide" | sort
}

# stays_idle PID: for ten seconds it does not run; a process that polls does
stays_idle() {
    local polling before other idle=0
    sh -c 'while :; do sleep 0.5; done' 3>&- 7>&- &
    polling=$!
    before=$(switches "$1") other=$(switches "$polling")
    sleep 10
    [ "$(switches "$1")" -eq "$before" ] || idle=1
    [ "$(switches "$polling")" -gt "$other" ] || idle=2 # negative control
    kill "$polling"
    return "$idle"
}

# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the system tests share. They run as root in tests/sandbox.
#
# A check is a function that succeeds if the machine behaves as with the module; `with_and_without`
# demands that it fails when the module is off.

TOP=$(cd "${BATS_TEST_DIRNAME:-$(dirname "${BASH_SOURCE[0]}")}/../.." && pwd)
BUILD=${BUILD:-build}
MODULE=${MODULE:-$TOP/pam_unshare.so}
HOST=$TOP/$BUILD/tests/programs/host
STOCK=/run/stock-pam.d
PORT=2222
SECRET=token-4711
# shellcheck disable=SC2034 # for the tests
PROBE="/run/probe $SECRET"

die() {
    echo "$*" >&2
    return 1
}

# eventually COMMAND…: for what has no signal of its own to wait for; gives up after ten seconds
eventually() {
    local tries=500
    until "$@" >/dev/null 2>&1; do
        ((tries-- > 0)) || { "$@" >&2; die "did not come true in 10 s: $*"; return 1; }
        sleep 0.02
    done
}

# shellcheck disable=SC2120 # tests pass one
install_module() { # [FILE]
    install -m 644 "${1:-$MODULE}" "$SECURITY_DIR/pam_unshare.so"
}

prepare() {
    [ "${SANDBOX-}" = 1 ] || { die "run this in tests/sandbox"; return 1; }
    install_module
    install -m 755 "$TOP/$BUILD/tests/programs/probe" /run/probe
    [ -d "$STOCK" ] || cp -a /etc/pam.d "$STOCK"
    rm -f /etc/security/unshare.conf
    mkdir -p /run/pam.d
}

# The shipped example, Debian's own file, or our line with arguments in Debian's own file
enable() { # SERVICE [ARGUMENT…]
    local service=$1
    shift
    if [ $# -eq 0 ] && [ -f "$TOP/pam.d-examples/$service" ]; then
        cp "$TOP/pam.d-examples/$service" "/etc/pam.d/$service"
    else
        { cat "$STOCK/$service"; echo "session required pam_unshare.so $*"; } >"/etc/pam.d/$service"
    fi
    [ "$service" != su ] || su_l_includes_su || cp /etc/pam.d/su /etc/pam.d/su-l
}

disable() { # SERVICE
    cp "$STOCK/$1" "/etc/pam.d/$1"
    [ "$1" != su ] || cp "$STOCK/su-l" /etc/pam.d/su-l
}

# The service of "su -": up to Debian 13; later it has lines of its own, and needs the module in them
su_l_includes_su() {
    grep -qE '^session[[:space:]]+include[[:space:]]+su$' "$STOCK/su-l"
}

# with_and_without SERVICE CHECK [ARGUMENT…]
with_and_without() {
    local service=$1
    shift
    enable "$service"
    "$@" || { die "fails with the module: $*"; return 1; }
    disable "$service"
    ! "$@" || { die "holds without the module too, so it shows nothing: $*"; return 1; }
    enable "$service"
}

# isolates USER [ARGUMENT…]: su to the user through a stack with these arguments
isolates() {
    local user=$1 ns host
    shift
    enable su "${@:-grace=5}"
    host=$(readlink /proc/self/ns/pid)
    ns=$(su -c 'readlink /proc/self/ns/pid' "$user") || { die "refused: $user $*"; return 2; }
    [ "$ns" != "$host" ]
}

leaves_alone() {
    local result=0
    isolates "$@" || result=$?
    [ "$result" -eq 1 ]
}

refuses() {
    local result=0
    isolates "$@" || result=$?
    [ "$result" -eq 2 ]
}

# A process of bob's on the host, with a secret in its command line
start_secret() {
    setpriv --reuid bob --regid bob --clear-groups bash -c \
        "exec -a daemon-$SECRET sleep 1000" 3>&- &
    SECRET_PID=$!
    eventually grep -q "^daemon-$SECRET" "/proc/$SECRET_PID/cmdline" # no more setpriv's or bash's
}

# What the host must look like before and after: processes, mounts, namespaces
host_state() {
    ps -eo user:20,comm --no-headers | grep -vE ' (ps|sort|grep|bash|bats.*|cat|awk|sed|tee|diff|sleep|demo)$' | sort
    cut -d' ' -f3- /proc/self/mountinfo
    lsns -rno TYPE,COMMAND -t pid
    ls /proc/sys/fs/binfmt_misc 2>/dev/null | head -n 1
}

remember_host() {
    host_state >"$BATS_TEST_TMPDIR/host"
}

host_is_unchanged() {
    host_state | diff -u "$BATS_TEST_TMPDIR/host" -
}

inits() {
    pgrep -xc pam_unshare
}

no_init_left() {
    [ "$(inits)" -eq 0 ]
}

# ---- a stack of the tests' own -----------------------------------------------------------------

# stack SERVICE LINE…: session lines for the tests' PAM application, in /run/pam.d
stack() {
    local service=$1
    shift
    {
        echo "auth required pam_permit.so"
        echo "account required pam_permit.so"
        printf 'session %s\n' "$@"
    } >"/run/pam.d/$service"
}

# host SERVICE COMMAND…: run the tests' PAM application for alice
host() {
    local service=$1
    shift
    timeout -k 1 60 "$HOST" /run/pam.d "$service" alice "$@"
}

# host_without_namespaces SERVICE COMMAND…: where no PID namespace may be made
host_without_namespaces() {
    # the limit is of the machine's user namespace: another one has its own
    timeout -k 1 60 unshare --user --map-root-user --mount --propagation unchanged sh -c '
        echo 0 >/proc/sys/user/max_pid_namespaces && exec "$0" "$@"' \
        "$HOST" /run/pam.d "$1" alice "${@:2}"
}

# same_state OUTPUT: the first and the last state that the application printed are equal, but for
# children: an init that is told to end is not waited for.
same_state() {
    awk '/^state:$/ { n++; inside = 1 }
         /^state=/  { inside = 0 }
         inside && !/^other children/ { text[n] = text[n] $0 "\n" }
         END { exit !(n >= 2 && length(text[1]) > 200 && text[1] == text[n]) }' <<<"$1"
}

# Waits until all that was logged before is in the file: syslog(3) does not, and syslogd reads in turn
log_written() {
    local mark="mark of the tests $EPOCHREALTIME"
    logger "$mark"
    eventually grep -qF "$mark" /run/syslog
}

log_position() {
    log_written
    LOG_FROM=$(($(wc -l </run/syslog) + 1))
}

# logged PATTERN: since log_position
logged() {
    eventually grep_log "$1" || { tail -n "+$LOG_FROM" /run/syslog >&2; return 1; }
}

grep_log() {
    tail -n "+$LOG_FROM" /run/syslog | grep -qE -- "$1"
}

never_logged() { # PATTERN
    log_written || return
    ! grep_log "$1" || { tail -n "+$LOG_FROM" /run/syslog >&2; return 1; }
}

count_logged() { # PATTERN: in how many lines
    log_written
    tail -n "+$LOG_FROM" /run/syslog | grep -cE -- "$1" || true
}

# ---- sshd ----------------------------------------------------------------------------------------

SSH_OPTIONS=(-p "$PORT" -o BatchMode=yes -o StrictHostKeyChecking=no -o LogLevel=ERROR
    -o UserKnownHostsFile=/dev/null -o IdentityFile=/run/ssh/key -F /dev/null)

start_sshd() { # [OPTION…]: lines of sshd_config
    mkdir -p /run/ssh /run/sshd
    [ -f /run/ssh/key ] || ssh-keygen -q -t ed25519 -N '' -f /run/ssh/key
    [ -f /run/ssh/host ] || ssh-keygen -q -t ed25519 -N '' -f /run/ssh/host
    for user in alice bob carol; do
        install -d -o "$user" -g "$user" -m 700 "/home/$user/.ssh"
        install -o "$user" -g "$user" -m 600 /run/ssh/key.pub "/home/$user/.ssh/authorized_keys"
    done
    install -d -m 700 ~root/.ssh 2>/dev/null || true
    {
        printf '%s\n' "Port $PORT" "ListenAddress 127.0.0.1" "HostKey /run/ssh/host" \
            "PidFile /run/ssh/pid" "UsePAM yes" "PasswordAuthentication no" \
            "MaxStartups 1000" "MaxSessions 100" "PrintMotd no" "LogLevel VERBOSE" "$@"
        printf '%s\n' "$@" | grep -q '^Subsystem' ||
            echo "Subsystem sftp /usr/lib/openssh/sftp-server"
    } >/run/ssh/config
    # All clients have one address: what one does is not held against the next (OpenSSH 9.8).
    ! /usr/sbin/sshd -t -f /run/ssh/config -o PerSourcePenalties=no 2>/dev/null ||
        echo "PerSourcePenalties no" >>/run/ssh/config
    rm -f /run/ssh/pid
    /usr/sbin/sshd -f /run/ssh/config -E /run/ssh/log
    eventually test -s /run/ssh/pid # written once it listens
}

stop_sshd() {
    local pid
    pid=$(cat /run/ssh/pid 2>/dev/null) || return 0
    kill "$pid"
    eventually test ! -e "/proc/$pid"
}

ssh_as() { # USER [ARGUMENT…]: LIMIT seconds at most
    local user=$1
    shift
    timeout -k 1 "${LIMIT:-60}" ssh "${SSH_OPTIONS[@]}" "$user@127.0.0.1" "$@" </dev/null
}

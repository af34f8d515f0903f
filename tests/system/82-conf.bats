#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The configuration file /etc/security/unshare.conf, through real stacks.

load lib

CONF=/etc/security/unshare.conf

setup_file() {
    prepare
}

setup() {
    log_position
}

teardown() {
    disable su
    rm -rf "$CONF" /etc/security/other.conf /run/conf
    eventually no_init_left
}

conf() { # LINE…
    printf '%s\n' "$@" >"$CONF"
}

# With the file as it is alice is refused and root is not, and the log says PATTERN. With the good
# file she is isolated: the negative control.
refused_with() { # PATTERN
    log_position
    refuses alice || return 1
    logged "$1" && logged 'session of alice refused: correct the configuration' || return 1
    leaves_alone root && leaves_alone root include_root || return 1
    rm -rf "$CONF"
    conf '# good'
    isolates alice
}

@test "no file, an empty one, and one of comments: the defaults" {
    isolates alice
    leaves_alone root
    : >"$CONF"
    isolates alice
    leaves_alone root
    conf '# exempt = alice' '' '   # include_root'
    isolates alice
    leaves_alone root
}

@test "the file that is installed changes nothing, and each of its words is understood" {
    cp "$TOP/conf/unshare.conf" "$CONF"
    isolates alice debug
    logged 'isolating alice: grace 5 s, /proc with the options that it has'
    leaves_alone root
    sed -i -e 's/^#\([a-z]\)/\1/' -e 's/^scope = session$/scope = user/' \
        -e 's/^private = tmp, shm$/private = shm/' -e 's/^hide = cgroups$/hide = none/' "$CONF" # those of the sandbox
    [ "$(grep -c '^[a-z]' "$CONF")" -ge 12 ]
    isolates alice
    log_position
    leaves_alone carol # of the group sudo
    logged 'session of carol is left alone'
    conf linger
    refused_with "$CONF line 1: 'linger' needs 'scope=user'"
}

@test "who is isolated" {
    conf 'exempt = alice, @sudo'
    leaves_alone alice
    leaves_alone carol
    isolates bob
    conf 'only = 1001:'
    leaves_alone alice
    isolates bob
    leaves_alone root
    conf include_root
    isolates root
    rm "$CONF"
    isolates alice
    isolates carol
    leaves_alone root
}

@test "how: grace, proc_options, ipc, debug" {
    ipc() { su -c 'readlink /proc/self/ns/ipc' alice; }
    conf debug 'grace = 7' 'proc_options = hidepid = 2, gid = 27' ipc
    enable su open
    [ "$(ipc)" != "$(readlink /proc/self/ns/ipc)" ]
    logged 'isolating alice: grace 7 s, /proc with hidepid=2,gid=27, with an IPC namespace'
    log_position
    conf '#debug'
    [ "$(ipc)" = "$(readlink /proc/self/ns/ipc)" ]
    logged 'session of alice closed'
    never_logged 'isolating alice'
}

@test "an argument overrides the file, and nothing but its own word" {
    conf 'exempt = alice' 'grace = 7' 'proc_options = hidepid=2' debug
    isolates alice exempt=bob
    leaves_alone bob exempt=bob
    leaves_alone alice only=alice
    isolates carol grace=9
    logged 'isolating carol: grace 9 s, /proc with hidepid=2'
    log_position
    isolates carol proc_options=hidepid=1
    logged 'isolating carol: grace 7 s, /proc with hidepid=1'
}

@test "a mistake is named with file, line and word; users are refused, root gets in" {
    conf '# one' 'nonsense'
    refused_with "$CONF line 2: 'nonsense' is unknown: known are debug, exempt=, only="
    for line in 'grace = soon' 'grace =' 'exempt' 'exempt = alice,' 'only = 5:4' 'ipc = 1' 'scope = host' \
        'proc_options = ro' 'debug ipc'; do
        conf debug "$line"
        word=$(sed 's/ *= */=/' <<<"$line")
        refused_with "$CONF line 2: '$word' is (unknown|not understood)" || die "$line"
    done
    conf 'exempt = bob' 'exempt = alice'
    refused_with "$CONF line 2: 'exempt=alice' is not understood: 'exempt=' takes .*, given once"
    for word in open close conf=/etc/passwd; do
        conf "$word"
        refused_with "$CONF line 1: '$word' can be an argument only"
    done
    printf 'debug\nip\0c\n' >"$CONF"
    refused_with "$CONF line 2: a NUL byte is no text"
}

@test "a mistake refuses every line that opens, and none that closes" {
    conf nonsense
    refuses alice
    leaves_alone alice close
}

@test "with a mistake elsewhere exempt users are left alone" {
    for line in nonsense 'grace = soon' 'only = :' linger; do
        conf 'exempt = alice' "$line"
        log_position
        leaves_alone alice || die "$line"
        logged "$CONF line 2: '"
        refuses bob || die "$line"
    done
    conf 'exempt = @people, bob' nonsense
    leaves_alone bob
    refuses alice # the name of the group is nobody's
    conf nonsense
    refuses alice exempt=alice # negative control: an argument, and scope= is not known
}

@test "with a mistake in what may say who is exempt they are refused" {
    conf 'exempt = alice'
    leaves_alone alice # negative control
    for line in 'exempt = bob' exempt 'exempt =' 'exempt bob' 'Exempt: bob' 'grace = 5 exempt = bob'; do
        conf 'exempt = alice' "$line"
        refuses alice || die "$line"
        leaves_alone root
    done
    conf 'exempt = alice,,'
    refuses alice
    conf 'exempt = alice' nonsense
    leaves_alone alice
    refuses alice exempt=bob
    refuses alice nonsense
    conf 'exempt = alice' 'scope = user'
    refuses alice exempt=alice
    printf 'exempt = alice\nip\0c\n' >"$CONF"
    refuses alice
    conf 'exempt = alice' $(seq 15)
    leaves_alone alice
    conf 'exempt = alice' $(seq 16)
    refuses alice
    conf 'exempt = alice' nonsense
    chmod 666 "$CONF"
    refuses alice
}

@test "a file that cannot be used" {
    mkdir "$CONF"
    refused_with "cannot configure the session: the configuration file $CONF is no regular file: "
    rm "$CONF"
    mkfifo "$CONF" # nobody writes: who waited for that would wait for ever
    refused_with "the configuration file $CONF is no regular file: "
    rm "$CONF"
    ln -s /nowhere "$CONF"
    refused_with "open the configuration file $CONF: No such file"
    chmod 666 "$CONF"
    refused_with "others than root can write to the configuration file $CONF: "
    chown alice "$CONF"
    refused_with "others than root can write to the configuration file $CONF: "
    chgrp alice "$CONF"
    isolates alice
    chmod 664 "$CONF"
    refused_with "others than root can write to the configuration file $CONF: "
    yes '# many of them' | head -c 65537 >"$CONF"
    refused_with "the configuration file $CONF is larger than 65536 bytes: "
    { yes '# many of them' | head -c 65527; printf '\ngrace=7\n'; } >"$CONF" # one byte less
    isolates alice debug
    logged 'isolating alice: grace 7 s'
    refuses alice conf=/nowhere
    logged 'open the configuration file /nowhere: No such file or directory'
}

@test "a symbolic link of the administrator's is followed" {
    mkdir -p /run/conf
    echo 'exempt = alice' >/run/conf/unshare.conf
    ln -s /run/conf/unshare.conf "$CONF"
    leaves_alone alice
    isolates bob
}

# with_error CALL ERRNO USER: su to the user, while this call on the file fails so
with_error() {
    strace -f -qq -o /run/strace -P "$CONF" "--inject=$1:error=$2" su -c true "$3"
}

@test "an error of reading it refuses all but root" {
    conf 'exempt = alice'
    enable su grace=5
    for error in openat:EACCES openat:EMFILE openat:ENFILE openat:ENOENT openat:EIO read:EIO read:EISDIR; do
        log_position
        run with_error "${error%:*}" "${error#*:}" alice
        grep -q INJECTED /run/strace || die "$error: not injected"
        [ "$status" -ne 0 ] || die "$error: alice got in"
        logged "cannot configure the session: (open|read) the configuration file $CONF: "
        with_error "${error%:*}" "${error#*:}" root
        grep -q INJECTED /run/strace
    done
    su -c true alice # negative control
}

@test "conf= names another file" {
    conf 'exempt = alice'
    echo 'exempt = bob' >/etc/security/other.conf
    isolates alice conf=/etc/security/other.conf
    leaves_alone bob conf=/etc/security/other.conf
    leaves_alone alice
    isolates bob
    echo nonsense >/etc/security/other.conf
    refuses alice conf=/etc/security/other.conf
    logged "/etc/security/other.conf line 1: 'nonsense' is unknown"
    rm "$CONF"
    cd /etc/security
    refuses alice conf=other.conf
    logged "argument 'conf=other.conf' is not understood: 'conf=' takes an absolute path"
}

@test "scope=user: who is isolated is said in the file alone" {
    conf 'scope = user'
    for argument in exempt=alice only=bob; do
        log_position
        refuses alice "$argument"
        logged "argument '${argument%=*}=' is for one service, and 'scope=user' for all: write it into $CONF"
        leaves_alone root "$argument"
        refuses alice "$argument" scope=user
    done
    leaves_alone alice exempt=alice scope=session # negative control
    conf 'scope = user' 'exempt = alice'
    leaves_alone alice
}

@test "a session is closed whatever has become of the file" {
    conf debug
    enable su grace=5
    mkfifo /run/conf
    timeout -k 1 60 su -c "echo in; head -n 1 /run/conf" alice >/run/out 3>&- &
    exec 4>/run/conf
    eventually grep -q in /run/out
    conf nonsense
    echo >&4
    exec 4>&-
    wait $!
    logged 'session of alice closed'
    eventually no_init_left
}

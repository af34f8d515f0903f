#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A procfs below a directory of alice's, and whatever she does to that directory: bob logs in, and sees
# no process of the host. LOGINS=200 tries each for longer, half of them by su, half by ssh.

load lib

LOGINS=${LOGINS:-6}

setup_file() {
    prepare
    stack plain "required pam_unshare.so"
    stack off "required pam_permit.so"
    mknod /dev/fuse c 10 229
    install -m 755 "$BATS_TEST_DIRNAME/hostile_tree.py" /run/hostile_tree.py # where alice can read it
    start_sshd
}

teardown_file() {
    stop_sshd
}

setup() {
    ATTACKERS=()
    enable su
    enable sshd
    start_secret
    TREE=/run/tree
    mkdir -p "$TREE"
    mount -t tmpfs -o mode=755 tree "$TREE"
    install -d -o alice -g alice "$TREE/alice"
}

teardown() {
    for attacker in "${ATTACKERS[@]}"; do
        kill -KILL "$attacker" 2>/dev/null || true
        wait "$attacker" 2>/dev/null || true
    done
    umount -l "$TREE" # with all that is below
    rmdir "$TREE"
    [ -z "${TREE_ON_ROOT-}" ] || rm -rf --one-file-system "$TREE_ON_ROOT"
    kill "$SECRET_PID"
    disable su
    disable sshd
}

# attack_as USER WORD…: until the test ends
attack_as() {
    local user=$1
    shift
    mkfifo "$BATS_TEST_TMPDIR/ready.${#ATTACKERS[@]}"
    setpriv --reuid "$user" --regid "$user" --clear-groups \
        /usr/bin/python3 /run/hostile_tree.py "$@" \
        >"$BATS_TEST_TMPDIR/ready.${#ATTACKERS[@]}" 2>"$BATS_TEST_TMPDIR/attack" 3>&- &
    ATTACKERS+=($!)
    local said=
    read -r said <"$BATS_TEST_TMPDIR/ready.$((${#ATTACKERS[@]} - 1))" || true
    [ "$said" = ready ] || { cat "$BATS_TEST_TMPDIR/attack"; return 1; }
}

# attack WORD…: the same, of root's, for what takes a mount
attack() {
    attack_as root "$@"
}

# chroot_of_alice DIRECTORY…: alice's, and a procfs of root's in the last
chroot_of_alice() {
    install -d -o alice -g alice "$@"
    mount -t proc proc "${!#}"
}

# The procfs instances of the host, as their devices: a session's own are others
instances() {
    awk '{ for (i = 7; $i != "-"; i++); if ($(i + 1) == "proc") print $3 }' /proc/self/mountinfo | sort
}

# no_instance_of_host TEXT: of a session that told its mounts. Nothing is left aside on "/", either.
no_instance_of_host() {
    [ -z "$(awk '/ - proc / { print $3 }' <<<"$1" | sort | comm -12 "$BATS_TEST_TMPDIR/instances" -)" ] &&
        [ "$(awk '$5 == "/"' <<<"$1" | wc -l)" -eq 1 ]
}

# bob_runs KIND COMMAND
bob_runs() {
    case $1 in
    0) timeout 30 su bob -c "$2" </dev/null ;;
    1) ssh_as bob "$2" ;;
    esac
}

# bob logs in by su and ssh, and by the tests' application, again and again
bob_gets_in() {
    local i said
    instances >"$BATS_TEST_TMPDIR/instances"
    remember_host
    for ((i = 0; i < LOGINS; i++)); do
        said=$(bob_runs $((i % 2)) "cat /proc/self/mountinfo; exec $PROBE") || { tail -n 3 /run/syslog; return 1; }
        [[ $said == *foreign=0* && $said == *secret=hidden* ]] && no_instance_of_host "$said" ||
            { echo "$said"; cat "$BATS_TEST_TMPDIR/instances"; return 1; }
    done
    said=$(timeout 30 "$HOST" /run/pam.d plain bob state open run true close state end)
    [[ $said == *open=0*close=0* ]] || { echo "$said"; tail -n 3 /run/syslog; return 1; }
    same_state "$said"
    eventually no_init_left
}

# sees_host: as negative control, without the module there is something to see
sees_host() {
    disable su
    ! no_instance_of_host "$(su bob -c 'cat /proc/self/mountinfo' </dev/null)"
}

@test "a procfs deeper than PATH_MAX" {
    /usr/bin/python3 /run/hostile_tree.py deep "$TREE/alice" 22 "$(printf 'x%.0s' {1..200})"
    [ "$(grep -c " $TREE/alice/x*/.* - proc " /proc/self/mountinfo)" -eq 1 ]
    run stat "$(awk '$5 ~ "^'"$TREE"'/alice/" { print $5 }' /proc/self/mountinfo)"
    [[ $output == *"name too long"* ]] # nobody can name it
    bob_gets_in
    run timeout 30 "$HOST" /run/pam.d plain bob old-kernel state open close state end # the table as text
    [[ $output == *open=0*close=0* ]]
    same_state "$output"
    eventually host_is_unchanged
    sees_host
}

@test "a procfs a thousand directories deep, of 200 characters each" {
    /usr/bin/python3 /run/hostile_tree.py deep "$TREE/alice" 1000 "$(printf 'x%.0s' {1..200})"
    bob_gets_in
    run timeout 60 "$HOST" /run/pam.d plain bob old-kernel open run 'cat /proc/self/mountinfo' close end
    [[ $output == *open=0* ]]
    no_instance_of_host "$(grep ' - ' <<<"$output")"
}

# on_root_file_system: $TREE_ON_ROOT, a directory of alice's in the mount of "/"; teardown removes it
on_root_file_system() {
    local directory
    for directory in /var/tmp /tmp /srv /opt; do
        [ "$(stat -c %m "$directory")" != / ] || break
    done
    [ "$(stat -c %m "$directory")" = / ] || skip "no directory that is not of a file system of its own"
    TREE_ON_ROOT=$(mktemp -d "$directory/lockout.XXXXXX")
    chown alice:alice "$TREE_ON_ROOT"
    chmod 755 "$TREE_ON_ROOT"
}

@test "a procfs deeper than PATH_MAX, on the root file system" {
    on_root_file_system
    local name
    name=$(printf 'x%.0s' {1..200})
    /usr/bin/python3 /run/hostile_tree.py deep "$TREE_ON_ROOT" 22 "$name"
    bob_gets_in
    sees_host
    /usr/bin/python3 /run/hostile_tree.py undeep "$TREE_ON_ROOT" "$name"
}

@test "a name of 255 bytes on the root file system, with a file server on it" {
    on_root_file_system
    local name
    name=$(printf 'n%.0s' {1..255})
    chroot_of_alice "$TREE_ON_ROOT/$name" "$TREE_ON_ROOT/$name/proc"
    attack fuse 1000 1 "$TREE_ON_ROOT/$name"
    bob_gets_in
    sees_host
    umount -l "$TREE_ON_ROOT/$name"
    umount -l "$TREE_ON_ROOT/$name/proc"
}

@test "a directory on the way that is renamed all the time" {
    chroot_of_alice "$TREE/alice/a" "$TREE/alice/a/proc"
    attack_as alice rename "$TREE/alice/a" "$TREE/alice/b"
    bob_gets_in
    sees_host
}

@test "five directories on the way that are renamed all the time, by five processes" {
    chroot_of_alice "$TREE/alice/"{a,a/a,a/a/a,a/a/a/a,a/a/a/a/a,a/a/a/a/a/proc}
    cd "$TREE/alice"
    for _ in 1 2 3 4 5; do # the last first: each stands in the directory where it works
        directories=("$PWD" "${directories[@]}")
        cd a
    done
    for directory in "${directories[@]}"; do
        cd "$directory"
        attack_as alice rename a b
    done
    cd /
    bob_gets_in
    sees_host
}

@test "a mount point that is renamed all the time, in a session of alice's where nothing is mounted on it" {
    chroot_of_alice "$TREE/alice/a" "$TREE/alice/a/proc"
    attack rename_mount_point 1000 "$TREE/alice/a/proc" "$TREE/alice/a/p"
    bob_gets_in
    sees_host
}

@test "a directory on the way that is moved up and down all the time" {
    chroot_of_alice "$TREE/alice/"{a,a/b,x,x/y,x/y/z,a/b/c,a/b/c/d,a/b/c/d/proc}
    attack_as alice move "$TREE/alice/a/b/c" "$TREE/alice/x/y/z/c"
    bob_gets_in
    sees_host
}

@test "the same, where the kernel tells its mounts as text" {
    chroot_of_alice "$TREE/alice/a" "$TREE/alice/a/proc"
    instances >"$BATS_TEST_TMPDIR/instances"
    attack_as alice rename "$TREE/alice/a" "$TREE/alice/b"
    for ((i = 0; i < LOGINS; i++)); do
        run timeout 30 "$HOST" /run/pam.d plain bob old-kernel state open run 'cat /proc/self/mountinfo' close state end
        [[ $output == *open=0*close=0* ]]
        same_state "$output"
        no_instance_of_host "$(sed '1,/^open=0$/d; /^close=0$/,$d' <<<"$output")"
    done
}

@test "a file server of alice's over a directory on the way, which never answers" {
    chroot_of_alice "$TREE/alice/a" "$TREE/alice/a/proc"
    attack fuse 1000 1 "$TREE/alice/a"
    run timeout -s KILL 1 setpriv --reuid alice --regid alice --clear-groups ls "$TREE/alice/a"
    [ "$status" -ne 0 ] # nobody answers
    bob_gets_in
    # it is not in bob's session, and still in alice's own; what it covered is gone
    for user in alice bob; do
        run "$HOST" /run/pam.d plain "$user" open run "cat /proc/self/mountinfo" close end
        [[ $output == *open=0* ]]
        no_instance_of_host "$(grep ' - ' <<<"$output")"
        grep -c " $TREE/alice/a .* fuse.alices " <<<"$output" >"$BATS_TEST_TMPDIR/$user" || true
    done
    [ "$(cat "$BATS_TEST_TMPDIR/alice" "$BATS_TEST_TMPDIR/bob" | tr '\n' ' ')" = '1 0 ' ]
    sees_host
}

@test "fifty of them, one over the other" {
    chroot_of_alice "$TREE/alice/a" "$TREE/alice/a/proc"
    attack fuse 1000 50 "$TREE/alice/a"
    bob_gets_in
}

@test "a procfs below a file server of alice's: it goes from bob's session, not from alice's own" {
    mkdir "$TREE/served"
    attack fuse 1000 1 "$TREE/served"
    mount -t proc proc "$TREE/served" # in a directory that needs no answer
    bob_gets_in
    run "$HOST" /run/pam.d plain bob open run "cat /proc/self/mountinfo" close end
    [[ $output == *open=0* ]]
    [ "$(grep -c " $TREE/served " <<<"$output")" -eq 0 ]
    run "$HOST" /run/pam.d plain alice open run "cat /proc/self/mountinfo" close end
    [ "$(grep -c " $TREE/served .* fuse.alices " <<<"$output")" -eq 1 ]
}

@test "an automount point over a directory on the way, whose daemon never answers" {
    chroot_of_alice "$TREE/alice/a" "$TREE/alice/a/proc"
    attack autofs "$TREE/alice/a"
    bob_gets_in
}

@test "a mount of the administrator's over a directory on the way stays" {
    chroot_of_alice "$TREE/alice/a" "$TREE/alice/a/proc"
    mount -t tmpfs one "$TREE/alice/a"
    touch "$TREE/alice/a/of-root"
    mkdir "$TREE/alice/a/below"
    mount -t tmpfs two "$TREE/alice/a/below"
    bob_gets_in
    run "$HOST" /run/pam.d plain bob open run "ls '$TREE/alice/a'; cat /proc/self/mountinfo" close end
    grep -qx of-root <<<"$output"
    grep -q " $TREE/alice/a/below .* two " <<<"$output"
    # its end reaches the session, which finds a procfs of its own under it
    mkfifo -m 644 /run/lockout-go
    exec 6<>/run/lockout-go
    timeout 30 "$HOST" /run/pam.d plain bob open \
        run "read -r _ </run/lockout-go; grep -c ' $TREE/alice/a ' /proc/self/mountinfo; ls '$TREE/alice/a/proc' | grep -xe 1 -e $SECRET_PID" \
        close end >"$BATS_TEST_TMPDIR/out" 3>&- 6>&- &
    eventually grep -qx open=0 "$BATS_TEST_TMPDIR/out"
    umount -R "$TREE/alice/a"
    echo >&6
    wait "$!"
    exec 6>&-
    rm /run/lockout-go
    [ "$(tr '\n' ' ' <"$BATS_TEST_TMPDIR/out")" = 'open=0 0 1 run=0 close=0 end=0 ' ]
    [ -e "$TREE/alice/a/proc/$SECRET_PID" ] # negative control
}

@test "a directory that is moved out of what is mounted, and back" {
    mkdir "$TREE/data" "$TREE/home" "$TREE/data/home" "$TREE/other"
    install -d -o alice -g alice "$TREE/data/home/alice" "$TREE/data/scratch"
    mount --bind "$TREE/data/home" "$TREE/home"
    chroot_of_alice "$TREE/home/alice/a" "$TREE/home/alice/a/proc"
    mkdir "$TREE/data/home/shared"
    mount -t tmpfs shared "$TREE/home/shared"
    mount -t tmpfs below "$TREE/other"
    [ "$(grep -c " $TREE/home/.* proc " /proc/self/mountinfo)" -eq 1 ]
    mv "$TREE/data/home/alice/a" "$TREE/data/scratch/a"
    [ "$(grep -c " $TREE/home/.* proc " /proc/self/mountinfo)" -eq 0 ] # no table has it
    back="mv '$TREE/data/scratch/a' '$TREE/data/home/alice/a'"
    forth="mv '$TREE/data/home/alice/a' '$TREE/data/scratch/a'"
    look="ls '$TREE/home/alice/a/proc' | grep -cx '$SECRET_PID'; grep -c ' $TREE/home/shared ' /proc/self/mountinfo; grep -c ' $TREE/home ' /proc/self/mountinfo"
    printf '%s\n' 6.11 "$(uname -r)" | sort -VC || skip "this kernel does not tell of it"
    run "$HOST" /run/pam.d plain alice open run "$back; $look" close end
    [ "$(tr '\n' ' ' <<<"$output")" = 'open=0 0 1 1 run=0 close=0 end=0 ' ] # no process of the host; the mounts are
    su alice -c "$forth"
    bob_gets_in
    run "$HOST" /run/pam.d off alice open run "$back; $look" close end # negative control
    [ "$(tr '\n' ' ' <<<"$output")" = 'open=0 1 1 1 run=0 close=0 end=0 ' ]
}

# out_of_sight DIRECTORY…: chroot_of_alice below $TREE/home, which is a part of $TREE/data, moved out of that part
out_of_sight() {
    mkdir "$TREE/data" "$TREE/home" "$TREE/data/home"
    mount --make-private "$TREE"
    install -d -o alice -g alice "$TREE/data/home/alice" "$TREE/data/scratch"
    install -d -o bob -g bob "$TREE/data/home/bob"
    mount --bind "$TREE/data/home" "$TREE/home"
    chroot_of_alice "${@/#/$TREE/home/alice/}"
    instances >"$BATS_TEST_TMPDIR/instances"
    mv "$TREE/data/home/alice/$1" "$TREE/data/scratch/"
    printf '%s\n' 6.11 "$(uname -r)" | sort -VC || skip "this kernel does not tell of it"
}

@test "where a mount is replaced by a copy, what is mounted in trusted places is there, and only in its place" {
    out_of_sight a a/proc
    install -d -o bob -g bob "$TREE/home/bob/data" "$TREE/home/bob/local"
    mkdir "$TREE/home/of-root" "$TREE/home/of-root/below" "$TREE/home/alice/x"
    mount -t tmpfs in-bobs "$TREE/home/bob/data"
    mount -t tmpfs in-roots "$TREE/home/of-root/below"
    mount -t tmpfs in-alices "$TREE/home/alice/x"
    look="cd '$TREE/home/bob/data' && pwd; cat /proc/self/mountinfo"
    cd "$TREE/home/bob"
    run "$HOST" /run/pam.d plain bob open run "pwd; $look" close run pwd end
    cd /
    [[ $output == *open=0*close=0* ]]
    no_instance_of_host "$(grep ' - ' <<<"$output")"
    [ "$(grep -cx "$TREE/home/bob" <<<"$output")" -eq 2 ] # it stands where it stood, inside and outside
    grep -qx "$TREE/home/bob/data" <<<"$output"
    grep -q " $TREE/home/bob/data .* in-bobs " <<<"$output"
    grep -q " $TREE/home/of-root/below .* in-roots " <<<"$output"
    [ "$(grep -c ' in-alices ' <<<"$output")" -eq 0 ] # as SECURITY.md says
    bob_gets_in
    run "$HOST" /run/pam.d off bob open run "$look" close end # negative control
    [ "$(grep -c ' in-alices ' <<<"$output")" -eq 1 ]
}

@test "a chroot that is a mount itself, moved out of sight, with a mount on its procfs" {
    out_of_sight a a/root a/root/proc
    umount -l "$TREE/data/scratch/a/root/proc" 2>/dev/null || true
    mv "$TREE/data/scratch/a" "$TREE/data/home/alice/a"
    umount -l "$TREE/home/alice/a/root/proc"
    mount -t tmpfs root "$TREE/home/alice/a/root"
    mkdir "$TREE/home/alice/a/root/proc"
    mount -t proc proc "$TREE/home/alice/a/root/proc"
    mount --bind /dev/null "$TREE/home/alice/a/root/proc/version"
    mv "$TREE/data/home/alice/a" "$TREE/data/scratch/"
    bob_gets_in
}

@test "a root directory that is a part of its file system" {
    printf '%s\n' 6.11 "$(uname -r)" | sort -VC || skip "this kernel does not tell of it"
    mkdir "$TREE/root" "$TREE/out" "$TREE/new"
    mount --make-private "$TREE"
    mount --bind "$TREE/root" "$TREE/new"
    mkdir "$TREE/new/whole" "$TREE/new/old" "$TREE/new/proc"
    for directory in /*; do
        case $directory in
        /proc) continue ;;
        esac
        [ ! -L "$directory" ] || cp -a "$directory" "$TREE/new/"
        [ -L "$directory" ] || [ ! -d "$directory" ] ||
            { mkdir -p "$TREE/new$directory" && mount --rbind "$directory" "$TREE/new$directory"; }
    done
    mount --make-rprivate "$TREE/new" # its end is not that of what it was copied from
    mount --bind "$TREE" "$TREE/new/whole"
    install -d -o alice -g alice "$TREE/out/alice" "$TREE/new/alice" "$TREE/new/alice/a" "$TREE/new/alice/a/proc"
    cat >/run/in-part <<END
set -e
mount --make-rprivate /
cd "$TREE/new"
mount -t proc proc proc
mount -t proc proc alice/a/proc
busybox pivot_root . old
umount -l /old
mount --make-rshared /
mv /whole/root/alice/a /whole/out/alice/a
grep -c ' /alice/a/proc ' /proc/self/mountinfo || true
"$HOST" /run/pam.d "\$1" alice open \
    run "mv /whole/out/alice/a /whole/root/alice/a; ls /alice/a/proc | grep -cx \$\$" close end
END
    run unshare --mount bash /run/in-part plain
    [ "$(tr '\n' ' ' <<<"$output")" = '0 open=0 0 run=1 close=0 end=0 ' ]
    rmdir "$TREE/out/alice" && mv "$TREE/root/alice/a" "$TREE/root/alice/b"
    install -d -o alice -g alice "$TREE/out/alice" "$TREE/root/alice/a" "$TREE/root/alice/a/proc"
    run unshare --mount bash /run/in-part off # negative control
    [ "$(tr '\n' ' ' <<<"$output")" = '0 open=0 1 run=0 close=0 end=0 ' ]
}

@test "a flood of 10000 mounts in a user namespace of alice's" {
    attack_as alice flood 10000
    [ "$(wc -l <"/proc/${ATTACKERS[0]}/mountinfo")" -gt 10000 ]
    bob_gets_in
}

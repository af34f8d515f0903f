#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# private= and hide= with everything that enable turns on: what people's tools do with a /tmp, /dev/shm and control groups
# of the user's own. A test first shows that the words are in force, and then, on the stock machine, that the
# tool does the same there.

load lib
load inside

WORDS=('ipc' 'private = tmp, shm, mqueue' 'hide = cgroups')

setup_file() {
    prepare
    loginctl disable-linger alice bob admin
    systemctl stop user@1001.service user-runtime-dir@1001.service
    cp -p "$CONF" /root/unshare.conf
    install -m 755 "$TOP/tests/vm/guest/x11" /usr/local/bin/x11
}

teardown() {
    end_clients
    crontab -u alice -r 2>/dev/null || true
    rm -f /etc/tmpfiles.d/tmp.conf /home/alice/told
    stock
    afresh
}

teardown_file() {
    loginctl enable-linger alice bob admin
}

hidden() {
    echo host >/tmp/of-host
    chmod 644 /tmp/of-host
    ssh_as alice '! test -e /tmp/of-host && ! test -d /sys/fs/cgroup/system.slice'
}

# with_words CHECK: it holds with all words on, which are in force, and on the stock machine, where nothing is hidden
with_words() {
    inside "${WORDS[@]}"
    hidden
    "$@" || { die "fails with the words: $*"; return 1; }
    stock
    afresh
    not hidden
    "$@" || { die "fails on the stock machine: $*"; return 1; }
}

tmux_goes_on() {
    ssh_as alice "tmux new-session -d -s t 'echo in-tmux; sleep 1000'"
    ssh_as alice 'tmux capture-pane -p -t t; tmux list-sessions' >/root/told
    ssh_as alice 'tmux kill-server'
    grep -x in-tmux /root/told && grep '^t: 1 windows' /root/told
}

@test "places: tmux is found again by the next login" {
    with_words tmux_goes_on
}

screen_goes_on() {
    ssh_as alice "screen -dmS s sleep 1000"
    ssh_as alice 'screen -ls' >/root/told || true
    ssh_as alice 'screen -S s -X quit'
    grep '[.]s' /root/told
}

@test "places: screen is found again by the next login" {
    with_words screen_goes_on
}

agent_is_forwarded() {
    ssh-agent sh -c "ssh-add -q ~/.ssh/id_ed25519; ssh -A -o BatchMode=yes -o LogLevel=ERROR alice@localhost ssh-add -l" </dev/null |
        grep ED25519
}

@test "places: an agent that is forwarded" {
    with_words agent_is_forwarded
}

x11_is_forwarded() {
    x11 serve 3>&- &
    client["x11"]=$!
    eventually test -S /tmp/.X11-unix/X99
    XAUTHORITY=~/.Xauthority DISPLAY=:99 timeout 60 ssh -Y -o BatchMode=yes -o LogLevel=ERROR alice@localhost \
        x11 ask </dev/null | grep -x 'the server has answered'
    kill "${client["x11"]}"
    rm -rf /tmp/.X11-unix
}

@test "places: X11 that is forwarded" {
    xauth -f ~/.Xauthority add :99 . 00112233445566778899aabbccddeeff
    with_words x11_is_forwarded
}

semaphores() {
    ssh_as alice "python3 -c 'import multiprocessing as m
with m.Pool(2) as p: print(sum(p.map(abs, [-1, -2])))
from multiprocessing import shared_memory as s
b = s.SharedMemory(create=True, size=64); b.buf[0] = 7; c = s.SharedMemory(b.name); print(c.buf[0]); b.unlink()'" >/root/told
    [ "$(cat /root/told)" = "$(printf '3\n7')" ]
}

@test "places: POSIX semaphores and shared memory" {
    with_words semaphores
}

units_have_groups() {
    ssh_as alice 'systemd-run --user --quiet --unit=groups sleep 1000 && systemctl --user status groups' >/root/told
    ssh_as alice 'systemd-run --user --quiet --scope cat /proc/self/cgroup' >>/root/told
    ssh_as alice 'cat "/sys/fs/cgroup$(systemctl --user show -P ControlGroup groups)/cgroup.procs" | wc -l' >>/root/told
    ssh_as alice 'systemctl --user stop groups; systemctl --user is-system-running' >>/root/told
    cat /root/told
    grep -q 'groups.service' /root/told && grep -q 'app.slice/.*scope' /root/told && grep -qx 1 /root/told &&
        grep -qx running /root/told
}

@test "places: units and scopes of the user manager, and their control groups" {
    with_words units_have_groups
}

private_tmp() {
    systemd-run --quiet --pipe --wait -p User=alice -p PrivateTmp=yes sh -c 'echo own >/tmp/of-unit; cat /tmp/of-unit' | grep -x own
    [ ! -e /tmp/of-unit ]
}

@test "places: a service with PrivateTmp=, as alice" {
    with_words private_tmp
}

cron_meets_the_session() {
    rm -f /home/alice/told
    ssh_as alice 'rm -f /tmp/of-cron; echo from-session >/tmp/of-session'
    crontab -u alice - <<<'* * * * * cp /tmp/of-session ~/told.new && mv ~/told.new ~/told; echo from-cron >/tmp/of-cron'
    LIMIT=90 eventually test -s /home/alice/told
    crontab -u alice -r
    [ "$(cat /home/alice/told)" = from-session ]
    [ "$(ssh_as alice 'cat /tmp/of-cron; rm -f /tmp/of-*')" = from-cron ]
}

@test "places: a session and a cron job have the same /tmp" {
    with_words cron_meets_the_session
    inside # negative control: that of the host is another than that of a session with the words
    ssh_as alice 'echo host >/tmp/of-alice'
    stock
    afresh
    inside "${WORDS[@]}"
    not ssh_as alice 'test -e /tmp/of-alice'
}

work() {
    ssh_as alice 'set -e; cd "$(mktemp -d)"; git init -q .; echo a >a; git add a
        git -c user.name=a -c user.email=a commit -qm a; seq 100000 | sort -R -S 100k | sort -n | tail -n 1
        bwrap --ro-bind / / --tmpfs /tmp --proc /proc --dev /dev sh -c "echo bwrap >/tmp/x; cat /tmp/x"
        vim.tiny -es -u NONE +"normal iword" +wq b </dev/null || true; cat b; rm -rf "$PWD"' >/root/told
    [ "$(cat /root/told)" = "$(printf '100000\nbwrap\nword')" ]
}

@test "places: mktemp, git, sort, vim, bubblewrap" {
    with_words work
}

# cleaned FILE: it is old, and systemd-tmpfiles has removed it
cleaned() {
    systemd-tmpfiles --clean && [ ! -e "$1" ]
}

@test "places: what gets old is cleaned, and the directory of a user who is away stays" {
    inside "${WORDS[@]}"
    ssh_as alice 'touch /tmp/of-alice'
    [ -e /tmp/.pam_unshare/1000/of-alice ]
    printf '%s\n' 'q /tmp 1777 root root 1s' "x $BATS_RUN_TMPDIR" >/etc/tmpfiles.d/tmp.conf
    LIMIT=30 eventually cleaned /tmp/.pam_unshare/1000/of-alice
    ssh_as alice 'echo mine >/tmp/of-alice && cat /tmp/of-alice' | grep -x mine
    # negative control: without the package's file the directory goes, also below a session
    mv /usr/lib/tmpfiles.d/pam-unshare-places.conf /root
    LIMIT=30 eventually cleaned /tmp/.pam_unshare/1000
    mv /root/pam-unshare-places.conf /usr/lib/tmpfiles.d
}

@test "places: status and check say which words are on" {
    afresh # nothing is older
    inside "${WORDS[@]}"
    pam-unshare status -n -o PART,STATE,ABOUT >/root/told
    grep -E '^private +on +.*: tmp,shm,mqueue$' /root/told
    grep -E '^hide +on +.*: cgroups$' /root/told
    pam-unshare check sshd alice >/root/told
    grep 'alice has these of their own, which all users share on the host: tmp,shm,mqueue' /root/told
    pam-unshare disable
    not grep -E 'private|hide' <(pam-unshare status -n -o PART)
    stock
    afresh
    inside # negative control
    not grep -E 'private|hide' <(pam-unshare status -n -o PART)
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The user manager and what needs it: systemctl --user, systemd-run --user, its bus, its journal, lingering, gpg-agent,
# rootless podman and other containers: the same as on the stock machine.

load ../guest/lib
load ../guest/inside
load lib

setup_file() {
    begin_life
    # a user reads his own journal where it is kept
    mkdir -p /var/log/journal
    systemd-tmpfiles --create --prefix /var/log/journal
    journalctl --flush
    [ -c /dev/fuse ] || mknod -m 666 /dev/fuse c 10 229 # a container has none
}

teardown() {
    end_clients
    loginctl disable-linger alice
}

teardown_file() {
    end_life
}

# unit NAME [LINE…]: a file of the user's
unit() {
    local name=$1
    shift
    login "mkdir -p ~/.config/systemd/user; cat >~/.config/systemd/user/$name <<'UNIT'
$(printf '%s\n' "$@")
UNIT
systemctl --user daemon-reload" >&2 || [ "$PLACE" = session ]
}

# a session that stays, so that the user manager does
stay() {
    hold_session stay alice 'exec sleep 5100'
    started 'sleep 5100'
    [ "$PLACE" = session ] || eventually manager_is_up
}

# ---- systemctl ---------------------------------------------------------------------------------

units_work() {
    unit work.service '[Service]' "ExecStart=sh -c 'exec sleep 5101'" 'ExecReload=sh -c "kill -0 $MAINPID"' '[Install]' 'WantedBy=default.target'
    stay
    says running login systemctl --user is-system-running --wait
    holds start login systemctl --user start work.service
    started 'sleep 5101'
    says state login systemctl --user show -p ActiveState -p SubState -p Result --value work.service
    says status login "systemctl --user status work.service | grep -o 'Main PID: .*(sleep)' | sed 's/[0-9][0-9]*/N/'"
    holds 'MainPID is seen' login 'kill -0 "$(systemctl --user show -p MainPID --value work.service)"'
    holds reload login systemctl --user reload work.service
    holds enable login 'systemctl --user enable work.service && systemctl --user is-enabled work.service'
    holds kill login systemctl --user kill -s TERM work.service
    eventually not pgrep -u alice -xf 'sleep 5101'
    holds restart login systemctl --user restart work.service
    started 'sleep 5101' # a simple service is started before it has executed its program
    left 'sleep 5101'
    holds stop login systemctl --user stop work.service
    left 'sleep 5101'
    holds 'an unknown one' login systemctl --user start nothing.service
    rm -rf /home/alice/.config/systemd
}

@test "systemctl: --user runs, starts, reloads, kills, restarts and stops units, and says their state" {
    as_on_stock units_work
    said 'running: running' 'start: yes' 'state: active' 'status: Main PID: N (sleep)' 'MainPID is seen: yes' 'reload: yes' \
        'enable: yes' 'kill: yes' 'restart: yes' 'sleep 5101: there' 'stop: yes' 'sleep 5101: gone' 'an unknown one: no'
}

timers_work() {
    unit tick.service '[Service]' 'Type=oneshot' "ExecStart=sh -c 'echo tick >>$WORK/ticks'"
    unit tick.timer '[Timer]' 'OnActiveSec=1' 'AccuracySec=1ms'
    stay
    holds start login systemctl --user start tick.timer
    LIMIT=20 holds ticks eventually grep -x tick "$WORK/ticks"
    says timers login 'systemctl --user list-timers --all --no-legend | grep -o "tick.timer *tick.service" | tr -s " "'
    rm -rf /home/alice/.config/systemd
}

@test "systemctl: timers of a user run" {
    as_on_stock timers_work
    said 'ticks: yes' 'timers: tick.timer tick.service'
}

executed_anew() {
    local before
    stay
    holds run login "systemd-run --user --quiet --unit=work sh -c 'exec sleep 5102'"
    started 'sleep 5102'
    before=$(main_pid user@1000)
    holds reexec login systemctl --user daemon-reexec
    says running login systemctl --user is-system-running --wait
    holds 'the same process' test "$before" = "$(main_pid user@1000)"
    left 'sleep 5102'
    holds stop login systemctl --user stop work.service
    left 'sleep 5102'
}

@test "systemctl: daemon-reexec keeps the user manager and its services" {
    as_on_stock executed_anew
    said 'reexec: yes' 'running: running' 'the same process: yes' 'sleep 5102: there' 'stop: yes' 'sleep 5102: gone'
}

# ---- systemd-run ---------------------------------------------------------------------------------

services_run() {
    stay
    holds service login "systemd-run --user --quiet --unit=work sh -c 'exec sleep 5103'"
    started 'sleep 5103'
    says state login systemctl --user is-active work.service
    says 'its own unit' login 'systemd-run --user --quiet --pipe --wait --unit=who grep ^0:: /proc/self/cgroup | sed "s,.*/,,"'
    says 'exit status' login "systemd-run --user --quiet --wait sh -c 'exit 7'"
    says pipe login 'echo through | systemd-run --user --quiet --pipe --wait tr a-z A-Z'
    # shellcheck disable=SC2086 # words
    holds pty "$BATS_TEST_DIRNAME/display" '\x04' $SSH 'systemd-run --user --quiet --pty /usr/local/bin/answer pty'
}

@test "systemd-run: --user as a service, with --wait, --pipe and --pty" {
    as_on_stock services_run
    said 'service: yes' 'state: active' 'its own unit: who.service' 'exit status: status 7' 'pipe: THROUGH' 'pty: yes'
}

scopes_run() {
    stay
    says scope login 'systemd-run --user --quiet --scope --unit=work grep ^0:: /proc/self/cgroup | sed "s,.*/user@1000,user@1000,"'
    holds later login "systemd-run --user --quiet --scope --unit=later nohup sleep 5104 >/dev/null 2>&1 & until pgrep -xf 'sleep 5104' && systemctl --user is-active later.scope; do sleep 0.1; done >/dev/null"
    started 'sleep 5104'
    holds stop login systemctl --user stop later.scope
    left 'sleep 5104'
}

@test "systemd-run: --user --scope moves the caller into a scope of the user manager" {
    as_on_stock scopes_run
    grep -E '^scope: user@1000.service/.*work.scope$' "$BATS_TEST_TMPDIR/inside"
    said 'later: yes' 'stop: yes' 'sleep 5104: gone'
}

later_run() {
    stay
    holds later login "systemd-run --user --quiet --on-active=1 --timer-property=AccuracySec=1ms sh -c 'echo late >$WORK/late'"
    LIMIT=20 holds ran eventually grep -x late "$WORK/late"
}

@test "systemd-run: --user --on-active runs later" {
    as_on_stock later_run
    said 'later: yes' 'ran: yes'
}

# ---- the bus, the journal --------------------------------------------------------------------------

bus_works() {
    stay
    says names login 'busctl --user list --no-legend | grep -o "^org.freedesktop.systemd1 "'
    says features login 'busctl --user get-property org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager SystemState'
    # which the manager finds by the caller's process
    says 'its own unit' login 'systemd-run --user --quiet --pipe --wait --unit=who busctl --user call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager GetUnitByPID u 0'
    says activated login 'busctl --user call org.freedesktop.Flatpak /org/freedesktop/Flatpak org.freedesktop.DBus.Peer Ping && echo answers'
    says 'its unit' login systemctl --user is-active flatpak-session-helper.service
}

@test "dbus: busctl --user speaks with the user manager, and a call starts a service" {
    as_on_stock bus_works
    said 'names: org.freedesktop.systemd1 ' 'features: s "running"' 'activated: answers' 'its unit: active' \
        'its own unit: o "/org/freedesktop/systemd1/unit/who_2eservice"'
}

journal_works() {
    local word=word-$PLACE-$RANDOM
    stay
    # it goes on: the journal asks for the unit of who has said it
    login "systemd-run --user --quiet --unit=said sh -c 'echo $word; exec sleep 5109'"
    started 'sleep 5109'
    written() { journalctl --no-pager -q -o cat _UID=1000 | grep -xF "$word"; }
    holds written eventually written
    holds 'by unit' login "journalctl --user -q -o cat -u said.service | grep -xF $word"
    login "logger -t life logged-$word" >&2
    written_too() { journalctl --no-pager -q -o cat -t life | grep -xF "logged-$word"; }
    holds logger eventually written_too
    holds 'of the user' login "journalctl -q -o cat _UID=1000 | grep -xF logged-$word"
}

@test "journalctl: --user shows a user what his units have said" {
    same_as_stock journal_works
    said 'written: yes' 'by unit: yes' 'logger: yes' 'of the user: yes'
}

# ---- lingering -----------------------------------------------------------------------------------

linger_by_the_user() {
    says before loginctl show-user -p Linger --value alice
    holds enabled login loginctl enable-linger
    LIMIT=30 eventually none_is_there
    says after loginctl show-user -p Linger -p State --value alice
    holds manager manager_is_up
    [ "$PLACE" = session ] || placed "$(main_pid user@1000)"
    holds disabled login loginctl disable-linger
    LIMIT=60 holds 'gone' forgotten 1000
}

@test "loginctl: enable-linger and disable-linger by the user" {
    same_as_stock linger_by_the_user
    said 'enabled: yes' 'after: yes' 'after: lingering' 'manager: yes' 'disabled: yes' 'gone: yes'
    # negative control: of another user
    not ssh_as alice loginctl enable-linger bob
}

# ---- gpg-agent -----------------------------------------------------------------------------------

agent_is_activated() {
    rm -rf /home/alice/.gnupg
    stay
    says socket login systemctl --user is-active gpg-agent.socket
    holds key login "gpg --batch --quiet --passphrase '' --quick-generate-key alice@guest ed25519 sign never"
    says signed login 'echo text | gpg --batch --quiet --clear-sign | gpg --verify 2>&1 | grep -o "Good signature"'
    says unit login systemctl --user is-active gpg-agent.service
    says agents pgrep -u alice -xc gpg-agent
    placed "$(pgrep -u alice -x gpg-agent)"
    holds 'is seen' login 'kill -0 "$(gpg-connect-agent "getinfo pid" /bye | sed -n "s/^D //p")"'
    rm -rf /home/alice/.gnupg
}

@test "gpg-agent: is started by its socket, and one serves all sessions" {
    same_as_stock agent_is_activated
    said 'socket: active' 'key: yes' 'signed: Good signature' 'unit: active' 'agents: 1' 'is seen: yes'
}

# ---- containers ----------------------------------------------------------------------------------

# as "unshare --user" in a session, and bubblewrap as flatpak uses it
sandboxes_work() {
    says unshare login "unshare -Urpf --mount-proc sh -c 'echo \$\$; seen=\$(ps -e -o comm=); echo \$seen'"
    says bwrap login "bwrap --ro-bind / / --proc /proc --dev /dev --unshare-all --die-with-parent sh -c 'seen=\$(ps -e -o comm=); echo \$seen'"
    says 'in a unit' login "systemd-run --user --quiet --pipe --wait unshare -Urpf --mount-proc cat /proc/1/comm"
    placed_like sandboxes
}

# placed_like NAME: a login is where this place has it
placed_like() {
    hold_session "$1" alice 'exec sleep 5105'
    started 'sleep 5105'
}

@test "unshare: user namespaces with a procfs of their own, and bubblewrap" {
    same_as_stock sandboxes_work
    said 'unshare: 1' 'unshare: sh ps' 'bwrap: bwrap sh ps' 'in a unit: cat'
}

# A container's image without a network: one program. Without controllers a limit is an error.
podman_is_ready() {
    login "podman system reset --force >/dev/null 2>&1; mkdir -p ~/.config/containers root && cp /bin/busybox root/
        printf '[storage]\ndriver = \"vfs\"\n' >~/.config/containers/storage.conf
        printf '[containers]\npids_limit = 0\n' >~/.config/containers/containers.conf
        tar -C root -c . | podman --log-level=error import - life" >&2
}

podman_works() {
    local run='podman run --network=none'
    stay
    holds import podman_is_ready
    says run login "$run --rm life /busybox echo from the container"
    says 'exit status' login "$run --rm life /busybox sh -c 'exit 7'"
    says processes login "$run --rm life /busybox sh -c '/busybox ls -d /proc/[0-9]* | /busybox wc -l'"
    holds detached login "$run -d --name work life /busybox sleep 5106"
    LIMIT=20 holds runs eventually pgrep -u alice -xf '/busybox sleep 5106'
    [ "$PLACE" = session ] || placed "$(pgrep -u alice -x conmon)"
    says ps login "podman ps --format '{{.Names}} {{.Command}}'"
    says exec login podman exec work /busybox echo once more
    holds 'in a scope' grep -qE '/user@1000.service/.*/libpod-.*\.scope' "/proc/$(pid_of '/busybox sleep 5106')/cgroup"
    # what began it has logged out
    kill "$(pid_of 'sleep 5100')" || true
    logged_out
    left '/busybox sleep 5106'
    holds stop login podman stop -t 1 work
    left '/busybox sleep 5106'
    holds remove login podman rm work
}

@test "podman: rootless containers run, go on after the logout, and are seen and stopped by the next login" {
    as_on_stock podman_works
    said 'run: from the container' 'exit status: status 7' 'detached: yes' 'runs: yes' 'in a scope: yes' 'exec: once more' \
        '/busybox sleep 5106: there' 'stop: yes' '/busybox sleep 5106: gone'
}

podman_limits() {
    local group
    stay
    podman_is_ready
    holds run login 'podman run --network=none -d --memory=64m --pids-limit=77 --name work life /busybox sleep 5107'
    eventually pgrep -u alice -xf '/busybox sleep 5107'
    placed "$(pgrep -u alice -x conmon)"
    group=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pid_of '/busybox sleep 5107')/cgroup")
    says memory.max cat "$group/memory.max" || true
    says pids.max cat "$group/pids.max"
    holds stop login podman stop -t 1 work
}

@test "podman: limits of a container are in force" {
    grep -qw pids /sys/fs/cgroup/cgroup.controllers || skip 'this machine has no controllers in cgroup2'
    same_as_stock podman_limits
    said "memory.max: $((64 << 20))" 'pids.max: 77'
    # negative control: without a limit
    login 'podman run --network=none --rm --pids-limit=0 life /busybox cat /sys/fs/cgroup/pids.max' | not grep -x 77
}

# A runtime and an application made of the machine's own busybox
flatpak_is_ready() {
    login '
        rm -rf ~/.local/share/flatpak
        mkdir -p runtime/usr/bin runtime/files app/files app/export && cp /bin/busybox runtime/usr/bin/
        ln -s busybox runtime/usr/bin/sh
        arch=$(flatpak --default-arch)
        printf "[Runtime]\nname=org.test.Platform\n" >runtime/metadata
        printf "[Application]\nname=org.test.App\nruntime=org.test.Platform/$arch/1\ncommand=sh\n" >app/metadata
        flatpak build-export --runtime --files=usr repo runtime 1 && flatpak build-export repo app 1 &&
        flatpak --user remote-add --no-gpg-verify life repo && flatpak --user install -y life org.test.App' >&2
}

flatpak_works() {
    stay
    holds install flatpak_is_ready
    says run login 'flatpak run org.test.App -c "busybox echo from the sandbox" 2>/dev/null'
    login 'nohup flatpak run org.test.App -c "busybox sleep 5108" >/dev/null 2>&1 &
        for n in $(seq 100); do pgrep -xf "busybox sleep 5108" && break; sleep 0.1; done' >&2
    left 'busybox sleep 5108'
    says ps login 'flatpak ps --columns=application'
    holds kill login flatpak kill org.test.App
    LIMIT=10 holds ended eventually not pgrep -u alice -xf 'busybox sleep 5108'
}

@test "flatpak: an application is installed, runs, goes on, and is seen and ended by another login" {
    same_as_stock flatpak_works
    said 'install: yes' 'run: from the sandbox' 'busybox sleep 5108: there' 'kill: yes' 'ended: yes'
}

# ---- files of another machine ----------------------------------------------------------------------

# From this one, by ssh to alice: mounted in one session, and seen in the next and in a unit
sshfs_works() {
    stay
    login "mkdir there here; echo text >there/file
        ssh-keygen -q -t ed25519 -N '' -f key && cp ~/.ssh/authorized_keys keys && cat key.pub >>~/.ssh/authorized_keys" >&2
    holds mount login "sshfs -o IdentityFile=$WORK/key,BatchMode=yes alice@localhost:$WORK/there $WORK/here"
    says 'in the next session' login 'cat here/file'
    says 'in a unit' login "systemd-run --user --quiet --pipe --wait cat $WORK/here/file"
    holds write login 'echo more >>here/file && grep -x more there/file'
    holds unmount login 'fusermount3 -u here'
    says after login 'ls here | wc -l'
    login 'mv keys ~/.ssh/authorized_keys; pkill -x sshfs' >&2 || true
}

@test "sshfs: what one session mounts the next one sees, and a unit of the user manager" {
    command -v fusermount3 >/dev/null || skip 'this suite has fuse 2'
    as_on_stock sshfs_works
    said 'mount: yes' 'in the next session: text' 'in a unit: text' 'write: yes' 'unmount: yes' 'after: 0'
}

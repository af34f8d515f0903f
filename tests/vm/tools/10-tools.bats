#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Debuggers, profilers and what else people work with: the same on the stock machine, with a namespace for each session,
# and after "pam-unshare enable".

load lib

setup_file() {
    begin_work
    install -m 755 "$BATS_TEST_DIRNAME/read_memory" /usr/local/bin
    setpriv --reuid bob --regid bob --clear-groups worker 3>&- &
    echo $! >"$BATS_FILE_TMPDIR/bob"
}

teardown() {
    end_clients
}

teardown_file() {
    kill "$(cat "$BATS_FILE_TMPDIR/bob")"
    end_life
}

# on_worker COMMAND: in a session that has a worker of its own, whose pid is $pid
on_worker() {
    login "worker & pid=\$!; $1; kill \$pid"
}

# on_bobs COMMAND: the same with the pid of bob's, which must not work anywhere
on_bobs() {
    login "pid=$(cat "$BATS_FILE_TMPDIR/bob"); $1"
}

# ---- debuggers -----------------------------------------------------------------------------------

gdb_works() {
    says run login "gdb -q -batch -ex 'break work' -ex run -ex 'print n' -ex continue -ex 'print n' -ex kill worker 2>/dev/null | grep '^.[12] ='"
    local look="gdb -q -batch -p \$pid -ex bt 2>&1 | grep -c ' main (.*) at '"
    says attach on_worker "sleep 0.3; $look"
    holds others on_bobs "$look"
    says core on_worker "sleep 0.3; gcore -o core \$pid >/dev/null 2>&1; gdb -q -batch -ex bt \$(command -v worker) core.\$pid 2>/dev/null | grep -c ' main (.*) at '"
}

@test "gdb: breakpoints, attaching, gcore, on own processes; not on others'" {
    it_works gdb_works 'run: $1 = 1' 'run: $2 = 2' 'attach: 1' 'others: no' 'core: 1'
}

strace_works() {
    says run login "strace -f -o trace -e trace=execve sh -c 'true & /bin/true; /bin/true; wait'; grep -c 'execve(\"/bin/true\"' trace"
    local look="timeout 2 strace -p \$pid 2>&1 | grep -qE 'nanosleep\\('"
    holds attach on_worker "$look && echo seen | grep seen"
    holds others on_bobs "$look"
}

@test "strace: with children, attaching to own processes; not to others'" {
    it_works strace_works 'run: 2' 'attach: yes' 'others: no'
}

# ---- profilers -----------------------------------------------------------------------------------

PERF="perf record -q -e cpu-clock:u -o data -p \$pid sleep 2 >&2 && perf report -i data --stdio --sort comm,symbol 2>/dev/null | grep -qE 'worker .*\\bwork\\b'"

perf_works() {
    says stat login "perf stat -x , -e task-clock:u -o counted true && grep -c task-clock counted"
    holds record on_worker "$PERF && echo seen | grep seen"
    holds others on_bobs "$PERF"
    in_background worker login 'exec worker'
    eventually pgrep -u alice -x worker
    holds 'root on the host' bash -c "cd $BATS_TEST_TMPDIR; pid=$(pgrep -u alice -x worker); $PERF"
}

@test "perf: counts, records an own process by its pid, not others'; root on the host profiles a session" {
    it_works perf_works 'stat: 1' 'record: yes' 'others: no' 'root on the host: yes'
}

memory_is_read() {
    says own on_worker 'read_memory $pid'
    holds others on_bobs 'read_memory $pid'
}

@test "process_vm_readv, as py-spy uses it: on own processes, not on others'" {
    it_works memory_is_read "own: b'\\x7fELF'" 'others: no'
}

# ---- environment modules -------------------------------------------------------------------------

modules_work() {
    mkdir -p /usr/local/lib/modulefiles/tool
    printf '#%%Module\nsetenv TOOL two\nprepend-path PATH /opt/tool/bin\n' >/usr/local/lib/modulefiles/tool/2
    says loaded login "bash -lc 'module use /usr/local/lib/modulefiles; module load tool; echo \$TOOL; echo \$PATH | grep -c /opt/tool/bin; module list -t 2>&1 | grep tool; module save mine >/dev/null 2>&1; module unload tool; echo \"unloaded \$TOOL\"'"
    says restored login "bash -lc 'module restore mine >/dev/null 2>&1; echo \$TOOL'"
}

@test "environment modules: load, unload, a saved collection in the next login" {
    it_works modules_work 'loaded: two' 'loaded: 1' 'loaded: tool/2' 'loaded: unloaded ' 'restored: two'
}

# ---- Jupyter -------------------------------------------------------------------------------------

notebook_works() {
    local server='jupyter-server --no-browser --port=8899 --ServerApp.port_retries=0 --ServerApp.token=secret'
    hold_session server alice "cd $WORK; exec $server >server.log 2>&1"
    in_background tunnel timeout -k 1 250 ssh -n -N -q -o BatchMode=yes -o ExitOnForwardFailure=yes \
        -L 8900:localhost:8899 alice@localhost
    eventually python3 -c 'import urllib.request; urllib.request.urlopen("http://127.0.0.1:8900/api", timeout=5)'
    placed "$(pgrep -u alice -f jupyter-server | head -n 1)"
    timeout 200 "$BATS_TEST_DIRNAME/notebook" 8900 secret 2>"$BATS_TEST_TMPDIR/others.$PLACE" ||
        { cat "$BATS_TEST_TMPDIR/others.$PLACE" "$WORK/server.log" >&2; return 1; }
}

@test "Jupyter behind an ssh tunnel: a kernel computes, is interrupted, restarted and ended; it sees nobody else" {
    it_works notebook_works 'computes: 42 ok ' 'shell: alice ok ' 'interrupted: begun error KeyboardInterrupt' \
        'restarted: afresh ok ' 'kernels left: 0'
    cd "$BATS_TEST_TMPDIR"
    cat others.*
    [ "$(sed -n 's/others: //p' others.session others.inside | xargs)" = '0 0' ]
    [ "$(sed -n 's/others: //p' others.stock)" -gt 0 ] # negative control
}

# ---- containers ----------------------------------------------------------------------------------

podman_works() {
    login "podman system reset --force >/dev/null 2>&1; mkdir -p ~/.config/containers root && cp /bin/busybox root/
        printf '[storage]\ndriver = \"vfs\"\n' >~/.config/containers/storage.conf
        tar -C root -c . | podman --log-level=error import - work" >&2
    says run login 'podman run --network=none --pids-limit=0 --rm work /busybox echo from the container'
    says processes login 'podman run --network=none --pids-limit=0 --rm work /busybox ps | grep -c busybox'
}

@test "podman, rootless: a container without a network" {
    it_works podman_works 'run: from the container' 'processes: 1'
}

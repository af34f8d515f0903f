# SPDX-License-Identifier: MIT
"""One run of the tests' PAM application, in tests/sandbox."""
import atexit
import collections
import ctypes
import fcntl
import glob
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
HOST = os.path.join(BUILD, "tests/programs/host")
SECRET = "token-4711"
LIMIT = 60  # seconds; the module's own limits are at most 20
WALL = 0x40000000

# ---- the application that is run -----------------------------------------------------------------

# In the session, as the user: nothing of the host may be seen, by no way that leads there. The init drops
# its last capability after it has said "ready": what is looked at is where it ends up.
LOOK = r"""
sleep 1000 </dev/null >/dev/null 2>&1 &
/run/probe "$SECRET"
for fd in /proc/self/fd/*; do
    for way in "$fd/proc/$HOSTS" "$fd/../proc/$HOSTS" "$fd/../$HOSTS" "$fd/$HOSTS"; do
        [ ! -e "$way/comm" ] || echo "leak=$way"
    done
done
[ ! -e "$HOSTS/comm" ] || echo "leak=cwd"
[ ! -e "../$HOSTS/comm" ] || echo "leak=cwd/.."
[ ! -e "/run/extra/proc/$HOSTS/comm" ] || echo "leak=/run/extra/proc"
for place in $HIDDEN; do [ ! -e "$place" ] || echo "leak=$place"; done
[ -z "$SLICE" ] || [ -e "$SLICE/cgroup.procs" ] || echo "leak=no control group"
[ -e /run/extra/proc/1/comm ] || echo "leak=no extra procfs"
read -r masked </proc/uptime; echo "masked=$masked"
read -r name </proc/1/comm; tries=0
while [ "$name" = pam_unshare ] && [ $((tries += 1)) -lt 5000 ]; do
    ! grep -qx 'CapPrm:.0*20' /proc/1/status || break
done
while read -r key value; do
    case $key in Uid:|Groups:|CapInh:|CapPrm:|CapEff:|CapBnd:|CapAmb:|NoNewPrivs:|SigBlk:|SigIgn:|SigCgt:)
        echo "init.${key%%:}=$value" ;;
    esac
done </proc/1/status
"""
# So it does with its pipe.
LOOK_AS_ROOT = r"""
set -- /proc/1/fd/*; tries=0
read -r name </proc/1/comm
while [ "$name" = pam_unshare ] && [ $# -ne 2 ] && [ $# -ne "$FDS" ] && [ $((tries += 1)) -lt 100000 ]; do
    set -- /proc/1/fd/*
done
echo "init.fds=$#"; echo "init.cwd=$(readlink /proc/1/cwd)"
"""

# The host's /proc as cwd, descriptors of the host's directories; the first "close" loads the modules.
BEFORE = ["chdir", "/proc", "keep", "/", "keep", "/proc/1", "close", "state"]
SESSION = ["open", "state", "run", LOOK, "run-root", LOOK_AS_ROOT]
# PID 2 leaves a process, and children that nobody waits for
FIRST = "sleep 1000 </dev/null >/dev/null 2>&1 & (sleep 1000 & true) </dev/null >/dev/null 2>&1; true; exit 0"
# Another of alice's sessions, in a run with scope=user.
LOOK_BESIDE = '/run/probe "$SECRET"; echo "title=$(tr -d "\\0" </proc/1/cmdline)"'
SCRIPTS = {
    "close": BEFORE + SESSION + ["close", "state", "end", "state"],
    "end": BEFORE + SESSION + ["end", "state"],
    "elsewhere": ["elsewhere"] + BEFORE + SESSION + ["close", "state", "end", "state"],
    "served": BEFORE + ["open", "state", "hold", "served"] + SESSION[2:] + ["close", "state", "end", "state"],
    "first": BEFORE + ["open", "state", "run-held", FIRST] + SESSION[2:] + ["close", "state", "end", "state"],
}
TAKES_ARGUMENT = {"chdir", "hold", "keep", "ruid", "run", "run-root", "run-held"}


def commands(script):
    """The commands of a script, each of which prints a line NAME=RESULT at its end."""
    words = iter(SCRIPTS[script])
    for word in words:
        yield word
        if word in TAKES_ARGUMENT:
            next(words)


# setting: "own" (scope=session); with scope=user "make" (the first session of the user's), "join" (another one
# is open), "elsewhere" (the application is in a mount namespace of its own, besides), "linger" (as make; the next
# session finds the namespace, and ends what is left in it). FDS: how many descriptors the init has then.
# "places", "taken" (somebody has the name), "places-make", "places-join" (with a slice that was not there before) and
# "places-elsewhere": the same, with all that private= and hide= cover.
# "fork": enter=fork; "fork-join": the same, of a user's namespace that is there.
FDS = {"own": 2, "fork": 2, "fork-join": 8, "make": 7, "join": 8, "elsewhere": 8, "linger": 7}

ARGUMENTS = {"own": "ipc", "fork": "ipc enter=fork", "fork-join": "ipc scope=user grace=1 enter=fork", "make": "ipc scope=user grace=1", "linger": "ipc scope=user linger grace=1"}
PRIVATE = " private=tmp,shm,mqueue hide=cgroups"
SHARED = ["/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue"]
SLICE = "/sys/fs/cgroup/user.slice/user-1000.slice"


def kind(setting):
    """A setting without the places."""
    return {"places": "own", "taken": "own"}.get(setting, setting.removeprefix("places-"))


def has_places(setting):
    return setting != kind(setting)


def arguments(setting):
    return ARGUMENTS.get(kind(setting), ARGUMENTS["make"]) + (PRIVATE if has_places(setting) else "")


# role: "application", "init" (or the process that mounts a procfs elsewhere), or "first" (PID 2), which is
# traced; faults: of (call, which, strace's word for it); full: record all calls
Case = collections.namedtuple("Case", "name group role script phase faults module full setting", defaults=["own"])
Call = collections.namedtuple("Call", "phase name nth")
# beside: what the user's other sessions have printed, each with its name
# others: what the user's other sessions have logged
Run = collections.namedtuple("Run", "output log others status hung left mounts trace errors beside")


class Late(Exception):
    """A run takes too long."""


def on_alarm(_signal, _frame):
    raise Late


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return f.read().split()


def read_file(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def reap_all():
    """Wait until no descendant is left, as orphans become ours; tell those that stay."""
    signal.setitimer(signal.ITIMER_REAL, 10)
    try:
        while True:
            os.waitpid(-1, WALL)
    except ChildProcessError:
        return []
    except Late:
        left = children(os.getpid())
        names = [f"{pid} {read_file(f'/proc/{pid}/cmdline')}".replace("\0", " ") for pid in left]
        for pid in left:
            os.kill(int(pid), signal.SIGKILL)
        return names
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class Sandbox:
    """What the runs share, inside tests/sandbox."""

    def __init__(self):
        assert os.environ.get("SANDBOX") == "1", "run this in tests/sandbox"
        self.secret = self.start_secret()
        ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
        signal.signal(signal.SIGALRM, on_alarm)
        self.prepare_mounts()
        places = TOP + "/tests/places"
        atexit.register(subprocess.run, [places, subprocess.check_output([places], text=True).strip()], check=True)
        for place in SHARED:
            with open(place + "/of-host", "w", encoding="ascii"):
                pass
        self.log = self.take_log()
        subprocess.run(["install", "-m", "755", BUILD + "/tests/programs/probe", "/run/probe"], check=True)
        os.makedirs("/run/pam.d")
        self.services = set()
        self.namespace = os.readlink("/proc/self/ns/pid")

    @staticmethod
    def start_secret():
        """A process of bob's with a secret in its command line; not ours, for we wait for all."""
        command = ("setpriv --reuid bob --regid bob --clear-groups "
                   f"bash -c 'exec -a daemon-{SECRET} sleep 1000000' >/dev/null 2>&1 & echo $!")
        return subprocess.run(["sh", "-c", command], check=True, stdout=subprocess.PIPE,
                              text=True).stdout.strip()

    @staticmethod
    def prepare_mounts():
        os.makedirs("/run/extra/proc")
        with open("/run/mask", "w", encoding="ascii") as f:
            f.write("masked\n")
        for args in (["-t", "proc", "extra", "/run/extra/proc"],
                     ["--bind", "/run/mask", "/proc/uptime"]):
            subprocess.run(["mount", *args], check=True)

    @staticmethod
    def take_log():
        """Be the system log: what a process has said is here when that process has ended."""
        with open("/proc/sys/net/unix/max_dgram_qlen", "w", encoding="ascii") as f:
            f.write("512")
        if os.path.lexists("/dev/log"):
            os.unlink("/dev/log")
        log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        log.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        log.setblocking(False)
        return log

    def read_log(self):
        """The messages, and those of the user's other sessions."""
        messages, others = [], []
        try:
            while True:
                text = self.log.recv(65536).decode("utf-8", "replace").rstrip("\0\n")
                priority, text = re.match(r"<(\d+)>.*?host: (.*)", text, re.S).groups()
                if re.match(".*-beside:session", text):
                    others.append(text)
                elif not re.match("PAM (audit|_pam)", text):  # libpam's own
                    messages.append((int(priority) & 7, text))
        except BlockingIOError:
            return messages, others

    def service(self, module, arguments="ipc", suffix=""):
        """A stack with the module, which is made if it is not there; pam_permit.so takes no arguments."""
        name = os.path.basename(module).replace(".so", suffix)
        if name not in self.services:
            with open("/run/pam.d/" + name, "w", encoding="ascii") as f:
                f.write("auth required pam_permit.so\naccount required pam_permit.so\n"
                        f"session required {module} {'' if name.startswith('pam_permit') else arguments}\n")
            self.services.add(name)
        return name


# ---- an application beside the one that is traced ------------------------------------------------


class Application:
    """A run of the tests' application, which waits at each command "hold" until it is told to go on."""

    def __init__(self, service, user, *words, before=(), env=None, **others):
        self.output = ""
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [*before, HOST, "/run/pam.d", service, user, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "SECRET": SECRET, **(env or {})}, **others)

    def read_until(self, line, limit=LIMIT):
        """Tell whether it has printed that line; it may end before."""
        end = time.monotonic() + limit
        while f"\n{line}\n" not in "\n" + self.output:
            if not select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise Late
            part = os.read(self.process.stdout.fileno(), 65536)
            if not part:
                return False
            self.output += part.decode("utf-8", "replace")
        return True

    def go_on(self):
        try:
            self.process.stdin.write(b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # what it has printed tells

    def finish(self, limit=LIMIT):
        """What it has printed to its end. Whoever it has left behind does not hold this up."""
        try:
            self.process.wait(limit)
        except subprocess.TimeoutExpired as late:
            raise Late from late
        while select.select([self.process.stdout], [], [], 0)[0]:
            part = os.read(self.process.stdout.fileno(), 65536)
            if not part:
                break
            self.output += part.decode("utf-8", "replace")
        self.process.stdin.close()
        self.process.stdout.close()
        return self.output


# ---- one run -------------------------------------------------------------------------------------

FD_HERE, FD_GO, FD_TERMINAL = 200, 201, 202
TIOCSPTLCK, TIOCGPTPEER, TIOCSCTTY = 0x40045431, 0x5441, 0x540E


def become_foreground():
    """Have a controlling terminal, and be in its foreground."""
    os.setsid()
    terminal = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(terminal, TIOCSPTLCK, b"\0\0\0\0")
    other_end = fcntl.ioctl(terminal, TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(other_end, TIOCSCTTY, 0)
    os.dup2(terminal, FD_TERMINAL)  # kept: without it the terminal is hung up
    os.close(other_end)
    os.close(terminal)


def strace(case):
    options = ["strace", "-o", "/run/trace", "-e", "signal=none"]
    if case.faults and not case.full:
        calls = {call for call, _, _ in case.faults} | {"write"}
        options += ["-e", "trace=" + ",".join(sorted(calls))]
    for call, nth, word in case.faults:
        options += ["-e", f"inject={call}:{word}:when={nth}"]
    return options


def trace_child(case, application, here, go):
    """Trace the init or PID 2 alone, which waits for that before it does anything (paused.c, host.c)."""
    if not select.select([here], [], [], LIMIT)[0]:
        raise Late
    os.read(here, 1)
    tracer = subprocess.Popen(  # pylint: disable=consider-using-with
        strace(case) + ["-p", children(application)[-1]], stderr=subprocess.PIPE, text=True)
    line = tracer.stderr.readline()
    assert "attached" in line, line
    os.write(go, b"g" * 16)  # for the init of a session's own too, should it come to that
    return tracer


def kill_if_there(process):
    try:
        os.kill(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def prepare_places(setting):
    """Nothing is left of the run before; or somebody's file has the name."""
    for place in SHARED:
        for path in glob.glob(place + "/.pam_unshare*"):
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    for group, _, _ in os.walk("/sys/fs/cgroup/pam_unshare", topdown=False):
        os.rmdir(group)
    if setting == "taken":
        for place in SHARED[:3]:
            with open(place + "/.pam_unshare", "w", encoding="ascii") as f:
                os.chown(f.fileno(), 1001, 1001)
    if kind(setting) == "join" and os.path.exists(SLICE + "/session-1.scope"):
        os.rmdir(SLICE + "/session-1.scope")
        os.rmdir(SLICE)
    else:
        os.makedirs(SLICE + "/session-1.scope", exist_ok=True)


def beside(box, setting, *words):
    """Another session of alice's, with scope=user."""
    places = PRIVATE if has_places(setting) else ""
    service = box.service(TOP + "/pam_unshare.so", ARGUMENTS["make"] + places, "-beside" if not places else "-places-beside")
    return Application(service, "alice", *words, stderr=subprocess.STDOUT)


def log_in_beside(box, setting, *more):
    return beside(box, setting, "open", "run", LOOK_BESIDE, *more, "close", "end").finish()


def hidden(setting):
    """What the session must not see, and what it must."""
    if not has_places(setting):
        return {"HIDDEN": "", "SLICE": ""}
    return {"HIDDEN": " ".join([*(place + "/of-host" for place in SHARED), "/sys/fs/cgroup/system.slice"]), "SLICE": SLICE}


def take_part(box, case, application, others):
    """What the user's other sessions do until the application ends."""
    holder = others.pop("holder", None)
    if case.script == "served" and application.read_until("served"):
        others["one that comes and goes"] = log_in_beside(box, case.setting)
        application.go_on()
    status = application.process.wait()
    if case.setting == "linger":
        others["the next"] = log_in_beside(box, case.setting, "run", "kill -KILL -1")
    if holder:
        holder.go_on()
        others["the one that was there before"] = holder.finish()
    return status


def run_case(box, case):
    service = box.service(case.module, arguments(case.setting), "-" + case.setting)
    pipes = os.pipe() + os.pipe() if case.role != "application" else ()
    shutil.rmtree("/run/pam_unshare", ignore_errors=True)  # the first session makes it
    prepare_places(case.setting)
    if os.path.exists("/run/trace"):
        os.unlink("/run/trace")

    def prepare():
        become_foreground()
        if pipes:
            os.dup2(pipes[1], FD_HERE)
            os.dup2(pipes[2], FD_GO)

    mounts = read_file("/proc/self/mountinfo")
    application, tracer, hung, status, others = None, None, False, None, {}
    with open("/run/errors", "w", encoding="utf-8") as err:
        signal.setitimer(signal.ITIMER_REAL, LIMIT)
        try:
            if kind(case.setting) in ("join", "fork-join", "elsewhere"):
                others["holder"] = beside(box, case.setting, "open", "hold", "up", "run", LOOK_BESIDE, "close", "end")
                others["holder"].read_until("up")
                os.makedirs(SLICE, exist_ok=True)
            application = Application(
                service, "alice", *SCRIPTS[case.script], stderr=err, close_fds=False, preexec_fn=prepare,
                before=strace(case) + ["-qq"] if case.role == "application" else (),
                env={"HOSTS": box.secret, "FDS": str(FDS[kind(case.setting)]), **hidden(case.setting)})
            if pipes:
                tracer = trace_child(case, application.process.pid, pipes[0], pipes[3])
            status = take_part(box, case, application, others)
            if tracer:
                tracer.wait()
            if kind(case.setting) not in ("own", "fork", "linger"):
                others["the next"] = log_in_beside(box, case.setting)
        except Late:
            hung = True
            for pid in children(os.getpid()):
                os.kill(int(pid), signal.SIGKILL)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for fd in pipes:
                os.close(fd)
            if tracer:
                tracer.stderr.close()
    output = application.finish() if application else ""
    left = reap_all()
    if tracer:
        tracer.returncode = tracer.returncode or 0  # it has been reaped
    return Run(output, *box.read_log(), status, hung, left, read_file("/proc/self/mountinfo") != mounts,
               read_file("/run/trace"), read_file("/run/errors"), {} if hung else others)

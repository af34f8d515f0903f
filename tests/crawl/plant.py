# SPDX-License-Identifier: MIT
"""Plants what a session must not see: in every way in which programs run on a machine, by root and by another user,
each with tokens of its own in its arguments, name, environment and description, and with rare pids.

What a machine does not have (systemd, at, a mailer) is left out, and said.
"""
import contextlib
import os
import pathlib
import pwd
import random
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time

LAST_PID = pathlib.Path("/proc/sys/kernel/ns_last_pid")
RARE_FROM, RARE_TO = 3000000, 4000000
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
SLEEP = "sleep 100000; :"  # the last word keeps the shell, with its name and arguments


class Absent(Exception):
    """This machine has not what a way needs."""


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Absent(f"no {program}")


def need_systemd():
    if not os.path.isdir("/run/systemd/system"):
        raise Absent("no systemd")


class Planter:
    def __init__(self, ssh=None):
        self.random = random.SystemRandom()
        self.prefix = f"xq{self.random.randrange(1 << 16):04x}"
        self.tokens, self.pids, self.absent = {}, {}, {}  # token: (way, where); pid: way; way: why
        self.lock, self.ended, self.thread = threading.RLock(), threading.Event(), None
        self.started, self.units, self.ssh = [], [], ssh
        self.directory = pathlib.Path(subprocess.check_output(["mktemp", "-d", "/opt/crawl.XXXXXX"], text=True).strip())
        self.directory.chmod(0o711)  # what runs there has a token for its name
        self.since = time.time() - 2
        self.user = self.add_user()

    def token(self, way, where):
        token = f"{self.prefix}{len(self.tokens):04x}"
        self.tokens[token] = (way, where)
        return token

    def add_user(self):
        name = self.token("another user", "who")
        uid = self.random.randrange(300000, 500000)
        subprocess.run(["useradd", "--key", "UID_MAX=600000", "--uid", str(uid), "--create-home", name], check=True)
        if self.ssh:
            ssh = pathlib.Path("/home", name, ".ssh")
            ssh.mkdir(mode=0o700)
            shutil.copy(self.ssh[0], ssh / "authorized_keys")
            for path in (ssh, ssh / "authorized_keys"):
                os.chown(path, uid, uid)
        return pwd.getpwnam(name)

    # ---- programs -------------------------------------------------------------------------------

    def program(self, way, command=SLEEP):
        """The arguments of a shell that has a token for a name, and one among its arguments."""
        path = self.directory / self.token(way, "comm")
        shutil.copy("/bin/dash", path)
        return [str(path), "-c", command, self.token(way, "argv")]

    def environment(self, way, **more):
        return {"PATH": os.environ["PATH"], "SECRET": self.token(way, "env"), **more}

    @contextlib.contextmanager
    def rare(self, way):
        """Processes that start inside have rare pids, and are remembered by them."""
        with self.lock:
            before = LAST_PID.read_text()
            LAST_PID.write_text(str(self.random.randrange(RARE_FROM, RARE_TO)))
            try:
                yield
                self.remember(way)
            finally:
                LAST_PID.write_text(before)

    def remember(self, way):
        """Every process with a rare pid, but the reader's and what it runs: these may have been forked meanwhile."""
        alice = str(pwd.getpwnam("alice").pw_uid)
        for entry in os.scandir("/proc"):
            if entry.name.isdigit() and int(entry.name) >= RARE_FROM:
                with contextlib.suppress(OSError):
                    if alice not in (str(entry.stat().st_uid), pathlib.Path(entry.path, "loginuid").read_text()):
                        self.pids.setdefault(int(entry.name), way)

    def start(self, way, command, user=None, environment=None, settle=0.3, **options):
        """Starts a program in the background, with a rare pid."""
        if user:
            options.update(user=user.pw_uid, group=user.pw_gid, extra_groups=[])
        with self.rare(way):
            started = subprocess.Popen(command, start_new_session=True, cwd="/", env=environment or self.environment(way),
                                       stdin=subprocess.DEVNULL, **QUIET, **options)
            self.pids[started.pid] = way
            self.started.append(started)
            time.sleep(settle)
        return started

    def finish(self, way, command, **options):
        """Runs a program that ends, as systemd-run does."""
        with self.rare(way):
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, cwd="/",
                                  env=options.pop("env", None) or self.environment(way), **options)
            time.sleep(0.3)
        if done.returncode:
            raise Absent((done.stderr or done.stdout).strip().splitlines()[-1:] or f"status {done.returncode}")
        return done.stdout + done.stderr

    def as_user(self):
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    # ---- ways -----------------------------------------------------------------------------------

    def plant_root(self, way):
        self.start(way, self.program(way))

    def plant_user(self, way):
        self.start(way, self.program(way), self.user)

    def plant_su(self, way):
        path, *rest = self.program(way)
        self.start(way, ["su", self.user.pw_name, "-c", f"exec {path} {rest[0]} '{rest[1]}' {rest[2]}"])

    def plant_sudo(self, way):
        need("sudo")
        self.start(way, ["sudo", "-u", self.user.pw_name, *self.program(way)])

    def plant_ssh(self, way):
        if not self.ssh:
            raise Absent("no sshd")
        path, *rest = self.program(way)
        command = f"exec {path} {rest[0]} '{rest[1]}' {rest[2]}"
        self.start(way, [*self.ssh[1], "-tt", f"{self.user.pw_name}@localhost", command], settle=3)  # as people log in

    def plant_tmux(self, way):
        need("tmux")
        title = self.token(way, "description")
        self.finish(way, ["tmux", "-L", "crawl", "new-session", "-d", "-n", title, *self.program(way)], **self.as_user())

    def plant_screen(self, way):
        need("screen")
        self.finish(way, ["screen", "-dmS", self.token(way, "description"), *self.program(way)],
                    env=self.environment(way, HOME=f"/home/{self.user.pw_name}", TERM="vt100"), **self.as_user())

    def plant_container(self, way):
        need("unshare")
        options = ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
        self.start(way, ["unshare", *options, *self.program(way)], self.user)

    def plant_lock(self, way):
        lock = self.directory / "lock"
        self.start(way, ["flock", str(lock), *self.program(way)])

    def plant_segment(self, way):
        self.finish(way, ["ipcmk", "-M", "4096"])

    def plant_server(self, way):
        """A server of the other user's, whom everybody may connect to."""
        code = ("import socket,time\nu=socket.socket(socket.AF_UNIX);u.bind('\\0crawl-server');u.listen(9)\n"
                "t=socket.socket();t.bind(('127.0.0.1',0));t.listen(9)\ntime.sleep(100000)")
        self.start(way, [sys.executable, "-c", code, self.token(way, "argv")], self.user, settle=1)

    def plant_bus(self, way):
        """A process of the other user's that is connected to the bus."""
        if not os.path.exists("/run/dbus/system_bus_socket"):
            raise Absent("no bus")
        code = ("import sys,time;sys.path.insert(0,sys.argv[1]);import dbus\n"
                "b=dbus.Bus('/run/dbus/system_bus_socket');time.sleep(100000)")
        module = self.directory / "client"
        module.mkdir()
        shutil.copy(pathlib.Path(__file__).with_name("dbus.py"), module)
        program = self.directory / self.token(way, "comm")
        program.symlink_to(sys.executable)
        self.start(way, [str(program), "-B", "-c", code, str(module), self.token(way, "argv")], self.user, settle=2)

    def plant_listener(self, way):
        """A process of root's that listens to process events, from when on others can, too."""
        code = ("import socket,struct,os,time\ns=socket.socket(16,3,11);s.bind((0,1))\n"
                "s.send(struct.pack('IHHIIIIIIHHI',40,3,0,0,os.getpid(),1,1,0,0,4,0,1));time.sleep(100000)")
        self.start(way, [sys.executable, "-c", code, self.token(way, "argv")], settle=1)

    def unit(self, way, *options, command=SLEEP):
        need_systemd()
        said = self.finish(way, ["systemd-run", f"--description={self.token(way, 'description')}",
                                 f"--setenv=SECRET={self.token(way, 'env')}", *options, *self.program(way, command)])
        words = [word.strip(".;") for word in said.split()]
        self.units += [word for word in words if word.endswith((".service", ".timer"))]
        time.sleep(0.5)

    def plant_unit(self, way):
        self.unit(way)

    def plant_unit_user(self, way):
        self.unit(way, f"--uid={self.user.pw_name}", f"--unit={self.token(way, 'unit-name')}")

    def plant_timer(self, way):
        self.unit(way, "--on-active=100000")

    def plant_scope(self, way):
        need_systemd()
        description = f"--description={self.token(way, 'description')}"
        self.start(way, ["systemd-run", "--scope", description, *self.program(way)], settle=1)

    def plant_inhibitor(self, way):
        need_systemd()
        why = f"--why={self.token(way, 'description')}"
        self.start(way, ["systemd-inhibit", "--what=idle", "--mode=block", why, *self.program(way)], settle=1)

    def plant_manager(self, way):
        """A user manager of the other user's, with a unit."""
        need_systemd()
        with self.rare(way):
            subprocess.run(["loginctl", "enable-linger", self.user.pw_name], check=False, **QUIET)
            end = time.monotonic() + 30
            bus = f"/run/user/{self.user.pw_uid}/bus"
            while not os.path.exists(bus) and time.monotonic() < end:
                time.sleep(0.2)
        if not os.path.exists(bus):
            raise Absent("no user manager starts")
        command = ["systemd-run", "--user", f"--description={self.token(way, 'description')}", *self.program(way)]
        if self.ssh:  # a manager inside does not answer those outside
            self.finish(way, [*self.ssh[1], f"{self.user.pw_name}@localhost", shlex.join(command)])
            return
        self.finish(way, command, env=self.environment(way, XDG_RUNTIME_DIR=f"/run/user/{self.user.pw_uid}"),
                    **self.as_user())

    def plant_cron(self, way):
        need("crontab", "cron")
        path, *rest = self.program(way)
        line = f"SECRET={self.token(way, 'env')}\n* * * * * {path} {rest[0]} 'sleep 50; :' {rest[2]}\n"
        subprocess.run(["crontab", "-u", self.user.pw_name, "-"], input=line, text=True, check=True)

    def plant_at(self, way):
        need("at")
        path, *rest = self.program(way)
        with self.rare(way):
            command = f"{path} {rest[0]} '{rest[1]}' {rest[2]}\n"
            subprocess.run(["at", "now"], input=command, text=True, check=True, cwd="/", **QUIET,
                           env=self.environment(way), **self.as_user())
            time.sleep(2)

    def plant_mail(self, way):
        need("/usr/sbin/sendmail")
        for recipient in (self.user.pw_name, "root"):
            text = f"Subject: {self.token(way, 'content')}\n\n{self.token(way, 'content')}\n"
            subprocess.run(["/usr/sbin/sendmail", recipient], input=text, text=True, check=True, **self.as_user())

    def plant_log(self, way):
        need("logger")
        self.finish(way, ["logger", self.token(way, "content")])
        self.finish(way, ["logger", self.token(way, "content")], **self.as_user())

    def plant_file(self, way):
        """What the other user keeps to themselves, in places that all use."""
        for directory in ("/tmp", "/var/tmp", "/dev/shm"):
            path = pathlib.Path(directory, self.token(way, "file-name"))
            path.write_text(self.token(way, "content"))
            path.chmod(0o600)
            os.chown(path, self.user.pw_uid, self.user.pw_gid)
            self.started.append(path)

    def plant_all(self):
        for name in [name for name in dir(self) if name.startswith("plant_") and name != "plant_all"]:
            way = name.removeprefix("plant_")
            try:
                getattr(self, name)(way)
            except (Absent, OSError, subprocess.SubprocessError) as why:
                self.absent[way] = str(why)

    # ---- what starts and ends meanwhile ---------------------------------------------------------

    def begin_noise(self, pause):
        self.thread = threading.Thread(target=self.noise, args=(pause,))
        self.thread.start()

    def noise(self, pause):
        while not self.ended.wait(pause):
            for make in (self.short, self.short_unit, self.short_session, self.short_mail):
                with contextlib.suppress(Absent, OSError, subprocess.SubprocessError):
                    make(make.__name__)

    def short(self, way):
        self.start(way, self.program(way, "sleep 1; :"))
        self.start(way, self.program(way, "sleep 1; :"), self.user)

    def short_unit(self, way):
        self.unit(way, command="sleep 1; :")
        self.start(way, ["systemd-inhibit", "--what=idle", "--mode=block", *self.program(way, "sleep 1; :")])

    def short_session(self, way):
        if self.ssh:
            self.start(way, [*self.ssh[1], f"{self.user.pw_name}@localhost", "sleep 1"], settle=1)

    def short_mail(self, way):
        """To the one who looks: it may start what she has put somewhere."""
        need("/usr/sbin/sendmail")
        text = f"Subject: {way}\n\n"
        subprocess.run(["/usr/sbin/sendmail", "alice"], input=text, text=True, check=True, **QUIET)

    # ---- the door -------------------------------------------------------------------------------

    def open_door(self):
        """What the crawler must find at its end: a file and a socket that nobody has told it of."""
        path = pathlib.Path(f"/run/{self.random.randrange(1 << 32):x}")
        path.write_text(self.token("door", "file"))
        path.chmod(0o644)
        code = ("import socket,sys\nu=socket.socket(socket.AF_UNIX);u.bind('\\0'+sys.argv[1]);u.listen(9)\n"
                "print(flush=True)\nwhile 1:\n c,_=u.accept()\n c.send(sys.argv[2].encode());c.close()")
        command = [sys.executable, "-c", code, path.name, self.token("door", "socket")]
        server = subprocess.Popen(command, stdout=subprocess.PIPE)
        server.stdout.readline()
        self.started += [path, server]

    # ---- and away -------------------------------------------------------------------------------

    def stop(self):
        self.ended.set()
        if self.thread:
            self.thread.join()
        for started in self.started:
            if isinstance(started, pathlib.Path):
                started.unlink(missing_ok=True)
                continue
            with contextlib.suppress(OSError):
                os.killpg(started.pid, signal.SIGKILL) if started.pid == os.getpgid(started.pid) else started.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                started.wait(5)
        if os.path.isdir("/run/systemd/system"):
            subprocess.run(["systemctl", "stop", *self.units], check=False, **QUIET)
            subprocess.run(["loginctl", "disable-linger", self.user.pw_name], check=False, **QUIET)
            subprocess.run(["loginctl", "terminate-user", self.user.pw_name], check=False, **QUIET)
            subprocess.run(["systemctl", "stop", f"user@{self.user.pw_uid}.service"], check=False, **QUIET)
        if shutil.which("crontab"):
            subprocess.run(["crontab", "-r", "-u", self.user.pw_name], check=False, **QUIET)
        subprocess.run(["pkill", "-KILL", "-U", str(self.user.pw_uid)], check=False, **QUIET)
        for entry in os.scandir("/proc"):  # what others have started for it
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and str(self.directory) in os.readlink(entry.path + "/exe"):
                    os.kill(int(entry.name), signal.SIGKILL)
        shutil.rmtree(self.directory, ignore_errors=True)
        subprocess.run(["userdel", "-r", "-f", self.user.pw_name], check=False, **QUIET)

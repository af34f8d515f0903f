# SPDX-License-Identifier: MIT
"""The sandbox's processes, what is left of sessions in it, and TAP."""
import collections
import contextlib
import os
import re
import subprocess
import sys
import time

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import Tap  # noqa: E402, F401

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
HOST = BUILD + "/tests/programs/host"
LIMIT = 60  # seconds for anything that a session does
SECRET = "token-4711"
PLACE = r"/run/pam_unshare(/\d+\.\d+(\.lock)?)?"
PROBE = f"/run/probe {SECRET[:6]}$((4000 + 711))"  # not to be found in its own command line
SLABS = ["pid", "mnt_cache", "nsproxy"]


def bash(script):
    """With the functions of the system tests."""
    subprocess.run(["bash", "-c", f". {TOP}/tests/system/lib.bash; {script}"], check=True,
                   stdin=subprocess.DEVNULL)


def read_file(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


# ---- processes -----------------------------------------------------------------------------------


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def namespace_of(pid, kind="pid"):
    """None for a process that has ended; a zombie is in a PID namespace only."""
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    except OSError:
        return None


def field(pid, name):
    match = re.search(rf"^{name}:\s+(\S+)", read_file(f"/proc/{pid}/status"), re.M)
    return match.group(1) if match else None


def of_users():
    """Processes of the users', but for the one that must not be seen."""
    return [pid for pid in processes() if field(pid, "Uid") in ("1000", "1001", "1002")
            and SECRET not in read_file(f"/proc/{pid}/cmdline")]


def inits():
    return [pid for pid in processes() if field(pid, "Name") == "pam_unshare"]


def at_work():
    """Inits, processes of the users', and applications, which may yet start some."""
    return inits() + of_users() + [pid for pid in processes() if pid != listener()
                                   and field(pid, "Name") in ("sshd", "sshd-session", "su", "host")]


def kill(pid, sig):
    try:
        os.kill(pid, sig)
    except ProcessLookupError:
        pass


# ---- what is left --------------------------------------------------------------------------------


def listener():
    return int(read_file("/run/ssh/pid") or 0)


def state():
    """What must be the same before and after, each with a name."""
    names = collections.Counter(field(pid, "Name") for pid in processes())
    for passing in ("chaos", "python3", None):
        names.pop(passing, None)
    zombies = [pid for pid in processes() if field(pid, "State") == "Z"]
    mounts = {pid: read_file(f"/proc/{pid}/mountinfo") for pid in (1, os.getpid(), listener())}
    namespaces = {namespace_of(pid, kind) for pid in processes() for kind in ("mnt", "pid")} - {None}
    found = subprocess.run(["find", "/run", "-xdev", "-not", "-path", "/run/syslog*", "-not",
                            "-path", "/run/ssh/log"], stdout=subprocess.PIPE, check=True, text=True)
    return {
        "processes": names, "zombies": len(zombies), "mounts": mounts, "namespaces": namespaces,
        "sshd's descriptors": sorted(os.listdir(f"/proc/{listener()}/fd"), key=int),
        # a user's socket and lock stay, two for each: who has not come before adds them
        "files in /run": sorted(name for name in found.stdout.split() if not re.fullmatch(PLACE, name)),
    }


def objects():
    """The kernel's, of the kinds that a namespace takes.

    slabinfo counts as used what is free in a slab that a processor keeps for itself (mm/slub.c, get_slabinfo()):
    hundreds of them. These are given back first, where the kernel has a file for that.
    """
    for name in SLABS:
        with contextlib.suppress(OSError), open(f"/sys/kernel/slab/{name}/shrink", "w", encoding="ascii") as f:
            f.write("1")
    rows = (line.split() for line in read_file("/proc/slabinfo").splitlines())
    return {row[0]: int(row[1]) for row in rows if row and row[0] in SLABS}


def lasting_objects(most=None):
    """The least of each kind in two seconds, or until there are no more than that, for at most LIMIT.

    A slab may be one with that of credentials, of which each execve(2) and access(2) of the whole machine makes some
    that RCU frees later: hundreds come and go.
    """
    least, end = objects(), time.monotonic() + (LIMIT if most else 2)
    while time.monotonic() < end and not (most and all(least[name] <= n for name, n in most.items())):
        time.sleep(0.05)
        least = {name: min(n, least[name]) for name, n in objects().items()}
    return least


def eventually(condition):
    end = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True

# SPDX-License-Identifier: MIT
"""The sandbox's state, TAP, and sessions that go on when they are told to."""
import os
import re
import subprocess
import sys
import time

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import Tap  # noqa: E402, F401

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOST = os.path.join(TOP, os.environ.get("BUILD", "build"), "tests/programs/host")
LIMIT = 300  # seconds, for anything
SECRET = "token-4711"
LIB = f". {TOP}/tests/system/lib.bash; "
# its words are not to be found in the command line of the shell
LOOK = f"/run/probe {SECRET[:6]}$((4000 + 711))"


def bash(script):
    """With the functions of the system tests."""
    subprocess.run(["bash", "-c", LIB + script], check=True, stdin=subprocess.DEVNULL)


def host_state():
    """Processes, mounts, namespaces and files, in a text that must be the same before and after."""
    run = subprocess.run(["bash", "-c", LIB + "host_state | grep -v python3; find /run -xdev | "
                          "grep -vE '^/run/(syslog|motd|pam_unshare/)' | sort"], check=True, stdout=subprocess.PIPE, text=True)
    return run.stdout


def inits():
    run = subprocess.run(["pgrep", "-xc", "pam_unshare"], stdout=subprocess.PIPE, text=True, check=False)
    return int(run.stdout)


def available():
    with open("/proc/meminfo", encoding="ascii") as f:
        return int(re.search(r"^MemAvailable:\s+(\d+)", f.read(), re.M).group(1))


def settle(wanted, state=host_state, seconds=60):
    """The state once it is as wanted, or the one that stays."""
    end = time.monotonic() + seconds
    while state() != wanted and time.monotonic() < end:
        time.sleep(0.2)
    return state()


# ---- sessions ------------------------------------------------------------------------------------


def start(command):
    return subprocess.Popen(  # pylint: disable=consider-using-with
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def read_until(session, line):
    """What it prints up to a line, or to its end."""
    text = ""
    for got in session.stdout:
        text += got
        if got == line + "\n":
            break
    return text


def go_on(sessions):
    for session in sessions:
        try:
            session.stdin.write("\n")
            session.stdin.flush()
        except BrokenPipeError:
            pass  # what it has printed tells

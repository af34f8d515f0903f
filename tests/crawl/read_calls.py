# SPDX-License-Identifier: MIT
"""System calls, by number: each with a pid in some argument, in a child that may die of it. A call that answers
otherwise for pids that are there than for pids that no process has tells that there is such a process.
"""
import ctypes
import os
import signal
import struct

NUMBERS = range(0, 480)
PID, BUFFER = "pid", "buffer"
# where a call may have its pid, and what else it may want
SHAPES = [(PID, 0, 0, 0), (0, PID, 0, 0), (1, PID, 0, 0), (PID, BUFFER, 8, 0), (PID, 128, BUFFER, 0),
          (PID, 0, 0, BUFFER), (BUFFER, PID, -1, -1), (0x4206, PID, 0, 0), (BUFFER, BUFFER, PID, 0)]
libc = ctypes.CDLL(None, use_errno=True)


def call(number, shape, pid):
    # begins as capget's header does, for example
    buffer = ctypes.create_string_buffer(struct.pack("II", 0x20080522, pid) + b"\0" * 4088)
    values = {PID: pid, BUFFER: ctypes.addressof(buffer)}
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(values.get(a, a)) for a in shape])
    return os.strerror(ctypes.get_errno()) if result < 0 else "done"


def child(number, first, pids, pipe):
    """Each shape from the first on with each pid: prints a line for each shape, until one ends this process."""
    myself = os.getpid()
    os.dup2(pipe, 200)
    os.closerange(0, 200)
    os.chdir("/")
    os.setpgid(0, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for shape in SHAPES[first:]:
        said = []
        for pid in pids:
            signal.setitimer(signal.ITIMER_REAL, 0.5)
            said.append(call(number, shape, pid))
            if os.getpid() != myself:
                os._exit(0)
        os.write(200, ("\t".join(said) + "\n").encode())


def answers(number, pids):
    """What each shape says of each pid; None: it did not come back."""
    lines = []
    while len(lines) < len(SHAPES):
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                child(number, len(lines), pids, writer)
            finally:
                os._exit(0)
        os.close(writer)
        _, status = os.waitpid(pid, os.WUNTRACED)
        if os.WIFSTOPPED(status):  # by clone(2), if the low byte of the pid is SIGSTOP: what its own child sends at its end
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        try:
            os.killpg(pid, signal.SIGKILL)  # children that a call has made
        except OSError:
            pass
        os.set_blocking(reader, False)
        try:
            lines += [line.split("\t") for line in os.read(reader, 1 << 16).decode().splitlines()]
        except BlockingIOError:
            pass
        os.close(reader)
        if len(lines) < len(SHAPES):
            lines.append(None)
    return lines[: len(SHAPES)]


def read(finder, config):
    there, nowhere = config["there"][:2], config["nowhere"]
    # those that are there in the middle: what changes from call to call, as what is used up, tells nothing
    pids = nowhere[: len(nowhere) // 2] + there + nowhere[len(nowhere) // 2 :]
    for number in NUMBERS:
        for shape, said in zip(SHAPES, answers(number, pids)):
            finder.count("system calls", len(pids))
            if not said or len(said) != len(pids):
                continue
            of = dict(zip(pids, said))
            of_there, of_nowhere = {of[pid] for pid in there}, {of[pid] for pid in nowhere}
            if len(of_nowhere) == 1 and not of_there & of_nowhere:
                form = ",".join(map(str, shape))
                finder.found("oracle", str(there[0]), f"call:{number}({form})", f"{of_there} {of_nowhere}")
    remove_ipc()


def remove_ipc():
    """What the calls have made: sizes and keys of these are pids."""
    for table, remove in (("shm", lambda n: libc.shmctl(n, 0, None)), ("msg", lambda n: libc.msgctl(n, 0, None)),
                          ("sem", lambda n: libc.semctl(n, 0, 0))):
        with open("/proc/sysvipc/" + table) as lines:
            for line in list(lines)[1:]:
                remove(int(line.split()[1]))  # that of another user stays

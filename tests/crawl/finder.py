# SPDX-License-Identifier: MIT
"""What every reader uses: it looks for marks in what was read, and says where it found which.

A mark is a token (PREFIX and four hexadecimal digits), a number that may be a rare pid, or the other user's
uid. A reader knows the prefix and the range of rare pids, and no token and no place: the judge alone knows what
was planted.
"""
import collections
import json
import re
import signal


class Finder:
    """Prints one JSON object a line: {"what", "value", "place", "sample"} of a mark, once for each place."""

    def __init__(self, config, out):
        self.prefix, self.uid = config["prefix"].encode(), str(config["uid"]).encode()
        self.config = config
        self.marks = re.compile(
            self.prefix + rb"[0-9a-f]{4}|(?<![0-9.])3[0-9]{6}(?![0-9])|(?<![0-9])" + self.uid + rb"(?![0-9])")
        self.out, self.said = out, set()
        self.counts = collections.Counter()

    def say(self, **what):
        self.out.write(json.dumps(what) + "\n")
        self.out.flush()

    def found(self, what, value, place, sample=""):
        key = (what, value, place)
        if key not in self.said:
            self.said.add(key)
            self.say(what=what, value=value, place=place, sample=sample[:160])

    def look(self, data, place, echo=""):
        """Looks for marks in what was read at a place; those in echo, which the reader said itself, do not count."""
        if isinstance(data, str):
            data = data.encode(errors="replace")
        for match in self.marks.finditer(data):
            value = match[0]
            if value.decode() in echo:
                continue
            what = "token" if value.startswith(self.prefix) else "uid" if value == self.uid else "pid"
            around = data[max(0, match.start() - 50) : match.end() + 50]
            self.found(what, value.decode(), place, around.decode(errors="replace"))

    def look_in_numbers(self, data, place):
        """Looks for pids in a binary structure: in each aligned word of the machine's byte order."""
        if len(data) >= 4:
            whole = data[: len(data) // 4 * 4]
            for word in set(memoryview(whole).cast("I")):
                # with a small lower half it may be the header of an attribute: length and type
                if 3000000 <= word < 4000000 and word & 0xFFFF > 1024:
                    self.found("pid", str(word), place, "a binary number")

    def count(self, what, n=1):
        self.counts[what] += n


class Late(Exception):
    """What was tried has no answer in time."""


class limit:
    """with limit(SECONDS): raises Late inside, also out of a system call that waits."""

    def __init__(self, seconds):
        self.seconds = seconds

    @staticmethod
    def late(*_):
        raise Late()

    def __enter__(self):
        signal.signal(signal.SIGALRM, self.late)
        signal.setitimer(signal.ITIMER_REAL, self.seconds)

    def __exit__(self, *_):
        signal.setitimer(signal.ITIMER_REAL, 0)


def same_but_number(text, number):
    """An answer without the number that was asked for, to compare two answers."""
    return re.sub(rf"(?<![0-9]){number}(?![0-9])", "N", text)


def tells_apart(answers, there, nowhere):
    """The pids that are there about which answers (by pid) differ from what is said of all that no process has."""
    of_nowhere = {same_but_number(answers[n], n) for n in nowhere}
    return [n for n in there if len(of_nowhere) == 1 and same_but_number(answers[n], n) not in of_nowhere]

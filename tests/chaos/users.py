# SPDX-License-Identifier: MIT
"""scope=user: which session is in which namespace, and what must hold among those that are up at the same time."""
import threading

from machine import field, namespace_of, processes

UIDS = {"alice": "1000", "bob": "1001", "carol": "1002"}


class Users:
    """The sessions that are up and to which nothing is done. All of it may be called by several threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.up = {}  # number: (user, namespace, order of coming up)
        self.order = 0
        self.harmed = dict.fromkeys(UIDS, 0)  # how often something of a user's was killed

    def begin(self, user):
        """A session is about to be opened. Returns what come_up() and is_excused() want to know."""
        with self.lock:
            return self.order, self.harmed[user]

    def come_up(self, begun, number, user, namespace):
        """What is wrong with a session that has come up, in a word each."""
        inside = {field(pid, "Uid") for pid in processes() if namespace_of(pid) == namespace}
        with self.lock:
            if self.harmed[user] != begun[1]:
                return set()  # it may be dead already, and its namespace's number another one's
            wrong = set()
            if inside - {"0", UIDS[user], None}:
                wrong.add("mixed")
            for other, where, order in self.up.values():
                if other != user and where == namespace:
                    wrong.add("mixed")
                if other == user and where != namespace and order <= begun[0]:
                    wrong.add("split")
            self.order += 1
            self.up[number] = (user, namespace, self.order)
            return wrong

    def leave(self, number):
        """The session is told to end, or its opener is killed."""
        with self.lock:
            self.up.pop(number, None)

    def harm(self, user, namespace):
        """A process inside is killed, or the init: nobody who is there can be relied on. To be called before and
        after it."""
        with self.lock:
            self.harmed[user] += 1
            self.up = {number: session for number, session in self.up.items() if session[1] != namespace}

    def is_excused(self, begun, user):
        """Tell whether something of the user's was killed since then."""
        with self.lock:
            return self.harmed[user] != begun[1]

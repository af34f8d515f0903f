# SPDX-License-Identifier: MIT
"""A bus: every name, every object that introspection finds, every property, every method, and all signals.

A method is called with what it may plausibly want, by the types of its arguments. Where one of these is a number,
it is called with pids that are there and with pids that no process has: to answer otherwise is to tell.
Interfaces of many objects are called on a few of them.
"""
import collections
import itertools
import re
import xml.etree.ElementTree as ElementTree

import dbus
from finder import tells_apart

BROKER = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
PROPERTIES = "org.freedesktop.DBus.Properties"
INTROSPECTABLE = "org.freedesktop.DBus.Introspectable"
MOST_OBJECTS, CALLED_OBJECTS, MOST_VARIANTS = 400, 2, 24
# They would end the session that crawls, or the machine. Who may call them sees nothing by it.
ENDS = re.compile("Terminate|Kill|PowerOff|Reboot|Halt|KExec|Suspend|Hibernate|Sleep|Exit|Reexecute|Crash|Lock|"
                  "SwitchRoot|ReleaseSession|Activate$|SetUserLinger|Shutdown")


class Arguments:
    """What a method may want, by type."""

    def __init__(self, config, names):
        self.there, self.nowhere = config["there"], config["nowhere"]
        self.other_numbers = []
        unique = sorted((name for name in names if name.startswith(":")), key=lambda name: [int(n) for n in re.findall(r"\d+", name)])
        # what lives long, and who came last
        self.strings = ["cron.service", "session-1.scope", "1", "2", "root", config["user"], "/", "system.slice",
                        "org.freedesktop.login1.power-off", "unix-process", "org.freedesktop.systemd1", "", *unique[-12:]]

    def of_pid(self, signature, pid):
        """The same bodies for each pid, in the same order."""
        self.other_numbers = []
        return self.variants(signature, pid)

    def of_all(self, signature):
        self.other_numbers = [0, 1]
        return self.variants(signature, self.there[0])

    def values(self, kind, pid):
        if kind in "yn":
            return [0, 1]
        if kind in "qiuxt":
            number = min(pid, 65535) if kind == "q" else pid
            return [number, *self.other_numbers]
        if kind in "sog":
            return {"s": self.strings, "o": ["/"], "g": [""]}[kind]
        if kind in "bd":
            return [0]
        if kind == "h":
            return []
        if kind == "v":
            return [("s", ""), ("u", pid)]
        if kind == "(sa{sv})":  # whom polkit is asked about
            return [("unix-process", {"pid": ("u", pid), "start-time": ("t", 0), "uid": ("i", 0)})]
        if kind[0] == "a":
            inner = [] if kind[1] == "{" else self.values(kind[1:], pid)
            return [{} if kind[1] == "{" else [], *([value] for value in inner)]
        fields = [self.values(inner, pid)[:1] for inner in dbus.split(kind[1:-1])]
        return [tuple(field[0] for field in fields)] if all(fields) else []

    def variants(self, signature, pid):
        """Bodies for a call: all combinations where they are few, else each value at least once."""
        lists = [self.values(kind, pid) for kind in dbus.split(signature)]
        if not all(lists):
            return []
        all_of_them = list(itertools.islice(itertools.product(*lists), MOST_VARIANTS + 1))
        if len(all_of_them) <= MOST_VARIANTS:
            return all_of_them
        longest = min(max(map(len, lists)), MOST_VARIANTS)
        return [tuple(values[n % len(values)] for values in lists) for n in range(longest)]


class Crawl:
    def __init__(self, finder, config, address, label):
        self.finder, self.config, self.label = finder, config, label
        self.bus = dbus.Bus(address)
        self.objects = collections.Counter()  # how many of a kind have been called
        for rule in ("type='signal'", "eavesdrop='true'"):
            self.bus.call(*BROKER, "AddMatch", "s", (rule,))
        self.monitor = dbus.Bus(address)
        monitoring = (*BROKER[:2], "org.freedesktop.DBus.Monitoring", "BecomeMonitor")
        self.monitor.monitors = self.monitor.call(*monitoring, "asu", ([], 0)).kind == dbus.RETURN

    def look(self, reply, name, path, what, echo=""):
        """An answer of a service, or what the bus says where it refuses to ask."""
        refused = reply.fields.get(4, "").endswith(".AccessDenied") and reply.fields.get(7) == BROKER[0]
        place = f"{self.label}{'-refused' if refused else ''}:{name} {path} {what}"
        self.finder.look(reply.text(), place, echo + path)

    def drain(self):
        """Looks at the signals that have come."""
        for bus in (self.bus, self.monitor):
            while bus.receive(0.05):
                pass
            for signal in bus.signals:
                f = signal.fields
                if bus is self.monitor and self.bus.name in (f.get(6), f.get(7)):
                    continue  # of this process's own calls
                self.finder.count("signals heard")
                self.finder.look(signal.text(), f"{self.label}-signal:{f.get(1)} {f.get(2)}.{f.get(3)}")
            bus.signals.clear()

    def run(self):
        lists = [self.bus.call(*BROKER, which) for which in ("ListNames", "ListActivatableNames")]
        if not all(reply and reply.kind == dbus.RETURN for reply in lists):
            return  # somebody who speaks D-Bus, and is no bus
        names, activatable = (reply.body[0] for reply in lists)
        self.arguments = Arguments(self.config, names)
        owners = set()
        for name in sorted({*names, *activatable}):
            if not name.startswith(":"):
                self.finder.count("names of the bus")
                self.service(name, 12)  # it may have to be started
                owner = self.bus.call(*BROKER, "GetNameOwner", "s", (name,), seconds=30)
                owners.add(str(owner.body[0]) if owner else "")  # late: then it is crawled by that name, too
                self.drain()
        for name in {name for name in names if name.startswith(":")} - owners:
            self.service(name, 2)

    def service(self, name, seconds):
        todo, seen = ["/", "/" + name.lstrip(":").replace(".", "/")], set()
        while todo and len(seen) < MOST_OBJECTS:
            path = todo.pop(0)
            if path in seen:
                continue
            seen.add(path)
            reply = self.bus.call(name, path, INTROSPECTABLE, "Introspect", seconds=seconds)
            if not reply:
                return
            self.look(reply, name, path, "Introspect")
            if reply.kind != dbus.RETURN:
                continue
            self.finder.count("objects of the bus")
            todo += self.object(name, path, reply.body[0])

    def object(self, name, path, xml):
        """Reads and calls an object, and returns the paths below."""
        try:
            node = ElementTree.fromstring(re.sub(r"<!DOCTYPE[^>]*>", "", xml))
        except ElementTree.ParseError:
            return []
        for interface in node.findall("interface"):
            if interface.get("name") not in (PROPERTIES, INTROSPECTABLE):
                self.properties(name, path, interface)
                self.methods(name, path, interface)
        return [path.rstrip("/") + "/" + child.get("name") for child in node.findall("node") if child.get("name")]

    def properties(self, name, path, interface):
        found = [p.get("name") for p in interface.findall("property")]
        if not found:
            return
        self.finder.count("properties", len(found))
        kind = interface.get("name")
        reply = self.bus.call(name, path, PROPERTIES, "GetAll", "s", (kind,))
        if reply:
            self.look(reply, name, path, kind + " GetAll")
        refused = not reply or reply.kind != dbus.RETURN
        if refused and self.few(name, kind + " properties"):  # perhaps each by itself
            self.ask(name, path, PROPERTIES, [("Get", "ss", (kind, p)) for p in found])

    def few(self, name, what):
        """Whether this is one of the first objects of a kind."""
        self.objects[name, what] += 1
        return self.objects[name, what] <= CALLED_OBJECTS

    def methods(self, name, path, interface):
        if not self.few(name, interface.get("name")):
            return
        for method in interface.findall("method"):
            if ENDS.search(method.get("name")):
                self.finder.count("methods left out")
                continue
            signature = "".join(a.get("type") for a in method.findall("arg") if a.get("direction", "in") == "in")
            self.finder.count("methods")
            self.method(name, path, interface.get("name"), method.get("name"), signature)

    def method(self, name, path, interface, member, signature):
        there = self.arguments.there[0]
        bodies = self.arguments.of_all(signature)
        self.ask(name, path, interface, [(member, signature, body) for body in bodies])
        if not re.search("[iutxv]", signature) and "(sa{sv})" not in signature:
            return
        for n in range(3):
            # some numbers are taken for flags: by chance, or again with many more pids?
            if self.tells(4, n, name, path, interface, member, signature) and \
                    (answer := self.tells(16, n, name, path, interface, member, signature)):
                self.finder.found("oracle", str(there), f"{self.label}:{name} {path} {interface}.{member}", answer)
                return

    def tells(self, many, n, name, path, interface, member, signature):
        """An answer about a pid that is there, if there is another answer about pids that no process has."""
        there, nowhere, answers = self.arguments.there, self.arguments.nowhere[:many], {}
        for pid in there + nowhere:
            bodies = self.arguments.of_pid(signature, pid)
            if n >= len(bodies):
                return None
            answers[pid] = repr(self.ask(name, path, interface, [(member, signature, bodies[n])]))
        apart = tells_apart(answers, there, nowhere)
        return answers[apart[0]] if apart else None

    def ask(self, name, path, interface, calls):
        """Calls one after the other without waiting; returns the texts of the replies."""
        serials = [(self.bus.send(name, path, interface, *call), call) for call in calls]
        texts, patience = [], 8
        for serial, (member, _, body) in serials:
            reply = self.bus.wait(serial, patience)
            self.finder.count("method calls")
            texts.append(reply.text() if reply else None)
            if not reply:
                patience = 0.1  # all have been sent together
                self.finder.count("calls without an answer")
            else:
                what = f"{body[0]} Get {body[1]}" if member == "Get" else f"{interface}.{member}"
                self.look(reply, name, path, what, repr(body))
        return texts

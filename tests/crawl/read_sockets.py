# SPDX-License-Identifier: MIT
"""Every socket: connects, says the first words of several protocols, and looks at what is answered. Who speaks D-Bus
or Varlink is crawled. The kernel says of a peer its pid, as SO_PEERCRED.
"""
import concurrent.futures
import itertools
import json
import os
import re
import socket
import struct

import read_bus
from finder import tells_apart

GREETINGS = [b"", b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", b"help\n", b"\0AUTH EXTERNAL\r\n",
             b'{"method":"org.varlink.service.GetInfo"}\0']
TYPES = [socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM]
SECONDS = 0.4


def abstract():
    """The names that the kernel lists to everybody; those that are not in any file system begin with @."""
    with open("/proc/net/unix", errors="replace") as table:
        names = {line.split()[7] for line in table if len(line.split()) > 7}
    return {"\0" + name[1:] if name.startswith("@") else name for name in names if name[0] in "@/"}


def tcp():
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table) as lines:
                for line in list(lines)[1:]:
                    if line.split()[3] == "0A":
                        yield int(line.split()[1].rpartition(":")[2], 16)
        except OSError:
            pass


def connect(address, kind):
    family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
    sock = socket.socket(family, kind | socket.SOCK_CLOEXEC)
    sock.settimeout(SECONDS)
    try:
        sock.connect(address)
        return sock
    except OSError:
        sock.close()
        return None


def label(address):
    if isinstance(address, tuple):
        return f"tcp:{address[1]}"
    return "socket:" + (address if address.startswith("/") else "@" + address[1:])


def peer(sock, finder, place):
    try:
        pid, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        finder.look(f"{pid}", place + " SO_PEERCRED")
        finder.look(f"{uid}", place + " SO_PEERCRED")
    except OSError:
        pass


def try_one(address, finder):
    """Returns which protocols are spoken: dbus, varlink."""
    spoken, place = set(), label(address)
    for kind in TYPES:
        for greeting in GREETINGS:
            sock = connect(address, kind)
            if not sock:
                break
            finder.count("sockets connected", greeting == b"")
            peer(sock, finder, place)
            data = exchange(sock, greeting)
            sock.close()
            finder.look(data, place)
            finder.look_in_numbers(data, place)
            if data.startswith((b"OK ", b"REJECTED", b"DATA")):
                spoken.add("dbus")
            if data.startswith(b'{"parameters"') and b"interfaces" in data:
                spoken.add("varlink")
        if isinstance(address, tuple):
            break
    return spoken


def exchange(sock, greeting):
    data = b""
    try:
        if greeting:
            sock.send(greeting)
        while len(data) < 1 << 20 and (more := sock.recv(65536)):
            data += more
            if data.startswith(b"{") and data.endswith(b"}\0") and b'"continues":true' not in data.split(b"\0")[-2]:
                break  # the last word of varlink
    except OSError:
        pass
    return data


class Varlink:
    """Every method of every interface of one socket."""

    def __init__(self, finder, config, address):
        self.finder, self.config, self.address = finder, config, address

    def call(self, method, parameters, more=False):
        sock = connect(self.address, socket.SOCK_STREAM)
        if not sock:
            return ""
        sock.settimeout(1 if more else 4)  # of some there is no end
        request = {"method": method, "parameters": parameters, **({"more": True} if more else {})}
        data = exchange(sock, json.dumps(request).encode() + b"\0")
        sock.close()
        self.finder.count("varlink calls")
        self.finder.look(data, f"varlink:{self.address} {method}", json.dumps(parameters))
        return data.decode(errors="replace")

    def run(self):
        told = self.call("org.varlink.service.GetInfo", {})
        for interface in re.findall(r'"([\w.]+)"', told.partition('"interfaces":[')[2].partition("]")[0]):
            text = self.call("org.varlink.service.GetInterfaceDescription", {"interface": interface}).split("\0")[0]
            try:
                description = re.sub(r"#[^\n]*", "", json.loads(text)["parameters"]["description"])
            except (ValueError, KeyError):
                continue
            for name, wants in re.findall(r"method\s+(\w+)\s*\(([^)]*(?:\([^)]*\)[^)]*)*)\)\s*->", description):
                self.finder.count("varlink methods")
                self.method(f"{interface}.{name}", wants)

    def method(self, method, wants):
        for more in (False, True):
            self.call(method, {}, more)
        for name, kind in re.findall(r"(\w+)\s*:\s*\??\s*([\w\[\]]+)", wants):
            if kind == "string":
                for value in ("cron.service", "root", self.config["user"], "1"):
                    for more in (False, True):
                        self.call(method, {name: value}, more)
            elif kind in ("int", "ProcessId"):
                there, nowhere = self.config["there"][:8], self.config["nowhere"][:6]
                values = {pid: pid if kind == "int" else {"pid": pid} for pid in there + nowhere}
                answers = {pid: self.call(method, {name: value}, True) for pid, value in values.items()}
                if tells_apart(answers, there, nowhere):
                    self.finder.found("oracle", str(there[0]), f"varlink:{self.address} {method}", answers[there[0]])


def read(finder, config, paths, tried):
    """Tries all sockets but those that have been tried. Returns the addresses of buses."""
    buses, varlinks = [], []
    addresses = sorted((paths | abstract()) - tried)
    ports = [("127.0.0.1", port) for port in sorted(set(tcp()))]
    ports = [port for port in ports if port not in tried]
    finder.count("sockets", len(addresses))
    finder.count("tcp ports", len(ports))
    tried.update(addresses, ports)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:  # most say nothing
        for address, spoken in zip(addresses + ports, pool.map(try_one, addresses + ports, itertools.repeat(finder))):
            buses += [address] if "dbus" in spoken else []
            varlinks += [address] if "varlink" in spoken else []
    for address in varlinks:
        finder.count("varlink sockets")
        Varlink(finder, config, address).run()
    return buses


def crawls(finder, config, addresses):
    """A crawl for each bus that is another: /run and /var/run may both lead to it."""
    seen = set()
    for address in addresses:
        key = os.stat(address).st_ino if address.startswith("/") else address
        if key in seen:
            continue
        seen.add(key)
        try:
            finder.count("buses")
            yield read_bus.Crawl(finder, config, address, "bus" if "system_bus" in address else "bus@" + address)
        except OSError:
            pass

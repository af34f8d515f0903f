# SPDX-License-Identifier: MIT
"""A client of D-Bus, as small as the crawler needs it: calls, replies, signals; no objects of its own.

Values are Python's: a struct is a tuple, an array a list, a dictionary a dict, a variant ("signature", value).
"""
import itertools
import os
import socket
import struct
import time

FIXED = {"y": "B", "b": "I", "n": "h", "q": "H", "i": "i", "u": "I", "x": "q", "t": "Q", "d": "d", "h": "I"}
ALIGN = {**{c: struct.calcsize(f) for c, f in FIXED.items()}, "s": 4, "o": 4, "g": 1, "a": 4, "v": 1, "(": 8, "{": 8}
CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4


def split(signature):
    """The complete types of a signature."""
    types, at = [], 0
    while at < len(signature):
        start = at
        while signature[at] == "a":
            at += 1
        depth = 0
        while True:
            depth += signature[at] in "({"
            depth -= signature[at] in ")}"
            at += 1
            if not depth:
                break
        types.append(signature[start:at])
    return types


class Writer:
    def __init__(self):
        self.data = bytearray()

    def align(self, to):
        self.data += b"\0" * (-len(self.data) % to)

    def write(self, kind, value):
        self.align(ALIGN[kind[0]])
        if kind in FIXED:
            self.data += struct.pack("<" + FIXED[kind], value)
        elif kind in "so":
            raw = value.encode()
            self.data += struct.pack("<I", len(raw)) + raw + b"\0"
        elif kind == "g":
            self.data += bytes([len(value)]) + value.encode() + b"\0"
        elif kind == "v":
            self.write("g", value[0])
            self.write(*value)
        elif kind[0] == "a":
            self.array(kind[1:], value)
        else:
            for inner, item in zip(split(kind[1:-1]), value):
                self.write(inner, item)

    def array(self, inner, value):
        length_at = len(self.data)
        self.data += b"\0\0\0\0"
        self.align(ALIGN[inner[0]])
        start = len(self.data)
        for item in value.items() if isinstance(value, dict) else value:
            self.write(inner, item)
        struct.pack_into("<I", self.data, length_at, len(self.data) - start)


class Reader:
    def __init__(self, data, order):
        self.data, self.order, self.at = data, order, 0

    def take(self, form):
        value = struct.unpack_from(self.order + form, self.data, self.at)[0]
        self.at += struct.calcsize(form)
        return value

    def read(self, kind):
        self.at += -self.at % ALIGN[kind[0]]
        if kind in FIXED:
            return self.take(FIXED[kind])
        if kind in "sog":
            length = self.take("B" if kind == "g" else "I")
            value = self.data[self.at : self.at + length].decode(errors="replace")
            self.at += length + 1
            return value
        if kind == "v":
            inner = self.read("g")
            return (inner, self.read(inner))
        if kind[0] == "a":
            return self.array(kind[1:])
        return tuple(self.read(inner) for inner in split(kind[1:-1]))

    def array(self, inner):
        length = self.take("I")
        self.at += -self.at % ALIGN[inner[0]]
        end = self.at + length
        if inner == "y":
            value, self.at = self.data[self.at : end].decode("latin-1"), end
            return value
        items = []
        while self.at < end:
            items.append(self.read(inner))
        return dict(items) if inner[0] == "{" else items


class Message:
    def __init__(self, data):
        reader = Reader(data, "<" if data[:1] == b"l" else ">")
        self.kind = data[1]
        reader.at = 12
        self.fields = {code: value[1] for code, value in reader.read("a(yv)")}
        reader.at += -reader.at % 8
        self.reply_to = self.fields.get(5)
        self.body = [reader.read(kind) for kind in split(self.fields.get(8, ""))]

    def text(self):
        return repr((self.fields, self.body)) if self.kind == SIGNAL else repr((self.fields.get(4), self.body))


class Bus:
    """A connection to whoever speaks D-Bus on a socket. Raises OSError."""

    def __init__(self, address):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect(address)
        self.serials, self.replies, self.signals, self.data = itertools.count(1), {}, [], b""
        self.monitors = False  # then all that comes counts as a signal
        self.sock.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        if not self.sock.recv(4096).startswith(b"OK"):
            raise OSError("not accepted")
        self.sock.sendall(b"BEGIN\r\n")
        hello = self.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello")
        self.name = hello.body[0] if hello and hello.kind == RETURN else None

    def send(self, destination, path, interface, member, signature="", body=()):
        header, content = Writer(), Writer()
        for kind, value in zip(split(signature), body):
            content.write(kind, value)
        serial = next(self.serials)
        fields = [(1, ("o", path)), (2, ("s", interface)), (3, ("s", member)), (6, ("s", destination))]
        fields += [(8, ("g", signature))] if signature else []
        header.data += struct.pack("<cBBBII", b"l", CALL, 0, 1, len(content.data), serial)
        header.write("a(yv)", fields)
        header.align(8)
        self.sock.sendall(bytes(header.data + content.data))
        return serial

    def receive(self, seconds):
        """Takes in what comes within some seconds, until there was a message; returns whether there was one."""
        end = time.monotonic() + seconds
        while not self.take():
            self.sock.settimeout(max(end - time.monotonic(), 0.001))
            try:
                data, _, _, _ = self.sock.recvmsg(1 << 20)
            except (TimeoutError, socket.timeout):
                return False
            if not data:
                raise OSError("the bus has ended the connection")
            self.data += data
        return True

    def take(self):
        if len(self.data) < 16:
            return False
        order = "<" if self.data[:1] == b"l" else ">"
        body, fields = struct.unpack_from(order + "I4xI", self.data, 4)
        length = 16 + fields + -fields % 8 + body
        if len(self.data) < length:
            return False
        message, self.data = Message(self.data[:length]), self.data[length:]
        if message.kind == SIGNAL or self.monitors:
            self.signals.append(message)
        elif message.reply_to:
            self.replies[message.reply_to] = message
        return True

    def wait(self, serial, seconds=8):
        """The reply to a call, or None."""
        end = time.monotonic() + seconds
        while serial not in self.replies and time.monotonic() < end:
            self.receive(end - time.monotonic())
        return self.replies.pop(serial, None)

    def call(self, *call, seconds=8):
        self.sock.settimeout(10)
        return self.wait(self.send(*call), seconds)

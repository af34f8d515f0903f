# SPDX-License-Identifier: MIT
"""Netlink: for each protocol, asks for a dump of each type of message, and joins every group.

Generic netlink's families are asked for by their numbers, which begin at 16, as the types of other protocols
do. To listen is to be told by the kernel what others do, until the end of the crawl.
"""
import os
import socket
import struct

SOL_NETLINK, ADD_MEMBERSHIP = 270, 1
REQUEST, DUMP = 1, 0x300
PROTOCOLS = range(32)
TYPES = range(16, 128)
# the beginning of a request, by what most types of a protocol want: a family and zeros, or one of sock_diag's
BODIES = [b"\0" * 64, bytes([1, 0, 0, 0]) + b"\xff" * 8 + b"\0" * 48, bytes([2, 6, 0, 0]) + b"\xff" * 4 + b"\0" * 52]


def receive(sock, finder, place):
    """Looks at all that has come; returns how many datagrams."""
    n = 0
    while True:
        try:
            data = sock.recv(1 << 18)
        except BlockingIOError:
            return n
        except OSError:  # ENOBUFS: some were lost
            continue
        if not data:
            return n
        n += 1
        finder.look(data, place)
        finder.look_in_numbers(data, place)


def open_socket(protocol):
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
    sock.setblocking(False)
    try:
        sock.bind((0, 0))
    except OSError:
        pass
    return sock


def dump(finder):
    for protocol in PROTOCOLS:
        try:
            sock = open_socket(protocol)
        except OSError:
            continue
        finder.count("netlink protocols")
        for kind in TYPES:
            for command in range(1, 12) if protocol == 16 else (None,):
                for body in BODIES if command is None else (b"",):
                    if command is not None:
                        body = struct.pack("BBH", command, 1, 0)
                    ask(sock, finder, protocol, kind, body)
        sock.close()


def ask(sock, finder, protocol, kind, body):
    try:
        sock.send(struct.pack("IHHII", 16 + len(body), kind, REQUEST | DUMP, 1, 0) + body)
    except OSError:
        return
    finder.count("netlink dumps")
    receive(sock, finder, f"netlink:{protocol} dump {kind}")


class Listener:
    def __init__(self, finder):
        self.finder, self.sockets = finder, {}
        for protocol in PROTOCOLS:
            try:
                sock = open_socket(protocol)
            except OSError:
                continue
            joined = sum(self.join(sock, group) for group in range(1, 65))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            if joined:
                self.sockets[protocol] = sock
                self.subscribe(sock)
            finder.count("netlink groups", joined)

    @staticmethod
    def join(sock, group):
        try:
            sock.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, group)
            return True
        except OSError:
            return False

    @staticmethod
    def subscribe(sock):
        """Connector's users want a message before they speak: cn_msg with an operation, of each id."""
        for index in range(1, 12):
            message = struct.pack("IIIIHHI", index, 1, 0, 0, 4, 0, 1)
            header = struct.pack("IHHII", 16 + len(message), 3, 0, 0, os.getpid())
            try:
                sock.send(header + message)
            except OSError:
                pass

    def drain(self):
        for protocol, sock in self.sockets.items():
            self.finder.count("netlink messages heard", receive(sock, self.finder, f"netlink:{protocol} listen"))

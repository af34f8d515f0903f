#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A process of root's that speaks to the init of a user's namespace (common/user_protocol.h).

Usage: user_peer.py SOCKET COMMAND…   The commands are carried out in turn:

    connect     make a connection and say nothing
    join        become a member, over the last connection
    ask         print what the namespace says of itself
    leave       end the last membership, over a connection of its own
    hold        print "held", and wait for a line of input
    ended MS    print "ended" if the other side ends the last connection within this time, else "open"
"""
import os
import select
import socket
import struct
import sys

JOIN, LEAVE, PIN, UNPIN, ASK = range(5)
ANSWER = struct.Struct("=IIQIII4BI4xQ16s256s")


def request(operation, nonce=0, slot=0):
    return struct.pack("=IIQII16s", 2, operation, nonce, slot, 0, b"peer")


def connect(path):
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    peer.settimeout(8)
    peer.connect(path)
    return peer


def answer(peer):
    data = peer.recv(4096)
    if len(data) != ANSWER.size:
        return None
    err, nonce, slot, _, members, pinned, linger = ANSWER.unpack(data)[1:8]
    return {"err": err, "nonce": nonce, "slot": slot, "members": members, "pinned": pinned, "linger": linger}


def main(path, *commands):
    peer, member = None, None
    pidfd = os.pidfd_open(os.getpid())
    commands = list(commands)
    while commands:
        command = commands.pop(0)
        if command == "connect":
            peer = connect(path)
        elif command == "join":
            socket.send_fds(peer, [request(JOIN)], [pidfd])
            member = answer(peer)
            print("joined" if member and member["err"] == 0 else "refused", flush=True)
        elif command == "ask":
            peer.send(request(ASK))
            print(answer(peer), flush=True)
        elif command == "leave":
            connect(path).send(request(LEAVE, member["nonce"], member["slot"]))
        elif command == "hold":
            print("held", flush=True)
            sys.stdin.readline()
        elif command == "ended":
            limit = int(commands.pop(0)) / 1000
            print("ended" if select.select([peer], [], [], limit)[0] else "open", flush=True)


main(*sys.argv[1:])

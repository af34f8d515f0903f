#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The client's side of common/user_protocol.h, for the tests.

user_client.py UID FIELD     prints what the init of that user's namespace answers
user_client.py UID services  prints the members' services, sorted
"""
import os
import socket
import struct
import sys

DIRECTORY = "/run/pam_unshare"
PROTOCOL = 2
JOIN, LEAVE, PIN, UNPIN, ASK = range(5)
REQUEST = struct.Struct("@II QII 16s")
ANSWER = struct.Struct("@II QII IBBBB II Q16s256s")
FIELDS = ("protocol err nonce slot used n_members pinned linger ipc shared_root privacy full_places since service user").split()


def place(uid):
    return f"{DIRECTORY}/{uid}.{os.stat('/proc/self/ns/pid').st_ino}"


def connect(uid):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(10)
    client.connect(place(uid))
    return client


def request(operation, nonce=0, slot=0, service="test", protocol=PROTOCOL):
    return REQUEST.pack(protocol, operation, nonce, slot, 0, service.encode())


def send(client, message, fds=()):
    socket.send_fds(client, [message], list(fds))


def answer(client):
    """The answer with a descriptor that came along, or None if the init has closed the connection"""
    message, fds, _, _ = socket.recv_fds(client, ANSWER.size, 1)
    if not message:
        return None
    found = dict(zip(FIELDS, ANSWER.unpack(message)))
    found["service"] = found["service"].rstrip(b"\0").decode()
    found["user"] = found["user"].rstrip(b"\0").decode()
    found["fd"] = fds[0] if fds else None
    return found


def ask(uid, message=None, fds=()):
    with connect(uid) as client:
        send(client, message or request(ASK), fds)
        return answer(client)


def members(uid):
    slot = 0
    while True:
        found = ask(uid, request(ASK, slot=slot))
        if not found["used"]:
            return
        if found["fd"] is not None:
            os.close(found["fd"])
        yield found
        slot = found["slot"] + 1


if __name__ == "__main__":
    user, field = int(sys.argv[1]), sys.argv[2]
    if field == "services":
        print(*sorted(member["service"] for member in members(user)))
    else:
        print(ask(user)[field])

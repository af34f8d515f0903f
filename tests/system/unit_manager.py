#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Stands in for systemd, as far as a user's namespace needs it.

unit_manager.py notify COMMAND…   the manager of a unit with Type=notify: runs the command, prints what it
                                  is told, line by line, and the end of both processes: main and command
unit_manager.py make HOW FILE     the socket /run/pam_unshare/make: takes one request, writes its uid into
                                  FILE and answers HOW: an errno, "close", "silent", or a command's path,
                                  which is run with the uid and answered by 0
"""
import array
import os
import socket
import struct
import subprocess
import sys

MAKER = "/run/pam_unshare/make"
PROTOCOL = 2


def notify(command):
    path = "/run/notify.test"
    if os.path.exists(path):
        os.unlink(path)
    inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    inbox.bind(path)
    child = subprocess.Popen(command, env={**os.environ, "NOTIFY_SOCKET": path})
    main = None
    inbox.settimeout(0.1)
    while child.poll() is None:
        try:
            data, ancillary, _, _ = inbox.recvmsg(4096, socket.CMSG_SPACE(4))
        except socket.timeout:
            continue
        for line in data.decode().splitlines():
            print(line, flush=True)
            if line.startswith("MAINPID="):
                main = int(line[8:])
        for _, _, fds in ancillary: # the barrier
            for fd in array.array("i", fds):
                os.close(fd)
    print("command ended", child.returncode, flush=True)
    if main:
        with open(f"/proc/{main}/status", encoding="ascii") as status:
            parent = next(line.split()[1] for line in status if line.startswith("PPid:"))
        print("child of the manager" if int(parent) == os.getpid() else "child of another", flush=True)
        print("main ended", os.waitstatus_to_exitcode(os.waitpid(main, 0)[1]), flush=True)


def make(how, record):
    if os.path.exists(MAKER):
        os.unlink(MAKER)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(MAKER)
    listener.listen()
    with open(record + ".ready", "w", encoding="ascii"):
        pass
    connection, _ = listener.accept()
    protocol, uid = struct.unpack("II", connection.recv(64))
    with open(record, "w", encoding="ascii") as out:
        print(protocol, uid, file=out)
    if how == "silent":
        connection.recv(64) # until the other gives up
    elif how != "close":
        if how.startswith("/"):
            subprocess.run([how, "namespace", "make", str(uid)], check=True, stdout=subprocess.DEVNULL)
        connection.send(struct.pack("II", PROTOCOL, 0 if how.startswith("/") else int(how)))
    os.unlink(MAKER)


if sys.argv[1] == "notify":
    notify(sys.argv[2:])
else:
    make(sys.argv[2], sys.argv[3])

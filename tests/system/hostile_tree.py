#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What users can do to directories while others log in. Each says "ready" when it is at work, and works until it
is ended.

hostile_tree.py rename A B               renames A to B and back
hostile_tree.py move A B                 the same across directories, so that the depth changes
hostile_tree.py rename_mount_point UID A B   the same with a directory that is a mount point, but not in its own namespace
hostile_tree.py fuse UID TIMES DIRECTORY mounts a file system of that user's, which never answers, as fusermount3 does
hostile_tree.py autofs DIRECTORY         an automount point whose daemon never answers
hostile_tree.py deep DIRECTORY N NAME    makes N directories in each other, and mounts a procfs in the last
hostile_tree.py undeep DIRECTORY NAME    unmounts that
hostile_tree.py flood N                  N mounts in a user namespace of one's own
"""
import ctypes
import os
import signal
import sys

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_SLAVE = 2, 4, 0x1000, 0x4000, 0x80000


def mount(source, target, kind, flags=0, options=None):
    words = [word.encode() if isinstance(word, str) else word for word in (source, target, kind)]
    if libc.mount(*words, flags, options and options.encode()) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(target))


def ready():
    print("ready", flush=True)


def rename(one, other):
    renamed = os.rename
    renamed(one, other)
    renamed(other, one)
    ready()
    while True:
        renamed(one, other)
        renamed(other, one)


def rename_mount_point(uid, one, other):
    assert libc.unshare(CLONE_NEWNS) == 0 and libc.mount(None, b"/", None, MS_SLAVE | MS_REC, None) == 0
    assert libc.umount2(one.encode(), 2) == 0
    os.setgid(int(uid))
    os.setuid(int(uid))
    rename(one, other)


def fuse(uid, times, directory):
    for _ in range(int(times)):
        device = os.open("/dev/fuse", os.O_RDWR)
        mount("alices", directory, "fuse.alices", MS_NOSUID | MS_NODEV,
              f"fd={device},rootmode=40000,user_id={uid},group_id={uid}")
    ready()
    signal.pause()


def autofs(directory):
    _, writing = os.pipe()
    os.setsid()  # its daemon is known by its process group
    mount("alices", directory, "autofs", 0, f"fd={writing},pgrp={os.getpgrp()},minproto=5,maxproto=5,direct")
    ready()
    signal.pause()


def deep(directory, times, name):
    os.chdir(directory)
    for _ in range(int(times)):
        os.mkdir(name)
        os.chdir(name)
    os.mkdir("proc")
    mount("proc", "proc", "proc")
    print("ready", flush=True)


def undeep(directory, name):
    os.chdir(directory)
    while os.path.exists(name):
        os.chdir(name)
    assert libc.umount2(b"proc", 2) == 0


def flood(times):
    uid = os.getuid()
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    for file, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {uid} 1")):
        with open(f"/proc/self/{file}", "w", encoding="ascii") as out:
            out.write(text)
    for _ in range(int(times)):
        mount("/tmp", "/tmp", None, MS_BIND)
    ready()
    signal.pause()


command, *words = sys.argv[1:]
commands = {"rename": rename, "move": rename, "rename_mount_point": rename_mount_point, "fuse": fuse, "autofs": autofs,
            "deep": deep, "undeep": undeep, "flood": flood}
commands[command](*words)

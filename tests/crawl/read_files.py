# SPDX-License-Identifier: MIT
"""Reads every file that can be read, and every name, link and owner on the way.

A file of a disk that has not changed since the planting cannot have a mark: only its name is looked at. What a
kernel makes up (proc, sysfs) is always read.
"""
import os
import stat

from finder import Late, limit

MADE_UP = {"proc", "sysfs", "cgroup", "cgroup2", "debugfs", "tracefs", "securityfs", "configfs", "mqueue", "tmpfs",
           "devtmpfs", "devpts", "fusectl", "pstore", "bpf", "binfmt_misc", "ramfs", "fuse"}
MOST = 1 << 20


class Files:
    def __init__(self, finder, config):
        self.finder, self.since = finder, config["since"]
        self.uid, self.there, self.nowhere = config["uid"], config["there"], config["nowhere"]
        self.seen, self.sockets, self.setuid = set(), set(), set()
        self.made_up = self.devices()

    @staticmethod
    def devices():
        """Device numbers of file systems whose files have no time of change."""
        found = set()
        try:
            with open("/proc/self/mountinfo") as table:
                for line in table:
                    fields = line.split()
                    if fields[fields.index("-") + 1].split(".")[0] in MADE_UP:
                        major, minor = map(int, fields[2].split(":"))
                        found.add(os.makedev(major, minor))
        except OSError:
            pass
        return found

    def walk(self, top):
        todo = [top]
        while todo:
            path = todo.pop()
            try:
                here = os.stat(path)
            except (OSError, ValueError):
                continue
            if (here.st_dev, here.st_ino) in self.seen:
                continue
            self.seen.add((here.st_dev, here.st_ino))
            todo += reversed(self.directory(path, here.st_dev))

    def directory(self, path, device):
        """Looks at everything in a directory, and returns the directories there."""
        try:
            with limit(10):
                names = sorted(os.listdir(path))
        except (OSError, Late):
            names = []
        self.finder.count("directories")
        if device in self.made_up:
            self.guess(path)
        below = []
        for name in names:
            self.finder.look(name, "name:" + path)
            child = os.path.join(path, name)
            try:
                if self.entry(child):
                    below.append(child)
            except (OSError, ValueError):
                pass
        return below

    def entry(self, path):
        """Looks at one entry, and returns whether it leads to a directory."""
        st = os.lstat(path)
        self.owner(path, st)
        if stat.S_ISLNK(st.st_mode):
            self.finder.look(os.readlink(path), "link:" + path)
            return os.path.isdir(path) and not self.leads_to_its_name(path)
        if stat.S_ISSOCK(st.st_mode):
            self.sockets.add(path)
        if stat.S_ISREG(st.st_mode) and st.st_mode & (stat.S_ISUID | stat.S_ISGID) and os.access(path, os.X_OK):
            self.setuid.add(path)
        if st.st_dev in self.made_up or max(st.st_ctime, st.st_mtime) >= self.since:
            self.read(path, st)
        return stat.S_ISDIR(st.st_mode)

    @staticmethod
    def leads_to_its_name(path):
        """Whether a link leads to where its text says, which has a name of its own. Links of proc may lead elsewhere."""
        try:
            return os.path.samefile(path, os.path.realpath(path))
        except OSError:
            return False

    def owner(self, path, st):
        if st.st_uid == self.uid:
            self.finder.found("uid", str(self.uid), "owner:" + path, "owner, and times")

    def read(self, path, st):
        if not (stat.S_ISREG(st.st_mode) or stat.S_ISFIFO(st.st_mode) or stat.S_ISCHR(st.st_mode)):
            return
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            data, most = b"", 4096 if stat.S_ISCHR(st.st_mode) else MOST
            with limit(3):
                while len(data) < most and (more := os.read(fd, 65536)):
                    data += more
        except (OSError, Late):
            pass
        finally:
            os.close(fd)
        self.finder.count("files")
        # a file of one's own may have what this crawl has asked for: a bounce of a mail, for example
        own = st.st_uid == os.getuid() and not path.startswith("/proc/")
        self.finder.look(data, "file:" + path, repr(self.there) if own else "")
        # utmp, for example; where much is stored in binary, there are such numbers by chance
        if b"\0" in data and len(data) < 65536 and not path.startswith(("/proc/", "/sys/")):
            self.finder.look_in_numbers(data, "file:" + path)

    def guess(self, path):
        """Names that a directory does not list: does it answer otherwise for a pid that is there?"""
        def answer(pid):
            try:
                os.stat(os.path.join(path, str(pid)))
                return "there"
            except OSError as error:
                return error.strerror

        if all(answer(pid) != answer(self.nowhere[0]) for pid in self.there[:2]):
            self.finder.found("oracle", str(self.there[0]), "name:" + path, "a lookup tells that there is such a pid")


def read(finder, config):
    files = Files(finder, config)
    for top in config["tops"]:
        files.walk(top)
    return files.sockets, files.setuid

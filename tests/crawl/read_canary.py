# SPDX-License-Identifier: MIT
"""A canary: a program that says in which PID namespace it runs, wherever alice can put what somebody may execute.
What can start it from inside of a session is set off at once, and it is looked at at the end: cron needs a minute.
"""
import os
import pathlib
import pwd
import shutil
import subprocess
import time

SERVICE = "[Service]\nType=oneshot\nExecStart={command}\n[Install]\nWantedBy=default.target\n"
BUS_SERVICE = "[D-BUS Service]\nName=org.example.Canary\nExec={command}\n"


class Canary:
    def __init__(self, finder):
        self.finder = finder
        self.home = pathlib.Path(pwd.getpwuid(os.getuid()).pw_dir)
        self.program, self.log = self.home / ".canary", self.home / ".canary.log"
        self.files, self.since = [], time.monotonic()

    def write(self, path, text, mode=0o644):
        file = self.home / path
        if file.exists():
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        self.files.append(file)
        self.finder.count("canaries")

    def place(self):
        self.log.unlink(missing_ok=True)  # of a crawl that was killed
        self.write(".canary", f'#!/bin/sh\necho "$1 $(readlink /proc/self/ns/pid)" >>{self.log}\n', 0o755)
        canary = str(self.program)
        self.write(".forward", f'"|{canary} .forward"\n')
        self.write(".procmailrc", f":0\n|{canary} .procmailrc\n")
        self.write(".mailfilter", f'to "|{canary} .mailfilter"\n')
        self.write(".qmail", f"|{canary} .qmail\n")
        self.write(".pam_environment", f"CANARY={canary}\n")
        self.write(".ssh/rc", f"{canary} .ssh/rc\n")
        self.write(".config/systemd/user/canary.service", SERVICE.format(command=f"{canary} user-unit"))
        self.write(".config/autostart/canary.desktop", f"[Desktop Entry]\nType=Application\nExec={canary} autostart\n")
        self.write(".local/share/dbus-1/services/canary.service", BUS_SERVICE.format(command=f"{canary} bus-service"))
        self.write("public_html/canary.cgi", f"#!/bin/sh\nexec {canary} cgi\n", 0o755)
        self.write("bin/canary", f"#!/bin/sh\nexec {canary} bin\n", 0o755)

    def set_off(self):
        canary = self.program
        for command, text in (
            (["crontab", "-"], f"* * * * * {canary} cron\n"),
            (["at", "now"], f"{canary} at\n"),
            (["batch"], f"{canary} batch\n"),
            (["/usr/sbin/sendmail", pwd.getpwuid(os.getuid()).pw_name], "Subject: canary\n\n"),
            (["systemctl", "--user", "daemon-reload"], ""),
            (["systemctl", "--user", "start", "canary.service"], ""),
            (["systemd-run", "--user", "--collect", str(canary), "systemd-run"], ""),
            (["busctl", "--user", "call", "org.example.Canary", "/", "org.freedesktop.DBus.Peer", "Ping"], ""),
            (["systemd-run", "--no-ask-password", "--uid", str(os.getuid()), str(canary), "system-unit"], ""),
        ):
            self.run(command, text)

    def run(self, command, text):
        environment = {**os.environ, "XDG_RUNTIME_DIR": f"/run/user/{os.getuid()}"}
        try:
            subprocess.run(command, input=text, text=True, timeout=20, env=environment, check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired):
            pass

    def has_run(self, where):
        return self.log.exists() and f"{where} " in self.log.read_text()

    def wait_for_jobs(self):
        """Cron begins within a minute. atd, which at cannot signal from inside of a session, when it has another job."""
        end = self.since + 125
        for program, where in (("crontab", "cron"), ("at", "at")):
            while shutil.which(program) and not self.has_run(where) and time.monotonic() < end:
                time.sleep(0.5)

    def look(self):
        self.run(["/usr/sbin/sendmail", pwd.getpwuid(os.getuid()).pw_name], "Subject: canary\n\n")
        self.wait_for_jobs()
        self.run(["crontab", "-r"], "")
        if self.log.exists():
            for line in self.log.read_text().splitlines():
                where, _, namespace = line.partition(" ")
                self.finder.found("escape", namespace, "canary:" + where)
            self.files.append(self.log)
        for file in self.files:
            file.unlink(missing_ok=True)

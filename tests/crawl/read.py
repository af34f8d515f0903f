#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs as an ordinary user in the session that is tried: reads all that there is to read, and says on standard output
what it found, a JSON object a line (finder.py). Standard input has the configuration: no argument, and so no
file of this process, has a mark.
"""
import json
import os
import sys
import time

sys.dont_write_bytecode = True
import read_calls  # noqa: E402
import read_canary  # noqa: E402
import read_files  # noqa: E402
import read_netlink  # noqa: E402
import read_programs  # noqa: E402
import read_sockets  # noqa: E402
from finder import Finder  # noqa: E402


class Stages:
    """Each stage by itself: one that fails says so, and the others go on."""

    def __init__(self, finder, only):
        self.finder, self.only, self.listener, self.crawls = finder, only, None, []

    def run(self, name, function, *arguments):
        if self.only and name not in [*self.only, "again"]:
            return None
        started = time.monotonic()
        try:
            return function(*arguments)
        except Exception as error:  # what a stage did not find is in no table: the judge must know
            self.finder.say(failed=name, why=repr(error))
            return None
        finally:
            self.finder.say(stage=name, seconds=round(time.monotonic() - started, 1))
            if self.listener:
                self.listener.drain()
            for crawl in self.crawls:
                self.run_drain(crawl)

    def run_drain(self, crawl):
        try:
            crawl.drain()
        except OSError as error:
            self.finder.say(note=f"{crawl.label}: {error}")


def main():
    config = json.loads(sys.stdin.readline())
    os.chdir("/")
    finder = Finder(config, sys.stdout)
    stages = Stages(finder, config.get("only"))
    canary = read_canary.Canary(finder)
    stages.run("canary", canary.place)
    stages.run("canary", canary.set_off)
    stages.listener = stages.run("listen", read_netlink.Listener, finder)
    sockets, setuid = stages.run("files", read_files.read, finder, config) or (set(), set())
    tried = set()
    addresses = stages.run("sockets", read_sockets.read, finder, config, sockets, tried) or []
    stages.crawls = list(read_sockets.crawls(finder, config, addresses))
    for crawl in list(stages.crawls):
        stages.run("bus", crawl.run)
    stages.run("netlink", read_netlink.dump, finder)
    stages.run("calls", read_calls.read, finder, config)
    stages.run("canary", canary.look)
    # crontab, for example, run without arguments, undoes what the canary needs
    stages.run("programs", read_programs.read, finder, config, setuid)
    # Once more: what came meanwhile, and the planted door, which shows that nothing above has ended this process.
    finder.say(door=True)
    sys.stdin.readline()
    sockets, _ = stages.run("again", read_files.read, finder, config) or (set(), set())
    stages.run("again", read_sockets.read, finder, config, sockets, tried)
    finder.say(counts=finder.counts, end=True)


main()

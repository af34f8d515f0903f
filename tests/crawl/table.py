#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""table.py FILE...: doc/crawl.md, from what the crawls of tests/vm/crawl have said. Each FILE is named SUITE or SUITE.MORE,
has lines "# CONFIGURATION: # ..." of reports, and belongs to that suite; of a configuration that several have, the
last one counts.
"""
import pathlib
import re
import sys

CONFIGURATIONS = {"stock": "stock", "module": "module", "harden": "module and hardening", "enable": "`pam-unshare enable`",
                  "logins": "module, hardening and `logins`"}
HEAD = """# What a user finds who knows no door

From crawls in containers of Debian's releases (`make crawl CONTAINER=1`, then `make crawl-table`).

A list of doors, as that of the [audit](audit.md), proves only itself. The crawler (`tests/crawl`) knows
none. Root and another user plant secrets in all ways in which programs run on a machine, and
processes whose pids nothing else can have. alice, from a session of sshd, reads, calls, connects to
and listens to all that there is. What she finds must be on the list of what is not promised, with the
words of [SECURITY.md](../SECURITY.md).

"module" is the module in sshd, su, sudo and login, "hardening" `pam-unshare harden enable`. A place is
a file, a directory, an object of a bus and so on; of findings it may have several. In a container there are no devices and no process events of the kernel.
"""
COLUMNS = {
    "planted": lambda r: f"{r['tokens']} secrets in {r['ways']} ways, {r['pids']} pids",
    "files and directories read": lambda r: r["files"] + r["directories"],
    "calls of buses and Varlink": lambda r: r["method calls"] + r["varlink calls"],
    "sockets tried": lambda r: r["sockets"] + r["tcp ports"],
    "signals and events heard": lambda r: r["signals heard"] + r["netlink messages heard"],
    "netlink dumps": lambda r: r["netlink dumps"],
    "system calls": lambda r: r["system calls"],
    "programs run": lambda r: r["programs run"],
    "places with a find": lambda r: r["places"],
    "not on the list": lambda r: f"**{r['findings']}**",
}


def read(files):
    """{suite: {configuration: counts}}"""
    told = {}
    for file in sorted(map(pathlib.Path, files), key=lambda file: file.stat().st_mtime):
        suite = told.setdefault(file.name.partition(".")[0], {})
        for line in file.read_text().splitlines():
            if match := re.match(r"# ([\w-]+): # (.*)", line):
                take(suite, *match.groups())
    return told


def take(suite, name, said):
    if match := re.match(r"planted: (\d+) ways, (\d+) tokens, (\d+) rare pids", said):
        suite[name] = dict(zip(("ways", "tokens", "pids"), map(int, match.groups())))
    if name not in suite:
        return
    if said.startswith("read: "):
        suite[name] |= dict.fromkeys(("varlink calls", "method calls", "signals heard", "netlink messages heard",
                                      "tcp ports", "programs run"), 0)
        suite[name] |= {what: int(count) for count, what in re.findall(r"(\d+) ([a-z ]+)", said)}
    if match := re.match(r"found in (\d+) places; (\d+) findings are not on the list", said):
        suite[name] |= {"places": int(match[1]), "findings": int(match[2])}
    if said.startswith("the crawl failed"):
        del suite[name]


def row(cells):
    return "| " + " | ".join(map(str, cells)) + " |"


def suite_table(suite, told):
    there = [name for name in CONFIGURATIONS if "findings" in told.get(name, ())]
    yield f"\n## {suite}\n"
    yield row(["", *(CONFIGURATIONS[name] for name in there)])
    yield row(["---"] * (len(there) + 1))
    for what, value in COLUMNS.items():
        yield row([what, *(value(told[name]) for name in there)])
    without = {name.removeprefix("without-"): counts["findings"] for name, counts in told.items()
               if name.startswith("without-") and "findings" in counts}
    if without:
        yield ("\nModule and hardening, without one part (its name), one line of `bus.conf` or its drop-in (bus-…), or one mode of\n"
               "`units.conf` (mode-…), and of the part `logins` one mode (logins-sessions, logins-wtmp) or `logins-bus.conf` (logins-bus): the crawler, which is not told which, finds\n")
        yield row(["without", "not on the list"])
        yield row(["---", "---"])
        yield from (row(item) for item in sorted(without.items()))


def main():
    print(HEAD, end="")
    for suite, told in sorted(read(sys.argv[1:]).items()):
        print(*suite_table(suite, told), sep="\n")


main()

# SPDX-License-Identifier: MIT
"""Many runs in sandboxes side by side: the program starts itself in each."""
import concurrent.futures
import json
import os
import re
import subprocess
import sys

from runs import TOP


def list_cases(cases):
    """In a sandbox: the cases that were asked for, as a line of JSON each."""
    part, parts = (int(n) for n in (os.environ.get("PART") or "1/1").split("/"))
    only = re.compile(os.environ.get("ONLY") or "")
    for i, case in enumerate(cases):
        if i % parts == part - 1 and only.search(case.name):
            print(json.dumps(case), flush=True)


def read_cases(kind, index, count):
    """In a sandbox: each count-th case of the standard input."""
    return [kind(*json.loads(line)) for line in sys.stdin][index::count]


def tell(name, group, ended, why, run=""):
    """In a sandbox: a line of JSON for a result."""
    print(json.dumps({"name": name, "group": group, "ended": ended, "why": why, "run": run}), flush=True)


def run_in_sandboxes(program, count):
    """All results, and how many sandboxes have crashed."""
    inside = [TOP + "/tests/sandbox", "python3", os.path.abspath(program)]
    cases = subprocess.run(inside + ["--list"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           text=True, check=True).stdout
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        ended = list(pool.map(lambda i: subprocess.run(
            inside + ["--run", str(i), str(count)], input=cases, stdout=subprocess.PIPE, text=True,
            check=False), range(count)))
    found = [json.loads(line) for run in ended for line in run.stdout.splitlines()]
    return found, sum(run.returncode != 0 for run in ended)

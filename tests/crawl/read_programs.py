# SPDX-License-Identifier: MIT
"""Every program that runs with the rights of others, with plausible arguments; and the journal, whose files are
compressed.
"""
import concurrent.futures
import os
import subprocess

JOURNAL = [["journalctl", "--no-pager", "-o", "export", *more] for more in ([], ["--user"])]
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


def arguments(config):
    pid = str(config["there"][0])
    user = config["user"]
    return [[], ["--help"], ["-l"], ["-a"], ["-v"], ["-p"], ["-q"], ["--list"], ["-c", "w"], [user], ["-l", user],
            ["-S", user], ["-u", user, "-l"], [pid], ["-p", pid], [f"/proc/{pid}/cmdline"]]


def output(command):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=5, start_new_session=True, cwd="/", env=ENVIRONMENT)
        return done.stdout
    except subprocess.TimeoutExpired as late:
        return late.stdout or b""
    except OSError:
        return b""


def read(finder, config, programs):
    """Several at a time: some wait a second after a password that is wrong."""
    runs = []
    for program in sorted({os.path.realpath(p) for p in programs}):
        finder.count("setuid programs")
        for more in arguments(config):
            option = more[0] if more and more[0].startswith("-") else ""
            runs.append(([program, *more], f"program:{program} {option}".strip(), repr(more)))
    said = repr([config["user"], config["there"]])  # programs have logged what they were asked for
    runs += [(command, "program:" + " ".join(command), said) for command in JOURNAL]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for data, (_, place, echo) in zip(pool.map(output, [run[0] for run in runs]), runs):
            finder.count("programs run")
            finder.look(data, place, echo)

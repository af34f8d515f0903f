#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compare the failure tables of doc/troubleshooting.md with the messages that the code has, and with
them what `pam-unshare check` looks for in a refusal.

Run from the top of the sources; prints what differs, silent with status 0 when nothing does. Each
row's first cell is a message between backquotes, with "..." for what the code fills in.
"""
import glob
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TABLES = "doc/troubleshooting.md"
REFUSALS = ["command/check/session.c", "command/check/scope.c", "command/metrics/refused.c"]
# Linux-PAM's own messages, libpam/pam_handlers.c.
OF_LIBPAM = {"unable to open config", "unable to dlopen"}


def read(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as f:
        return f.read()


def sources(pattern):
    return [os.path.relpath(path, TOP) for path in sorted(glob.glob(os.path.join(TOP, pattern)))]


def call_at(text, start):
    """A call's text, from its name to its closing parenthesis."""
    depth, quoted = 0, False
    for i in range(start, len(text)):
        if text[i] == '"' and text[i - 1] != "\\":
            quoted = not quoted
        elif not quoted and text[i] in "()":
            depth += 1 if text[i] == "(" else -1
            if depth == 0:
                return text[start:i + 1]
    return text[start:]


def strings(call):
    """The strings of a call, adjacent ones joined, without those that only add to another."""
    for run in re.findall(r'"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*', call):
        text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', run))
        text = re.sub(r"(: %[ms])$", "", text)
        text = re.sub(r"%[-0-9.*]*(?:ll|l|z)?[a-z]", "...", text)
        if re.match(r"[a-z/]", text):
            yield text


def in_code():
    found = set()
    # Mistakes in the configuration (module/options.c, module/list.c) name what is wrong themselves; the manual
    # pages have them.
    for name in ["pam_unshare.c", *(set(sources("module/*.c")) - {"module/options.c", "module/list.c"})]:
        source = re.sub(r"/\*.*?\*/", "", read(name), flags=re.S).replace("USER_DIRECTORY", '"/run/pam_unshare"')
        for match in re.finditer(r"\bfail\(", source):
            found.update(s for s in strings(call_at(source, match.start()))
                         if not re.match("init($|: )", s))
        for match in re.finditer(r"\b(?:pam_syslog\(\s*pamh|log_message\(pamh, session),\s*LOG_(?:ERR|CRIT|WARNING)", source):
            found.update(strings(call_at(source, match.start())))
    start = read("module/init_start.c")
    steps = re.search(r"names\[\] = \{(.*?)\};", start, re.S).group(1)
    found.update("init: " + step for step in re.findall(r'"(.*?)"', steps) if step != "be ready")
    return found


def refusals():
    return re.findall(r'\.logged = "(.*?)"', "".join(map(read, REFUSALS)))


def unknown_refusals():
    """What the command looks for and no string of the module has."""
    code = re.sub(r"/\*.*?\*/", "", "".join(map(read, ["pam_unshare.c", *sources("module/*.c")])), flags=re.S)
    said = list(literals(code))
    return sorted(text for text in set(refusals()) - OF_LIBPAM if not any(text in s for s in said))


def literals(code):
    """All strings of C, adjacent ones joined."""
    for run in re.findall(r'"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*', code):
        yield "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', run))


def in_table():
    return re.findall(r"^\| `(.*?)` \|", read(TABLES), re.M)


def in_any_row(message):
    """Tell whether the tables have a message of the log."""
    return any(re.search(".*".join(re.escape(part) for part in row.split("...")), message)
               for row in in_table())


def main():
    table, code = in_table(), in_code()
    problems = [f"twice: {row}" for row in set(table) if table.count(row) > 1]
    problems += [f"in the code and not in the table: {text}" for text in sorted(code - set(table))]
    problems += [f"in the table and not in the code: {row}" for row in sorted(set(table) - code)]
    problems = [f"{TABLES}, {problem}" for problem in problems]
    problems += [f"{' or '.join(REFUSALS)}, no message has: {text}" for text in unknown_refusals()]
    if not table or not code or not refusals():
        problems.append("nothing found")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

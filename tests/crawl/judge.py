# SPDX-License-Identifier: MIT
"""Judges what the reader found: which of the planted marks it is, and whether the list of what is not promised
allows it there. The list (allowed) has lines

    WHAT PLACE "WORDS" [unless MEASURE] [MORE]

WHAT is what was planted (argv, comm, env, description, pid, who, ...), several with commas, or *. PLACE is a pattern
of shell. WORDS are SECURITY.md's, under "What is not promised"; MORE explains. Where MEASURE is on,
the line does not hold (crawl --with MEASURE).
"""
import collections
import fnmatch
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
ALLOWED = HERE / "allowed"
SECURITY = HERE.parents[1] / "SECURITY.md"

Rule = collections.namedtuple("Rule", "what place words")
Found = collections.namedtuple("Found", "what way place sample rule")  # rule: None is unexplained


def read_rules(text, measures=()):
    rules = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r'(\S+)\s+(.+?)\s+"([^"]+)"(?:\s+unless (\S+))?.*', line)
        if not match:
            raise ValueError(f"not a rule: {line}")
        if match[4] not in measures:
            rules.append(Rule(match[1].split(","), match[2], match[3]))
    return rules


def not_promised(text):
    """SECURITY.md's section, with single blanks."""
    section = text.split("### What is not promised", 1)[1].split("\n### ", 1)[0]
    return " ".join(section.split())


def rules_without_words(rules, security):
    """Those that do not say what SECURITY.md says."""
    section = not_promised(security)
    return [rule for rule in rules if rule.words not in section]


def identify(finding, tokens, pids):
    """What a finding is, and of which way; None: no planted one, but a number that only looks like it."""
    what, value = finding["what"], finding["value"]
    if what == "token":
        way, where = tokens.get(value, ("?", "token that nobody planted"))
        return where, way
    if what == "pid":
        return ("pid", pids[int(value)]) if int(value) in pids else None
    if what == "uid":
        return "who", "another user"
    return what, ""


def judge(findings, tokens, pids, rules):
    judged = []
    for finding in findings:
        known = identify(finding, tokens, pids)
        if not known:
            continue
        what, way = known
        rule = next((rule for rule in rules if (rule.what == ["*"] or what in rule.what) and
                     fnmatch.fnmatchcase(finding["place"], rule.place)), None)
        judged.append(Found(what, way, finding["place"], finding.get("sample", ""), rule))
    return judged


def of_door(judged):
    return {found.what for found in judged if found.way == "door"}


def without_door(judged):
    return [found for found in judged if found.way != "door"]


def unused(judged, rules):
    used = {id(found.rule) for found in judged}
    return [rule for rule in rules if id(rule) not in used]


def general(place):
    """A place without what differs between one run and another."""
    if place.startswith("call:"):
        return place
    return re.sub(r"[0-9a-f]{8,}|\d+", "N", re.sub(r"xq[0-9a-f]{4}(?:[0-9a-f]{4})?", "TOKEN", place))


def table(judged):
    """Lines: for each kind of reader and mark, in how many places, and how many of them are explained."""
    cells = collections.defaultdict(lambda: [set(), set()])
    for found in judged:
        cells[found.place.split(":", 1)[0].split("@")[0], found.what][found.rule is None].add(found.place)
    yield f"{'by':<12} {'mark':<14} {'places':>7} {'allowed':>8} {'unexplained':>12}"
    for (by, what), (allowed, not_allowed) in sorted(cells.items()):
        yield f"{by:<12} {what:<14} {len(allowed | not_allowed):>7} {len(allowed):>8} {len(not_allowed):>12}"


def unexplained(judged):
    """One of each: the mark, the place in general, an example."""
    groups = {}
    for found in judged:
        if found.rule is None:
            groups.setdefault((found.what, general(found.place)), []).append(found)
    for (what, place), those in sorted(groups.items()):
        ways = ",".join(sorted({found.way for found in those if found.way}))
        yield f"{what:<12} {place} ({len(those)}, {ways}): {those[0].sample!r}"

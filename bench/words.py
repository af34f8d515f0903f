#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""words.py FILE: the table of bench/words."""
import collections
import pathlib
import statistics
import sys

ROWS = [("own", "none", "none", "a namespace of its own"), ("own", "ipc", "none", "`ipc`"),
        ("own", "tmp", "none", "`private=tmp`"), ("own", "shm", "none", "`private=shm`"),
        ("own", "mqueue", "none", "`private=mqueue ipc`"), ("own", "cgroups", "none", "`hide=cgroups`"),
        ("own", "all", "none", "all of these"),
        ("user", "user-none:carol", "user-none:carol", "the first of a user (`scope=user`)"),
        ("user", "user-all:carol", "user-none:carol", "all of these"),
        ("user", "user-none", "user-none", "joining (`scope=user`)"),
        ("user", "user-all:bob", "user-none", "all of these")]


def read(path):
    """{(experiment, variant, metric): {round: value}}"""
    told = collections.defaultdict(dict)
    for line in pathlib.Path(path).read_text().splitlines():
        experiment, _, variant, metric, turn, value = line.split()
        told[experiment, variant, metric][int(turn)] = float(value)
    return told


def cell(told, experiment, variant, base, metric):
    values, others = told[experiment, variant, metric], told[experiment, base, metric]
    ratio = statistics.median(values[turn] / others[turn] for turn in values)
    return f"{statistics.median(values.values()):.0f} | {ratio:.2f}"


def main():
    told = read(sys.argv[1])
    print("|  | open | : without | processor time of the session | : without |\n| --- | --- | --- | --- | --- |")
    for experiment, variant, base, words in ROWS:
        print(f"| {words} | {cell(told, experiment, variant, base, 'open')} | {cell(told, experiment, variant, base, 'session-cpu')} |")


main()

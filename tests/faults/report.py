# SPDX-License-Identifier: MIT
"""Print the results of many runs as TAP, a table, and the counts."""
import collections
import os


def print_group(number, group, found):
    wrong = [r for r in found if r["ended"] == "wrong"]
    counts = collections.Counter(r["ended"] for r in found)
    print(f"{'not ok' if wrong else 'ok'} {number} - {group}: " +
          ", ".join(f"{n} {ended}" for ended, n in sorted(counts.items())))
    for r in wrong:
        print(f"# {r['name']}: {r['why']}")
        if os.environ.get("VERBOSE"):
            print("\n".join("#     " + line for line in r["run"].splitlines()))


def print_table(found, columns):
    """One line for each process and phase."""
    rows = {}
    for r in found:
        counts = rows.setdefault(r["group"].split(":")[0], collections.Counter())
        counts[r["ended"]] += 1
        counts["injected"] += 1
    rows["all"] = sum(rows.values(), collections.Counter())
    print("# | where | " + " | ".join(columns) + " |")
    print("# | --- |" + " ---: |" * len(columns))
    for row, counts in rows.items():
        print(f"# | {row} | " + " | ".join(str(counts[c]) for c in columns) + " |")


MISSED_MAX = 0.03  # of the cases: some calls depend on who is first


def print_all(found, crashed, columns):
    """Returns the exit status."""
    injected = [r for r in found if r["group"] != "control"]
    groups = list(dict.fromkeys(r["group"] for r in injected))
    for number, group in enumerate(groups, 1):
        print_group(number, group, [r for r in injected if r["group"] == group])
    number = len(groups)
    for r in found:
        if r["group"] == "control":
            number += 1
            print(f"{'ok' if r['ended'] == 'control' else 'not ok'} {number} - negative control: "
                  f"{r['name']}{'' if r['ended'] == 'control' else ': ' + r['why']}")
    missed = [r["name"] for r in injected if r["ended"] == "missed"]
    too_many = len(missed) > max(2, MISSED_MAX * len(injected))
    number += 1
    print(f"{'not ok' if too_many else 'ok'} {number} - {len(missed)} of {len(injected)} missed their call" +
          (": " + ", ".join(missed[:20]) if missed else ""))
    print_table(injected, columns)
    failed = len({r["group"] + (r["name"] if r["group"] == "control" else "")
                  for r in found if r["ended"] == "wrong"}) + crashed + too_many
    print(f"{number - failed + crashed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not injected else 0

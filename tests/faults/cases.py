# SPDX-License-Identifier: MIT
"""Which cases there are, and which runs must be found wrong."""
import collections
import itertools
import os
import re

from errnos import ERRORS
from runs import BUILD, FD_GO, TOP, Call, Case, commands, run_case
from verdict import judge

DELAY_US = 30000



def recorded_calls(script, trace):
    """The calls of the application, with the command that made them."""
    counts, calls = collections.Counter(), []
    to_come = list(commands(script))
    for name, line in re.findall(r"^(\w+)(\(.*)$", trace, re.M):
        counts[name] += 1
        if to_come and re.match(rf'\(1, "{to_come[0]}=-?\d+\\n"', line):
            to_come.pop(0)
        elif to_come and "open" not in to_come[1:]:
            calls.append(Call(to_come[0], name, counts[name]))
    return calls


def record(box, case):
    run = run_case(box, case._replace(full=True))
    ended, why = judge(box, case, run)
    if ended != ("succeeded" if not case.faults else "refused" if case.setting in ("own", "fork") else "own"):
        raise SystemExit(f"Bail out! {case}: {ended}, {why}\n{run.output}\n{run.log}\n{run.errors}\n{run.beside}")
    return run.trace


def application_calls(box, module, script, phases, setting="own"):
    case = Case("record", "", "application", script, "open", [], module, True, setting)
    return [c for c in recorded_calls(script, record(box, case)) if c.phase in phases]


def child_calls(box, role, script, module, setting="own"):
    return calls_of_child(role, record(box, Case("record", "", role, script, "", [], module, True, setting)))


def calls_of_child(role, trace):
    counts, calls, phase = collections.Counter(), [], "open" if role == "init" else "run-held"
    for name, line in re.findall(r"^(\w+)(\(.*)$", trace, re.M):
        counts[name] += 1
        if not line.startswith(f"({FD_GO},") and name != "restart_syscall":
            calls.append(Call(phase, name, counts[name]))
        if role == "init" and name == "write" and line.startswith("(2,"):  # "ready"
            phase = "session"
    return calls


def ends_of_runs(calls):
    """Of a call that is made many times in a row, as for each signal, the first ones and the last."""
    for _, run in itertools.groupby(calls, lambda call: (call.phase, call.name)):
        run = list(run)
        yield from run if len(run) < 8 else run[:3] + run[-1:]


def words_for(call, index):
    """What is done to a call, in strace's words; index: how many like it there were before."""
    errors = [f"error={e}" for e in ERRORS[call.name].split()]
    if index >= 3 and errors:
        errors = [errors[index % len(errors)]]
    return errors + ["signal=KILL", f"delay_enter={DELAY_US}"]


def cases_of(role, script, calls, module, where=None, first=(), setting="own"):
    seen = collections.Counter()
    prefix = "" if setting == "own" else setting + " "
    for call in ends_of_runs(calls):
        if call.name.startswith("syscall_"):  # listmount, statmount: newer than strace, which cannot inject
            continue
        if call.name not in ERRORS:
            raise SystemExit(f"Bail out! no errno is listed for {call.name}")
        if call.name == "exit_group":
            continue
        phase = where or call.phase
        for word in words_for(call, seen[(phase, call.name)]):
            short = re.sub(r"(error|signal)=|_enter=\d+", "", word)
            yield Case(f"{prefix}{role} {phase} {call.name} {call.nth} {short}",
                       f"{prefix}{role}, {phase}: {call.name}", role, script, call.phase,
                       list(first) + [(call.name, call.nth, word)], module, False, setting)
        seen[(phase, call.name)] += 1


def kill_cases(role, script, calls, module):
    """A SIGKILL at each call, and nothing else."""
    for call in calls:
        yield Case(f"{role} {call.phase} {call.name} {call.nth} KILL", f"{role}, {call.phase}: killed",
                   role, script, call.phase, [(call.name, call.nth, "signal=KILL")], module, False)


def roll_back_cases(box, module, script, fault, setting="own"):
    """A first fault, of a call of open, has it undone; a second one hits what undoes it, and what comes then."""
    first = [(fault.name, fault.nth, "error=ENOMEM")]
    case = Case("record", "", "application", script, "open", first, module, True, setting)
    trace = record(box, case)
    names = [name for name, line in re.findall(r"^(\w+)(\(.*)$", trace, re.M)]
    injected = [i for i, line in enumerate(re.findall(r"^\w+\(.*$", trace, re.M))
                if "(INJECTED)" in line][0]
    counts = collections.Counter(names[:injected + 1])
    undoing = [c for c in recorded_calls(script, trace) if c.phase == "open" and c.nth > counts[c.name]
               and c.name != fault.name]
    return list(cases_of("application", script, undoing, module, "roll-back", first, setting))


MODULE, PAUSED = TOP + "/pam_unshare.so", BUILD + "/tests/mutants/paused.so"


def last_of(calls, name):
    """The last call of that name in open."""
    return [c for c in calls if c.phase == "open" and c.name == name][-1]


def cases_of_session(box):
    """scope=session."""
    opening = application_calls(box, MODULE, "close", {"open", "close"})
    ending = application_calls(box, MODULE, "end", {"end"})
    cases = list(cases_of("application", "close", opening, MODULE))
    cases += cases_of("application", "end", ending, MODULE)
    cases += cases_of("init", "close", child_calls(box, "init", "close", PAUSED), PAUSED)
    forking = application_calls(box, MODULE, "close", {"open", "close"}, "fork")
    cases += cases_of("application", "close", forking, MODULE, setting="fork")
    # of the working directory, after the init's word
    cases += roll_back_cases(box, MODULE, "close", last_of(opening, "statx"))
    using = application_calls(box, MODULE, "close", {"run", "run-root"})
    cases += kill_cases("application", "close", using, MODULE)
    cases += kill_cases("first", "first", child_calls(box, "first", "first", MODULE), MODULE)
    return cases


def cases_of_user(box):
    """scope=user: the first session, one that joins, and one that joins with mounts of its own."""
    cases = []
    # what is undone: a namespace that could not be made; a membership; mounts of its own
    for setting, script, late in ("make", "close", "read"), ("join", "close", "newfstatat"), \
            ("elsewhere", "elsewhere", "read"):
        opening = application_calls(box, MODULE, script, {"open", "close"}, setting)
        cases += cases_of("application", script, opening, MODULE, setting=setting)
        cases += roll_back_cases(box, MODULE, script, last_of(opening, late), setting)
    forking = application_calls(box, MODULE, "close", {"open", "close"}, "fork-join")
    cases += cases_of("application", "close", forking, MODULE, setting="fork-join")
    ending = application_calls(box, MODULE, "end", {"end"}, "join")
    cases += cases_of("application", "end", ending, MODULE, setting="join")
    for setting, script in ("make", "served"), ("elsewhere", "elsewhere"):
        cases += cases_of("init", script, child_calls(box, "init", script, PAUSED, setting), PAUSED, setting=setting)
    lingering = [c for c in child_calls(box, "init", "close", PAUSED, "linger") if c.phase == "session"]
    cases += cases_of("init", "close", lingering, PAUSED, setting="linger")
    return cases


# What private= and hide= do beside the rest.
OF_PLACES = {"openat2", "statx", "mkdirat", "fchmodat", "renameat2", "unlinkat", "getrandom", "fchdir", "umount2", "fstatfs",
             "open_tree", "fsopen", "fsconfig", "fsmount", "move_mount", "mount", "flock", "openat"}


def of_places(calls):
    return [c for c in calls if c.phase == "open" and c.name in OF_PLACES]


def cases_of_places(box, scope):
    """The init of a session, with the names taken and without, and what mounts elsewhere; who joins."""
    cases = []
    roles = [("places", "close"), ("taken", "close")] if scope != "user" else []
    roles += [("places-make", "served"), ("places-elsewhere", "elsewhere")] if scope != "session" else []
    for setting, script in roles:
        calls = of_places(child_calls(box, "init", script, PAUSED, setting))
        cases += cases_of("init", script, calls, PAUSED, setting=setting)
    if scope != "session":
        joining = of_places(application_calls(box, MODULE, "close", {"open"}, "places-join"))
        cases += cases_of("application", "close", joining, MODULE, setting="places-join")
    return cases


def all_cases(box):
    scope = os.environ.get("SCOPE")
    cases = cases_of_session(box) if scope != "user" else []
    return cases + (cases_of_user(box) if scope != "session" else []) + cases_of_places(box, scope)


# ---- negative controls ---------------------------------------------------------------------------


def replacing_main(trace):
    """The calls by which the init replaces /proc, as a part of a case's name. To it belongs what covers a file; which
    other procfs there are and what comes first depends on the kernel. They are detached in reverse order."""
    mounted = re.findall(r"^fsmount\(.* = (\d+)$", trace, re.M)
    moved = re.findall(r'^move_mount\((\d+), "", (\d+), "(\w+)"', trace, re.M)
    main = next(place for _, place, name in moved if name == "uptime")
    detached = [n for n, result in enumerate(re.findall(r"^umount2\(.* = (.*)$", trace, re.M), 1) if result == "0"]
    attached = [fresh for fresh, _, _ in moved].index(main) + 1
    return rf" (fsopen \d+|fsmount \d+|umount2 {detached[-1 - mounted.index(main)]}|move_mount {attached}) E"


def controls(box):
    """Runs that must be found wrong: (what, [case])"""
    off = Case("off", "", "application", "close", "", [], "pam_permit.so", False)
    leaking = off._replace(name="leaking", module=BUILD + "/tests/mutants/leaking.so")
    careless = BUILD + "/tests/mutants/careless.so"
    trace = record(box, Case("record", "", "init", "close", "", [], careless, True))
    passed_over = [c for c in cases_of("init", "close", calls_of_child("init", trace), careless)
                   if re.search(replacing_main(trace), c.name)]
    killed = {"role": "first", "script": "first", "faults": [("execve", 1, "signal=KILL")]}
    yield "without the module a session is not isolated", [off, off._replace(**killed)]
    yield "a module that does not bring the application back", [leaking, leaking._replace(**killed)]
    joining = {"name": "leaving", "setting": "join"}
    yield "with scope=user too", [off._replace(**joining), leaking._replace(**joining)]
    yield "an init that passes over what fails in replacing the procfs", passed_over
    # the first mkdirat(2) is for a lock that is not needed; of the others but what is tried again, or is followed by a file system of the session's own
    uncovered = [c for c in cases_of("init", "close", of_places(child_calls(box, "init", "close", careless, "places")),
                                     careless, setting="places") if re.search(r" (fsmount 2|mkdirat [23]) E(?!EXIST|NOENT|NOSPC)", c.name)]
    yield "an init that passes over what fails in covering the places", uncovered


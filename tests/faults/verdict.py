# SPDX-License-Identifier: MIT
"""What a run has ended as."""
import errno
import os
import re

import failure_table
from errnos import MESSAGES, NOT_RELEASED
from runs import FDS, LIMIT, commands, kind

PAM_SYSTEM_ERR = 4
LOG_ERR, LOG_CRIT = 3, 2
NOT_SHARED = "session of alice gets a namespace of its own, which the user's other sessions do not share: "
ASTRAY = "cannot return to its working directory and stays in /"

# What a session prints that looks around (runs.LOOK).
ISOLATED = {
    "foreign": "0", "secret": "hidden", "self": "resolves", "signal_init": "denied",
    "trace_init": "denied", "read_init_memory": "denied", "read_init_environment": "denied",
    "masked": "masked", "init.cwd": "/", "init.Uid": "0 0 0 0", "init.Groups": "",
    "init.CapInh": "0" * 16, "init.CapPrm": "0" * 14 + "20", "init.CapEff": "0" * 14 + "20",
    "init.CapBnd": "0" * 16, "init.CapAmb": "0" * 16, "init.SigBlk": "fffffffe7ffbfeff",
    "init.SigIgn": "0" * 16, "init.SigCgt": "0" * 16, "init.NoNewPrivs": "1",
}




def not_released(case):
    return any(call in NOT_RELEASED for call, _, _ in case.faults)


def after_ready(case, name):
    """Whether the init fails in that call once it is ready: for the bounding set no_new_privs stands in."""
    return case.role == "init" and case.phase == "session" and any(
        call == name and word.startswith("error=") for call, _, word in case.faults)


def is_with_helper(case):
    """What mounts a procfs elsewhere may be a zombie in the user's namespace, until its tracer has seen its end, or
    where the application could not wait for it."""
    return kind(case.setting) == "elsewhere" and (case.role == "init" or any(call == "poll" for call, _, _ in case.faults))


def states(case, run):
    """What the application printed of its state, each time."""
    found = []
    for text in re.findall(r"^state:\n(.*?)^state=0$", run.output, re.M | re.S):
        text = re.sub(r"socket:\[\d+\]", "socket", text)
        if case.role == "init":  # what has a tracer cannot be reaped before that has seen its end
            text = without_children(text)
        if not_released(case):
            text = re.sub(r"^/proc/self/fd/.*\n", "", text, flags=re.M)
        if any(ASTRAY in text for _, text in run.log):
            text = re.sub(r"^(\.|cwd) .*\n", "", text, flags=re.M)
        if any(call in ("poll", "waitid") for call, _, _ in case.faults):
            text = without_children(text)  # a zombie, until the next open or close
        found.append(text)
    return found


def without_children(state):
    return re.sub(r"^other children.*\n", "", state, flags=re.M)


def differences(state):
    before, after = state[0].splitlines(), state[-1].splitlines()
    return [line for line in after if line not in before]


def results(output, command):
    return [int(n) for n in re.findall(rf"^{command}=(-?\d+)$", output, re.M)]


def look(box, case, output, expected):
    """What is not as in an isolated session; and whether all was looked at. expected: numbers of descriptors that
    the init may have."""
    facts = dict(re.findall(r"^([\w.]+)=[ \t]*(.*)$", output, re.M))
    faults = [f"{key} is {facts[key]!r}" for key, value in ISOLATED.items()
              if key in facts and " ".join(facts[key].split()) != value
              and not (key == "foreign" and is_with_helper(case) and facts[key] == "1")
              and not (key == "init.CapBnd" and after_ready(case, "prctl"))]
    if facts.get("pid_namespace") == box.namespace:
        faults.append("the PID namespace is the host's")
    if not_released(case):
        expected.add(facts.get("init.fds"))
    if facts.get("init.fds", "0") not in expected | {"0"}:
        faults.append(f"init.fds is {facts['init.fds']}")
    faults += [f"a way to the host: {leak}" for leak in re.findall(r"^leak=(.*)$", output, re.M)]
    return faults, all(key in facts for key in [*ISOLATED, "init.fds"])


def hits(case, trace):
    """How many faults have hit what they were meant for."""
    killed = rf"{case.faults[-1][0]}\(.*\) += \?$" if case.faults else "$"  # it does not return
    hit, to_come = 0, list(commands(case.script))
    for line in trace.splitlines():
        if to_come and line.startswith(f'write(1, "{to_come[0]}='):
            to_come.pop(0)
        elif case.role != "application" or to_come and to_come[0] == case.phase:
            hit += bool(re.search(r"\((?:INJECTED|DELAYED)\)$", line) or re.match(killed, line))
    return hit


def judge(box, case, run):
    """What the run has ended as, and why."""
    word = case.faults[-1][2] if case.faults else ""
    if run.hung:
        return "wrong", f"hangs: no end in {LIMIT} s"
    if run.left:
        return "wrong", "processes are left: " + "; ".join(run.left)
    if run.mounts:
        return "wrong", "the host's mount table has changed"
    wrong = judge_others(box, case, run)
    if wrong:
        return "wrong", wrong
    if case.role == "application" and word == "signal=KILL":
        return ("ended", "") if hits(case, run.trace) == len(case.faults) else ("missed", "")
    if hits(case, run.trace) < len(case.faults):
        return "missed", "the call was not made"
    if run.status != 0:
        return "wrong", f"the application ended with {run.status}"
    return judge_session(box, case, run)


def judge_others(box, case, run):
    """What is wrong with the user's other sessions."""
    for who, output in run.beside.items():
        facts = dict(re.findall(r"^([\w-]+)=(.*)$", output, re.M))
        passing = who == "one that comes and goes"
        if facts.get("open") != "0":
            return f"{who}: open gives {facts.get('open')}"
        # what has mounted a procfs elsewhere and has lost the application is a zombie until all are reaped
        foreign = {"0", "1"} if kind(case.setting) == "elsewhere" else {"0"}
        if facts.get("foreign", "0") not in foreign or facts.get("pid_namespace") == box.namespace:
            return f"{who} is not isolated: {facts}"
        inside = passing or (case.setting == "linger" and any(text.endswith(", joined") for text in run.others))
        # in the namespace whose init was killed
        if "secret" not in facts and not (inside and case.faults and case.faults[-1][2] == "signal=KILL"):
            return f"{who} cannot be used: {facts}"
        if "(" in facts.get("title", "") and not passing and not was_refused(case, run):
            return f"{who} does not share: {facts}"
    return ""


def was_refused(case, run):
    """Whether the init that lingers, which the fault is in, has refused the next session for that very error."""
    name = case.faults[-1][2].removeprefix("error=") if case.faults else ""
    return case.setting == "linger" and hasattr(errno, name) and any(
        NOT_SHARED in text and text.endswith(os.strerror(getattr(errno, name))) for text in run.others)


def may_be_lost(case):
    """Whether the log may lack a message."""
    return any(call in MESSAGES for call, _, _ in case.faults)


def judge_session(box, case, run):
    opened = (results(run.output, "open") + [None])[0]
    # the first "close" is the one that loads the modules
    closed = (results(run.output, "close")[1:] + [None])[0] if case.script not in ("end", "first") else 0
    state = states(case, run)
    if len(state) < 3 or opened is None or closed is None:
        return "wrong", "it did not run to its end"
    entered = any("session of alice opened" in text for _, text in run.log)
    if opened != 0 and (state[1] == state[0] or not entered):
        return judge_refusal(case, run, opened, state)
    own = [text.split(NOT_SHARED)[1] for _, text in run.log if NOT_SHARED in text]
    if own and not failure_table.in_any_row(own[0]):
        return "wrong", "doc/troubleshooting.md does not know why: " + own[0]
    expected = {"2"} if own else {str(FDS[kind(case.setting)])} | ({"2"} if may_be_lost(case) else set())
    faults, complete = look(box, case, run.output, expected)
    if faults:
        return "wrong", f"open gives {opened}, and it is not isolated: " + ", ".join(faults)
    critical = [text for priority, text in run.log if priority <= LOG_CRIT]
    if not complete and after_ready(case, "capset") and closed == 0 and state[-1] == state[0] and not critical:
        return "ended", ""
    if not complete and (case.role == "first" or "signal=KILL" not in [w for _, _, w in case.faults]):
        return "wrong", "the session cannot be used"
    if case.role == "first" and results(run.output, "run-held") != [137 if case.faults else 0]:
        return "wrong", "PID 2 was not killed"
    if without_children(state[-1]) != without_children(state[0]):
        if critical and (closed != 0 or case.script == "end"):
            return "stranded", critical[0]
        return "wrong", f"close gives {closed}, and it is not back: {differences(state)} {run.log}"
    if critical:
        return "wrong", "it is back, and the log says " + critical[0]
    # a failure after the module has opened the session is libpam's (audit)
    return ("refused" if opened != 0 else "own" if own else "succeeded", "")


def judge_refusal(case, run, opened, state):
    said = "; ".join(text for priority, text in run.log if priority <= LOG_ERR)
    if any(priority <= LOG_CRIT for priority, _ in run.log):
        if opened == PAM_SYSTEM_ERR and state[1] != state[0]:
            return "stranded", said
        return "wrong", f"refused with {opened}, as before, and the log says " + said
    if state[1] != state[0]:
        # the application waits for the init's end for DISCARD_LIMIT_MS; another run will tell (inject)
        slow = without_children(state[1]) == without_children(state[0])
        return "slow" if slow else "wrong", f"refused, and not as before: {differences(state)} {said}"
    step = said.split("cannot isolate the session of alice: ")[-1]
    if said and not failure_table.in_any_row(step):
        return "wrong", "doc/troubleshooting.md does not know the step: " + said
    if not may_be_lost(case) and (opened != PAM_SYSTEM_ERR or not said):
        return "wrong", f"refused with {opened}, and the log says {said!r}"
    return "refused", said


#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Drive an interactive shell on a pseudo-terminal: job_control.py COMMAND [ARGUMENT…]

COMMAND starts the shell. Prints "ok" or says what did not happen.
"""
import sys

import pexpect

PROMPT = "ready> "


def main():
    child = pexpect.spawn(sys.argv[1], sys.argv[2:], encoding="utf-8", timeout=20)
    child.delaybeforesend = None

    def do(line):
        """Type a line and wait for the prompt after it; the answer is what came between."""
        child.sendline(line)
        child.expect_exact(PROMPT)
        return child.before

    # the shell's own prompt: it has the terminal
    child.expect(r"[$#] $")
    child.sendline(f"unset PROMPT_COMMAND PS0; bind 'set enable-bracketed-paste off'; PS1='{PROMPT[:3]}''{PROMPT[3:]}'")
    child.expect_exact(PROMPT)
    assert "no job control" not in child.before, "the shell has no job control"
    do("stty -echo")

    # The job says when it has the terminal: a ^C that comes while the shell still has it is lost. The
    # shell's echo of the line has neither word.
    child.sendline(
        r"""sh -c 'w=ed; trap "n=\$((n+1)); echo continu\$w \$n" CONT; trap "kill \$!; exit 130" INT;"""
        r""" sleep 1000 & echo start$w; while :; do wait; done'"""
    )
    child.expect_exact("started")
    child.send("\x1a")  # ^Z
    child.expect("Stopped")
    child.expect_exact(PROMPT)
    assert "Stopped" in do("jobs"), "^Z did not stop the job"
    if "continued 1" not in do("bg"):
        child.expect_exact("continued 1")
    assert "Running" in do("jobs"), "bg did not continue the job"
    do("kill -STOP %1")
    tries = 1000  # the shell hears of it by and by
    while tries and "Stopped" not in do("jobs"):
        tries -= 1
    assert tries, "the job cannot be stopped"
    child.sendline("fg")
    child.expect_exact("continued 2")
    child.send("\x03")  # ^C
    child.expect_exact(PROMPT)
    left = do("jobs").strip()
    assert left == "", f"^C did not end the job in the foreground: {left!r}"
    assert "status 143" in do("sh -c 'kill -TERM $$'; echo status $?"), "signal not reported"
    # a job in the background that reads is stopped by the terminal
    do("cat &")
    child.sendline("wait %1; jobs")
    child.expect("Stopped")
    child.expect_exact(PROMPT)
    do("kill -9 %1; wait %1 2>/dev/null")
    assert "27 81" in do("stty rows 27 cols 81; stty size"), "the terminal has no size"
    child.sendline("exit 7")
    child.expect(pexpect.EOF)
    child.wait() # a process closes its terminal before it has ended, and close() would signal it
    child.close()
    assert child.exitstatus == 7, f"exit status {child.exitstatus}, signal {child.signalstatus}"
    print("ok")


try:
    main()
except (AssertionError, pexpect.ExceptionPexpect) as error:
    print(error)
    sys.exit(1)

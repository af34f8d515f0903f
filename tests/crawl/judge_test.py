#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Unit tests of the crawler's finder, judge and calls, and of the list "allowed"."""
import io
import json
import os
import pathlib
import signal
import sys
import tempfile
import unittest
import unittest.mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import dbus  # noqa: E402
import finder  # noqa: E402
import judge  # noqa: E402
import read_calls  # noqa: E402
import read_files  # noqa: E402

TOKENS = {"xq12340000": ("root", "argv"), "xq12340001": ("door", "file")}
PIDS = {3141592: "root"}
CONFIG = {"prefix": "xq1234", "uid": 345678, "user": "xq12340009", "since": 0, "there": [3141592], "nowhere": [3999999]}


def finding(what="token", value="xq12340000", place="file:/run/x"):
    return {"what": what, "value": value, "place": place, "sample": ""}


def finds(data, echo="", numbers=False):
    out = io.StringIO()
    reader = finder.Finder(CONFIG, out)
    reader.look_in_numbers(data, "p") if numbers else reader.look(data, "p", echo)
    return [(line["what"], line["value"]) for line in map(json.loads, out.getvalue().splitlines())]


class Judge(unittest.TestCase):
    def judge(self, rules, *findings):
        return judge.judge(findings, TOKENS, PIDS, judge.read_rules(rules))

    def test_what_no_rule_allows_is_unexplained(self):
        found, = self.judge('argv file:/tmp/* "words"', finding())
        self.assertIsNone(found.rule)
        self.assertEqual((found.what, found.way), ("argv", "root"))
        self.assertEqual(len(list(judge.unexplained([found]))), 1)

    def test_what_a_rule_allows_is_allowed(self):
        found, = self.judge('env,argv file:/run/* "words"', finding())
        self.assertEqual(found.rule.words, "words")
        self.assertEqual(list(judge.unexplained([found])), [])
        found, = self.judge('* file:/run/* "words"', finding())
        self.assertIsNotNone(found.rule)

    def test_a_rule_of_another_mark_does_not_allow(self):
        found, = self.judge('env file:/run/* "words"', finding())
        self.assertIsNone(found.rule)

    def test_a_rule_holds_unless_its_measure_is_on(self):
        text = 'argv file:/run/* "words" unless logins\tand more'
        self.assertEqual([rule.words for rule in judge.read_rules(text, ["places"])], ["words"])
        self.assertEqual(judge.read_rules(text, ["logins"]), [])
        self.assertEqual(len(judge.read_rules('argv file:/run/* "words" and more', ["logins"])), 1)

    def test_a_rule_that_allows_nothing_is_named(self):
        rules = judge.read_rules('argv file:/run/* "a"\nargv file:/srv/* "b"')
        judged = judge.judge([finding()], TOKENS, PIDS, rules)
        self.assertEqual([rule.words for rule in judge.unused(judged, rules)], ["b"])

    def test_a_number_that_is_no_planted_pid_is_nothing(self):
        self.assertEqual(self.judge("", finding("pid", "3141593")), [])
        found, = self.judge("", finding("pid", "3141592"))
        self.assertEqual((found.what, found.way), ("pid", "root"))

    def test_a_token_that_nobody_planted_is_not_lost(self):
        found, = self.judge("", finding(value="xq1234ffff"))
        self.assertIsNone(found.rule)

    def test_the_door_is_not_judged(self):
        judged = self.judge("", finding(value="xq12340001"), finding())
        self.assertEqual(judge.of_door(judged), {"file"})
        self.assertEqual([found.what for found in judge.without_door(judged)], ["argv"])

    def test_a_line_that_is_no_rule_is_an_error(self):
        with self.assertRaises(ValueError):
            judge.read_rules("argv file:/tmp")

    def test_each_rule_has_words_of_the_security_policy(self):
        rules, security = judge.read_rules(judge.ALLOWED.read_text()), judge.SECURITY.read_text()
        self.assertEqual(judge.rules_without_words(rules, security), [])
        wrong = judge.read_rules('argv file:/x "words of nobody"')
        self.assertEqual(judge.rules_without_words(wrong, security), wrong)


class Finder(unittest.TestCase):
    def test_marks(self):
        self.assertEqual(finds("a xq12340000b 3141592 345678"),
                         [("token", "xq12340000"), ("pid", "3141592"), ("uid", "345678")])
        self.assertEqual(finds("xq12350000 xq1234 31415926 13141592 2.3141592 1345678"), [])

    def test_what_the_reader_said_itself_is_no_find(self):
        self.assertEqual(finds("no process 3141592", echo="(3141592,)"), [])
        self.assertEqual(finds("process 3141592 of 345678", echo="(3141592,)"), [("uid", "345678")])

    def test_binary_numbers(self):
        self.assertEqual(finds((3141592).to_bytes(4, sys.byteorder) + b"\0\0\0\0", numbers=True), [("pid", "3141592")])
        self.assertEqual(finds(bytes([8, 0, 51, 0]), numbers=True), [])  # netlink's attribute 51, without content
        self.assertEqual(finds(b"\0" + (3141592).to_bytes(4, sys.byteorder) + b"\0\0\0", numbers=True), [])

    def test_answers_that_tell(self):
        self.assertEqual(finder.tells_apart({1: "is 1", 2: "is 2", 3: "no 3", 4: "no 4"}, [1, 2], [3, 4]), [1, 2])
        self.assertEqual(finder.tells_apart({1: "no 1", 2: "is 2", 3: "no 3", 4: "no 4"}, [1, 2], [3, 4]), [2])
        self.assertEqual(finder.tells_apart({1: "no 1", 2: "no 2", 3: "no 3", 4: "no 4"}, [1, 2], [3, 4]), [])
        self.assertEqual(finder.tells_apart({1: "a", 2: "b", 3: "c", 4: "d"}, [1, 2], [3, 4]), [])

    def test_files(self):
        with tempfile.TemporaryDirectory() as top:
            for name, text in (("xq12340000", ""), ("plain", "xq12340001"), ("none", "xq1235")):
                pathlib.Path(top, name).write_text(text)
            os.symlink("xq12340002", os.path.join(top, "link"))
            out = io.StringIO()
            read_files.Files(finder.Finder(CONFIG, out), CONFIG).walk(top)
            lines = map(json.loads, out.getvalue().splitlines())
            found = {(line["value"], line["place"].split(":")[0]) for line in lines}
            self.assertEqual(found, {("xq12340000", "name"), ("xq12340001", "file"), ("xq12340002", "link")})


class Marshalling(unittest.TestCase):
    def test_back_and_forth(self):
        for signature, value in (
            ("u", 7), ("as", ["a", "bc"]), ("a{sv}", {"k": ("t", 1 << 40)}), ("(sa{sv})", ("s", {})),
            ("a(yub)", [(1, 2, 1), (3, 4, 0)]), ("v", ("as", ["x"])), ("aas", [["a"], []])
        ):
            writer = dbus.Writer()
            writer.write("y", 1)  # what follows is aligned
            writer.write(signature, value)
            reader = dbus.Reader(bytes(writer.data), "<")
            reader.read("y")
            self.assertEqual(reader.read(signature), value)

    def test_split(self):
        self.assertEqual(dbus.split("sa{sv}(ii)aai"), ["s", "a{sv}", "(ii)", "aai"])


class Calls(unittest.TestCase):
    def test_a_call_that_stops_its_caller_does_not_hold_up(self):
        clone = {"x86_64": 56, "aarch64": 220}.get(os.uname().machine)
        if not clone:
            self.skipTest("the number of clone(2) is not known")
        # the low byte is what the new process sends to its parent at its end, which may have ended before
        self.assertTrue(self.stops(clone, 0x300000 | signal.SIGSTOP))
        self.assertFalse(self.stops(clone, 0x300000 | signal.SIGCHLD))  # negative control

    def stops(self, number, pid):
        """Whether one of many children was stopped; each came back."""
        with unittest.mock.patch.object(os, "WIFSTOPPED", side_effect=os.WIFSTOPPED) as stopped:
            for _ in range(20):
                self.assertEqual(len(read_calls.answers(number, [pid])), len(read_calls.SHAPES))
        return any(os.WIFSTOPPED(call.args[0]) for call in stopped.call_args_list)


unittest.main()

# SPDX-License-Identifier: MIT
"""What the drivers in tests/chaos and tests/load print: the Test Anything Protocol."""


class Tap:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, good, text, otherwise=""):
        self.passed += bool(good)
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.passed + self.failed} - {text}", flush=True)
        if not good and otherwise:
            print("# " + str(otherwise).replace("\n", "\n# "), flush=True)

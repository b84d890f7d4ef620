"""Runs a module of CPython's test suite; prints the end of each test as a line of JSON behind ##."""
import json
import sys
import unittest

sys.setrecursionlimit(1000)
module = sys.argv[1]
out = sys.stdout


def tell(test, end, reason=""):
    print("##" + json.dumps({"test": test, "end": end, "reason": " ".join(reason.split())[-300:]}), file=out, flush=True)


class Result(unittest.TestResult):
    """Subtests count with their test."""

    def startTest(self, test):
        super().startTest(test)
        self.failed = None

    def _fail(self, error):
        self.failed = self.failed or f"{error[0].__name__}: {error[1]}"

    def addError(self, test, error):
        if isinstance(test, unittest.TestCase):
            self._fail(error)
        else:
            tell(name(test), "failed", f"{error[0].__name__}: {error[1]}")

    def addFailure(self, test, error):
        self._fail(error)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self._fail(error)

    def addSkip(self, test, reason):
        self.skipped.append((test, reason))
        self.failed = self.failed or ("skipped", reason)

    def addUnexpectedSuccess(self, test):
        self._fail((AssertionError, "unexpected success"))

    def stopTest(self, test):
        super().stopTest(test)
        if self.failed is None:
            tell(name(test), "ok")
        elif isinstance(self.failed, tuple):
            tell(name(test), "skipped", self.failed[1])
        else:
            tell(name(test), "failed", self.failed)


def name(test):
    identifier = test.id() if hasattr(test, "id") else str(test)
    return f"{module}.{identifier}".replace(f"{module}.test.{module}.", f"{module}.", 1).split(" (")[0]


def cases(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


from test import support
support.verbose = 0
try:
    suite = unittest.defaultTestLoader.loadTestsFromName(f"test.{module}")
except unittest.SkipTest as skip:
    tell(module, "skipped", str(skip))
else:
    result = Result()
    suite.run(result)
# Threads, pools and the like that tests leave behind are no concern of ours.
out.flush()
import os
os._exit(0)

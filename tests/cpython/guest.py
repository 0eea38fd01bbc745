# Runs one of CPython's test modules and reports each test.  The same source runs in both sides of `make check-cpython`, which
# put the directory that holds `test` at /cpython and the request into builtins.__aardvark_input.
#
# A report is a line that begins with MARK: "start ID", then "ok ID", "fail ID TEXT", or "skip ID TEXT"; "done" at the end.
# Tests print what they like; the mark keeps the two apart.
import builtins
import os
import sys
import tempfile
import unittest

MARK = "\x01test "


def report(word, name="", text=""):
    line = " ".join(part for part in (word, name, text.strip().splitlines()[-1] if text.strip() else "") if part)
    sys.__stdout__.write("\n" + MARK + line.replace("\x01", "?")[:1000] + "\n")
    sys.__stdout__.flush()


class Reporter(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.verdict = "ok"
        self.text = ""

    def startTest(self, test):
        super().startTest(test)
        self.verdict, self.text = "ok", ""
        report("start", test.id())

    def stopTest(self, test):
        super().stopTest(test)
        report(self.verdict, test.id(), self.text)

    def note(self, verdict, text):
        if self.verdict != "fail":
            self.verdict, self.text = verdict, text

    def addSkip(self, test, reason):
        self.note("skip", reason)

    def addFailure(self, test, error):
        self.note("fail", self._exc_info_to_string(error, test))
        if not hasattr(test, "_testMethodName"):
            report("fail", test.id(), self.text)

    addError = addFailure

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.note("fail", self._exc_info_to_string(error, test))

    def addExpectedFailure(self, test, error):
        self.note("ok", "")

    def addUnexpectedSuccess(self, test):
        self.note("fail", "unexpected success")


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


def chosen(suite, done):
    """The suite less the tests in `done`, grouped as it was, so that classes and modules are set up once."""
    kept = [
        chosen(item, done) if isinstance(item, unittest.TestSuite) else item
        for item in suite
        if isinstance(item, unittest.TestSuite) or item.id() not in done
    ]
    return unittest.TestSuite(kept)


def main(module, done):
    sys.path.append("/cpython")
    os.chdir(tempfile.mkdtemp())
    try:
        loaded = unittest.defaultTestLoader.loadTestsFromName("test." + module)
    except unittest.SkipTest as skipped:
        report("skip", "test." + module, str(skipped))
    except BaseException as error:
        report("fail", "test." + module, repr(error))
    else:
        suite = chosen(loaded, set(done))
        report("count", str(sum(1 for _ in flatten(suite))))
        suite.run(Reporter())
    report("done")


main(**builtins.__aardvark_input)
None

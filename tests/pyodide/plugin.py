# A pytest plugin: Pyodide's own tests, written for pytest-pyodide, run in a guest of ours or in node, as AARDVARK_SIDE says.
# It takes the place of pytest-pyodide's driver of node; tests marked for node are the ones that run.
import inspect
import json
import os
import re
import subprocess
import threading

import pytest
from pytest_pyodide import config, runner

HERE = os.path.dirname(os.path.abspath(__file__))
OURS = os.environ["AARDVARK_SIDE"] == "ours"
MARK = "\x01reply "
SITE = os.environ["AARDVARK_SITE"]
PACKAGES = {name.split("-")[0].lower().replace("_", "-") for name in os.listdir(SITE) if name.endswith(".dist-info")}
# Relative addresses are those of the tests' server, as on a page.
SETUP = """
globalThis.self = globalThis;
const { fetch: fetch_, Request: Request_ } = globalThis;
const absolute = (where) => (typeof where === "string" ? new URL(where, BASE).href : where);
globalThis.fetch = (where, ...rest) => fetch_(absolute(where), ...rest);
globalThis.Request = class Request extends Request_ {
  constructor(where, ...rest) {
    super(absolute(where), ...rest);
  }
};
"""
# On a page such code runs while no Python is under way.
BODY = """(async () => {
  await null;
  try {
    const value = await (async () => { %s
    })();
    return JSON.stringify([0, value === undefined ? null : value]);
  } catch (error) {
    return JSON.stringify([1, String(error), String(error?.stack)]);
  }
})()"""


class Session:
    """A process that takes a line of JSON with code and answers with a line that begins with MARK."""

    def __init__(self, dist):
        if OURS:
            command = [os.environ["AARDVARK_SESSION"], *os.environ.get("AARDVARK_SESSION_ARGS", "").split()]
        else:
            command = ["node", "--expose-gc", os.path.join(HERE, "node_session.mjs"), str(dist)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
        )

    def run(self, code, seconds, logs):
        timer = threading.Timer(seconds, self.process.kill)
        timer.start()
        try:
            self.process.stdin.write(json.dumps(code) + "\n")
            self.process.stdin.flush()
            for line in self.process.stdout:
                if line.startswith(MARK):
                    return json.loads(line[len(MARK) :])
                if "\x01" in line:  # printed without an end of line
                    logs.append(line[: line.index("\x01")])
                    return json.loads(line[line.index(MARK) + len(MARK) :])
                logs.append(line.rstrip("\n"))
        except BrokenPipeError:
            pass
        finally:
            timer.cancel()
        return [1, f"the session ended with {self.process.wait()}", ""]

    def end(self):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()


class NodeRunner(runner._BrowserBaseRunner):
    browser = "node"
    runner = "node"

    def get_driver(self, jspi=False):
        self._logs = []
        return Session(self.dist_dir)

    def prepare_driver(self):
        self.run_js_inner(SETUP.replace("BASE", json.dumps(self.base_url)), "")

    def set_script_timeout(self, timeout):
        self.script_timeout = timeout

    def load_pyodide(self):
        if OURS:
            load = "const pyodide = globalThis.__pyodide;"
        else:
            load = "const pyodide = await loadPyodide({fullStdLib: false, jsglobals: self});"
            load += "pyodide.FS.mkdirTree('/packages'); pyodide.mountNodeFS('/packages', process.env.AARDVARK_SITE);"
        self.run_js(load + self.POST_LOAD_PYODIDE_SCRIPT)
        self.run_js("pyodide.runPython('import sys; sys.path.append(\"/packages\"); del sys')")

    # Packages of the tests' own come from a directory that both sides see, not from Pyodide's index, which is on the network.
    def load_package(self, packages):
        names = [packages] if isinstance(packages, str) else list(packages)
        missing = [name for name in names if name.lower() not in PACKAGES]
        if missing:
            pytest.skip(f"needs the packages {missing}")

    def run_async(self, code):
        return self.run_js(
            f"return pyodide.$handleTestResult(await pyodide.runPythonAsync({code!r}));"
        )

    def quit(self):
        self.driver.end()

    def refresh(self):
        self.quit()
        self.driver = self.get_driver()
        self.javascript_setup()

    def collect_garbage(self):
        self.run_js("gc()")

    @property
    def logs(self):
        return "\n".join(self._logs)

    def clean_logs(self):
        self._logs = []

    def run_js_inner(self, code, check_code):
        status, value, *stack = self.driver.run(BODY % code, self.script_timeout * 3, self._logs)
        if status == 0:
            return value
        raise runner.JavascriptException(value, stack[0] if stack else "")


for name in (
    "get_driver",
    "prepare_driver",
    "set_script_timeout",
    "load_pyodide",
    "load_package",
    "run_async",
    "quit",
    "refresh",
    "run_js_inner",
):
    setattr(runner.NodeRunner, name, getattr(NodeRunner, name))
runner.NodeRunner.logs = NodeRunner.logs
runner.NodeRunner.clean_logs = NodeRunner.clean_logs
if not OURS:  # tests that have none are skipped
    runner.NodeRunner.collect_garbage = NodeRunner.collect_garbage


# A test that makes another Pyodide tests that one: a guest is the one that it has.
MAKES_PYODIDE = re.compile(r"\bloadPyodide\(")


def pytest_collection_modifyitems(config, items):
    items[:] = [item for item in items if "[chrome" not in item.name and "[firefox" not in item.name]
    left_out = [item for item in items if MAKES_PYODIDE.search(inspect.getsource(item.function))]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)

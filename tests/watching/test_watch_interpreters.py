"""The watch and the probe under every CPython that is found: each has its GIL elsewhere, or none."""

from __future__ import annotations

from pathlib import Path

import pytest
from interpreters import ROOT, Interpreter, compile_extension, run

WATCH = """
import os, sys, threading, time
import gilstudy
def busy(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end: pass
with gilstudy.watch(period_us=100) as w:
    threads = [threading.Thread(target=busy, args=(0.3,), name=f"busy {n}") for n in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
trace = w.trace()
lanes = {lane.native_id: lane for lane in trace.lanes}
for thread in threads:
    lane = lanes[thread.native_id]
    assert lane.name == thread.name, lane
    assert lane.holds if not w.gil_reason else not lane.holds, (w.gil_reason, lane)
    assert lane.cpu_ns if not w.lanes_reason else lane.cpu_ns is None, (w.lanes_reason, lane)
assert w.gil_reason or 0 < trace.handoffs_seen <= trace.handoffs, trace
print(w.gil_reason)
"""

PROBE = """
import hashlib, random
import gilstudy
data = bytes(1_000_000)
for truth, call in (("releases", lambda: hashlib.sha256(data)), ("holds", lambda: sorted(range(10_000, 0, -1)))):
    found = gilstudy.probe(call)
    expected = ("not-applicable",) if NO_GIL else (truth, "inconclusive")
    assert found.verdict in expected, found
    print(found.verdict, "|", found.reason)
"""

# A mark is gone with the first instant without the GIL, hidden from whoever reads the GIL, and stands in nobody's way.
MARK = """
import os, sys, threading, time
from gilstudy._gilwatch import Glances, holder_id, mark, unmark
import gilstudy
from gilstudy.watching.gil import unreadable
assert not unreadable()
sys.setswitchinterval(0.001)
glances, asked, done = Glances(100_000, 1000), [], threading.Event()
glances.start()
def asks():
    while not done.is_set(): asked.append(time.monotonic())
mark()
sum(range(1_000_000))
print(unmark(), unmark())
mark()
os.stat(os.curdir)
print(unmark())
with gilstudy.watch(period_us=50) as w:
    mark()
    sum(range(1_000_000))
    with gilstudy.watch() as within: pass
print(repr(within.gil_reason), w.trace().holder_name(w.trace().holders[0][2]))
other = threading.Thread(target=asks)
other.start()
mark()
before = len(asked)
while len(asked) == before: pass  # for ever, if what the other one asks for is not heard
print(unmark())
done.set()
other.join()
glances.stop()
print({holder for *_, holder in glances.kept()} >= {holder_id()})
"""

# Threads, watches and the interpreter end in every order; what is still running at the end is a daemon.
ENDINGS = """
import os, threading, time
import gilstudy
def busy(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end: pass
watches = [gilstudy.watch(period_us=20, capacity=64) for _ in range(3)]
for one in watches: one.start()
for _ in range(15):
    crew = [threading.Thread(target=busy, args=(0.0005,)) for _ in range(10)]
    for thread in crew: thread.start()
    watches[0].trace()
    for thread in crew: thread.join()
child = os.fork() if FORK else None
if child == 0:
    for one in watches: one.stop()
    with gilstudy.watch() as again: time.sleep(0.01)
    os._exit(0 if again.trace().polls else 7)
assert not child or os.waitpid(child, 0)[1] == 0
watches.pop().stop()
del one
watches.pop()
for _ in range(2): threading.Thread(target=busy, args=(99,), daemon=True).start()
time.sleep(0.02)
"""

GIL_USER = """
#include <Python.h>
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "giluser", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_giluser(void) { return PyModule_Create(&definition); }
"""


def is_free(interpreter: Interpreter) -> bool:
    return interpreter.version.endswith("t")


def test_threads_are_seen_by_name(built: tuple[Interpreter, Path]) -> None:
    interpreter, path = built
    said = "not applicable: this build has no GIL" if is_free(interpreter) else ""
    assert run(interpreter, path, WATCH).strip() == said


def test_the_probe_is_right_or_says_why_not(built: tuple[Interpreter, Path]) -> None:
    interpreter, path = built
    for line in run(interpreter, path, f"NO_GIL = {is_free(interpreter)}\n{PROBE}").splitlines():
        verdict, _, reason = line.partition(" | ")
        assert bool(reason) == (verdict not in ("releases", "holds"))


def test_a_mark_tells_an_instant_and_changes_nothing(built: tuple[Interpreter, Path]) -> None:
    interpreter, path = built
    if is_free(interpreter):
        pytest.skip("this build has no GIL")
    assert run(interpreter, path, MARK).split("\n") == [
        *("True False", "False", "'' MainThread", "False", "True", ""),
    ]


def test_nothing_that_ends_first_does_harm(built: tuple[Interpreter, Path]) -> None:
    interpreter, path = built
    # Python warns of forks beside threads, which is what is tried here.
    quiet = "import os, warnings; warnings.simplefilter('ignore'); FORK = hasattr(os, 'fork')\n"
    assert run(interpreter, path, quiet + ENDINGS) == ""


# Each hung within so many forks, if not on every interpreter: a thread that comes or goes is listed under CPython's own
# lock; the handlers were there once per interpreter; the child had its parent's locks.
@pytest.mark.parametrize(("how", "forks"), [("threads", 500), ("interpreter", 5), ("watches", 60)])
def test_no_forked_child_hangs(built: tuple[Interpreter, Path], how: str, forks: int) -> None:
    interpreter, path = built
    if how == "watches" and is_free(interpreter):
        pytest.skip("without a GIL an object that several threads want is locked for ever in some forked children")
    code = (ROOT / "bench/forks.py").read_text(encoding="utf-8")
    argv = f"import os, sys; sys.argv[1:] = ['--forks', '{forks}', {how!r}]\nif not hasattr(os, 'fork'): sys.exit()\n"
    assert "0 children hung" in run(interpreter, path, code.replace("import argparse\n", argv + "import argparse\n", 1))


CHANGES = """
import sys, time, gilstudy
def until(happened):
    end = time.monotonic() + 60
    while not happened() and time.monotonic() < end: time.sleep(0.001)
with gilstudy.watch(period_us=50) as w:
    if w.gil_reason: sys.exit()
    sys.setswitchinterval(0.002)
    until(lambda: w.trace().interval_changes == 1)
    sys.setswitchinterval(0.001)
    until(lambda: w.trace().interval_changes == 2)
    assert w.trace().other_interpreters == 0
    try: import _interpreters as interpreters
    except ImportError: import _xxsubinterpreters as interpreters
    interpreters.destroy(interpreters.create())
    until(lambda: w.trace().other_interpreters == 1)
trace = w.trace()
seen = (trace.switch_interval_s, trace.last_interval_s, trace.interval_changes, trace.other_interpreters)
assert seen == (0.005, 0.001, 2, 1), seen
"""


def test_a_changed_switch_interval_and_other_interpreters_are_seen(built: tuple[Interpreter, Path]) -> None:
    run(*built, CHANGES)


FORKS = """
import os, sys, threading, warnings
from gilstudy.watching import fork_warning
if not hasattr(os, "fork") or not sys.platform.startswith("linux"): sys.exit()
warnings.simplefilter("always")
def told():
    with warnings.catch_warnings(record=True) as seen:
        child = os.fork()
        if not child: os._exit(0)
        os.waitpid(child, 0)
    return len(seen)
end = threading.Event()
def more(): threading.Thread(target=end.wait).start()
more()  # in place of the watch's
warns = sys.version_info >= (3, 12)
assert told() == warns
fork_warning.hold_back()
assert told() == 0
more()  # one of the program's own
assert told() == warns
end.set()
"""


def test_pythons_warning_of_forks_beside_threads_counts_the_programs_own(built: tuple[Interpreter, Path]) -> None:
    run(*built, FORKS)


def test_a_module_that_turns_the_gil_on_is_named(built: tuple[Interpreter, Path], tmp_path: Path) -> None:
    interpreter, path = built
    if not is_free(interpreter):
        pytest.skip("this build always has a GIL")
    source = tmp_path / "giluser.c"
    source.write_text(GIL_USER)
    compile_extension(interpreter, tmp_path, source)
    quiet = "import sys, warnings; warnings.simplefilter('ignore')\n"
    code = f"{quiet}sys.path.append({str(tmp_path)!r}); import giluser\n"
    assert run(interpreter, path, code + WATCH).strip() == ""
    told = run(interpreter, path, code + "from gilstudy.watching.gil import wanted_by; print(wanted_by())")
    assert told == "('giluser',)\n"

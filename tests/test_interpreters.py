"""Every CPython that is found: kernels, own-GIL subinterpreters, free threading, and a whole study under each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from interpreters import Interpreter, is_ours_alone, run
from speedup import expect

KERNELS = """
import sys, threading
from gilstudy.measuring.kernels import KERNELS, LARGEST
from gilstudy import _native
assert all(kernel(n) == n for kernel in KERNELS.values() for n in (0, 1, 70_001))
for bad, error in ((-1, ValueError), (1.5, TypeError), (LARGEST + 1, OverflowError)):
    for kernel in KERNELS.values():
        try:
            kernel(bad)
        except error:
            continue
        raise AssertionError((kernel, bad))
results = []
threads = [threading.Thread(target=lambda: results.append(sum(kernel(20_000) for kernel in KERNELS.values())))
           for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert results == [60_000] * 8, results
print(getattr(sys, "_is_gil_enabled", lambda: True)())
"""

SUBINTERPRETERS = """
import threading
try:
    import _interpreters as interpreters
    create = lambda: interpreters.create("isolated")  # with a GIL of its own
except ImportError:
    import _xxsubinterpreters as interpreters
    create = lambda: interpreters.create(isolated=True)
WORK = '''
from gilstudy.measuring.kernels import KERNELS
from gilstudy import _native
assert all(kernel(30_000) == 30_000 for kernel in KERNELS.values())
crew = _native.open_crew(2)
assert len(_native.run_crew(crew, [-1, -1], 1000, 0, 1, 2)) == 2
open(PATH, "w").write("done")
'''
def work(place):
    interpreter = create()
    failure = interpreters.run_string(interpreter, f"PATH = {FOLDER + '/' + str(place)!r}" + WORK)
    assert failure is None, failure
    interpreters.destroy(interpreter)
threads = [threading.Thread(target=work, args=(place,)) for place in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""

STUDY = """
import json
from gilstudy.report.study import document
from gilstudy.concluding.findings import conclude, is_enough
from gilstudy.host.machine import read_host
from gilstudy.measuring.plan import make_plan
from gilstudy.measuring.conductor import run_study
record = run_study(make_plan(workers=(2,), budget_s=15), read_host(), enough=is_enough)
print(json.dumps(document(record, conclude(record))))
"""


def test_kernels_agree_and_leave_the_gil_as_it_was(built: tuple[Interpreter, Path]) -> None:
    interpreter, path = built
    gil = run(interpreter, path, KERNELS).strip()
    assert gil == ("False" if interpreter.version.endswith("t") else "True")


def test_extensions_load_and_run_in_subinterpreters_with_their_own_gil(
    built: tuple[Interpreter, Path], tmp_path: Path
) -> None:
    interpreter, path = built
    if interpreter.version == "3.11":
        pytest.skip("Python 3.11 has no subinterpreters with a GIL of their own")
    run(interpreter, path, f"FOLDER = {str(tmp_path)!r}" + SUBINTERPRETERS)
    assert sorted(file.read_text() for file in tmp_path.iterdir()) == ["done"] * 4


def test_a_study_tells_the_truth_under_every_interpreter(
    built: tuple[Interpreter, Path], request: pytest.FixtureRequest
) -> None:
    interpreter, path = built
    if interpreter.is_own:
        _, given = request.getfixturevalue("own_study")
    else:
        given = json.loads(run(interpreter, path, STUDY))
    assert given["record"]["failures"] == []
    free = interpreter.version.endswith("t")
    assert {runtime["gil_enabled"] for runtime in given["record"]["runtimes"].values()} == {not free}
    for arm in ("threads", "threads-held"):
        expect(given["findings"]["arms"], arm, "scales" if free else "does-not-scale")
    for arm in ("threads-nogil", "processes"):
        expect(given["findings"]["arms"], arm, "scales")
    claims = {claim["id"]: claim for claim in given["findings"]["claims"]}
    headline = claims["only-c-or-processes"]
    allowed = {"refuted"} if free else {"supported"} if interpreter.version == "3.11" else {"untestable"}
    assert headline["verdict"] in allowed | {"inconclusive"}, headline


def test_nothing_is_kept_where_others_could_put_something(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert is_ours_alone(tmp_path)
    tmp_path.chmod(0o770)
    assert not is_ours_alone(tmp_path)
    assert not is_ours_alone(tmp_path / "missing")

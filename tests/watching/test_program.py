"""``gilstudy trace`` and the program: what is whose on the command line, what goes where, and how it ends.

That the program does not notice is tested in test_faithful.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PATIENCE_S = 120


def trace(*words: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gilstudy", "trace", *words]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=PATIENCE_S, cwd=cwd)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-c", "import sys; print(sys.argv)", "--quiet", "-c"), "['-c', '--quiet', '-c']"),
        (("-cimport sys; print(sys.argv)", "-m"), "['-c', '-m']"),
        (("-", "word"), "['-', 'word']"),
        (("says.py", "--out", "x", "--help"), "['says.py', '--out', 'x', '--help']"),
        (("--quiet", "--", "says.py", "--", "-q"), "['says.py', '--', '-q']"),
        (("--per", "100", "says", "-m"), "['says', '-m']"),
    ],
)
def test_what_comes_after_the_program_is_the_programs(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    code = "import sys; print(sys.argv)"
    for name in ("says.py", "says"):
        (tmp_path / name).write_text(code)
    done = trace(*words, cwd=tmp_path, stdin=code)
    assert (done.returncode, done.stdout) == (0, said + "\n"), done.stderr
    assert done.stderr.startswith("watched   for ")


@pytest.mark.parametrize(("end", "code"), [("sys.exit(3)", 3), ("sys.exit('words')", 1), ("1/0", 1), ("", 0)])
def test_the_exit_code_is_the_programs(tmp_path: Path, end: str, code: int) -> None:
    done = trace("--report", "report.txt", "--out", "t.json", "-c", f"import sys; {end}", cwd=tmp_path)
    assert done.returncode == code
    assert "watched" not in done.stderr
    assert (tmp_path / "report.txt").read_text().startswith("watched   for ")
    assert json.loads((tmp_path / "t.json").read_text())["traceEvents"]


def test_what_cannot_be_reported_has_a_code_of_its_own(tmp_path: Path) -> None:
    code = "import os; os.rmdir('gone')"
    (tmp_path / "gone").mkdir()
    done = trace("--report", "gone/report.txt", "--out", "t.json", "-c", code, cwd=tmp_path)
    assert done.returncode == 125
    assert "cannot write" in done.stderr
    assert json.loads((tmp_path / "t.json").read_text())["traceEvents"]  # the rest is saved all the same


def test_functions_take_arguments_by_place_and_by_name_and_coroutines_are_run(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import asyncio\n"
        "def add(a, b, c=0): print(a + b + c)\n"
        "async def later(word):\n    await asyncio.sleep(0)\n    print(word)\n"
    )
    assert trace("mine:add", "1", "2", "c=4", cwd=tmp_path).stdout == "7\n"
    assert trace("mine:later", "word=done", cwd=tmp_path).stdout == "done\n"
    done = trace("mine:add", "1", "word", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("File ") == 1  # none of the frames between Python and the function
    done = trace("mine:add", "c=4", "1", cwd=tmp_path)
    assert done.returncode == 2
    assert "arguments by place come first" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--seconds", "2", "says.py"), "--workers and --seconds are for an arm"),
        (("--workers", "2", "-c", "pass"), "--workers and --seconds are for an arm"),
        (("json",), "json is a module: -m json runs it, json:FUNCTION a function of it"),
        (("-m",), "-m needs a module to run"),
        (("-c",), "-c needs code to run"),
        (("empty",), "has no __main__.py"),
        (("--timeout", "0", "says.py"), "--timeout takes more than 0 seconds"),
        (("--report", "nowhere/x", "says.py"), "there is no folder"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_run(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    (tmp_path / "says.py").write_text("print('ran')")
    (tmp_path / "empty").mkdir()
    done = trace(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="the last report needs POSIX")
def test_a_time_limit_ends_a_program_and_reports(tmp_path: Path) -> None:
    hold = "import ctypes; ctypes.PyDLL(None).sleep(1000)"
    done = trace("--timeout", "0.5", "--report", "r.txt", "--out", "t.json", "-c", hold, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (124, "")
    told = (tmp_path / "r.txt").read_text()
    assert told.startswith("gilstudy: -c was ended after 0.5 s, the time limit\n")
    assert json.loads((tmp_path / "t.json").read_text())["traceEvents"]

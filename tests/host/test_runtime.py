from __future__ import annotations

import json
import multiprocessing
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import gilstudy
from gilstudy.codec import decode, encode
from gilstudy.host.runtime import Runtime, _compiler, cpu_count_override, gil_enabled, is_free_threaded, this_runtime

SOURCES = str(Path(gilstudy.__file__).parent.parent)
OTHERS = ("python3.12", "python3.13", "python3.13t", "python3.14", "python3.14t", "python3.15", "python3.15t")
ASK = """
import json
from gilstudy.codec import encode
from gilstudy.host.runtime import this_runtime
print(json.dumps(encode(this_runtime())))
"""
TRUTH = """
import json, os, platform, sys, sysconfig
free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
gil = sys._is_gil_enabled() if sys.version_info >= (3, 13) else True
print(json.dumps([platform.python_version(), platform.python_compiler(), free_threaded, gil, os.cpu_count()]))
"""


def run(python: str, code: str, *options: str, **variables: str) -> Any:
    """What ``code`` prints as JSON under an interpreter, without this process's settings of Python."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment = {**kept, "PYTHONPATH": SOURCES, **variables}
    answer = subprocess.run([python, *options, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


@pytest.fixture(params=OTHERS)
def other(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    path = shutil.which(name)
    # A name on PATH may be a shim for an interpreter that is not there.
    if path is None or subprocess.run([path, "-c", ""], capture_output=True).returncode:
        pytest.skip(f"skipped: no {name} interpreter found")
    return path


# -- the running interpreter ---------------------------------------------------------------------------------------


def test_the_facts_agree_with_the_slow_ways_to_ask() -> None:
    found = this_runtime()
    assert found.implementation == platform.python_implementation().lower()
    assert found.version == platform.python_version()
    if found.implementation == "cpython":  # of others, platform knows no compiler
        assert found.compiler == platform.python_compiler()
    assert found.switch_interval_s == sys.getswitchinterval()
    assert found.executable == sys.executable
    assert (found.build == "free-threaded") == bool(sysconfig.get_config_var("Py_GIL_DISABLED")) == is_free_threaded()
    assert found.gil_enabled is gil_enabled()


@pytest.mark.parametrize(
    ("options", "off"),
    [
        ([], False),
        (["--jit", "off"], True),
        (["--jit=off", "-m", "x"], True),
        (["-B", "--jit", "threshold=9", "x.py"], False),
        (["x.py", "--jit", "off"], False),
        (["-m", "x", "--jit", "off"], False),
    ],
)
def test_pypys_jit_is_off_if_its_own_option_says_so(
    monkeypatch: pytest.MonkeyPatch, options: list[str], off: bool
) -> None:
    monkeypatch.setattr(sys, "builtin_module_names", ("pypyjit",))
    monkeypatch.setattr(sys, "orig_argv", ["pypy3", *options])
    monkeypatch.delattr(sys, "_jit", raising=False)
    assert this_runtime().jit_enabled is not off


def test_the_compiler_is_named_without_the_interpreter() -> None:
    assert _compiler("3.11.11 (7.3.19, Apr 11 2025)\n[PyPy 7.3.19 with GCC 14.2.0]") == "GCC 14.2.0"


def test_another_switch_interval_is_seen() -> None:
    before = sys.getswitchinterval()
    try:
        sys.setswitchinterval(0.02)
        assert this_runtime().switch_interval_s == pytest.approx(0.02)
    finally:
        sys.setswitchinterval(before)


def test_the_start_method_is_the_default_and_asking_does_not_settle_it() -> None:
    code = (
        "import json, multiprocessing as m; from gilstudy.host.runtime import this_runtime as t; "
        "first = t().start_method; "
        "settled = m.get_start_method(allow_none=True); m.set_start_method('spawn'); "
        "print(json.dumps([first, settled, t().start_method]))"
    )
    default = multiprocessing.get_all_start_methods()[0]
    assert run(sys.executable, code) == [default, None, "spawn"]


def test_json_and_back() -> None:
    found = this_runtime()
    assert decode(Runtime, json.loads(json.dumps(encode(found)))) == found


@pytest.mark.parametrize(
    ("implementation", "version", "build", "label"),
    [
        ("cpython", "3.11.7", "GIL", "3.11"),
        ("cpython", "3.13.0rc1", "free-threaded", "3.13t"),
        ("pypy", "3.11.13", "GIL", "pypy 3.11"),
    ],
)
def test_the_label_is_short(implementation: str, version: str, build: Any, label: str) -> None:
    assert replace(this_runtime(), implementation=implementation, version=version, build=build).label == label


def test_it_imports_little() -> None:
    """It runs in every measured child: no package, and nothing of gilstudy's own."""
    code = """
import sys, json
import gilstudy.host.runtime
gilstudy.host.runtime.this_runtime()
watched = ("psutil", "rich", "gilstudy", "platform")
print(json.dumps(sorted(name for name in sys.modules if name.split(".")[0] in watched)))
"""
    assert run(sys.executable, code) == ["gilstudy", "gilstudy._version", "gilstudy.host", "gilstudy.host.runtime"]


# -- the wish for a number of CPUs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "environment", "count"),
    [
        ({}, {}, None),
        ({}, {"PYTHON_CPU_COUNT": "3"}, 3),
        ({"cpu_count": "2"}, {"PYTHON_CPU_COUNT": "3"}, 2),
        ({"cpu_count": "default"}, {"PYTHON_CPU_COUNT": "3"}, None),
        ({}, {"PYTHON_CPU_COUNT": "default"}, None),
        ({}, {"PYTHON_CPU_COUNT": ""}, None),
        ({}, {"PYTHON_CPU_COUNT": "0"}, None),
        ({}, {"PYTHON_CPU_COUNT": "-2"}, None),
        ({}, {"PYTHON_CPU_COUNT": "two"}, None),
        ({"cpu_count": True}, {}, None),
        ({}, {"PYTHON_CPU_COUNT": "9" * 30}, sys.maxsize),
    ],
)
def test_the_wish(options: Mapping[str, str | bool], environment: Mapping[str, str], count: int | None) -> None:
    assert cpu_count_override(options, environment) == count


@pytest.mark.parametrize(
    ("options", "variable", "count"),
    [(["-X", "cpu_count=2"], "3", 2), ([], "3", 3), (["-E"], "3", None), (["-Xcpu_count=default"], "3", None)],
)
def test_the_wish_is_read_from_the_process(options: list[str], variable: str, count: int | None) -> None:
    # -E also hides PYTHONPATH
    code = f"import sys; sys.path.insert(0, {SOURCES!r}){ASK}"
    found = run(sys.executable, code, *options, PYTHON_CPU_COUNT=variable)["python_cpu_count"]
    assert found == count
    if sys.version_info >= (3, 13):
        plain = run(sys.executable, TRUTH)[-1]
        assert run(sys.executable, TRUTH, *options, PYTHON_CPU_COUNT=variable)[-1] == (count or plain)


# -- other interpreters --------------------------------------------------------------------------------------------


def test_other_interpreters_agree_with_the_slow_ways_to_ask(other: str) -> None:
    found = decode(Runtime, run(other, ASK))
    version, compiler, free_threaded, gil, _ = run(other, TRUTH)
    assert (found.version, found.compiler, found.gil_enabled) == (version, compiler, gil)
    assert found.build == ("free-threaded" if free_threaded else "GIL")
    assert found.own_gil_interpreters
    assert found.gil_request == ""


def test_a_free_threaded_build_says_who_asked_for_the_gil(other: str) -> None:
    if not run(other, TRUTH)[2]:
        pytest.skip("skipped: this interpreter always has a GIL")
    settings: list[tuple[list[str], dict[str, str], bool, str]] = [
        ([], {"PYTHON_GIL": "1"}, True, "PYTHON_GIL=1"),
        ([], {"PYTHON_GIL": "0"}, False, "PYTHON_GIL=0"),
        (["-X", "gil=1"], {"PYTHON_GIL": "0"}, True, "-X gil=1"),
    ]
    for options, variables, on, request in settings:
        found = run(other, ASK, *options, **variables)
        assert (found["build"], found["gil_enabled"], found["gil_request"]) == ("free-threaded", on, request)

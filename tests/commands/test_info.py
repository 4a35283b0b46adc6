from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from builders import a_host, a_reading, a_runtime
from rich.console import Console

from gilstudy import cli
from gilstudy.codec import decode
from gilstudy.commands import info
from gilstudy.host.counters import Counters
from gilstudy.host.machine import CpuKind, Host
from gilstudy.host.runtime import Runtime
from gilstudy.report.info import counter_rows, document, host_rows, print_info, runtime_rows, spans

SNAPSHOT = """\
Host
  system             Linux 6.1, x86_64, virtual machine
  CPU                Model of a CPU
  usable CPUs        6 of 8 (0-5)
  cores              4, shared by CPUs (SMT): 0+1 2+3
  kinds of core      4 performance (0-3); 2 efficient (4-5) at 70% of the
                     fastest
  CPU quota          1.5 CPUs: cgroup v2 cpu.max of a group above
  CPU count          5, by PYTHON_CPU_COUNT or -X cpu_count
  in effect          1.5 CPUs, so at most 1 worker by default
  pinning            workers go to CPU 0 2 4 5 1
  governor           powersave

Interpreter
  Python             CPython 3.13.1, free-threaded build
  GIL after imports  on, by PYTHON_GIL=1
  subinterpreters    can have a GIL each
  JIT                none
  switch interval    5 ms
  processes          started by fork
  compiler           GCC
  executable         python
  gilstudy's C code  loaded

Right now
  load               0.50 0.25 0.00 (1, 5 and 15 minutes)
  stolen time        1.0 s since the host started, 25.0% of the time it had work
  throttled          in 3 quota periods, for 0.2 s over all CPUs
  CPU pressure       2.5 s since the host started with tasks waiting
  slowed by heat     1 time since the host started
"""

HOST = replace(
    a_host(cpus=6, quota=1.5, python_cpu_count=5),
    virtual=True,
    logical_cpus=8,
    quota_source="cgroup v2 cpu.max of a group above",
    cores=((0, 1), (2, 3), (4,), (5,)),
    kinds=(
        CpuKind(name="performance", capacity=1.0, count=4, cpus=(0, 1, 2, 3)),
        CpuKind(name="efficient", capacity=0.7, count=2, cpus=(4, 5)),
    ),
    governor="powersave",
)
RUNTIME = a_runtime(version="3.13.1", build="free-threaded", gil_request="PYTHON_GIL=1", own_gil_interpreters=True)
PULSE = a_reading(
    load_1=0.5,
    load_5=0.25,
    busy_ns=3 * 10**9,
    steal_ns=10**9,
    periods=9,
    throttled_periods=3,
    throttled_ns=200_000_000,
    pressure_us=2_500_000,
    thermal_throttles=1,
)
UNTOLD: dict[str, Any] = dict.fromkeys(
    ("load_1", "load_5", "load_15", "busy_ns", "steal_ns", "pressure_us", "thermal_throttles")
)


def printed(host: Host, runtime: Runtime, pulse: Counters, *, width: int = 80, **terminal: Any) -> str:
    out = io.StringIO()
    print_info(Console(file=out, width=width, highlight=False, **terminal), host, runtime, pulse)
    return out.getvalue()


def test_the_whole_page_at_80_columns() -> None:
    assert printed(HOST, RUNTIME, PULSE) == SNAPSHOT


@pytest.mark.parametrize("width", [40, 60, 80])
def test_no_line_is_wider_than_the_terminal_and_none_ends_in_blanks(width: int) -> None:
    for line in printed(HOST, RUNTIME, PULSE, width=width).splitlines():
        assert len(line) <= width
        assert line == line.rstrip()


def test_a_path_is_never_broken_so_that_it_can_be_copied() -> None:
    path = "/a folder/" + "long-name/" * 12 + "python"
    assert path.split(" ")[1] in printed(HOST, replace(RUNTIME, executable=path), PULSE)


def test_colours_only_on_a_terminal_that_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" not in printed(HOST, RUNTIME, PULSE)
    assert "\x1b[" in printed(HOST, RUNTIME, PULSE, force_terminal=True, color_system="standard")


def test_what_is_not_told_is_said_to_be_so() -> None:
    bare = replace(a_host(), cpu_model="", cores=(), physical_cores=None, virtual=None, can_pin=False)
    rows = dict(host_rows(bare))
    assert rows["CPU"] == rows["cores"] == rows["kinds of core"] == rows["governor"] == "not told"
    assert rows["CPU quota"] == "none"
    assert rows["system"].endswith("hypervisor: not told")
    assert rows["pinning"] == "this system cannot pin"
    rows = dict(counter_rows(replace(a_reading(), **UNTOLD)))
    assert rows.pop("throttled") == "never: no quota period has passed"
    assert set(rows.values()) == {"not told"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "on"),
        ({"gil_request": "PYTHON_GIL=1"}, "on"),
        ({"build": "free-threaded", "gil_enabled": False}, "off"),
        ({"build": "free-threaded", "gil_enabled": False, "gil_request": "-X gil=0"}, "off, by -X gil=0"),
        ({"build": "free-threaded", "gil_request": "-X gil=1"}, "on, by -X gil=1"),
        ({"build": "free-threaded"}, "on: a module that was imported turned it back on"),
        ({"implementation": "pypy", "gil_enabled": None}, "this interpreter cannot tell"),
    ],
)
def test_the_gil_in_words(changes: dict[str, Any], words: str) -> None:
    assert dict(runtime_rows(a_runtime(**changes)))["GIL after imports"] == words


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ((CpuKind(name="", capacity=1.0, count=2, cpus=(0, 1)),), "all alike"),
        (
            (
                CpuKind(name="performance", capacity=None, count=8, cpus=()),
                CpuKind(name="efficient", capacity=None, count=2, cpus=()),
            ),
            "8 performance; 2 efficient",
        ),
        (
            (CpuKind(name="", capacity=1.0, count=1, cpus=(1,)), CpuKind(name="", capacity=0.95, count=1, cpus=(0,))),
            "1 (1); 1 (0) at 95% of the fastest (nearly alike)",
        ),
    ],
)
def test_the_kinds_in_words(kinds: tuple[CpuKind, ...], words: str) -> None:
    assert dict(host_rows(replace(a_host(), kinds=kinds)))["kinds of core"] == words


def test_an_extension_that_cannot_be_used_is_named_with_its_reason() -> None:
    assert dict(runtime_rows(a_runtime(), "No module named 'x'"))["gilstudy's C code"].startswith(
        "cannot be used: No module named 'x'"
    )


def test_ranges() -> None:
    assert spans([8, 0, 1, 2, 4]) == "0-2,4,8"
    assert spans([]) == ""


# -- the command ---------------------------------------------------------------------------------------------------


def test_the_command_prints_this_host(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_CPU_COUNT", "1")
    assert cli.main(["info"]) == 0
    out = capsys.readouterr().out
    assert "in effect          1 CPU, so at most 1 worker by default" in out or "CPU quota          0." in out
    assert "\x1b" not in out


def test_json_holds_the_same_facts_and_can_be_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["info", "--json"]) == 0
    given = json.loads(capsys.readouterr().out)
    host = decode(Host, given["host"])
    decode(Runtime, given["runtime"])
    decode(Counters, given["pulse"])
    assert given["derived"]["placement"] == list(host.placement)
    assert given["derived"]["effective_cpus"] == host.effective_cpus
    assert given["unusable"] == ""


def test_the_facts_under_derived_follow_from_the_host() -> None:
    derived = document(HOST, RUNTIME, PULSE)["derived"]
    assert derived == {
        "effective_cpus": 1.5,
        "default_cpus": 1,
        "placement": [0, 2, 4, 5, 1],
        "has_smt": True,
        "is_mixed": True,
    }


def test_unknown_options_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(["info", "--jsn"])
    assert exit_.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_gil_is_looked_at_after_our_imports_and_before_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []

    def step(name: str, result: Any) -> Any:
        def take() -> Any:
            steps.append(name)
            return result

        return take

    monkeypatch.setattr(info, "_load_extensions", step("extensions", ""))
    monkeypatch.setattr(info, "this_runtime", step("runtime", RUNTIME))
    monkeypatch.setattr(info, "read_host", step("host", HOST))
    assert cli.main(["info", "--json"]) == 0
    assert steps == ["extensions", "runtime", "host"]

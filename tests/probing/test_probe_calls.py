"""Probes of calls that do anything: leave, fail, fork, print, leave threads behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gilstudy.probing.evidence import Evidence
from gilstudy.watching.gil import gil_reason

gil = pytest.mark.skipif(bool(gil_reason()), reason=gil_reason())
posix = pytest.mark.skipif(os.name != "posix", reason="needs a C library's usleep")

MS = 1_000_000
HELD = Evidence(looks=1000, window_ns=100 * MS, longest_hold_ns=100 * MS, beat_window_ns=100 * MS)
FREED = replace(HELD, released_ns=90 * MS, times_released=40, beats=60)


CALLS = """
import io, os, sys, threading, time

def spins():
    threading.Thread(target=_spin, daemon=True, name="[red]spinner").start()

def spins_later(calls=[]):
    calls.append(1)
    if len(calls) == 100:
        spins()
    return sum(range(1000))

def _spin():
    while True:
        pass

def idles():
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    time.sleep(0.002)

def leaves(): sys.exit(0)
def interrupts(): raise KeyboardInterrupt
def ends(): raise BaseException("a\x1b[31m\\nb")
def closes(): sys.stdout.close()
def closes_it_all():
    sys.stdout.close()
    sys.stderr.close()
def swaps(): sys.stdout = sys.stderr = io.StringIO()
def moves(): os.chdir("/")
def forks_through(code=None):
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    elif code is not None:
        sys.exit(code)

def is_interrupted():
    import signal
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
def fine(): time.sleep(0.002)

class Mute(Exception):
    def __str__(self): raise ZeroDivisionError

def mute(): raise Mute
"""


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    (tmp_path / "calls.py").write_text(CALLS)
    (tmp_path / "leaving.py").write_text("import sys; sys.exit(0)")
    (tmp_path / "broken.py").write_text("1 +")
    return tmp_path


def probe_in(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gilstudy", "probe", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder)


@gil
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("leaves", "the call failed: SystemExit: 0"),
        ("interrupts", "the call failed: KeyboardInterrupt"),
        ("ends", "the call failed: BaseException: a\\x1b[31m\\nb"),
        ("mute", "the call failed: Mute: <Mute>"),
    ],
)
def test_a_call_that_would_end_the_command_has_failed(calls: Path, name: str, says: str) -> None:
    done = probe_in(calls, f"calls:{name}", "calls:fine", "--expect", "releases", "--json", "out.json")
    assert (done.returncode, done.stderr) == (1, "")
    assert f"calls:{name}: {says}" in done.stdout.splitlines()
    assert [one["verdict"] for one in json.loads((calls / "out.json").read_text())["probes"]] == ["failed", "releases"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("calls:fine", "--args", "exit(0)"), "do not work: SystemExit: 0"),
        (("calls:fine", "--setup", "import sys; sys.exit()"), "do not work: SystemExit"),
        (("leaving:function",), "cannot import leaving:function: SystemExit: 0"),
        (("broken:function",), "cannot import broken:function: SyntaxError"),
        (("--module", "leaving", "--table", "t.toml"), "cannot import leaving: SystemExit: 0"),
    ],
)
def test_nothing_passes_because_nothing_was_probed(calls: Path, words: tuple[str, ...], says: str) -> None:
    (calls / "t.toml").write_text("[functions]\nfine = ''")
    done = probe_in(calls, *words, "--expect", "releases")
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


@gil
@posix
@pytest.mark.parametrize("name", ["spins", "spins_later"])
def test_a_busy_thread_left_behind_spoils_the_probe_and_is_named(calls: Path, name: str) -> None:
    done = probe_in(calls, f"calls:{name}", "calls:fine", "--json", "out.json")
    assert (done.returncode, done.stderr) == (0, "")
    said = " ".join(done.stdout.split())
    assert f"calls:{name}: the call left a thread behind ([red]spinner) that keeps the GIL busy" in said
    assert "calls:fine: other threads of this process keep the GIL busy" in said
    assert {one["verdict"] for one in json.loads((calls / "out.json").read_text())["probes"]} == {"inconclusive"}


@gil
@posix
def test_idle_threads_left_behind_spoil_nothing(calls: Path) -> None:
    assert "releases" in probe_in(calls, "calls:idles").stdout


@gil
@posix
@pytest.mark.parametrize(("name", "is_told"), [("closes", True), ("closes_it_all", True), ("swaps", False)])
def test_a_call_that_takes_the_standard_streams_away_is_answered(calls: Path, name: str, is_told: bool) -> None:
    done = probe_in(calls, f"calls:{name}")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"calls:{name}" in done.stdout
    assert ("Standard output is closed" in done.stdout) == is_told


@gil
@posix
@pytest.mark.parametrize("code", ["", "0", "3"])
def test_a_call_that_forks_is_told_once(calls: Path, code: str) -> None:
    done = probe_in(calls, "calls:forks_through", "--args", code, "--json", "out.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("calls:forks_through") == 1
    assert json.loads((calls / "out.json").read_text())["probes"][0]["verdict"] in ("releases", "mixed")


@gil
@posix
def test_files_are_written_where_they_were_meant_to_be(calls: Path) -> None:
    assert probe_in(calls, "calls:moves", "--json", "out.json", "--junit", "out.xml").returncode == 0
    assert (calls / "out.json").exists() and (calls / "out.xml").exists()


@gil
@posix
def test_ctrl_c_keeps_what_was_probed_until_then(calls: Path) -> None:
    done = probe_in(
        calls, "calls:fine", "calls:is_interrupted", "calls:fine", "--json", "out.json", "--junit", "out.xml"
    )
    assert (done.returncode, done.stderr) == (130, "gilstudy probe: interrupted\n")
    assert [one["verdict"] for one in json.loads((calls / "out.json").read_text())["probes"]] == ["releases"]
    assert ElementTree.parse(calls / "out.xml").getroot().get("tests") == "1"
    assert "calls:fine" in done.stdout


@gil
@posix
def test_a_call_that_never_comes_back_ends_at_the_time_limit(tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text("import ctypes\ndef hold(): ctypes.PyDLL(None).sleep(1000)\n")
    command = [sys.executable, "-m", "gilstudy", "probe", "--timeout", "1", "stuck:hold"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    first, second, *_ = done.stderr.splitlines()
    assert (done.returncode, first) == (124, "gilstudy: probe stuck:hold was ended after 1 s, the time limit")
    assert second.startswith("MainThread has held the GIL for ")

"""Probes of calls that do anything: leave, fail, fork, print, leave threads behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gilstudy.watching.gil import gil_reason

gil = pytest.mark.skipif(bool(gil_reason()), reason=gil_reason())
posix = pytest.mark.skipif(os.name != "posix", reason="needs a C library's usleep")

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
def closes_fds(): os.closerange(0, 3)
def gone(code=0): os._exit(code)
def killed():
    import signal
    os.kill(os.getpid(), signal.SIGKILL)
def floods():
    print("flood")
    os.system("echo flood")
    sys.stderr.write("flood")
    time.sleep(0.002)
def counts():
    for number in range(4):
        yield sum(range(5000))
async def waits():
    import asyncio
    await asyncio.sleep(0.002)
def counted(): return open("imported.txt").read().count("i")
def leaves_late(calls=[]):
    calls.append(1)
    if len(calls) > 3: sys.exit(5)

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
    wide = os.environ | {"COLUMNS": "200"}  # no name is folded
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder, env=wide)


@gil
@posix
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gone", "the call ended the process, with exit code 0"),
        ("killed", "the call ended the process by signal 9 (SIGKILL)"),
        ("leaves_late", "call 4 failed, though 3 before it did not: SystemExit: 5"),
    ],
)
def test_a_call_that_ends_its_process_has_failed_and_the_others_are_probed(calls: Path, name: str, says: str) -> None:
    words = ("calls:fine", f"calls:{name}", "calls:waits", "--expect", "releases", "--json", "out.json")
    done = probe_in(calls, *words)
    assert (done.returncode, done.stderr) == (1, "")
    assert f"calls:{name}: {says}" in done.stdout.splitlines()
    verdicts = [one["verdict"] for one in json.loads((calls / "out.json").read_text())["probes"]]
    assert verdicts == ["releases", "failed", "releases"]


@posix
def test_what_ends_the_process_while_it_is_prepared_is_bad_input(calls: Path) -> None:
    done = probe_in(calls, "calls:fine", "--setup", "import os; os._exit(0)", "--expect", "releases")
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot prepare calls:fine: that ended the process, with exit code 0" in done.stderr


@gil
@posix
def test_what_calls_print_is_set_aside_or_let_through(calls: Path) -> None:
    done = probe_in(calls, "calls:floods", "--json", "-")
    assert done.returncode == 0
    assert json.loads(done.stdout)["probes"]
    assert "flood\n" not in done.stderr
    through = probe_in(calls, "calls:floods", "--show-output")
    assert through.stdout.count("flood\n") > 3
    assert through.stderr.startswith("flood")


@gil
@posix
def test_arguments_are_made_anew_and_setup_is_run_once(calls: Path) -> None:
    setup = "open('imported.txt', 'a').write('i'); import io"
    words = ("json:load", "calls:counts", "--setup", setup)
    (calls / "t.toml").write_text('[functions]\n"json:load" = "io.StringIO(\'[]\')"\n')
    done = probe_in(calls, "--table", "t.toml", "calls:counts", "calls:waits", "--setup", setup)
    assert done.returncode == 2  # setup is not for the table's functions
    done = probe_in(calls, *words[:1], "--setup", setup, "--args", "io.StringIO('[1]')", "--json", "out.json")
    assert (done.returncode, done.stderr) == (0, "")
    (calls / "imported.txt").unlink()
    done = probe_in(calls, "calls:counts", "calls:waits", "--setup", setup)
    assert (calls / "imported.txt").read_text() == "i"
    assert "calls:counts: it is a generator, which was run to its end" in done.stdout
    assert "calls:waits: it is a coroutine, which was run to its end" in done.stdout


@gil
@posix
def test_arguments_worked_out_once_that_are_used_up_are_told(calls: Path) -> None:
    words = ("json:load", "--setup", "import io", "--args", "io.StringIO('[1]')", "--once-args")
    done = probe_in(calls, *words)
    said = " ".join(done.stdout.split())
    assert (done.returncode, done.stderr) == (1, "")
    assert "json:load: call 2 failed, though the first did not: JSONDecodeError" in said
    assert "used its arguments up" in said
    done = probe_in(calls, "calls:fine", "--setup", "n = iter([()])", "--args", "*next(n)")
    said = " ".join(done.stdout.split())
    assert "the arguments could not be worked out anew: StopIteration (--once-args works them out once)" in said


@gil
@posix
def test_statements_are_probed(calls: Path) -> None:
    words = ("--stmt", "sum(range(20_000))", "--stmt", "await asyncio.sleep(0.002)", "--setup", "import asyncio")
    done = probe_in(calls, *words, "--json", "out.json")
    assert (done.returncode, done.stderr) == (0, "")
    verdicts = [one["verdict"] for one in json.loads((calls / "out.json").read_text())["probes"]]
    assert verdicts == ["holds", "releases"]


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
        (("calls:fine", "--setup", "import sys; sys.exit()"), "does not work: SystemExit"),
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
@pytest.mark.parametrize("name", ["closes", "closes_it_all", "swaps", "closes_fds"])
def test_a_call_that_takes_the_standard_streams_away_is_answered(calls: Path, name: str) -> None:
    done = probe_in(calls, f"calls:{name}")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"calls:{name}" in done.stdout


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

"""A program that is stuck, or whose time is up, is ended and reported on; one that is not does not notice."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from interpreters import Interpreter

from gilstudy.last_lines import last_lines
from gilstudy.trace import FREE, Lane, Piece, Trace

STUCK = Path(__file__).parent / "stuck.py"
PATIENCE_S = 120.0
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX's signals and execve")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's /proc")


class Program:
    """One of the programs in stuck.py."""

    def __init__(self, process: subprocess.Popen[str], errors: IO[str], out: Path) -> None:
        self.process, self._errors, self.out = process, errors, out
        assert process.stdout is not None
        self._output = process.stdout

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def hear(self, expected: str) -> None:
        """Wait until it says so on standard output."""
        for line in self._output:
            if line.strip() == expected:
                return
        pytest.fail(f"it ended without {expected!r}: {self.told()}")

    def line(self) -> str:
        """The next line of its output."""
        return self._output.readline().strip()

    def wait_until_asleep_for(self, address: str) -> None:
        """Wait until its main thread sleeps in a system call about this address."""
        end = time.monotonic() + PATIENCE_S
        while address not in Path(f"/proc/{self.process.pid}/syscall").read_text().split():
            assert time.monotonic() < end
            time.sleep(0.01)

    def told(self) -> str:
        """What is on standard error so far."""
        self._errors.seek(0)
        return self._errors.read()

    def wait_until_told(self, expected: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while expected not in self.told():
            assert time.monotonic() < end, self.told()
            time.sleep(0.01)

    def end(self) -> tuple[int, str, str]:
        """Its exit code, the rest of its output, and its errors."""
        rest = self._output.read()
        return self.process.wait(PATIENCE_S), rest, self.told()


@contextlib.contextmanager
def running(folder: Path, *words: str, python: str = sys.executable, path: Path | None = None) -> Iterator[Program]:
    out = folder / "out.json"
    environment = os.environ | ({"PYTHONPATH": str(path)} if path else {})
    with tempfile.TemporaryFile("w+", dir=folder) as errors:
        # The files need packages that other interpreters may not have.
        command = [python, str(STUCK), words[0], "" if path else str(out), *words[1:]]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
        try:
            with process:
                yield Program(process, errors, out)
        finally:
            process.kill()


# -- stuck -----------------------------------------------------------------------------------------------------------


@posix
def test_time_is_up_while_the_gil_is_held_for_ever(built: tuple[Interpreter, Path], tmp_path: Path) -> None:
    interpreter, path = built
    with running(tmp_path, "holds_beside_others", "1.5", python=interpreter.python, path=path) as program:
        code, _, told = program.end()
    assert code == 124, told
    lines = told.splitlines()
    assert lines[0] == "gilstudy: stuck.py was ended after 1.5 s, the time limit"
    if interpreter.version.endswith("t"):
        # Python turns its GIL on for a moment while it imports an extension, and that may have been seen.
        none = ("GIL: not applicable: this build has no GIL", "the GIL has been off for ")
        assert lines[1].startswith(none)
    else:
        assert lines[1].startswith("MainThread has held the GIL for ")
        assert not sys.platform.startswith("linux") or lines[1].endswith(", asleep (for a time)"), told
        assert not sys.platform.startswith("linux") or "waiter 0, waiter 1, for " in lines[2], told


@linux
def test_ctrl_c_twice_ends_a_deadlock_and_says_how(built: tuple[Interpreter, Path], tmp_path: Path) -> None:
    interpreter, path = built
    with running(tmp_path, "deadlock", python=interpreter.python, path=path) as program:
        program.hear("begins")
        program.wait_until_asleep_for(program.line())
        program.interrupt()
        program.wait_until_told("Ctrl-C again ends it")
        program.interrupt()
        code, _, told = program.end()
    assert code == 130, told
    assert "gilstudy: stuck.py was ended by Ctrl-C\n" in told
    if not interpreter.version.endswith("t"):
        assert "MainThread has held the GIL for" in told
        assert ", asleep (for a lock)\n" in told
        assert "waiting for the GIL: has the mutex, for " in told


@posix
def test_the_second_ctrl_c_ends_a_program_that_swallowed_the_first(tmp_path: Path) -> None:
    with running(tmp_path, "swallow") as program:
        program.hear("ready")
        program.interrupt()
        program.hear("swallowed")
        program.interrupt()
        code, _, told = program.end()
    assert code == 130, told
    assert told.startswith("gilstudy: stuck.py was ended by Ctrl-C\n")


@posix
@pytest.mark.parametrize("kind", ["SIGTERM", "SIGHUP"])
def test_a_request_to_end_is_obeyed_after_the_report(kind: str, tmp_path: Path) -> None:
    with running(tmp_path, "holds_beside_others") as program:
        program.hear("ready")
        program.process.send_signal(getattr(signal, kind))
        code, _, told = program.end()
    assert code == -getattr(signal, kind)
    assert told.startswith(f"gilstudy: stuck.py was ended by {kind}\n")
    assert json.loads(program.out.read_text())["traceEvents"]


@posix
def test_it_needs_no_free_file_number(tmp_path: Path) -> None:
    with running(tmp_path, "run_out_of_files", "1") as program:
        code, _, told = program.end()
    assert code == 124, told
    assert program.out.exists()


# -- not stuck -------------------------------------------------------------------------------------------------------


@posix
def test_a_program_that_answers_ctrl_c_ends_as_ever(tmp_path: Path) -> None:
    with running(tmp_path, "answer") as program:
        program.hear("ready")
        program.interrupt()
        code, _, told = program.end()
    assert code == -signal.SIGINT
    assert told.endswith("KeyboardInterrupt\n")
    assert "gilstudy:" not in told


@posix
def test_a_handler_of_the_programs_own_is_left_to_it_until_it_is_stuck(tmp_path: Path) -> None:
    with running(tmp_path, "handle") as program:
        program.hear("ready")
        for number in range(1, 6):
            program.interrupt()
            program.hear(f"handled {number}")
        end = time.monotonic() + PATIENCE_S
        while program.process.poll() is None and time.monotonic() < end:
            program.interrupt()
            time.sleep(0.2)
        code, _, told = program.end()
    assert code == 130, told
    assert "was ended by Ctrl-C" in told


@posix
def test_a_signal_that_it_sends_itself_does_what_it_does_by_python(tmp_path: Path) -> None:
    with running(tmp_path, "end_itself") as program:
        code, output, told = program.end()
    assert (code, output) == (-signal.SIGTERM, "begins\n"), told
    with running(tmp_path, "be_interrupted_by_itself") as program:
        assert program.end() == (0, "begins\ndone\n", "")


@linux
def test_what_is_done_to_signals_is_undone_in_children_and_afterwards(tmp_path: Path) -> None:
    with running(tmp_path, "show_signals") as program:
        code, output, told = program.end()
    assert (code, told) == (0, "")
    before, during, forked, executed, after = output.splitlines()
    assert (before, during, forked, executed, after) == ("SIGINT", "SIGHUP SIGINT SIGTERM", "SIGINT", "", "SIGINT")


def test_what_is_no_saved_watch_is_refused(tmp_path: Path) -> None:
    gilwatch = pytest.importorskip("gilstudy._gilwatch")
    for junk in (b"", b"gilwatch", bytes(100_000)):
        (tmp_path / "junk").write_bytes(junk)
        with (tmp_path / "junk").open("rb", buffering=0) as file, pytest.raises(ValueError, match="this build"):
            gilwatch.saved(file.fileno())


# -- the last lines --------------------------------------------------------------------------------------------------


def lane(name: str, native_id: int, *pieces: Piece) -> Lane:
    return Lane(name=name, ident=native_id, native_id=native_id, is_process=False, pieces=pieces, holds=(),
                cpu_ns=0, ready_ns=0, turns_on_cpu=0)  # fmt: skip


def trace(holder: int, *lanes: Lane, reason: str = "") -> Trace:
    return Trace(begin_ns=0, end_ns=5_000_000_000, gil_reason=reason, lanes_reason="", gil_wanted_by=(), lanes=lanes,
                 holders=((0, 10, 0), (10, 5_000_000_000, holder)), handoffs=1, handoffs_seen=1,
                 switch_interval_s=0.005, period_ns=1_000_000, polls=10, longest_gap_ns=1, watch_cpu_ns=0)  # fmt: skip


S = 1_000_000_000
HOLDER = lane("bad", 7, (0, 5 * S, "holding"))
WAITER = lane(
    "a\x1b", 8, (0, S, "running"), (S, 2 * S, "waiting"), (2 * S, 4 * S, "waiting"), (4 * S, 5 * S, "unknown")
)
IDLE = lane("idle", 9, (0, 5 * S, "blocked"))


@pytest.mark.parametrize(
    ("call", "does"),
    [("202", ", asleep (for a lock)"), ("999", ", asleep (in system call 999)"), ("running", ", and runs"), ("", "")],
)
def test_who_holds_and_what_it_does_and_who_waits(call: str, does: str) -> None:
    assert list(last_lines(trace(0, HOLDER, WAITER, IDLE), {7: call}, "x86_64")) == [
        f"bad has held the GIL for 5.00 s{does}",
        r"waiting for the GIL: a\x1b, for 4.00 s",
    ]


def test_many_who_wait_are_counted() -> None:
    told = list(last_lines(trace(FREE, *[WAITER] * 6), {}))
    assert told[0] == "nobody has held the GIL for 5.00 s"
    assert told[1].endswith(r"a\x1b, a\x1b and 2 more, for 4.00 s at the longest")


def test_without_a_gil_only_that_is_told() -> None:
    assert list(last_lines(trace(FREE, IDLE, reason="not applicable: no"), {})) == ["GIL: not applicable: no"]

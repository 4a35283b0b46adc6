"""Real stations: what they answer, and that nothing of them is left however they end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from processes import left_in, workers_of, working_in

from gilstudy.codec import decode, encode
from gilstudy.host.runtime import Runtime, this_runtime
from gilstudy.measuring.client import Client, StationLost
from gilstudy.measuring.plan import arm_of
from gilstudy.measuring.record import Batch

POSIX = pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
PATIENCE_S = 60.0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def line(folder: Path) -> Iterator[Client]:
    opened = Client("threads")
    yield opened
    opened.end()
    opened.end()  # once more does no harm
    assert left_in(folder) == []


def opened(line: Client, arm: str = "threads", workers: int = 2) -> Client:
    line.ask("open", PATIENCE_S, arm=encode(arm_of(arm)), workers=workers)
    return line


def test_a_station_answers_with_its_interpreter_a_batch_and_a_trial(line: Client) -> None:
    answer = line.ask("open", PATIENCE_S, arm=encode(arm_of("threads")), workers=2)
    assert decode(Runtime, answer["runtime"]).version == this_runtime().version
    batch = decode(Batch, line.ask("calibrate", PATIENCE_S, kernel="python", target_ns=50_000)["batch"])
    assert batch.steps >= 1
    order = {"batch": batch.steps, "cpus": [-1, -1], "warm_ns": 1_000_000, "window_ns": 2_000_000}
    trial = line.ask("trial", PATIENCE_S, **order)
    assert trial["close_ns"] - trial["open_ns"] == 2_000_000
    assert len(trial["spans"]) == 2
    assert trial["gil"] in (True, False, None)


def test_a_failure_in_the_station_is_an_answer_and_the_station_goes_on(line: Client) -> None:
    opened(line)
    with pytest.raises(StationLost, match="keep a worker on CPU 1000"):
        line.ask("trial", PATIENCE_S, batch=1000, cpus=[1000], warm_ns=1, window_ns=1)
    assert line.ask("trial", PATIENCE_S, batch=1000, cpus=[-1], warm_ns=1000, window_ns=1000)["spans"]


def test_nothing_in_the_current_folder_stands_in_for_the_standard_library(folder: Path) -> None:
    (folder / "json.py").write_text("raise RuntimeError('the wrong json')")
    line = Client("single")
    try:
        assert "runtime" in line.ask("open", PATIENCE_S, arm=encode(arm_of("single")), workers=1)
    finally:
        line.end()


def test_strange_settings_of_the_shell_do_not_reach_a_station(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONINSPECT", "1")
    monkeypatch.setenv("PYTHONPATH", "/nonexistent")
    line = Client("single")
    try:
        assert "runtime" in line.ask("open", PATIENCE_S, arm=encode(arm_of("single")), workers=1)
    finally:
        line.end()


@POSIX
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_killed_station_is_named_by_its_signal(line: Client, number: signal.Signals) -> None:
    opened(line)
    os.kill(line.pid, number)
    with pytest.raises(StationLost, match=f"killed by {number.name}"):
        line.receive(PATIENCE_S)
    with pytest.raises(StationLost):
        line.ask("trial", PATIENCE_S, batch=1, cpus=[-1], warm_ns=1, window_ns=1)


@POSIX
def test_a_station_that_hangs_is_given_up(line: Client) -> None:
    opened(line)
    os.kill(line.pid, signal.SIGSTOP)
    line.send("trial", batch=1, cpus=[-1], warm_ns=1, window_ns=1)
    with pytest.raises(StationLost, match=r"no answer for 0\.3 s"):
        line.receive(0.3)


def test_a_station_in_a_call_without_end_can_be_ended(line: Client) -> None:
    # One batch of a century, in C, with the GIL held: nothing in the station itself could stop it.
    opened(line, "threads-held")
    line.send("trial", batch=2**63, cpus=[-1, -1], warm_ns=1, window_ns=1)
    with pytest.raises(StationLost, match="hung"):
        line.receive(0.5)


@pytest.mark.parametrize("arm", ["processes", "processes[spawn]"])
def test_workers_end_with_their_station(folder: Path, arm: str) -> None:
    line = opened(Client(arm), arm, 2)
    try:
        line.send("trial", batch=2**63, cpus=[-1, -1], warm_ns=1, window_ns=1)
        assert len(working_in(folder)) >= 3  # the station, two workers
    finally:
        line.end()
    assert left_in(folder) == []


@POSIX
@pytest.mark.parametrize("arm", ["processes", "processes[spawn]", "processes[forkserver]"])
def test_a_killed_worker_fails_its_station_by_name(folder: Path, arm: str) -> None:
    line = opened(Client(arm), arm, 2)
    try:
        line.send("trial", batch=2**63, cpus=[-1, -1], warm_ns=1, window_ns=1)
        workers_of(psutil.Process(line.pid))[-1].kill()
        with pytest.raises(StationLost, match="was killed by SIGKILL"):
            line.receive(PATIENCE_S)
    finally:
        line.end()
    assert left_in(folder) == []

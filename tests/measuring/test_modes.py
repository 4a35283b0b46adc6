"""One contract that every mode must pass, with real threads and real processes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from multiprocessing import get_all_start_methods
from typing import Any

import psutil
import pytest

from gilstudy._native import now_ns
from gilstudy.host.machine import read_host
from gilstudy.measuring.batches import Turn
from gilstudy.measuring.kernels import KERNELS
from gilstudy.measuring.modes import mode_named
from gilstudy.measuring.modes.crew import Crew, WorkerLost
from gilstudy.measuring.modes.processes import ProcessCrew
from gilstudy.measuring.modes.threads import ThreadCrew
from gilstudy.measuring.plan import ARM_NAMES, arm_of
from gilstudy.measuring.record import Span

MOST = 3
# Not fork: pytest and hypothesis may have threads. A station has none, and forks where that is the default.
SAFE = [method for method in get_all_start_methods() if method != "fork"]
NAMES = [name for name in ARM_NAMES if name != "processes"] + [f"processes[{method}]" for method in SAFE]


def open_crew(name: str, workers: int) -> tuple[Crew, int]:
    arm = arm_of(name)
    mode = mode_named(arm.mode)
    assert mode.name == arm.mode
    assert mode.why_not(arm.option) == ""
    count = mode.workers(arm.option, workers)
    return mode.open(arm.kernel, arm.option, count), count


@pytest.fixture(params=NAMES, scope="module")
def crew(request: pytest.FixtureRequest) -> Iterator[tuple[Crew, int]]:
    opened, count = open_crew(request.param, MOST)
    yield opened, count
    opened.close()


def a_turn(batch: int = 2000, *, window_ns: int = 4_000_000) -> Turn:
    begin_ns = now_ns() + 2_000_000
    return Turn(batch, begin_ns, begin_ns + 1_000_000, begin_ns + 1_000_000 + window_ns)


def assert_whole(span: Span, turn: Turn) -> None:
    assert span.ready_ns >= turn.begin_ns
    for edge, instant_ns in ((span.open, turn.open_ns), (span.close, turn.close_ns)):
        assert edge.before_ns <= edge.after_ns
        assert edge.after_ns >= instant_ns
        assert edge.batches >= 0
    assert span.close.before_ns >= span.open.after_ns or span.close[:3] == span.open[:3]
    assert span.open.batches <= span.close.batches
    assert 0 <= span.open.cpu_ns <= span.close.cpu_ns


def test_a_crew_finds_its_own_batch(crew: tuple[Crew, int]) -> None:
    batch = crew[0].calibrate(20_000)
    assert batch.steps >= 1
    assert batch.once_ns > 0 and batch.double_ns > 0


def test_every_worker_reports_a_whole_turn(crew: tuple[Crew, int]) -> None:
    turn = a_turn()
    spans = crew[0].run(turn, [-1] * crew[1])
    assert len(spans) == crew[1]
    for span in spans:
        assert_whole(span, turn)


def test_a_part_of_the_crew_can_take_a_turn_and_turns_follow_each_other(crew: tuple[Crew, int]) -> None:
    for count in (1, crew[1], 1):
        turn = a_turn()
        spans = crew[0].run(turn, [-1] * count)
        assert len(spans) == count
        for span in spans:
            assert_whole(span, turn)


def test_a_batch_longer_than_the_window_is_still_counted_whole(crew: tuple[Crew, int]) -> None:
    turn = a_turn(batch=400_000, window_ns=1_000)
    (span,) = crew[0].run(turn, [-1])
    assert_whole(span, turn)


@pytest.mark.skipif(not read_host().can_pin, reason="this system cannot pin threads")
def test_workers_are_pinned_where_they_are_told(crew: tuple[Crew, int]) -> None:
    cpus = read_host().usable_cpus
    places = [cpus[place % len(cpus)] for place in range(crew[1])]
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    try:
        turn = a_turn()
        for span in crew[0].run(turn, places):
            assert_whole(span, turn)
    finally:
        if before is not None:  # the crew of one is this very thread
            os.sched_setaffinity(0, before)


@pytest.mark.skipif(not read_host().can_pin, reason="this system cannot pin threads")
@pytest.mark.parametrize("name", ["single", "threads", "processes[spawn]", "ceiling"])
def test_a_cpu_that_does_not_exist_is_a_clear_error(name: str) -> None:
    opened, _ = open_crew(name, 1)
    try:
        with pytest.raises((WorkerLost, OSError), match="keep a worker on CPU 1000"):
            opened.run(a_turn(), [1000])
    finally:
        opened.close()


def test_threads_are_gone_after_close() -> None:
    before = threading.active_count()
    crew = ThreadCrew("python", 4)
    assert threading.active_count() == before + 4
    crew.close()
    assert threading.active_count() == before


@pytest.mark.parametrize("method", SAFE)
def test_processes_are_gone_after_close(method: str) -> None:
    crew = ProcessCrew("nogil", 2, method)
    workers = [psutil.Process(_pid(crew, place)) for place in range(2)]
    crew.close()
    assert not any(worker.is_running() for worker in workers)


def broken(n: int) -> int:
    raise RuntimeError(f"no {n} today")


def test_a_kernel_that_raises_in_a_thread_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KERNELS, "python", broken)
    crew = ThreadCrew("python", 2)
    try:
        with pytest.raises(WorkerLost, match="thread 0 failed: no 2000 today"):
            crew.run(a_turn(), [-1, -1])
    finally:
        crew.close()


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
def test_a_killed_worker_is_named_and_the_crew_can_still_be_closed() -> None:
    crew = ProcessCrew("python", 2, "spawn")
    try:
        os.kill(_pid(crew, 1), signal.SIGKILL)
        with pytest.raises(WorkerLost, match="worker 1 was killed by SIGKILL"):
            crew.run(a_turn(), [-1, -1])
    finally:
        crew.close()


def _pid(crew: Any, place: int) -> int:
    pid: int = crew._crew[place][0].pid
    return pid


class Gate:
    """A kernel of scripted duration: its clock is the test's."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self, n: int) -> int:
        self.now_ns += n
        return n


def test_the_edges_of_a_turn_are_exact_under_a_scripted_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    from gilstudy.measuring import batches

    gate = Gate()
    monkeypatch.setattr(batches, "now_ns", lambda: gate.now_ns)
    monkeypatch.setattr(batches, "thread_cpu_ns", lambda: gate.now_ns // 2)

    def sleep(instant_ns: int) -> int:
        gate.now_ns = instant_ns
        return instant_ns

    monkeypatch.setattr(batches, "sleep_until", sleep)
    span = batches.run(gate, Turn(batch=10, begin_ns=100, open_ns=125, close_ns=180))
    assert span.ready_ns == 100
    assert span.open == (120, 130, 2, 65)
    assert span.close == (170, 180, 7, 90)


@pytest.mark.parametrize(("begin_ns", "batches"), [(100, 0), (500, 0)])
def test_a_batch_that_passes_both_instants_is_one_edge_and_no_second_batch_is_run(
    monkeypatch: pytest.MonkeyPatch, begin_ns: int, batches: int
) -> None:
    from gilstudy.measuring import batches as module

    gate = Gate()
    monkeypatch.setattr(module, "now_ns", lambda: gate.now_ns)
    monkeypatch.setattr(module, "thread_cpu_ns", lambda: 7)

    def sleep(_: int) -> int:
        gate.now_ns = begin_ns  # late: after the opening, or even after the closing
        return begin_ns

    monkeypatch.setattr(module, "sleep_until", sleep)
    span = module.run(gate, Turn(batch=400, begin_ns=50, open_ns=125, close_ns=180))
    assert span.open == span.close == (begin_ns, begin_ns + 400, batches, 7)
    assert gate.now_ns == begin_ns + 400


def test_calibration_finds_the_batch_and_shows_that_time_is_linear(monkeypatch: pytest.MonkeyPatch) -> None:
    from gilstudy.measuring import batches

    gate = Gate()
    monkeypatch.setattr(batches, "now_ns", lambda: gate.now_ns)
    batch = batches.calibrate("python", gate, 50_000)
    assert (batch.steps, batch.once_ns, batch.double_ns) == (50_000, 50_000, 100_000)

"""From raw integers to estimates, with results worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import a_host, a_record, a_span, a_trial
from properties import given, st

from gilstudy.concluding.ratios import cores_used, estimate, karp_flatt, rates, work_at
from gilstudy.measuring.record import Edge, Record, Span, Trial


def of(record: Record, arm: str, workers: int = 2) -> float:
    (case,) = [case for case in estimate(record) if (case.arm, case.workers) == (arm, workers)]
    assert case.speedup is not None
    return case.speedup.point


def only(record: Record, *trials: object) -> Record:
    return replace(record, trials=tuple(trials))  # type: ignore[arg-type]


def test_work_is_interpolated_within_the_batch_that_straddles_the_instant() -> None:
    edge = Edge(before_ns=100, after_ns=200, batches=7, cpu_ns=0)
    assert [work_at(edge, instant) for instant in (100, 150, 200)] == [7.0, 7.5, 8.0]


def test_a_worker_that_began_after_the_window_opened_had_done_nothing_by_then() -> None:
    assert work_at(Edge(before_ns=300, after_ns=400, batches=0, cpu_ns=0), 200) == 0


def test_rates_and_cores_of_a_trial() -> None:
    trial = a_trial(0, "threads", (0, 1), [1000.0, 500.0], cores=1.5)
    assert rates(trial) == [1000.0, 500.0]
    assert cores_used(trial) == pytest.approx(1.5)


def test_cpu_time_beyond_the_window_is_not_counted() -> None:
    # Batches of 400 ns end at 100, 500, 900, 1300; the window is 300 to 1100: two batches' CPU time lie in it.
    span = Span(0, Edge(100, 500, 0, 400), Edge(900, 1300, 2, 1200))
    trial = replace(a_trial(0, "threads", (0,), [1.0]), open_ns=300, close_ns=1100, spans=(span,))
    assert cores_used(trial) == pytest.approx(1.0)
    # A worker that waited all the while, and ran its first batch after the close, used nothing.
    late = Span(0, Edge(1200, 1300, 0, 100), Edge(1200, 1300, 0, 100))
    assert cores_used(replace(trial, spans=(late,))) == 0
    assert rates(replace(trial, spans=(late,))) == [0.0]


def test_speedup_is_taken_within_the_round_and_per_cpu() -> None:
    # CPU 1 is half as fast. Two workers that take turns share one core's worth of time, wherever their turns were.
    record = a_record(rounds=0)
    trials = []
    for round_, (pace, on_first) in enumerate([(1.0, 0.5), (3.0, 0.9), (0.2, 0.1), (1.0, 0.3)] * 2):
        trials += [
            a_trial(round_, "single", (0,), [10_000 * pace]),
            a_trial(round_, "single", (1,), [5_000 * pace]),
            a_trial(round_, "threads", (0, 1), [10_000 * pace * on_first, 5_000 * pace * (1 - on_first)]),
            a_trial(round_, "processes", (1, 0), [5_000 * pace, 10_000 * pace]),
        ]
    record = only(record, *trials)
    assert of(record, "threads") == pytest.approx(1.0)
    assert of(record, "processes") == pytest.approx(2.0)


def test_a_cpu_without_a_baseline_in_the_round_is_compared_with_the_mean_of_the_others() -> None:
    trials = []
    for round_ in range(8):
        trials += [
            a_trial(round_, "single", (0,), [800.0]),
            a_trial(round_, "single", (1,), [1200.0]),
            a_trial(round_, "threads", (2, 3), [1000.0, 500.0]),
        ]
    assert of(only(a_record(rounds=0), *trials), "threads") == pytest.approx(1.5)


def test_drift_between_rounds_cancels() -> None:
    record = a_record(noise=0.0)
    assert of(record, "threads-nogil") == pytest.approx(1.96, rel=1e-4)
    assert of(record, "processes") == pytest.approx(1.94, rel=1e-4)


def test_gain_is_the_share_of_what_the_ceiling_gained() -> None:
    (case,) = [case for case in estimate(a_record(noise=0.0)) if case.arm == "threads-nogil"]
    assert case.gain is not None
    assert case.gain.point == pytest.approx(0.96 / 0.98, rel=1e-3)
    assert case.efficiency is not None
    assert case.efficiency.point == pytest.approx(0.98, rel=1e-3)


def test_there_is_no_gain_where_the_ceiling_leaves_none() -> None:
    record = a_record({**dict.fromkeys(("threads", "threads-nogil", "threads-held", "processes"), 1.0), "ceiling": 1.0})
    assert all(case.gain is None for case in estimate(record) if case.arm != "ceiling")


def test_an_arm_without_its_baseline_has_a_rate_but_no_speedup() -> None:
    record = a_record()
    record = replace(record, trials=tuple(t for t in record.trials if t.arm != "single"))
    cases = {case.arm: case for case in estimate(record)}
    assert cases["threads"].speedup is None
    assert cases["threads"].rate.point > 0
    assert cases["threads-nogil"].speedup is not None


def test_a_baseline_is_one_by_definition() -> None:
    (case,) = [case for case in estimate(a_record()) if case.arm == "single"]
    assert case.speedup is not None
    assert (case.speedup.point, case.speedup.low, case.speedup.high) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("speedup", "workers", "fraction"), [(2.0, 2, 0.0), (1.0, 2, 1.0), (4.0, 4, 0.0), (1.6, 2, 0.25), (1.0, 8, 1.0)]
)
def test_karp_flatt(speedup: float, workers: int, fraction: float) -> None:
    assert karp_flatt(speedup, workers) == pytest.approx(fraction)


@given(st.floats(0.01, 0.99), st.integers(2, 64))
def test_karp_flatt_finds_the_serial_fraction_of_amdahls_law(serial: float, workers: int) -> None:
    speedup = 1 / (serial + (1 - serial) / workers)
    assert karp_flatt(speedup, workers) == pytest.approx(serial, rel=1e-6)


def test_more_workers_than_cpus_wrap_around() -> None:
    record = a_record(workers=(2, 5), noise=0.0, host=a_host(cpus=2))
    assert of(record, "processes", 5) == pytest.approx(1.94, rel=1e-4)


def contended(round_: int, arm: str, cpus: tuple[int, ...], shares: list[float]) -> Trial:
    """A trial whose workers each had their CPU for a share of the time, and did 10 000 steps a second in it."""
    trial = a_trial(round_, arm, cpus, [10_000 * share for share in shares])
    return replace(trial, spans=tuple(a_span(10_000 * share, trial.open_ns, share) for share in shares))


def test_threads_that_take_turns_read_one_even_beside_hogs_on_every_cpu() -> None:
    # Two hogs: one thread gets half of its CPU, but two that sleep half of the time get theirs whenever they wake.
    trials = []
    for round_ in range(8):
        trials += [
            contended(round_, "single", (0,), [0.5]),
            contended(round_, "single", (1,), [0.6]),
            contended(round_, "threads", (0, 1), [0.5, 0.5]),
            contended(round_, "processes", (0, 1), [0.55, 0.55]),
        ]
    record = only(a_record(rounds=0), *trials)
    assert of(record, "threads") == pytest.approx(1.0, rel=1e-3)
    assert of(record, "processes") == pytest.approx(1.1, rel=1e-3)


def test_a_baseline_that_hardly_had_its_cpu_is_left_out() -> None:
    trials = []
    for round_ in range(8):
        trials += [
            contended(round_, "single", (0,), [1.0]),
            contended(round_, "single", (1,), [0.01 if round_ % 2 else 1.0]),
            contended(round_, "threads", (0, 1), [0.5, 0.5]),
        ]
    trials.append(contended(8, "single", (0,), [0.0]))
    trials.append(contended(8, "threads", (0, 1), [0.5, 0.5]))
    assert of(only(a_record(rounds=0), *trials), "threads") == pytest.approx(1.0, rel=1e-3)


def test_many_threads_that_never_got_their_turn_in_the_window_add_nothing() -> None:
    one = a_trial(0, "threads", (0,), [10_000.0])
    late = Edge(one.close_ns + 10, one.close_ns + 20, 0, 5)
    waiting = tuple(Span(0, late, late) for _ in range(99))
    crowd = replace(one, workers=100, cpus=tuple(i % 2 for i in range(100)), spans=one.spans + waiting)
    assert sum(rates(crowd)) == pytest.approx(10_000.0)

"""What is played in a round, and in which order: no clock, no process."""

from __future__ import annotations

from collections import Counter

import pytest
from properties import given, settings, st

from gilstudy.measuring.arm import Arm
from gilstudy.measuring.plan import ARM_NAMES, make_plan
from gilstudy.measuring.rounds import Rounds, batch_key, calibrators, look_times


@settings(max_examples=50)
@given(
    arms=st.sets(st.sampled_from(ARM_NAMES), min_size=1),
    workers=st.sets(st.integers(1, 40), min_size=1, max_size=3),
    cpus=st.integers(1, 40),
    seed=st.integers(0, 99),
)
def test_a_round_has_every_case_and_every_worker_a_cpu(arms: set[str], workers: set[int], cpus: int, seed: int) -> None:
    plan = make_plan(workers=sorted(workers), arms=sorted(arms), seed=seed)
    placement = range(cpus)
    first, again = (Rounds(plan, placement).shuffled() for _ in "ab")
    assert first == again
    assert {(ask.arm, len(ask.cpus)) for ask in first} == {(case.arm, case.workers) for case in plan.cases}
    for ask in first:
        spread = Counter(ask.cpus).values()
        assert set(ask.cpus) <= set(placement)
        assert max(spread) - (min(spread) if len(spread) == cpus else 0) <= 1  # one to each before any gets another


def test_baselines_are_taken_on_as_many_cpus_as_workers_have_and_on_eight_at_most() -> None:
    for workers, cpus, seen in ((2, 4, 2), (4, 4, 4), (32, 64, 8)):
        asks = Rounds(make_plan(workers=(workers,)), range(cpus)).cases()
        assert len({ask.cpus for ask in asks if ask.arm == Arm(mode="single")}) == seen


def test_where_nothing_can_be_pinned_nothing_is() -> None:
    asks = Rounds(make_plan(workers=(3,)), (-1,)).cases()
    assert {ask.cpus for ask in asks} == {(-1,), (-1, -1, -1)}
    assert sum(ask.arm == Arm(mode="single") for ask in asks) == 2


def test_looks_are_spread_over_the_time_that_is_left() -> None:
    plan = make_plan(workers=(2,), budget_s=12)
    assert look_times(plan, 2.0) == pytest.approx([6.0, 8.0, 10.0])  # and the last is the report's own


def test_every_arm_can_find_the_batch_that_it_is_timed_with() -> None:
    arms = make_plan(workers=(2,)).arms
    found = calibrators(arms)
    assert set(found) == {("python", ""), ("nogil", "")}
    assert {arm for able in found.values() for arm in able} == set(arms)
    assert all(arm in found[batch_key(arm)] for arm in arms)
    assert [able[0].name for able in found.values()] == ["single", "single-nogil"]

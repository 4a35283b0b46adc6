"""What can be asked for, and what is refused in one line."""

from __future__ import annotations

import math
from typing import Any

import pytest
from builders import a_host

from gilstudy.errors import BadInput
from gilstudy.measuring.arm import Arm
from gilstudy.measuring.plan import ARM_NAMES, arm_of, default_budget_s, default_workers, make_plan, with_baselines


def names(*asked: str) -> tuple[str, ...]:
    return tuple(arm.name for arm in with_baselines(asked))


def test_baselines_and_the_ceiling_are_added() -> None:
    assert names("threads") == ("single", "threads", "ceiling")
    assert names("threads-held", "processes") == ("single", "single-held", "threads-held", "processes", "ceiling")
    assert names("ceiling") == ("ceiling",)
    assert names(*ARM_NAMES) == ARM_NAMES


def test_asking_twice_times_once() -> None:
    assert names("threads", "single", "threads") == ("single", "threads", "ceiling")


def test_a_start_method_is_a_suffix() -> None:
    arm = arm_of("processes[spawn]")
    assert arm == Arm(mode="processes", option="spawn")
    assert (arm.name, arm.baseline.name) == ("processes[spawn]", "single")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("fibers", "there is no arm 'fibers'; choose from single,"),
        ("", "there is no arm ''"),
        ("threads[spawn]", "starts no process"),
        ("processes[warp]", "choose from .*spawn"),
        ("processes[", "there is no arm"),
        ("processes[spawn]x", "there is no arm"),
    ],
)
def test_unknown_arms_are_refused(name: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        arm_of(name)


@pytest.mark.parametrize(
    "wish",
    [
        {"workers": ()},
        {"workers": (0,)},
        {"workers": (-2,)},
        {"workers": (513,)},
        {"arms": ()},
        {"budget_s": 0.0},
        {"budget_s": math.nan},
        {"budget_s": math.inf},
        {"level": 1.0},
        {"level": 0.2},
        {"level": math.nan},
        {"seed": 2**63},
        {"seed": -(10**5000)},
    ],
)
def test_values_out_of_range_are_refused(wish: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as caught:
        make_plan(**({"workers": (2,)} | wish))
    assert "\n" not in str(caught.value)


def test_worker_counts_are_sorted_and_taken_once() -> None:
    assert make_plan(workers=(4, 2, 4)).workers == (2, 4)


def test_the_default_fits_the_host() -> None:
    assert default_workers(a_host(cpus=1)) == (2,)
    assert default_workers(a_host(cpus=2)) == (2,)
    assert default_workers(a_host(cpus=6)) == (2, 6)
    assert default_workers(a_host(cpus=64)) == (2, 8)
    assert default_workers(a_host(cpus=64, quota=2.5)) == (2,)
    assert default_workers(a_host(cpus=64, python_cpu_count=4)) == (2, 4)


def test_more_cases_get_more_time() -> None:
    assert default_budget_s((2,)) == default_budget_s((1,)) == 12.0
    assert default_budget_s((2, 4)) > 12
    assert default_budget_s((1, 2, 4, 8)) > default_budget_s((2, 4))

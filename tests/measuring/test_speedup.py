"""The tutorial's experiment on this very host, through our own engine and its three-way verdicts."""

from __future__ import annotations

from typing import Any

import pytest
from speedup import expect

from gilstudy.host.runtime import gil_enabled
from gilstudy.measuring.record import Record

FOLLOWS_THE_GIL = "scales" if gil_enabled() is False else "does-not-scale"
TRUTH = {
    "threads": FOLLOWS_THE_GIL,
    "threads-held": FOLLOWS_THE_GIL,
    "threads-nogil": "scales",
    "processes": "scales",
}


@pytest.fixture(scope="module")
def arms(own_study: tuple[Record, Any]) -> list[dict[str, Any]]:
    record, given = own_study
    assert not record.lost
    found: list[dict[str, Any]] = given["findings"]["arms"]
    return found


@pytest.mark.parametrize("arm", TRUTH)
def test_speedup(arms: list[dict[str, Any]], arm: str) -> None:
    expect(arms, arm, TRUTH[arm])


@pytest.mark.parametrize("arm", TRUTH)
def test_the_same_check_fails_on_a_kernel_with_the_opposite_behaviour(arms: list[dict[str, Any]], arm: str) -> None:
    # The check of `arm`, given the measurements of an arm that does the opposite.
    other = next((name for name in TRUTH if TRUTH[name] != TRUTH[arm]), None)
    if other is None:
        pytest.skip("without a GIL every arm scales: there is no opposite here")
    swapped = [finding | {"arm": arm} for finding in arms if finding["arm"] == other]
    with pytest.raises(pytest.fail.Exception, match=TRUTH[other]):
        expect(swapped, arm, TRUTH[arm])


def test_the_check_skips_when_the_host_cannot_tell() -> None:
    unsure = {
        "arm": "threads",
        "workers": 2,
        "verdict": "inconclusive",
        "reason": "the host was too unsteady",
        "speedup": None,
    }
    with pytest.raises(pytest.skip.Exception, match="too unsteady"):
        expect([unsure], "threads", "does-not-scale")

"""The claim that the GIL is released every 100 bytecodes: the ruling from scripted figures, and a measurement."""

from __future__ import annotations

import sys

import pytest

from gilstudy.gil import gil_reason
from gilstudy.switching import Switching, SwitchPoint, judge_switching, loop_length, measure_switching


def point(interval_ms: float, hold_ms: float, bytecodes: float, holds: int = 50) -> SwitchPoint:
    return SwitchPoint(
        interval_ns=round(interval_ms * 1e6), median_hold_ns=hold_ms * 1e6, holds=holds, handoffs=holds,
        bytecodes_per_hold=bytecodes,
    )  # fmt: skip


def found(*points: SwitchPoint, reason: str = "") -> Switching:
    return Switching(reason=reason, bytecodes_per_step=8, points=points)


def test_holds_as_long_as_the_interval_refute_it() -> None:
    ruling = judge_switching(found(point(1, 1.08, 210_000), point(5, 5.13, 1_000_000)))
    assert ruling.verdict == "refuted"
    assert "about as long as the switch interval" in ruling.evidence
    assert "1.08 ms at 1 ms and 5.13 ms at 5 ms; bytecodes per hold 210 000 and 1 000 000" in ruling.evidence


def test_holds_stretched_by_a_busy_host_refute_it_too_and_it_is_said() -> None:
    ruling = judge_switching(found(point(1, 4.0, 210_000), point(5, 5.13, 1_000_000)))
    assert (ruling.verdict, "busy host" in ruling.evidence) == ("refuted", True)


def test_holds_of_a_hundred_bytecodes_would_support_it() -> None:
    assert judge_switching(found(point(1, 0.004, 105), point(5, 0.004, 98))).verdict == "supported"


@pytest.mark.parametrize(
    ("switching", "verdict"),
    [
        (found(point(1, 1, 1_000_000, holds=3)), "inconclusive"),
        (found(point(1, 0.02, 600)), "inconclusive"),
        (found(), "inconclusive"),
        (found(reason="not applicable: this build has no GIL"), "untestable"),
    ],
)
def test_too_little_is_no_verdict(switching: Switching, verdict: str) -> None:
    assert judge_switching(switching).verdict == verdict


def test_the_length_of_a_loop_is_counted_in_instructions() -> None:
    def none() -> int:
        return 1

    def short(n: int) -> None:
        while n:
            n -= 1

    def longer(n: int, m: int) -> None:
        while n:
            n -= 1
            m += n

    assert loop_length(none.__code__) == 0
    assert 4 <= loop_length(short.__code__) < loop_length(longer.__code__) <= 20


@pytest.mark.skipif(bool(gil_reason()), reason=gil_reason())
def test_this_interpreter_never_counts_to_a_hundred() -> None:
    before = sys.getswitchinterval()
    measured = measure_switching((0.001, 0.005), seconds=0.3)
    assert sys.getswitchinterval() == before
    assert judge_switching(measured).verdict in ("refuted", "inconclusive")
    assert measured.points[1].bytecodes_per_hold > 1000

"""A probe's judgement, from scripted evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gilstudy.probing.changing import change
from gilstudy.probing.evidence import Doubt, Evidence, is_firm, is_for_an_instant, judge

MS = 1_000_000
HELD = Evidence(
    calls=100, window_ns=100 * MS, calls_looked=50, looks=1000, looks_effective=1000, longest_hold_ns=MS,
    votes=50, beat_window_ns=50 * MS,
)  # fmt: skip
FREED = replace(
    HELD, calls_released=100, times_released=50, looks_free=900, votes_free=45.0, votes_squared=41.0,
    beats=60, longest_release_ns=9 * MS,
)  # fmt: skip
INSTANT = replace(
    FREED, looks_free=2, votes_free=0.1, votes_squared=0.01, beats=0, window_ns=1000 * MS, longest_release_ns=0
)
OWN = replace(FREED, looks_free=100, looks_others=890, votes_free=5.0, votes_squared=1.0)


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        (HELD, "holds"),
        (replace(HELD, looks=0, looks_effective=0), "holds"),  # the mark is exact: the host may be as busy as it is
        (replace(HELD, beats=1), "inconclusive"),
        (replace(HELD, looks_against=1), "inconclusive"),
        (Evidence(), "inconclusive"),
        (FREED, "releases"),
        (replace(FREED, looks_free=500), "releases"),
        (replace(FREED, looks_free=499), "mixed"),
        (replace(FREED, looks_free=100, votes_free=20.0, votes_squared=9.0), "mixed"),
        (replace(FREED, beats=0), "inconclusive"),
        (replace(FREED, looks=9, looks_free=9), "inconclusive"),
        (replace(FREED, looks=30, looks_effective=30, looks_free=30), "releases"),
        (replace(FREED, looks=30, looks_effective=30, looks_free=16), "inconclusive"),
        (INSTANT, "holds"),
        (replace(INSTANT, beats=5), "holds"),  # somebody may have been quick
        (OWN, "not-judged"),
        # others hold the GIL now and then, and work without it: a pool of C
        (replace(OWN, looks_free=700, looks_others=290, others_cpu_ns=80 * MS), "releases"),
        (replace(OWN, looks_free=850, looks_others=140), "releases"),
        # what they use of a CPU, they use with the GIL; the rest of the time they wait for the CPU
        (replace(OWN, looks_free=600, looks_others=390, others_cpu_ns=20 * MS), "inconclusive"),
    ],
)
def test_the_witnesses_must_not_contradict_each_other(evidence: Evidence, verdict: str) -> None:
    found, reason = judge(evidence)
    assert (found, bool(reason)) == (verdict, verdict in ("inconclusive", "not-judged"))


def test_the_reason_names_the_witness_who_differs() -> None:
    assert "the heartbeat thread never got it" in judge(replace(FREED, beats=0))[1]
    assert "never found to let it go in 100 calls" in judge(replace(HELD, beats=2))[1]
    assert "seen free 3 times in 1000 looks" in judge(replace(HELD, looks_against=3))[1]
    assert (
        "of 50 looks at the GIL 8 were on time: the host is too busy"
        in judge(replace(FREED, looks=8, looks_late=42, looks_free=8))[1]
    )
    assert "threads of its own, which had the GIL for 89%" in judge(OWN)[1]


def test_an_instant_is_short_and_a_small_part_of_the_usual_call() -> None:
    assert is_for_an_instant(INSTANT)
    assert not is_for_an_instant(HELD)
    assert not is_for_an_instant(FREED)
    # 15 % of a call of 20 us is 3 us: nobody wakes up in that time
    short = replace(FREED, window_ns=100 * 20_000, looks_free=150, votes_free=7.5, votes_squared=7.5)
    assert is_for_an_instant(short)
    assert not is_for_an_instant(replace(short, votes_free=20.0, votes_squared=20.0))
    # one call in fifty that the host kept from going on in the midst of it
    stretched = replace(INSTANT, looks_free=400, looks_effective=2, votes_free=1.0, votes_squared=0.9)
    assert is_for_an_instant(stretched)
    assert judge(stretched)[0] == "holds"
    # 10 ms of every second, seen by all calls alike
    assert not is_for_an_instant(replace(INSTANT, window_ns=100_000 * MS, votes_free=0.5, votes_squared=0.0051))


def test_more_is_asked_near_the_border_between_two_verdicts() -> None:
    assert is_firm(HELD)
    assert is_firm(FREED)
    assert is_firm(INSTANT)
    assert is_firm(OWN)
    assert not is_firm(replace(FREED, looks_free=500))
    assert not is_firm(replace(FREED, beats=0))
    assert not is_firm(replace(INSTANT, looks=50))


def test_evidence_adds_up() -> None:
    both = HELD + FREED
    assert (both.looks, both.looks_free, both.beats, both.longest_release_ns) == (2000, 900, 60, 9 * MS)
    assert both.released is not None and both.released.point == 0.45


def test_looks_may_be_those_of_undisturbed_calls_alone() -> None:
    calm = replace(FREED, looks=500, looks_free=490, looks_effective=400, votes=20, votes_free=19.5, votes_squared=19.1)
    both = FREED.with_looks_of(calm)
    assert both.released == calm.released
    assert (both.calls, both.beats, both.times_released) == (FREED.calls, FREED.beats, FREED.times_released)


ONCE = Evidence(calls=1, calls_released=1, window_ns=50 * MS, looks=400, looks_effective=400, looks_free=396,
                votes=1, votes_free=0.99, votes_squared=0.98, longest_release_ns=49 * MS)  # fmt: skip
LATER = replace(HELD, window_ns=100 * 3000)  # of 3 us each


def test_arguments_that_were_used_up_are_told_and_nothing_is_judged() -> None:
    found = change(ONCE, 0, LATER, "holds")
    assert isinstance(found, Doubt)
    assert found.verdict == "not-judged"
    assert "the first call took 50 ms, later ones 3 us" in found.reason
    assert "used up" in found.reason


def test_a_first_call_that_did_more_is_told_where_that_changes_nothing() -> None:
    told = change(replace(ONCE, calls_released=0, looks_free=0), 0, LATER, "holds")  # it imported something
    assert isinstance(told, str) and "this is about the later ones" in told
    assert change(ONCE, 49_900_000, LATER, "holds") == ""  # it only waited for a CPU
    assert change(replace(ONCE, window_ns=900_000), 0, LATER, "holds") == ""
    assert change(ONCE, 0, replace(FREED, window_ns=100 * 40 * MS), "releases") == ""

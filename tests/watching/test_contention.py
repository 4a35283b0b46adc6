"""Who waited for the GIL, how long, and while who held it. All from scripted traces."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from scripted import MS, lane, of, printed, start_up, two_threads

from gilstudy.report.timeline import detail
from gilstudy.watching.contention import Stall, Wait, busiest_stretch, waits, worst_stall
from gilstudy.watching.trace import FREE, Lane, State


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (of((1, "blocked"), (5, "waiting"), (6, "holding")), [(1, 5, True)]),
        (of((1, "blocked"), (5, "waiting"), (7, "ready"), (9, "holding")), [(1, 7, True)]),  # woken, the CPU came late
        (of((1, "blocked"), (5, "waiting"), (7, "ready"), (9, "blocked")), [(1, 5, True)]),
        (of((1, "blocked"), (3, "waiting"), (4, "ready"), (9, "waiting"), (10, "holding")), [(1, 9, True)]),
        (of((1, "blocked"), (3, "waiting"), (4, "unknown"), (9, "waiting"), (10, "holding")), [(1, 3, 0), (4, 9, 0)]),
        (of((3, "waiting"), (4, "holding"), (9, "waiting")), [(0, 3, False), (4, 9, False)]),
        (of((1, "ready"), (2, "holding"), (3, "blocked")), []),
    ],
)
def test_a_wait_goes_from_asking_to_getting(given: Lane, found: list[tuple[int, int, int]]) -> None:
    assert waits(given, ()) == [Wait(begin * MS, end * MS, bool(is_whole)) for begin, end, is_whole in found]


@pytest.mark.parametrize("state", ["running", "off-cpu", "unknown"])
def test_a_wait_goes_on_while_another_thread_holds_the_gil_without_a_break(state: State) -> None:
    def held(*changes_ms: int) -> tuple[tuple[int, int, int], ...]:
        return tuple((begin * MS, end * MS, 1) for begin, end in pairwise((0, *changes_ms)))

    woken = of((2, "blocked"), (10, "waiting"), (12, state), (18, "waiting"), (20, "holding"))
    assert waits(woken, held(18)) == [Wait(2 * MS, 18 * MS, True)]
    assert waits(woken, held(10, 18)) == [Wait(2 * MS, 18 * MS, True)]
    for apart in (held(11, 18), ((0, 10 * MS, 1), (10 * MS, 12 * MS, FREE), (12 * MS, 18 * MS, 1))):
        assert [wait[:2] for wait in waits(woken, apart)] == [(2 * MS, 10 * MS), (12 * MS, 18 * MS)]
    left = of((2, "blocked"), (10, "waiting"), (12, state), (18, "blocked"))
    assert [wait[:2] for wait in waits(left, held(18))] == [(2 * MS, 10 * MS)]


def test_pieces_apart_are_waits_apart() -> None:
    apart = lane("x", 1, ((0, 1, "blocked"), (1, 3, "waiting"), (4, 6, "waiting"), (6, 7, "holding")))
    assert waits(apart, ()) == [Wait(1, 3, False), Wait(4, 6, False)]


def test_the_worst_hold_is_the_one_that_others_waited_for() -> None:
    trace = start_up()
    worst = Stall(waited_ns=15 * MS, waiter="main", holder="worker", begin_ns=105 * MS)
    assert worst_stall(trace, [waits(one, trace.holders) for one in trace.lanes]) == worst
    text = " ".join(printed(trace).split())
    assert "others waited longest, 15.0 ms, while worker held it" in text
    assert "waits 1 for the GIL: longest 15.0 ms by main" in text


def test_if_nobody_waited_the_longest_hold_is_told_and_that() -> None:
    trace = start_up()
    alone = replace(trace, lanes=(of((100, "holding"), (200, "blocked")), trace.lanes[1]))
    assert "longest 20.0 ms by worker, while nobody was seen to wait" in " ".join(printed(alone).split())


def test_a_wait_whose_end_was_not_seen_lasted_longer() -> None:
    stuck = lane("stuck", 3, ((0, 10 * MS, "blocked"), (10 * MS, 200 * MS, "waiting")))
    text = printed(replace(start_up(), lanes=(*start_up().lanes, stuck)))
    assert "waits     2 for the GIL: longest >190 ms by stuck" in text


def test_the_window_is_where_most_waited() -> None:
    begin, end = busiest_stretch(start_up(), 30 * MS)
    assert (begin, end) == (round(97.5 * MS), round(127.5 * MS))  # the wait is in its middle
    assert busiest_stretch(two_threads(), 10 * MS) == (1045 * MS, 1055 * MS)  # everywhere alike
    assert busiest_stretch(two_threads(lanes=(), holders=((1000 * MS, 1010 * MS, 0),)), 20 * MS)[0] <= 1000 * MS


def test_a_long_wait_is_shown_from_end_to_end() -> None:
    main = lane("m", 1, ((0, 300 * MS, "blocked"), (300 * MS, 500 * MS, "waiting"), (500 * MS, 999 * MS, "blocked")))
    holders = (*((n * MS, (n + 1) * MS, 1) for n in range(300)), (300 * MS, 500 * MS, 1), (500 * MS, 501 * MS, 1))
    trace = two_threads(begin_ns=0, end_ns=1000 * MS, lanes=(main,), holders=holders)
    assert detail(trace, 60) == (275 * MS, 525 * MS)

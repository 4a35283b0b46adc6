"""How many waited, against what is guessed of each thread: scripted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from properties import given, st

from gilstudy.watching.pieces import Glimpse, Queue
from gilstudy.watching.queueing import Thread, settled
from gilstudy.watching.trace import Piece, State

MS = 1_000_000


def ms(pieces: Sequence[Piece]) -> list[tuple[float, float, str]]:
    return [(begin / MS, end / MS, state) for begin, end, state in pieces]


def guess(begin: int, end: int, state: State, asleep: float = 1.0) -> Glimpse:
    return Glimpse(begin * MS, end * MS, state, asleep=asleep)


def told(*threads: Sequence[Glimpse], queue: Sequence[tuple[int, int]] = ()) -> list[list[tuple[float, float, str]]]:
    queues: list[Queue] = [(at * MS, count) for at, count in queue]
    return [ms(one.pieces) for one in settled([Thread(parts, (), may_wait=True) for parts in threads], queues)]


def test_guesses_stay_if_nobody_counted() -> None:
    parts = [guess(0, 4, "waiting"), guess(4, 8, "blocked")]
    expected = [[(0, 4, "waiting"), (4, 8, "blocked")]]
    assert told(parts) == expected
    assert told(parts, queue=[(0, 0), (6, -1)]) == expected


def test_nobody_waited_where_none_was_counted() -> None:
    assert told([guess(0, 4, "waiting")], queue=[(0, 0)]) == [[(0, 4, "blocked")]]


def test_whoever_is_left_is_the_one_that_waited() -> None:
    waits, sleeps = [Glimpse(0, 8 * MS, "waiting")], [guess(0, 8, "blocked")]
    assert told(waits, sleeps, queue=[(0, 1), (6, 2)]) == [[(0, 8, "waiting")], [(0, 6, "blocked"), (6, 8, "waiting")]]


def test_a_guess_comes_before_those_of_whom_nothing_is_guessed() -> None:
    assert told([guess(0, 8, "waiting")], [guess(0, 8, "blocked")], queue=[(0, 1)]) == [
        [(0, 8, "waiting")],
        [(0, 8, "blocked")],
    ]


def test_those_that_are_alike_share_what_was_counted() -> None:
    two = told([guess(0, 8, "blocked")], [guess(0, 8, "blocked")], queue=[(0, 1)])
    assert two == [[(0, 4, "blocked"), (4, 8, "waiting")]] * 2


def test_a_sleep_whose_kind_is_proven_is_left_alone() -> None:
    asleep = [Glimpse(0, 8 * MS, "blocked")]
    assert told(asleep, [guess(0, 8, "off-cpu")], queue=[(0, 1)]) == [[(0, 8, "blocked")], [(0, 8, "waiting")]]


def test_one_without_a_thread_state_never_waits() -> None:
    native = Thread([guess(0, 8, "off-cpu")], (), may_wait=False)
    assert ms(settled([native], [(0, 1)])[0].pieces) == [(0, 8, "off-cpu")]


def test_where_it_is_not_known_when_it_is_known_how_long() -> None:
    unseen = Glimpse(0, 40 * MS, "unknown", asleep=0.5, ran=0.25, ready=0.25)
    (one,) = settled([Thread([unseen], (), may_wait=True)], [(0, 0), (20 * MS, 1)])
    assert ms(one.pieces) == [(0, 40, "unknown")]
    assert one.unplaced_ns == {"running": 10 * MS, "ready": 10 * MS, "waiting": 10 * MS, "blocked": 10 * MS}


def test_where_nobody_counted_it_is_not_known_at_all() -> None:
    unseen = Glimpse(0, 40 * MS, "unknown", asleep=0.5, ran=0.25, ready=0.25)
    assert settled([Thread([unseen], (), may_wait=True)], [])[0].unplaced_ns == {}


def test_a_hold_begins_where_it_began() -> None:
    holds = ((0, 2 * MS), (2 * MS, 4 * MS))
    parts = [Glimpse(0, 2 * MS, "holding"), Glimpse(2 * MS, 3 * MS, "holding"), Glimpse(3 * MS, 4 * MS, "holding")]
    (one,) = settled([Thread(parts, holds, may_wait=True)], [])
    assert ms(one.pieces) == [(0, 2, "holding"), (2, 4, "holding")]


STATES: tuple[State, ...] = ("waiting", "blocked", "running", "off-cpu", "unknown")


KINDS = st.tuples(st.sampled_from(STATES), st.sampled_from([0.0, 0.25, 1.0]))


def spread(edges: set[int], kinds: Sequence[tuple[State, float]]) -> list[Glimpse]:
    """Neighbouring parts from edge to edge, of these states, so much of each asleep."""
    return [guess(b, e, *kind) for (b, e), kind in zip(pairwise(sorted(edges)), kinds, strict=False)]


THREADS = st.builds(
    spread, st.sets(st.integers(0, 50), min_size=2, max_size=8), st.lists(KINDS, min_size=7, max_size=7)
)


@given(st.lists(THREADS, min_size=1, max_size=4), st.lists(st.integers(0, 4), min_size=1, max_size=10))
def test_no_time_is_lost_and_no_more_waited_than_were_counted(parts: list[list[Glimpse]], counts: list[int]) -> None:
    queues = [(5 * place * MS, count) for place, count in enumerate(counts)]
    found = settled([Thread(one, (), may_wait=True) for one in parts], queues)
    for one, given_parts in zip(found, parts, strict=True):
        assert one.pieces[0][0] == given_parts[0].begin_ns
        assert one.pieces[-1][1] == given_parts[-1].end_ns
        assert all(before[1] == after[0] for before, after in pairwise(one.pieces))
        assert all(length >= 0 for length in one.unplaced_ns.values())
    last = max(part.end_ns for one in parts for part in one)
    ends = [at for at, _ in queues[1:]] + [max(last, queues[-1][0])]
    counted = sum(count * (end - begin) for (begin, count), end in zip(queues, ends, strict=True))
    sure = sum(p.end_ns - p.begin_ns for one in parts for p in one if p.state == "waiting" and p.asleep == 0.0)
    waited = sum(e - b for one in found for b, e, state in one.pieces if state == "waiting")
    waited += sum(one.unplaced_ns.get("waiting", 0) for one in found)
    assert waited <= counted + sure + 100  # each is rounded to a nanosecond

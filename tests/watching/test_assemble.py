"""Raw entries of the native watch, scripted, and the trace that they must make."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from gilstudy.watching.assemble import Raw, RawLook, assemble
from gilstudy.watching.contention import merged
from gilstudy.watching.pieces import ENDED, Look, process_pieces
from gilstudy.watching.summary import quantile, summarise
from gilstudy.watching.trace import FREE, OFF, UNKNOWN

MS = 1_000_000
RUNNING, READY, WAITING, BLOCKED, OFF_CPU, HOLDING = range(6)
A, B = 0xA0, 0xB0
"""Addresses of thread states."""


def raw(**changes: Any) -> Raw:
    facts = {
        "begin_ns": 1 * MS, "end_ns": 101 * MS, "polls": 100, "longest_gap_ns": MS, "cpu_ns": 0,
        "first_switches": 10, "last_switches": 10,
        "lost_changes": 0, "lost_turns": 0, "lost_threads": 0, "lost_lanes": 0,
        "opened_anew": 0,
        "interval_us": 5000,
        "interval_changes": 0,
        "others": 0,
    }  # fmt: skip
    facts |= changes.pop("facts", {})
    given: dict[str, Any] = {
        "facts": facts,
        "changes": (),
        "turns": (),
        "threads": ((0, 1, 501, MS), (1, 2, 502, MS)),
        "lanes": ((0, 501, 0, False, "python"), (1, 502, 0, False, "python")),
        "gil_reason": "",
        "lanes_reason": "",
        "switch_interval_s": 0.005,
        "period_ns": MS,
        "names": {501: "MainThread", 502: "other"},
    }
    return Raw(**given | changes)


def test_holds_go_from_one_change_to_the_next() -> None:
    trace = assemble(raw(changes=((1 * MS, A, 10, 0), (11 * MS, B, 11, 1), (31 * MS, 0, 11, -1), (41 * MS, A, 12, 0))))
    assert trace.holders == (
        (1 * MS, 11 * MS, 0),
        (11 * MS, 31 * MS, 1),
        (31 * MS, 41 * MS, FREE),
        (41 * MS, 101 * MS, 0),
    )
    assert [lane.holds for lane in trace.lanes] == [((1 * MS, 11 * MS), (41 * MS, 101 * MS)), ((11 * MS, 31 * MS),)]


def test_a_hold_is_cut_where_the_gil_was_elsewhere_between_two_looks() -> None:
    # Both looks found A, but the counter went on by two: B had it between them.
    trace = assemble(raw(changes=((1 * MS, A, 10, 0), (21 * MS, A, 12, 0))))
    assert trace.holders == ((1 * MS, 21 * MS, 0), (21 * MS, 101 * MS, 0))


def test_handoffs_are_counted_past_free_spells_and_not_within_one_thread() -> None:
    changes = ((1 * MS, A, 10, 0), (2 * MS, 0, 10, -1), (3 * MS, A, 10, 0), (4 * MS, 0, 10, -1), (5 * MS, B, 11, 1))
    trace = assemble(raw(changes=changes, facts={"last_switches": 13}))
    assert trace.handoffs_seen == 1
    assert trace.handoffs == 3


def test_one_address_may_be_two_threads_in_turn() -> None:
    threads = ((0, 1, 501, MS), (1, 2, 502, 2 * MS), (2, 3, 503, 9 * MS))
    lanes = tuple((number, native, 0, False, "python") for number, native in enumerate((501, 502, 503)))
    changes = ((1 * MS, A, 10, 0), (3 * MS, B, 11, 1), (5 * MS, A, 12, 0), (10 * MS, B, 13, 2), (12 * MS, A, 14, 0))
    trace = assemble(raw(threads=threads, lanes=lanes, changes=changes))
    assert trace.lanes[1].holds == ((3 * MS, 5 * MS),)
    assert trace.lanes[2].holds == ((10 * MS, 12 * MS),)
    assert trace.lanes[2].name == "thread 503"


def test_a_thread_that_ended_before_its_ids_were_read_has_a_lane_of_its_own() -> None:
    trace = assemble(raw(threads=((0, 1, 501, MS), (1, 7, 0, MS), (2, 7, 0, MS)), lanes=(), changes=((MS, B, 10, 1),)))
    assert [lane.native_id for lane in trace.lanes] == [501, 0, 0]
    assert trace.lanes[1].holds and not trace.lanes[2].holds


def test_a_holder_that_is_in_no_list_is_unknown() -> None:
    assert assemble(raw(changes=((MS, 0xDEAD, 10, -1),))).holders == ((MS, 101 * MS, UNKNOWN),)


def test_a_build_without_a_gil_shows_nothing_of_it() -> None:
    trace = assemble(raw(changes=((MS, 1, 10, -1),), gil_reason="not applicable: this build has no GIL"))
    assert trace.holders == ()
    assert trace.handoffs is None
    summary = summarise(trace)
    assert (summary.held, summary.contended, summary.holds) == (None, None, None)


def test_a_gil_that_is_turned_on_meanwhile_is_seen_from_then_on() -> None:
    trace = assemble(raw(changes=((MS, 1, 10, -1), (51 * MS, A, 11, 0))))
    assert trace.holders == ((MS, 51 * MS, OFF), (51 * MS, 101 * MS, 0))
    assert summarise(trace).held == 1.0


Seen = tuple[float, ...]
"""When, the state; CPU time, and time of waiting for a CPU (0), since the look before; how long ago that was (1 ms)."""


def looks(lane: int, *seen: Seen) -> tuple[RawLook, ...]:
    """Looks that told something new, all times in milliseconds."""
    turns: list[RawLook] = []
    cpu = delay = 0.0
    for at, state, ran, ready, gap in ((*one, 0.0, 1.0)[:5] if len(one) == 3 else (*one, 1.0)[:5] for one in seen):
        cpu, delay = cpu + ran, delay + ready
        before = at - gap if turns else at
        before_ns, *numbers = (round(number * MS) for number in (before, at, ran, ready, cpu, delay))
        looked_ns, ran_ns, ready_ns, cpu_ns, delay_ns = numbers
        turns.append(Look(lane, int(state), before_ns, looked_ns, ran_ns, ready_ns, cpu_ns, delay_ns, 0))
    return tuple(turns)


def did(
    *seen: Seen, changes: tuple[tuple[int, int, int, int], ...] = (), **others: Any
) -> list[tuple[float, float, str]]:
    """What the second thread did, in milliseconds."""
    pieces = assemble(raw(turns=looks(1, *seen), changes=changes, **others)).lanes[1].pieces
    return [(begin / MS, end / MS, state) for begin, end, state in pieces]


def test_states_are_laid_under_the_holds() -> None:
    changes = ((1 * MS, A, 10, 0), (30 * MS, B, 11, 1), (59 * MS, A, 12, 0))
    found = did((1, BLOCKED, 0), (20.5, WAITING, 0), (30.5, HOLDING, 0.5), (59.5, BLOCKED, 0.5), changes=changes)
    assert found == [(1, 20, "blocked"), (20, 30, "waiting"), (30, 59, "holding"), (59, 101, "blocked")]


def test_who_gets_the_gil_from_another_waited_for_it_half_of_the_time_that_is_not_known() -> None:
    changes = ((1 * MS, A, 10, 0), (30 * MS, B, 11, 1))
    found = did((1, BLOCKED, 0), (31, HOLDING, 1, 0, 5), changes=changes)
    assert found == [(1, 28, "blocked"), (28, 30, "waiting"), (30, 101, "holding")]


def test_who_gets_a_free_gil_has_not_waited_for_it() -> None:
    changes = ((1 * MS, A, 10, 0), (20 * MS, 0, 10, -1), (30 * MS, B, 11, 1))
    assert did((1, BLOCKED, 0), (31, HOLDING, 1, 0, 5), changes=changes) == [(1, 30, "blocked"), (30, 101, "holding")]


def test_who_had_the_gil_again_and_again_waited_while_another_had_it() -> None:
    changes = ((1 * MS, B, 10, 1), (11 * MS, A, 11, 0), (13 * MS, B, 12, 1))
    found = did((1, HOLDING, 0), (14, HOLDING, 3, 0, 5), changes=changes)
    assert found == [(1, 11, "holding"), (11, 13, "waiting"), (13, 101, "holding")]


def test_the_clock_tells_when_a_thread_stopped_running() -> None:
    assert did((1, RUNNING, 0), (21, BLOCKED, 2, 0, 5), (30, BLOCKED, 0)) == [
        (1, 18, "running"),
        (18, 101, "blocked"),
    ]


def test_the_clock_tells_when_a_thread_began_to_run_and_how_long_it_waited_for_a_cpu() -> None:
    found = did((1, BLOCKED, 0), (21, RUNNING, 2, 1.5, 5), (30, RUNNING, 1))
    assert found == [(1, 17.5, "blocked"), (17.5, 19, "ready"), (19, 101, "running")]


def test_who_was_woken_long_before_it_got_a_cpu_was_ready_and_not_asleep() -> None:
    # Its clock stood still, so that nothing was looked up; the kernel's count tells it afterwards.
    found = did((1, BLOCKED, 0), (21, RUNNING, 0.5, 9.5, 1))
    assert found == [(1, 11, "blocked"), (11, 20.5, "ready"), (20.5, 101, "running")]


def test_between_two_looks_it_slept_as_long_as_it_did_not_run() -> None:
    found = did((1, BLOCKED, 0), (21, BLOCKED, 2, 1, 4), (30, BLOCKED, 0))
    assert found == [(1, 17.5, "blocked"), (17.5, 18.5, "ready"), (18.5, 20.5, "running"), (20.5, 101, "blocked")]


@pytest.mark.parametrize(("kinds", "kind"), [((BLOCKED, RUNNING), "blocked"), ((RUNNING,), "off-cpu")])
def test_a_sleep_between_two_looks_that_found_it_running_is_of_the_last_kind_seen(
    kinds: tuple[int, ...], kind: str
) -> None:
    before: list[Seen] = [(1 + n, state, n) for n, state in enumerate(kinds)]
    found = did(*before, (20, RUNNING, 4, 0, 4), (24, RUNNING, 2, 0, 4))
    assert found[-3:] == [(found[-3][0], 21, "running"), (21, 23, kind), (23, 101, "running")]


def test_what_was_not_seen_is_unknown() -> None:
    trace = assemble(raw(turns=looks(1, (1, BLOCKED, 0), (60, WAITING, 5, 0, 30), (80, BLOCKED, 0))))
    pieces = [(begin / MS, end / MS, state) for begin, end, state in trace.lanes[1].pieces]
    assert pieces[:3] == [(1, 30, "blocked"), (30, 60, "unknown"), (60, 79.5, "waiting")]
    assert trace.longest_unseen_ns == 30 * MS
    assert summarise(trace).lanes[1].unseen_ns == 30 * MS


@pytest.mark.parametrize("state", [BLOCKED, WAITING])
def test_a_clock_that_stood_still_proves_that_a_sleep_went_on(state: int) -> None:
    assert [s for _, _, s in did((1, state, 0), (60, state, 0, 0, 50))] == [("blocked", "waiting")[state == WAITING]]


def test_a_clock_that_went_on_all_the_time_proves_that_it_ran() -> None:
    assert did((1, RUNNING, 0), (60, RUNNING, 50, 0, 50)) == [(1, 101, "running")]


SEEN = ((1 * MS, A, 10, 0), (20 * MS, 0xC0, 11, 2), (50 * MS, A, 12, 0))
"""B had it at no time."""


@pytest.mark.parametrize(
    ("changes", "proven"),
    [
        (SEEN, True),
        ((*SEEN[:2], (50 * MS, A, 13, 0)), False),  # one hand-off was missed
        ((*SEEN[:2], (40 * MS, 0, 12, -1), (50 * MS, A, 13, 0)), False),  # somebody let it go before he was seen
        ((*SEEN[:2], (40 * MS, 0xDEAD, 12, -1), (50 * MS, A, 13, 0)), False),  # it may have been he
        ((SEEN[0], (20 * MS, B, 11, 1), (25 * MS, A, 12, 0)), False),  # it was he
        (((1 * MS, B, 10, 1), (9 * MS, 0, 10, -1)), False),  # taking it back is not counted
    ],
)
def test_the_gils_record_proves_a_wait(changes: tuple[tuple[int, int, int, int], ...], proven: bool) -> None:
    threads = ((0, 1, 501, MS), (1, 2, 502, MS), (2, 3, 503, MS))
    found = did((10, WAITING, 0), (60, WAITING, 2, 0, 50), changes=changes, threads=threads)
    assert ("unknown" not in [state for _, _, state in found]) == proven


def test_a_thread_that_ran_much_of_a_long_time_is_not_said_to_have_slept() -> None:
    assert "unknown" in [s for _, _, s in did((1, BLOCKED, 0), (60, BLOCKED, 25, 0, 50))]
    assert [s for _, _, s in did((1, BLOCKED, 0), (60, BLOCKED, 4, 0, 50))] == ["blocked", "running", "blocked"]


def test_a_lane_ends_with_its_thread() -> None:
    assert did((1, RUNNING, 0), (40.5, ENDED, 0)) == [(1, 40, "running")]
    assert did((1, BLOCKED, 0), (40.5, ENDED, 0, 0, 30)) == [(1, 10.5, "blocked")]


def test_pieces_never_overlap() -> None:
    states = (HOLDING, WAITING, BLOCKED, READY, RUNNING)
    turns = looks(0, *((1 + 0.7 * n, states[n % 5], 0.3 * n, 0.2 * n, 0.1 * (n % 8)) for n in range(140)))
    changes = tuple((MS + n * 300_000, A if n % 3 else 0, 10 + n, 0 if n % 3 else -1) for n in range(300))
    pieces = assemble(raw(turns=turns, changes=changes)).lanes[0].pieces
    assert all(one[1] <= other[0] for one, other in pairwise(pieces))
    assert all(begin < end for begin, end, _ in pieces)


def test_who_has_no_name_from_python_is_called_what_the_system_calls_it() -> None:
    lanes = (
        (0, 501, 0, False, "gilstudy"), (1, 502, 0, False, "gilstudy"), (2, 503, 0, False, "tokio-runtime-w"),
        (3, 504, 0, False, "gilstudy"), (4, 505, 0, False, ""), (5, 900, 501, True, "gilstudy"),
        (6, 901, 501, True, "git"), (7, 902, 501, True, "gilstudy"),
    )  # fmt: skip
    threads = ((0, 1, 501, MS), (1, 2, 502, MS), (2, 3, 0, MS))
    trace = assemble(raw(lanes=lanes, threads=threads, names={501: "MainThread", 902: "ForkPoolWorker-1"}))
    assert [lane.name for lane in trace.lanes] == [
        "MainThread", "thread 502", "thread that ended at once", "tokio-runtime-w", "native thread 504",
        "native thread 505", "child process 900", "git 901", "ForkPoolWorker-1",
    ]  # fmt: skip


def test_threads_are_told_apart_though_the_system_gave_one_id_to_both() -> None:
    threads = ((0, 1, 501, MS), (1, 2, 502, MS), (2, 3, 502, 9 * MS))
    changes = ((1 * MS, B, 10, 1), (20 * MS, B, 12, 2))
    trace = assemble(raw(threads=threads, changes=changes))
    assert [(lane.name, lane.holds) for lane in trace.lanes[1:]] == [
        ("thread 502", ((1 * MS, 20 * MS),)), ("other", ((20 * MS, 101 * MS),)),
    ]  # fmt: skip


def test_a_forgotten_threads_holds_are_nobodys() -> None:
    changes = ((1 * MS, A, 10, 7), (20 * MS, B, 11, 8))
    trace = assemble(raw(threads=((8, 2, 502, MS),), lanes=(), changes=changes, facts={"lost_threads": 8}))
    assert trace.holders == ((1 * MS, 20 * MS, UNKNOWN), (20 * MS, 101 * MS, 0))
    assert trace.lost.threads == 8


def test_a_process_has_cpu_time_and_no_states_of_the_kernel() -> None:
    lanes = ((0, 501, 0, False, "python"), (1, 900, 501, True, "python"))
    turns = looks(1, (1, OFF_CPU, 0), (50, RUNNING, 40), (100, RUNNING, 50))
    lane = assemble(raw(lanes=lanes, threads=((0, 1, 501, MS),), turns=turns, names={900: "worker 0"})).lanes[1]
    assert (lane.name, lane.is_process, lane.cpu_ns, lane.ready_ns) == ("worker 0", True, 90 * MS, None)
    assert [(b / MS, e / MS, s) for b, e, s in lane.pieces] == [(1, 49.5, "off-cpu"), (49.5, 101, "running")]


# -- figures ---------------------------------------------------------------------------------------------------------


def test_only_complete_holds_have_a_length() -> None:
    changes = ((1 * MS, A, 10, 0), (11 * MS, B, 11, 1), (16 * MS, A, 12, 0), (23 * MS, B, 13, 1))
    summary = summarise(assemble(raw(changes=changes)))
    assert summary.holds is not None
    assert (summary.holds.count, summary.holds.median_ns, summary.holds.longest_ns) == (2, 6 * MS, 7 * MS)
    assert summary.holds.longest_by == "MainThread"


def test_contended_is_held_while_another_waits() -> None:
    turns = looks(1, (1, BLOCKED, 0), (21.5, WAITING, 0), (71.5, BLOCKED, 0))
    changes = ((1 * MS, A, 10, 0), (61 * MS, 0, 10, -1))
    summary = summarise(assemble(raw(changes=changes, turns=turns)))
    assert summary.held == pytest.approx(0.6)
    assert summary.contended == pytest.approx(0.4)
    assert summary.lanes[1].in_state_ns["waiting"] == 50 * MS


def test_union_of_spans() -> None:
    assert merged([(5, 9), (1, 3), (2, 6), (10, 11)]) == [(1, 9), (10, 11)]


@pytest.mark.parametrize(("share", "value"), [(0.01, 1), (0.5, 50), (0.99, 99), (1.0, 100)])
def test_quantile_is_the_nearest_rank(share: float, value: int) -> None:
    assert quantile(range(1, 101), share) == value


def test_a_state_whose_own_thread_has_not_begun_takes_nobodys_name() -> None:
    """It has its maker's ids until then; and a thread's next state has those of the one before."""
    threads = ((0, 1, 501, MS), (1, 1, 501, 2 * MS))
    changes = ((MS, A, 10, 0), (5 * MS, A, 11, 1))
    trace = assemble(raw(threads=threads, lanes=(), changes=changes, names={501: "MainThread"}))
    assert [lane.name for lane in trace.lanes] == ["MainThread"]
    assert len(trace.lanes[0].holds) >= 1


def test_a_child_process_of_which_every_look_was_overwritten_has_no_pieces() -> None:
    assert process_pieces([], 5 * MS) == []

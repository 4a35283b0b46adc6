"""Raw entries of the native watch, scripted, and the trace that they must make."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from gilstudy.assemble import ENDED, Raw, Turn, assemble
from gilstudy.contention import merged
from gilstudy.summary import quantile, summarise
from gilstudy.trace import FREE, OFF, UNKNOWN

MS = 1_000_000
RUNNING, READY, WAITING, BLOCKED = 0, 1, 2, 3
A, B = 0xA0, 0xB0
"""Addresses of thread states."""


def raw(**changes: Any) -> Raw:
    facts = {
        "begin_ns": 1 * MS, "end_ns": 101 * MS, "polls": 100, "longest_gap_ns": MS, "cpu_ns": 0,
        "first_switches": 10, "last_switches": 10,
        "lost_changes": 0, "lost_turns": 0, "lost_threads": 0, "lost_lanes": 0,
    }  # fmt: skip
    facts |= changes.pop("facts", {})
    given: dict[str, Any] = {
        "facts": facts,
        "changes": (),
        "turns": (),
        "threads": ((1, 501, MS), (2, 502, MS)),
        "lanes": ((501, 0, False, "python"), (502, 0, False, "python")),
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
    threads = ((1, 501, MS), (2, 502, 2 * MS), (3, 503, 9 * MS))
    lanes = tuple((native, 0, False, "python") for native in (501, 502, 503))
    changes = ((1 * MS, A, 10, 0), (3 * MS, B, 11, 1), (5 * MS, A, 12, 0), (10 * MS, B, 13, 2), (12 * MS, A, 14, 0))
    trace = assemble(raw(threads=threads, lanes=lanes, changes=changes))
    assert trace.lanes[1].holds == ((3 * MS, 5 * MS),)
    assert trace.lanes[2].holds == ((10 * MS, 12 * MS),)
    assert trace.lanes[2].name == "thread 503"


def test_a_thread_that_ended_before_its_ids_were_read_has_a_lane_of_its_own() -> None:
    trace = assemble(raw(threads=((1, 501, MS), (7, 0, MS), (7, 0, MS)), lanes=(), changes=((MS, B, 10, 1),)))
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


def turn(at_ms: float, lane: int, state: int, cpu_ms: float = 0) -> Turn:
    return (round(at_ms * MS), lane, state, round(cpu_ms * MS), 0, 0, round(at_ms * MS))


def test_states_are_laid_under_the_holds() -> None:
    turns = (turn(1, 1, BLOCKED), turn(20, 1, WAITING), turn(30.5, 1, RUNNING), turn(60, 1, BLOCKED))
    trace = assemble(raw(changes=((1 * MS, A, 10, 0), (30 * MS, B, 11, 1), (59 * MS, A, 12, 0)), turns=turns))
    states = [(begin // MS, end // MS, state) for begin, end, state in trace.lanes[1].pieces]
    assert states == [(1, 20, "blocked"), (20, 30, "waiting"), (30, 59, "holding"), (59, 101, "blocked")]


@pytest.mark.parametrize("wait_ms", [11.4, 14, 19])
def test_what_is_left_of_running_after_a_hold_becomes_what_came_next(wait_ms: float) -> None:
    turns = (turn(1, 0, RUNNING), turn(wait_ms, 0, WAITING, 10), turn(20.4, 0, RUNNING, 10))
    changes = ((1 * MS, A, 10, 0), (11 * MS, B, 11, 1), (20 * MS, A, 12, 0))
    trace = assemble(raw(changes=changes, turns=turns))
    assert [(b // MS, e // MS, s) for b, e, s in trace.lanes[0].pieces] == [
        (1, 11, "holding"), (11, 20, "waiting"), (20, 101, "holding"),
    ]  # fmt: skip


def test_who_gets_the_gil_back_without_having_run_meanwhile_waited_for_it() -> None:
    turns = (turn(1, 0, RUNNING), turn(100, 0, BLOCKED, 90))
    changes = ((1 * MS, A, 10, 0), (11 * MS, B, 11, 1), (20 * MS, A, 12, 0))
    trace = assemble(raw(changes=changes, turns=turns))
    assert [(b // MS, e // MS, s) for b, e, s in trace.lanes[0].pieces][1] == (11, 20, "waiting")


@pytest.mark.parametrize(("end_ms", "cpu_ms"), [(40, 39), (14, 13)])
def test_running_on_without_the_gil_is_told_by_the_cpu_clock(end_ms: int, cpu_ms: float) -> None:
    turns = (turn(1, 0, RUNNING), turn(end_ms, 0, WAITING, cpu_ms), turn(50.4, 0, RUNNING, cpu_ms))
    changes = ((1 * MS, A, 10, 0), (11 * MS, B, 11, 1), (50 * MS, A, 12, 0))
    trace = assemble(raw(changes=changes, turns=turns))
    assert [(b // MS, e // MS, s) for b, e, s in trace.lanes[0].pieces][1] == (11, end_ms, "running")


def test_a_thread_that_never_holds_the_gil_runs_when_it_is_said_to() -> None:
    turns = (turn(1, 1, RUNNING), turn(40, 1, BLOCKED, 5))
    pieces = assemble(raw(changes=((1 * MS, A, 10, 0),), turns=turns)).lanes[1].pieces
    assert [(b // MS, e // MS, s) for b, e, s in pieces] == [(1, 40, "running"), (40, 101, "blocked")]


def test_a_lane_ends_with_its_thread() -> None:
    trace = assemble(raw(turns=(turn(1, 1, RUNNING), turn(30, 1, BLOCKED, 29), turn(40, 1, ENDED, 29))))
    assert trace.lanes[1].pieces[-1][1] == 40 * MS
    assert trace.lanes[1].cpu_ns == 29 * MS


def test_pieces_never_overlap() -> None:
    turns = tuple(turn(1 + 0.7 * n, 0, (RUNNING, WAITING, BLOCKED, READY)[n % 4]) for n in range(140))
    changes = tuple((MS + n * 300_000, A if n % 3 else 0, 10 + n, 0 if n % 3 else -1) for n in range(300))
    pieces = assemble(raw(turns=turns, changes=changes)).lanes[0].pieces
    assert all(one[1] <= other[0] for one, other in pairwise(pieces))
    assert all(begin < end for begin, end, _ in pieces)


def test_who_has_no_name_from_python_is_called_what_the_system_calls_it() -> None:
    lanes = (
        (501, 0, False, "gilstudy"), (502, 0, False, "gilstudy"), (503, 0, False, "tokio-runtime-w"),
        (504, 0, False, "gilstudy"), (505, 0, False, ""), (900, 501, True, "gilstudy"), (901, 501, True, "git"),
        (902, 501, True, "gilstudy"),
    )  # fmt: skip
    threads = ((1, 501, MS), (2, 502, MS), (3, 0, MS))
    trace = assemble(raw(lanes=lanes, threads=threads, names={501: "MainThread", 902: "ForkPoolWorker-1"}))
    assert [lane.name for lane in trace.lanes] == [
        "MainThread", "thread 502", "thread that ended at once", "tokio-runtime-w", "native thread 504",
        "native thread 505", "child process 900", "git 901", "ForkPoolWorker-1",
    ]  # fmt: skip


def test_a_process_has_cpu_time_and_no_states_of_the_kernel() -> None:
    lanes = ((501, 0, False, "python"), (900, 501, True, "python"))
    turns = (turn(1, 1, 4), turn(50, 1, RUNNING, 40), turn(100, 1, RUNNING, 90))
    lane = assemble(raw(lanes=lanes, threads=((1, 501, MS),), turns=turns, names={900: "worker 0"})).lanes[1]
    assert (lane.name, lane.is_process, lane.cpu_ns, lane.ready_ns) == ("worker 0", True, 90 * MS, None)


# -- figures ---------------------------------------------------------------------------------------------------------


def test_only_complete_holds_have_a_length() -> None:
    changes = ((1 * MS, A, 10, 0), (11 * MS, B, 11, 1), (16 * MS, A, 12, 0), (23 * MS, B, 13, 1))
    summary = summarise(assemble(raw(changes=changes)))
    assert summary.holds is not None
    assert (summary.holds.count, summary.holds.median_ns, summary.holds.longest_ns) == (2, 6 * MS, 7 * MS)
    assert summary.holds.longest_by == "MainThread"


def test_contended_is_held_while_another_waits() -> None:
    turns = (turn(1, 1, BLOCKED), turn(21, 1, WAITING), turn(71, 1, BLOCKED))
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

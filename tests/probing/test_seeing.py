"""What glances and beats within calls mean."""

from __future__ import annotations

from gilstudy.probing.seeing import FREE, ON_TIME_NS, Glance, Made, felt_in, seen_in, undisturbed

US, MS = 1000, 1_000_000
CALLER, OTHER = 7, 9


def glance(at_us: float, holder: int, *, late_us: float = 20, took_us: float = 1) -> Glance:
    at = round(at_us * US)
    return (at - round(late_us * US), at, at + round(took_us * US), holder)


def test_only_glances_that_were_taken_within_a_call_count() -> None:
    spans = [Made(100 * US, 200 * US, True), Made(300 * US, 400 * US, True)]
    at = (50, 99, 100, 150, 199, 199.5, 250, 350, 399, 450)
    seen = seen_in([glance(us, FREE) for us in at], spans, CALLER)
    assert seen.evidence.looks == 5  # 100, 150, 199, 350 and 399: that of 199.5 ended after the call
    assert (seen.evidence.looks_free, seen.evidence.calls, seen.evidence.window_ns) == (5, 2, 200 * US)


def test_late_glances_are_no_fair_sample() -> None:
    late = ON_TIME_NS / US
    looks = [glance(10, FREE), glance(20, CALLER, late_us=late), glance(30, FREE, late_us=late - 2)]
    found = seen_in(looks, [Made(0, MS, True)], CALLER).evidence
    assert (found.looks, found.looks_late, found.looks_free) == (2, 1, 2)


def test_a_long_release_beside_a_heartbeat_is_one_and_not_one_for_each_look() -> None:
    looks = [glance(100 * n, FREE) for n in range(1, 4000)]
    found = seen_in(looks, [Made(0, 400 * MS, True)], CALLER).evidence
    assert (found.times_released, found.calls_looked) == (1, 1)
    assert found.longest_release_ns > 399 * MS


def test_how_often_is_a_lower_bound_that_was_seen() -> None:
    holders = [CALLER, FREE, FREE, CALLER, OTHER, FREE, CALLER, FREE]
    looks = [glance(100 * n, holder) for n, holder in enumerate(holders, 1)]
    calls = [Made(0, MS, True), Made(2 * MS, 3 * MS, True), Made(4 * MS, 5 * MS, False)]
    found = seen_in(looks, calls, CALLER).evidence
    assert found.times_released == 3 + 1  # what no look saw, but the mark tells, once; what neither tells, not at all
    assert (found.looks_free, found.looks_others, found.calls_released) == (4, 1, 2)


def test_a_call_that_never_let_go_held_it_for_all_of_its_time() -> None:
    found = seen_in([glance(100, CALLER)], [Made(0, 5 * MS, False)], CALLER).evidence
    assert (found.longest_hold_ns, found.looks_against, found.longest_release_ns) == (5 * MS, 0, 0)


def test_the_longest_hold_of_others_goes_from_look_to_look() -> None:
    looks = [glance(us, CALLER) for us in (100, 200, 300)] + [glance(400, FREE), glance(500, CALLER)]
    found = seen_in(looks, [Made(0, MS, True)], CALLER).evidence
    assert found.longest_hold_ns == 199 * US  # from the end of the first look to the beginning of the third


def test_a_look_that_contradicts_the_mark_is_told() -> None:
    found = seen_in([glance(100, FREE), glance(200, CALLER)], [Made(0, MS, False)], CALLER).evidence
    assert (found.looks_against, found.calls_released) == (1, 0)


def test_a_call_that_was_stretched_has_one_vote() -> None:
    looks = [glance(20 * n, CALLER) for n in range(1, 10)] + [glance(n, FREE) for n in range(1000, 2000, 10)]
    spans = [Made(20 * n * US - 5 * US, 20 * n * US + 5 * US, True) for n in range(1, 10)] + [Made(MS, 2 * MS, True)]
    found = seen_in(looks, spans, CALLER).evidence
    assert (found.votes, found.votes_free, found.votes_squared) == (10, 1.0, 1.0)
    assert found.looks_free > 90


def test_without_looks_the_marks_are_there() -> None:
    found = seen_in([], [Made(0, 10, True), Made(20, 30, False)], CALLER).evidence
    assert (found.calls, found.calls_released, found.calls_looked, found.times_released) == (2, 1, 0, 0)
    assert found.released is None


def test_beats_count_within_calls_and_stalls_end_with_them() -> None:
    spans = [Made(0, 10 * MS, True), Made(50 * MS, 60 * MS, True)]
    found = felt_in([1 * MS, 8 * MS, 30 * MS, 51 * MS], spans)
    assert (found.beats, found.beat_window_ns, found.longest_stall_ns) == (3, 20 * MS, 9 * MS)
    assert felt_in([], spans).longest_stall_ns == 10 * MS  # the time between two calls is none of theirs


def test_calls_that_the_host_kept_from_a_cpu_are_left_out_unless_they_did_more_themselves() -> None:
    usual = [Made(n * MS, n * MS + 10 * US, True, 10 * US) for n in range(20)]
    stretched = Made(30 * MS, 40 * MS, True, 30 * US, 1)
    by_itself = Made(50 * MS, 60 * MS, True, 9 * MS, 2)  # longer too, but it had work to do for so long
    waited = Made(70 * MS, 80 * MS, True, 10 * US)  # nobody took the CPU away: the call slept
    assert undisturbed([*usual, stretched, by_itself, waited]) == [*usual, by_itself, waited]
    assert undisturbed(usual) == usual
    assert undisturbed([]) == []


def test_what_was_seen_in_two_phases_is_one() -> None:
    first = seen_in([glance(100 * n, FREE) for n in range(1, 9)], [Made(0, MS, True)], CALLER)
    second = seen_in([glance(100 * n, CALLER) for n in range(1, 9)], [Made(0, MS, True)], CALLER)
    both = first + second
    assert (both.evidence.looks, both.evidence.looks_free, both.evidence.calls) == (16, 8, 2)
    assert both.evidence.looks_effective < 8  # all that was alike came one after the other

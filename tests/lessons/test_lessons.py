"""Every lesson for real: it passes, its sentences can be said in every language, and each check can fail."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from interpreters import Interpreter, run

from gilstudy.lessons.catalogue import CATALOGUE
from gilstudy.lessons.lesson import Material, Setting
from gilstudy.lessons.models import longest_overlap_ns, turns
from gilstudy.lessons.perform import Performance, perform
from gilstudy.lessons.words import LANGUAGES, Words
from gilstudy.measuring.observations import Observations
from gilstudy.recording.events import Event, Play

Change = Callable[[Play], Play]

given: dict[str, Performance] = {}


def performed(name: str, setting: Setting) -> Performance:
    """A lesson by this interpreter; it is given once. A warning would be an error."""
    if name not in given:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            given[name] = perform(CATALOGUE[name], setting)
    return given[name]


def lesson(name: str, setting: Setting) -> Performance:
    shown = performed(name, setting)
    if shown.outcome == "unavailable":
        pytest.skip(f"skipped: {Words('en').reason(shown.trouble)}")
    return shown


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_lesson_passes(name: str, a_setting: Setting) -> None:
    shown = lesson(name, a_setting)
    assert shown.outcome == "passed", (shown.trouble, shown.seen)
    assert {claim.id for claim in shown.claims} >= set(CATALOGUE[name].claims)


@pytest.mark.parametrize("name", CATALOGUE)
@pytest.mark.parametrize("language", LANGUAGES)
def test_all_that_a_lesson_shows_has_words(name: str, language: str, a_setting: Setting) -> None:
    shown, words = lesson(name, a_setting), Words(language)
    assert "{" not in words.lesson(name, shown.seen.sentence, **shown.seen.facts)
    assert {check.id for check in shown.seen.checks} == set(words.keys(name, "checks"))
    assert shown.seen.answer in CATALOGUE[name].options


@pytest.mark.parametrize("name", CATALOGUE)
def test_all_sentences_on_what_was_seen_can_be_said(name: str, a_setting: Setting) -> None:
    """Also those for a busy host, one CPU, or an interpreter without a GIL."""
    facts = lesson(name, a_setting).seen.facts
    for key in ("seen", "seen-busy", "seen-one-cpu", "seen-without-gil"):
        if Words("en").has(name, key):
            assert "{" not in Words("en").lesson(name, key, **facts)


@pytest.mark.parametrize("name", ["join-one", "pool-async", "thread-lock"])
def test_a_lesson_passes_in_chinese(name: str, a_setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    # The programs are played; experiments say nothing in any language.
    monkeypatch.setattr("gilstudy.lessons.perform.observe", lambda _: observed(name))
    words = Words("zh").code
    shown = perform(CATALOGUE[name], a_setting, words)
    assert shown.outcome == "passed", shown
    assert any(text in event.text for play in shown.plays for event in play.said for text in words.values())


# -- every check can fail ------------------------------------------------------------------------------------------


def backwards(play: Play) -> Play:
    """The same events, the other way round in time."""
    turned = [replace(event, at_ns=play.elapsed_ns - event.at_ns) for event in reversed(play.events)]
    return replace(play, events=tuple(turned))


def swapped(one: int, other: int) -> Change:
    """As if two of the printed lines had changed places."""

    def change(play: Play) -> Play:
        first, second = play.said[one], play.said[other]
        times = {id(first): second.at_ns, id(second): first.at_ns}
        events = [replace(event, at_ns=times.get(id(event), event.at_ns)) for event in play.events]
        return replace(play, events=tuple(sorted(events, key=lambda event: event.at_ns)))

    return change


def without(matches: Callable[[Event], bool]) -> Change:
    return lambda play: replace(play, events=tuple(event for event in play.events if not matches(event)))


def saying(old: str, new: str) -> Change:
    """The same, with a word of what was said replaced."""

    def change(play: Play) -> Play:
        said = [
            replace(event, text=event.text.replace(old, new)) if event.kind == "said" else event
            for event in play.events
        ]
        return replace(play, events=tuple(said))

    return change


def saying_last(text: str) -> Change:
    """As if a line had been printed at the very end."""

    def change(play: Play) -> Play:
        late = [replace(event, at_ns=play.elapsed_ns) if event.text == text else event for event in play.events]
        return replace(play, events=tuple(sorted(late, key=lambda event: event.at_ns)))

    return change


def late(name: str) -> Change:
    """As if a process had done everything after the end of all others."""

    def change(play: Play) -> Play:
        moved = [
            replace(event, at_ns=event.at_ns + play.elapsed_ns) if event.name == name else event
            for event in play.events
        ]
        return replace(play, events=tuple(sorted(moved, key=lambda event: event.at_ns)))

    return change


def in_one_process(play: Play) -> Play:
    """As if the main process had done everything."""
    return replace(play, events=tuple(replace(event, pid=play.main_pid) for event in play.events))


def at_once(play: Play) -> Play:
    """As if every worker had begun its tasks at the very beginning."""
    early = [replace(event, at_ns=-event.at_ns) if "starts in" in event.text else event for event in play.events]
    return replace(play, events=tuple(sorted(early, key=lambda event: event.at_ns)))


FAILING: list[tuple[str, Change, set[str]]] = [
    ("fork", in_one_process, {"trouble"}),
    ("fork", saying("returned 0", "returned 7"), {"child-gets-0"}),
    ("fork", saying("child of ", "child of 9"), {"getppid"}),
    ("sync-vs-async", swapped(1, 2), {"sync-waits"}),
    ("sync-vs-async", swapped(4, 5), {"async-goes-on"}),
    ("sync-vs-async", swapped(5, 6), {"answer-comes-later"}),
    ("process-start", saying("p1 ", "p1 9"), {"own-ids"}),
    ("process-start", in_one_process, {"own-ids"}),
    ("process-start", without(lambda event: "turn 2" in event.text and event.name == "p1"), {"both-ran"}),
    ("process-run", without(lambda event: event.name == "assigned" and event.kind == "said"), {"assigned-runs"}),
    (
        "process-run",
        saying("overridden ended with exit code 0", "overridden ended with exit code 1"),
        {"overridden-runs"},
    ),
    ("process-run", saying("empty ended with exit code 0", "empty ended with exit code 1"), {"empty-does-nothing"}),
    ("join-omitted", backwards, {"parent-first", "joined-at-exit"}),
    ("join-omitted", late("p2"), {"alive"}),
    ("join-one", backwards, {"p1-before-parent", "parent-before-p2"}),
    ("join-between-starts", backwards, {"one-after-the-other", "parent-last"}),
    ("pool-async", at_once, {"three-at-once", "fourth-waits", "worker-reused"}),
    ("pool-async", saying_last("the parent goes on"), {"not-blocked"}),
    ("pool-blocking", at_once, {"one-at-a-time", "in-order"}),
    ("pool-blocking", backwards, {"in-order", "parent-last"}),
    ("pool-results", saying("get returned 4", "get returned 5"), {"values-in-order"}),
    ("pool-results", saying("get raised ZeroDivisionError", "get raised KeyError"), {"error-reaches-get"}),
    ("pool-results", without(lambda event: event.text.startswith("callback: 4")), {"callbacks"}),
    ("pool-results", without(lambda event: event.text.startswith("error_callback")), {"error-callback"}),
    ("pool-close-join-terminate", saying("ValueError", "None"), {"join-needs-close"}),
    ("pool-close-join-terminate", saying("close and join: 3", "close and join: 2"), {"close-finishes"}),
    ("pool-close-join-terminate", saying("terminate: 0", "terminate: 3"), {"terminate-drops"}),
    ("thread-names", saying("MainThread", "Thread"), {"main-thread"}),
    ("thread-names", saying("LoopThread", "Thread-1"), {"given-name"}),
    ("thread-names", saying("(loop)", "(other)"), {"automatic-name"}),
    ("thread-lock", saying("after Process 0", "after Process 8"), {"processes-copy"}),
    ("thread-lock", saying("after Thread 8", "after Thread 0"), {"threads-share"}),
    ("thread-lock", saying("balance 1", "balance 2"), {"one-lost"}),
    ("thread-lock", saying("free: False", "free: True"), {"lock-makes-wait"}),
    ("thread-lock", saying("balance 2", "balance 1"), {"none-lost"}),
    ("deadlock", without(lambda event: event.kind == "deadlock"), {"trouble"}),
    ("deadlock", without(lambda event: event.text == "transferred"), {"same-order-ends"}),
    ("hybrid", in_one_process, {"own-ids"}),
    ("hybrid", backwards, {"at-once"}),
    ("why-threads", without(lambda event: event.text.startswith("C in")), {"trouble"}),
]


@pytest.mark.parametrize(("name", "change", "failing"), FAILING, ids=range(len(FAILING)))
def test_a_check_fails_when_it_is_not_so(name: str, change: Change, failing: set[str], a_setting: Setting) -> None:
    shown = lesson(name, a_setting)
    observations = observed(name)
    material = Material(setting=a_setting, plays=tuple(map(change, shown.plays)), observations=observations)
    try:
        seen = CATALOGUE[name].see(material)
    except (LookupError, ValueError, StopIteration):
        assert failing == {"trouble"}
        return
    assert failing <= {check.id for check in seen.checks if check.passed is False}


def observed(name: str) -> Observations:
    """What a lesson's experiments might have seen."""
    from observing import costs, layers, updates

    found = {"updates": updates(), "costs": costs(), "layers": layers()}
    wanted = {key: value for key, value in found.items() if key in CATALOGUE[name].experiments}
    return Observations(label="3.13", **wanted)  # type: ignore[arg-type]


def test_a_program_that_does_not_end_as_it_must_fails_the_lesson(a_setting: Setting) -> None:
    taught = CATALOGUE["join-one"]
    wrong = replace(taught, runs=lambda setting: (replace(taught.runs(setting)[0], ending="deadlock"),))
    shown = perform(wrong, a_setting)
    assert (shown.outcome, shown.trouble) == ("failed", "join_one: ended")


def test_an_unavailable_lesson_says_why_and_runs_nothing(a_setting: Setting) -> None:
    shown = perform(replace(CATALOGUE["fork"], unavailable=lambda setting: "no-fork"), a_setting)
    assert (shown.outcome, shown.trouble, shown.plays) == ("unavailable", "no-fork", ())


EVERYTHING = """
import json
from gilstudy.lessons.catalogue import CATALOGUE
from gilstudy.lessons.lesson import Setting, usable_cpus
from gilstudy.lessons.perform import perform
setting = Setting(n=200_000, cpus=usable_cpus())
shown = [perform(lesson, setting) for lesson in CATALOGUE.values()]
print(json.dumps([[each.lesson, each.outcome, each.trouble, str(each.seen.checks)] for each in shown]))
"""


def test_all_lessons_pass_under_every_interpreter(built: tuple[Interpreter, Path], a_setting: Setting) -> None:
    interpreter, path = built
    if interpreter.is_own:
        own = [performed(name, a_setting) for name in CATALOGUE]
        shown = [[each.lesson, each.outcome, each.trouble, str(each.seen.checks)] for each in own]
    else:
        shown = json.loads(run(interpreter, path, EVERYTHING))
    assert [name for name, *_ in shown] == list(CATALOGUE)
    assert {outcome for _, outcome, *_ in shown} <= {"passed", "unavailable"}, shown


# -- running at the same time --------------------------------------------------------------------------------------

MS = 1_000_000


def test_overlap_is_that_of_running_not_of_lifetime() -> None:
    first, second = [(0, 3 * MS), (6 * MS, 9 * MS)], [(3 * MS, 6 * MS), (9 * MS, 12 * MS)]
    assert longest_overlap_ns(first, second) == 0
    assert turns(first, second) == 3
    assert longest_overlap_ns([(0, 5 * MS)], [(2 * MS, 9 * MS)]) == 3 * MS


def slices(pairs: dict[str, list[tuple[int, int]]]) -> Play:
    events = [
        Event(
            at_ns=end, pid=pid, thread_id=pid, process=name, thread="", kind="said", text=f"ran from {begin} to {end}"
        )
        for pid, (name, parts) in enumerate(pairs.items(), 1)
        for begin, end in parts
    ]
    return Play(
        program="taking_turns", main_pid=0, ending="ended", trouble="", elapsed_ns=99 * MS, events=tuple(events)
    )


TURNS = slices({"p1": [(0, 3 * MS), (6 * MS, 9 * MS)], "p2": [(3 * MS, 6 * MS), (9 * MS, 12 * MS)]})
TOGETHER = slices({"p1": [(0, 9 * MS)], "p2": [(0, 9 * MS)]})


@pytest.mark.parametrize(
    ("plays", "sentence", "checks"),
    [
        ((TURNS, TOGETHER), "seen", {"in-turns": True, "both-progress": True, "at-the-same-time": True}),
        ((TURNS, TURNS), "seen-busy", {"in-turns": True, "both-progress": True, "at-the-same-time": None}),
        ((TURNS,), "seen-one-cpu", {"in-turns": True, "both-progress": True, "at-the-same-time": None}),
        ((TOGETHER, TOGETHER), "seen", {"in-turns": False, "both-progress": None, "at-the-same-time": True}),
    ],
)
def test_turns_and_parallel_running(plays: tuple[Play, ...], sentence: str, checks: dict[str, bool | None]) -> None:
    setting = Setting(n=1, cpus=(0, 1))
    material = Material(setting=setting, plays=plays, observations=Observations(label="3.13"))
    seen = CATALOGUE["concurrency-vs-parallelism"].see(material)
    assert (seen.sentence, {check.id: check.passed for check in seen.checks}) == (sentence, checks)

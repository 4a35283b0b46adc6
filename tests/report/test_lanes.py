"""The timeline as text: snapshots of scripted plays, and widths."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable

import pytest
from rich.cells import cell_len
from rich.console import Console

from gilstudy.lessons.catalogue import CATALOGUE
from gilstudy.lessons.lesson import Setting
from gilstudy.lessons.perform import Performance, perform
from gilstudy.lessons.words import LANGUAGES, Words
from gilstudy.recording.events import Event, EventKind, Play
from gilstudy.report.lanes import ASCII, UNICODE, drawn, label_width, line_mark, order_chart, slices_chart
from gilstudy.report.lesson import print_lesson
from gilstudy.report.wrapping import hanging, wrap

Told = tuple[str, EventKind, str]


def scripted(told: Iterable[Told]) -> Play:
    """A play of processes; ``a/b`` is thread b of process a."""
    pids = {"main": 1}
    events = []
    for at, (who, kind, text) in enumerate(told):
        process, _, thread = who.partition("/")
        pid = pids.setdefault(process, len(pids) + 1)
        ids = {"at_ns": at * 1_000_000, "pid": pid, "thread_id": pid * 10 + len(thread)}
        events.append(Event(**ids, process=process, thread=thread, kind=kind, text=text))
    return Play(program="scripted", main_pid=1, ending="ended", trouble="", elapsed_ns=10**9, events=tuple(events))


JOINED = scripted(
    [
        ("main", "started", ""),
        ("main", "said", "hello"),
        ("p1", "started", ""),
        ("main", "waits", "join p1"),
        ("p1/worker", "started", ""),
        ("p1/worker", "waits", "lock a"),
        ("p1", "said", "here"),
        ("p1/worker", "goes-on", "lock a"),
        ("p1/worker", "released", "lock a"),
        ("p1/worker", "ended", ""),
        ("p1", "ended", ""),
        ("main", "goes-on", "join p1"),
        ("main", "said", "bye"),
        ("main", "ended", ""),
    ]
)


def text(play: Play, columns: int, *, unicode: bool = False) -> list[str]:
    lines = drawn(order_chart(play, columns), UNICODE if unicode else ASCII, label_width(play))
    return [line.plain.rstrip() for line in lines]


def test_lanes_in_the_order_of_events() -> None:
    assert text(JOINED, 14) == [
        "  main 1       [1=........=3]",
        "  p1 2           [===2===]",
        "    worker 26      [..LU]",
    ]


def test_lanes_with_the_characters_of_a_terminal() -> None:
    assert text(JOINED, 30, unicode=True)[0] == "  main 1       ┣━1━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌━━3━┫"


def test_many_events_share_columns_and_lines_keep_theirs() -> None:
    told: list[Told] = [("main", "started", "")]
    told += [("main", "said", str(number)) for number in range(20)]
    told += [("main", "ended", "")]
    (line,) = text(scripted(told), 11)
    assert len(line) <= len("  main 1  ") + 12
    assert re.fullmatch(r"  main 1  [1-9a-z\[\]=]+", line)


def test_a_wait_that_ended_at_once_is_not_drawn() -> None:
    told: list[Told] = [("main", "waits", "event"), ("main", "goes-on", "event"), ("main", "said", "x")]
    (line,) = text(scripted([("main", "started", ""), *told, ("main", "ended", "")]), 20)
    assert "." not in line


def test_a_lane_that_was_cut_off_says_so() -> None:
    told: list[Told] = [("main", "started", ""), ("p1", "started", ""), ("p1", "waits", "lock a")]
    assert text(scripted(told), 10) == ["  main 1  [========x", "  p1 2       [==...x"]


def test_marks_of_lines_go_on_after_nine() -> None:
    assert [line_mark(number) for number in (1, 9, 10, 35, 36)] == ["1", "9", "a", "z", "*"]


def test_slices_are_drawn_to_scale() -> None:
    ms = 1_000_000
    play = scripted([("main", "started", ""), ("p1", "said", ""), ("p2", "said", "")])
    slices = {"p1": [(10 * ms, 13 * ms), (16 * ms, 30 * ms)], "p2": [(10 * ms, 10 * ms + 1), (13 * ms, 16 * ms)]}
    lines = [line.plain for line in drawn(slices_chart(play, slices, 8), ASCII, 4)]
    assert lines == ["  p1 2  ===...==", "  p2 3  ...===.."]


# -- the whole page ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shown(a_setting: Setting) -> list[Performance]:
    names = ("join-one", "deadlock", "concurrency-vs-parallelism", "why-threads", "pool-results")
    return [perform(CATALOGUE[name], a_setting) for name in names]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_page_fits_into_80_columns(shown: list[Performance], language: str, encoding: str) -> None:
    for performance in shown:
        output = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="replace")
        console = Console(file=output, width=80, highlight=False)
        print_lesson(console, CATALOGUE[performance.lesson], performance, Words(language))
        output.seek(0)
        lines = output.read().splitlines()
        if performance.outcome == "unavailable":
            continue
        outcome = lines.pop()
        assert Words(language).ui("passed")[:2] in outcome or encoding == "ascii"
        assert [line for line in lines if cell_len(line) > 80] == []
        assert "\x1b" not in "".join(lines)
        if encoding == "ascii" and language == "en":
            assert "?" not in "".join(lines).replace("(?)", "").replace("?  ", "")


def test_a_failed_check_and_its_words_are_shown(shown: list[Performance]) -> None:
    from dataclasses import replace

    performance = shown[0]
    checks = tuple(replace(check, passed=False) for check in performance.seen.checks)
    failed = replace(performance, outcome="failed", seen=replace(performance.seen, checks=checks))
    console = Console(file=io.StringIO(), width=80, highlight=False)
    print_lesson(console, CATALOGUE["join-one"], failed, Words("en"))
    output = console.file.getvalue()  # type: ignore[attr-defined]
    assert "NO  the parent's last line came after the end of p1" in output
    assert output.splitlines()[-1].startswith("failed   join-one")


# -- breaking lines --------------------------------------------------------------------------------------------------

ENGLISH = "One two three, four (five) six-seven eight."
CHINESE = "线程共享变量，而进程各有一份拷贝；在自由线程（free-threaded）版本上，它马上就会丢失 1,234 次。"


@pytest.mark.parametrize("sentence", [ENGLISH, CHINESE])
@pytest.mark.parametrize("width", range(18, 90))
def test_wrapping_loses_nothing_and_keeps_the_width(sentence: str, width: int) -> None:
    lines = wrap(sentence, width)
    assert "".join(lines).replace(" ", "") == sentence.replace(" ", "")
    assert all(cell_len(line) <= width for line in lines)
    assert not any(line[0] in "，。；：！？、）" or line[-1] in "（“《" for line in lines)


def test_wrapping_breaks_english_at_spaces_only() -> None:
    assert wrap(ENGLISH, 16) == ["One two three,", "four (five)", "six-seven eight."]


def test_hanging_lines_begin_below_the_first() -> None:
    assert hanging("原文", "一二三四五六七八九十十一", 26, 6) == ["原文  一二三四五六七八九十", "      十一"]

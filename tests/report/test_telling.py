"""What is printed of a trace, to the letter, and what is not: names are data, what was not seen is not given."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from rich.cells import cell_len
from scripted import MS, lane, of, printed, start_up, two_threads
from told import TOLD

from gilstudy.report.chrome import chrome_trace
from gilstudy.report.labels import by_stem, speller, stem
from gilstudy.report.trace import cautions, finding
from gilstudy.watching.summary import summarise
from gilstudy.watching.trace import FREE, Piece, State, Trace

# -- to the letter ---------------------------------------------------------------------------------------------------


def a_pool() -> Trace:
    """Four workers take turns of 5 ms for 200 ms, from time 0 on; the main thread sleeps, a child process runs."""
    turns = [(5 * n * MS, 5 * (n + 1) * MS, 1 + n % 4) for n in range(40)]
    lanes = [lane("MainThread", 10, ((0, 200 * MS, "blocked"),), cpu_ns=0)]
    for place in range(1, 5):
        pieces: list[Piece] = []
        for begin, end, holder in turns:
            state: State = "holding" if holder == place else "waiting"
            if state == "waiting" and pieces and pieces[-1][2] == state:
                begin = pieces.pop()[0]
            pieces.append((begin, end, state))
        lanes.append(lane(f"ThreadPoolExecutor-0_{place - 1}", 10 + place, tuple(pieces)))
    lanes += [
        lane("native thread 20", 20, ((0, 200 * MS, "blocked"),), ident=None, cpu_ns=0),
        lane("ForkPoolWorker-1", 30, ((0, 200 * MS, "off-cpu"),), ident=None, is_process=True, cpu_ns=0),
        lane("ForkPoolWorker-2", 31, ((0, 200 * MS, "running"),), ident=None, is_process=True, cpu_ns=190 * MS),
    ]
    return two_threads(
        begin_ns=0, end_ns=200 * MS, lanes=tuple(lanes), holders=tuple(turns), handoffs=39, handoffs_seen=39, polls=200
    )


@pytest.mark.parametrize("width", TOLD)
def test_what_is_printed(width: int) -> None:
    assert printed(a_pool(), width=width) == TOLD[width]


def test_names_are_shortened_in_their_middle_and_figures_never() -> None:
    for width in (60, 80, 200):
        text = printed(a_pool(), width=width)
        assert all(text.count(f"-0_{worker}") >= 2 or text.count(f"r-0_{worker}") >= 2 for worker in range(4))
        for heading in ("holds", "median", "longest", "waits", "held", "ran", "waits: GIL", "CPU", "sleeps"):
            assert heading in text
        assert text.count("100 %") == 3  # two in the header's line of the GIL, and MainThread's sleep
        assert max(map(cell_len, text.splitlines())) <= width


def test_threads_of_one_name_are_told_apart_by_their_ids() -> None:
    trace = two_threads()
    alike = replace(trace, lanes=tuple(replace(one, name="worker") for one in trace.lanes))
    assert "\nworker 11    " in printed(alike)
    assert "\nworker 12    " in printed(alike)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ThreadPoolExecutor-0_3", "ThreadPoolExecutor"),
        ("Thread-12 (work)", "Thread (work)"),
        ("Thread-12", "Thread"),
        ("worker 3", "worker"),
        ("asyncio_0", "asyncio"),
        ("Process-1:2", "Process"),
        ("native thread 4711", "native thread"),
        ("MainThread", "MainThread"),
        ("utf-8 reader", "utf-8 reader"),
        ("7", "7"),
        ("", ""),
        ("two\nlines 3", "two\nlines"),
    ],
)
def test_stems(name: str, kind: str) -> None:
    assert stem(name) == kind


def test_threads_of_one_stem_are_summed() -> None:
    text = printed(a_pool(), width=120, by_name=True)
    assert (
        "ThreadPoolExecutor (4)       38  5.00 ms  5.00 ms       42  15.0 ms  15.0 ms    100 %  100 %       300 %"
        in text
    )
    assert "ForkPoolWorker (2)" in text
    workers = [places for name, places in by_stem(a_pool().lanes) if name == "ThreadPoolExecutor (4)"]
    assert workers == [(1, 2, 3, 4)]


def many() -> Trace:
    """A hundred threads that hold the GIL for 1 ms each, in turn; none of them was there to be looked at."""
    spans = [(n * MS, (n + 1) * MS, n) for n in range(100)]
    lanes = tuple(
        lane(f"Thread-{n} (f)", 100 + n, ((n * MS, (n + 1) * MS, "holding"),), cpu_ns=None) for n in range(100)
    )
    return two_threads(begin_ns=0, end_ns=100 * MS, lanes=lanes, holders=tuple(spans), handoffs=99, handoffs_seen=99)


def test_what_the_table_leaves_out_is_summed() -> None:
    text = printed(many(), width=100)
    assert "\n84 more             83  1.00 ms  1.00 ms    84 %\n" in text
    assert "--by-name sums the threads" in text
    assert "--by-name" not in printed(many(), by_name=True)
    assert "\nThread (f) (100)       98  1.00 ms  1.00 ms    100 %\n" in printed(many(), width=100, by_name=True)


def test_who_does_nothing_is_idle_and_not_a_thread_that_did_less() -> None:
    asleep: tuple[Piece, ...] = ((1000 * MS, 1100 * MS, "blocked"),)
    idle = [lane(f"native thread {n}", n, asleep, ident=None, cpu_ns=0) for n in range(20, 25)]
    children = [replace(one, name=f"child {one.native_id}", is_process=True) for one in idle[:2]]
    trace = two_threads()
    assert "\nidle: 5 threads\n" in printed(replace(trace, lanes=(*trace.lanes, *idle)))
    assert "\nidle: 5 threads, 2 child processes\n" in printed(replace(trace, lanes=(*trace.lanes, *idle, *children)))
    assert "\nidle: child 20, child 21\n" in printed(replace(trace, lanes=(*trace.lanes, *children)))


# -- names are data --------------------------------------------------------------------------------------------------

ESCAPED = {
    "[/nope]": "[/nope]", "[red]x": "[red]x", "\x1b[31m": r"\x1b[31m", "two\nlines": r"two\nlines",
    "\u202eabc": r"\u202eabc", "$x^2$": "$x^2$", "x" * 3000: "…", "half \udc80": r"half \udc80", "线程" * 20: "线程",
    "&<b>": "&<b>",
}  # fmt: skip
NAMES = list(ESCAPED)


def named(name: str) -> Trace:
    trace = two_threads()
    return replace(trace, lanes=(replace(trace.lanes[0], name=name), trace.lanes[1]))


@pytest.mark.parametrize(("name", "told"), list(ESCAPED.items()))
@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_name_is_shown_escaped_cut_and_aligned(name: str, told: str, width: int) -> None:
    text = printed(named(name), width=width)
    assert told in text
    assert not {"\x1b", "\u202e", "\udc80"} & set(text)
    lines = text.splitlines()
    assert max(map(cell_len, lines)) <= width
    title = next(number for number, line in enumerate(lines) if line.startswith("All of it"))
    assert len({cell_len(line) for line in lines[title + 1 : title + 3]}) == 1
    holds = [line for line in lines if "    9  5.00 ms  5.00 ms" in line]
    assert len(holds) == 2
    assert len({cell_len(line.partition("    9  5.00 ms")[0]) for line in holds}) == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_name_is_written_in_the_letters_that_there_are(name: str, encoding: str) -> None:
    text = printed(named(name), encoding=encoding)
    assert max(map(cell_len, text.splitlines())) <= 80
    assert "…" not in text


def test_letters_that_there_are_not_are_escaped_first_and_cut_then() -> None:
    assert speller("ascii")("é…", 20) == r"\xe9\u2026"
    assert speller("ascii")("ThreadPoolExecutor-0_3", 12) == "Thread~r-0_3"
    assert speller("latin-1")("é", 5) == "é"
    assert speller("utf-8")("ThreadPoolExecutor-0_3", 12) == "Thread…r-0_3"


@pytest.mark.parametrize("name", NAMES)
def test_perfetto_gets_the_whole_name(name: str) -> None:
    text = json.dumps(chrome_trace(named(name), pid=11), allow_nan=False)
    found = [event["args"]["name"] for event in json.loads(text)["traceEvents"] if event["name"] == "thread_name"]
    assert found[1] == name.replace("\udc80", r"\udc80")
    found[1].encode("utf-8")


@pytest.mark.filterwarnings("error")
def test_pictures_take_names_for_what_they_are(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from gilstudy.report.picture import save_picture

    trace = two_threads()
    lanes = tuple(replace(trace.lanes[n % 2], name=name, native_id=100 + n) for n, name in enumerate(NAMES))
    for ending in ("svg", "png", "html"):
        shown = replace(trace, lanes=lanes)
        save_picture(tmp_path / f"t.{ending}", shown, summarise(shown), title="x\x1b$a$\n<b>")
    svg = (tmp_path / "t.svg").read_text(encoding="utf-8")
    assert all(part in svg for part in ("[/nope]", "[red]x", r"\x1b[31m", r"\u202eabc", "$x^2$", "&amp;&lt;b&gt;"))
    assert not {"\x1b", "\u202e"} & set(svg)
    assert "x" * 40 not in svg
    html = (tmp_path / "t.html").read_text(encoding="utf-8")
    assert r"x\x1b$a$\n&lt;b&gt;" in html
    assert "<b>" not in html


# -- what was not seen -----------------------------------------------------------------------------------------------


def test_no_share_is_given_from_a_few_looks() -> None:
    few = two_threads(polls=19)
    summary = summarise(few)
    assert (summary.held, summary.contended, summary.share(summary.lanes[0], "waiting")) == (None, None, None)
    text = printed(few)
    assert "GIL       not seen well enough: 19 looks, and a share takes 20" in text
    assert " %" not in text
    assert finding(few, summary) == "Too few looks at the GIL for a finding: 19"
    assert summarise(two_threads(polls=20)).held == 1.0


def test_no_median_is_given_if_most_handoffs_were_missed() -> None:
    summary = summarise(two_threads(handoffs=39))
    assert summary.holds is not None and summary.waits is not None
    assert (summary.holds.median_ns, summary.holds.p99_ns, summary.waits.median_ns) == (None, None, None)
    text = " ".join(printed(two_threads(handoffs=39)).split())
    assert "holds too few of the hand-offs were seen for a median; others waited longest, 5.00 ms" in text
    assert "median longest" not in text
    half = summarise(two_threads(handoffs=38))
    assert half.holds is not None and half.holds.median_ns == 5 * MS


def test_one_hold_has_no_distribution() -> None:
    text = " ".join(printed(start_up()).split())
    assert "holds 2 were seen from end to end; others waited" in text
    assert "median" not in text


def test_the_caution_stands_where_it_matters_and_in_every_form(tmp_path: Path) -> None:
    trace = two_threads(handoffs=100)
    (caution,) = cautions(trace)
    assert caution.startswith("only 19 of 100 hand-offs were seen: many holds were shorter than the watch's period")
    for quiet in (False, True):
        assert caution in " ".join(printed(trace, quiet=quiet).split())
    assert chrome_trace(trace, pid=1)["otherData"]["cautions"] == [caution]
    pytest.importorskip("matplotlib")
    from gilstudy.report.picture import save_picture

    for ending in ("svg", "html"):
        save_picture(tmp_path / f"t.{ending}", trace, summarise(trace), title="x")
        assert "caution: only 19 of 100" in " ".join((tmp_path / f"t.{ending}").read_text("utf-8").split())


def test_the_caution_does_not_stand_where_it_is_noise() -> None:
    assert list(cautions(two_threads(handoffs=4, handoffs_seen=1))) == []
    little = ((1000 * MS, 1004 * MS, 0), (1004 * MS, 1100 * MS, FREE))
    assert list(cautions(two_threads(handoffs=100, holders=little))) == []


def test_what_was_not_seen_is_told_when_it_matters() -> None:
    given = of((5, "blocked"), (45, "unknown"), (100, "waiting"))
    trace = two_threads(begin_ns=0, end_ns=100 * MS, lanes=(given,), longest_unseen_ns=40 * MS)
    (caution,) = cautions(trace)
    assert caution.startswith("what threads did was not seen for up to 40.0 ms at once, 40 % of x's time in all")
    assert caution.endswith(": that is left out of shares and blank in the lanes")
    known = replace(given, unplaced_ns={"blocked": 30 * MS, "running": 10 * MS})
    (caution,) = cautions(replace(trace, lanes=(known,)))
    assert caution.endswith(": that is blank in the lanes, and in the shares by its clocks")
    text = " ".join(printed(trace).split())
    assert "longest gap 1.00 ms, at threads 40.0 ms;" in text
    assert "blank: not seen" in text
    little = of((5, "blocked"), (9, "unknown"), (100, "waiting"))
    assert list(cautions(replace(trace, lanes=(little,), longest_unseen_ns=4 * MS))) == []


def test_a_thread_seen_for_less_than_half_of_its_time_has_no_shares() -> None:
    given = of((30, "blocked"), (81, "unknown"), (100, "waiting"))
    holders = ((0, 100 * MS, FREE),)
    summary = summarise(two_threads(begin_ns=0, end_ns=100 * MS, lanes=(given,), holders=holders))
    assert summary.share(summary.lanes[0], "blocked") is None
    assert summary.contended is None


def test_time_not_seen_is_left_out_of_contention() -> None:
    one = of((100, "holding"))
    other = of((30, "waiting"), (50, "unknown"), (100, "blocked"))
    trace = two_threads(begin_ns=0, end_ns=100 * MS, lanes=(one, other), holders=((0, 100 * MS, 0),))
    assert summarise(trace).contended == pytest.approx(30 / 80)


# -- pictures --------------------------------------------------------------------------------------------------------


def test_the_title_is_the_finding() -> None:
    def title(trace: Trace) -> str:
        return finding(trace, summarise(trace))

    assert title(two_threads()) == "GIL held 100 % of the time; 2 threads waited 100 % for it, up to 5.00 ms at once"
    assert title(start_up()) == "GIL held 65 % of the time; main waited 8 % for it, up to 15.0 ms at once"
    alone = replace(start_up(), lanes=(of((100, "holding"), (200, "blocked")), start_up().lanes[1]))
    assert title(alone) == "GIL held 65 % of the time; nobody was seen to wait for it"
    reason = "not applicable: this build has no GIL"
    assert title(two_threads(holders=(), handoffs=None, gil_reason=reason)) == "2 threads used 1 CPUs; no GIL was seen"


def oklab(colour: str) -> tuple[float, float, float]:
    """A colour where distances are as they are seen (Ottosson, 2020)."""

    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    r, g, b = (linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    l = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)  # noqa: E741
    m = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    s = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    return (
        0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
        1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
        0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
    )


def test_no_two_colours_look_alike() -> None:
    from gilstudy.report.choosing import MOST_LANES
    from gilstudy.report.picture import COLOURS, OTHERS, THREADS

    assert len(THREADS) == MOST_LANES
    states = {colour for colour in COLOURS.values() if colour != "none"}
    assert min(math.dist(oklab(a), oklab(b)) for a, b in combinations([*states, *THREADS, OTHERS], 2)) > 0.12


def legend_of(trace: Trace, window: tuple[int, int] | None = None) -> list[str]:
    from gilstudy.report.picture import _figure

    figure = _figure(trace, summarise(trace), "x", window or (trace.begin_ns, trace.end_ns))
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_legend_tells_free_spells_and_holders_without_a_lane() -> None:
    pytest.importorskip("matplotlib")
    assert legend_of(two_threads()) == ["holds the GIL", "waits for the GIL"]
    assert "GIL: free" in legend_of(start_up())
    assert "GIL: held by a thread that is not shown" in legend_of(many())
    assert "GIL: held by a thread that is not shown" not in legend_of(many(), (20 * MS, 30 * MS))
    unseen = two_threads(lanes=(of((10, "blocked"), (100, "unknown")),), begin_ns=0, end_ns=100 * MS)
    assert "thread: not seen" in legend_of(unseen)


def test_a_picture_shows_who_did_most_in_its_window() -> None:
    from gilstudy.report.choosing import busiest_in

    assert busiest_in(many(), (20 * MS, 30 * MS)) == list(range(20, 30))
    assert busiest_in(start_up(), (0, 200 * MS)) == [0, 1]
    assert len(busiest_in(many(), (0, 100 * MS))) == 16


def test_short_names_leave_room_for_their_heading() -> None:
    trace = two_threads()
    short = replace(trace, lanes=tuple(replace(one, name=name) for one, name in zip(trace.lanes, "ab", strict=True)))
    for width in range(50, 110):
        assert max(map(cell_len, printed(short, width=width).splitlines())) <= width


def test_a_rate_does_not_look_like_none() -> None:
    assert "20 by the interpreter's count (19 seen), <1 per s" in printed(two_threads(end_ns=100_000 * MS))

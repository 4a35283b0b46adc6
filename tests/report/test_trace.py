"""How a trace is shown: on the terminal, as Chrome trace events, as a picture. All from scripted traces."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from scripted import MS, lane, printed, two_threads

from gilstudy.report.chrome import chrome_trace
from gilstudy.report.figures import ms, share
from gilstudy.report.timeline import detail, strip
from gilstudy.report.trace import cautions
from gilstudy.watching.summary import summarise
from gilstudy.watching.trace import FREE, Lost, Piece, Trace

# -- terminal --------------------------------------------------------------------------------------------------------


def test_the_report_is_what_the_trace_says() -> None:
    text = " ".join(printed(two_threads()).split())
    assert "GIL held 100 % of the time, while another thread waited 100 %" in text
    assert "hand-offs 20 by the interpreter's count (19 seen), 200 per s" in text
    assert "holds median 5.00 ms; others waited longest, 5.00 ms, while" in text
    assert "waits 20 for the GIL: median 5.00 ms, longest 5.00 ms by other" in text
    assert "one 9 5.00 ms 5.00 ms 10 5.00 ms 5.00 ms" in text  # the first hold's beginning was not seen
    assert "one 50 % 50 % 50 % 0 % 0 %" in text


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_lanes_fit_the_terminal_and_its_letters(width: int, encoding: str) -> None:
    lines = printed(two_threads(), width=width, encoding=encoding).splitlines()
    assert max(len(line) for line in lines) <= width
    assert any(("#" if encoding == "ascii" else "█") in line for line in lines)


def half_seen() -> Trace:
    pieces: tuple[Piece, ...] = (
        (1000 * MS, 1010 * MS, "blocked"), (1010 * MS, 1060 * MS, "unknown"), (1060 * MS, 1100 * MS, "running"),
    )  # fmt: skip
    return two_threads(lanes=(lane("one", 11, pieces),), holders=(), longest_unseen_ns=50 * MS)


def test_what_was_not_seen_is_blank_and_left_out_of_shares() -> None:
    trace = half_seen()
    summary = summarise(trace)
    assert (summary.longest_unseen_ns, summary.lanes[0].unseen_ns) == (50 * MS, 50 * MS)
    assert summary.lanes[0].in_state_ns == {"blocked": 10 * MS, "running": 40 * MS}
    assert summary.share(summary.lanes[0], "blocked") == pytest.approx(0.2)
    text = printed(trace, window=(trace.begin_ns, trace.end_ns))
    assert re.search("^one  ·{7,8} {37,38}▓{30}$", text, re.MULTILINE)
    tracks = [event["ts"] for event in chrome_trace(trace, pid=1)["traceEvents"] if event.get("cat") == "thread"]
    assert tracks == [0, 60_000]


def test_each_cell_shows_what_took_most_of_it() -> None:
    pieces: tuple[Piece, ...] = ((0, 10, "holding"), (10, 14, "running"), (14, 20, "waiting"), (30, 40, "blocked"))
    assert strip(lane("x", 1, pieces), 0, 40, 4) == ["holding", "waiting", None, "blocked"]
    assert strip(lane("x", 1, pieces), 10, 14, 2) == ["running", "running"]


def test_a_long_trace_is_drawn_in_a_window_that_shows_single_holds() -> None:
    begin, end = detail(two_threads(), 40)
    assert end - begin == pytest.approx(40 * 5 * MS / 4)
    assert begin > 1000 * MS and end < 1100 * MS
    assert detail(two_threads(), 400) == (1000 * MS, 1100 * MS)


def test_a_build_without_a_gil_still_has_lanes() -> None:
    running: tuple[Piece, ...] = ((1000 * MS, 1100 * MS, "running"),)
    reason = "not applicable: this build has no GIL"
    text = printed(two_threads(holders=(), handoffs=None, gil_reason=reason, lanes=(lane("one", 11, running),)))
    assert f"GIL {reason}" in " ".join(text.split())
    assert "▓ runs\n" in text
    assert "without the GIL" not in text


def test_nothing_is_shown_as_nothing() -> None:
    text = printed(
        two_threads(lanes=(), holders=(), handoffs=None, gil_reason="not available, because x", lanes_reason="y")
    )
    assert "GIL       not available, because x" in text
    assert "threads   not seen: y" in text


def test_losses_and_holds_too_short_are_said() -> None:
    told = " ".join(cautions(two_threads(lost=Lost(changes=3, turns=4, threads=5), handoffs=1000)))
    assert "3 changes of the holder" in told
    assert "4 changes of what threads did" in told
    assert "5 have no lane" in told
    assert "hand-offs were seen" not in told  # for they may have been, before they were lost
    assert "only 19 of 1000 hand-offs were seen" in " ".join(cautions(two_threads(handoffs=1000)))
    assert list(cautions(two_threads())) == []


@pytest.mark.parametrize(
    ("ns", "words"), [(5, "5 ns"), (999, "999 ns"), (12_345, "12.3 us"), (5_120_000, "5.12 ms"), (1.2e9, "1.20 s")]
)
def test_times_have_three_digits(ns: float, words: str) -> None:
    assert ms(ns) == words


@pytest.mark.parametrize(
    ("value", "words"), [(0.0, "0 %"), (0.001, "<1 %"), (0.5, "50 %"), (0.999, ">99 %"), (1.0, "100 %")]
)
def test_shares_do_not_look_more_certain_than_they_are(value: float, words: str) -> None:
    assert share(value) == words


# -- Chrome trace events ---------------------------------------------------------------------------------------------


def broken_rules(document: dict[str, Any]) -> Iterable[str]:
    """What breaks the rules of the Trace Event Format in ``document``: phases, required keys, types, nesting."""
    keys = {"X": {"name", "cat", "ph", "ts", "dur", "pid", "tid"}, "M": {"name", "ph", "pid", "tid", "args"},
            "C": {"name", "ph", "ts", "pid", "args"}}  # fmt: skip
    ends: dict[tuple[int, int], float] = {}
    for event in document["traceEvents"]:
        if event["ph"] not in keys:
            yield f"unknown phase {event['ph']}"
        if missing := keys[event["ph"]] - set(event):
            yield f"{event['name']} lacks {missing}"
        if not all(isinstance(event[key], int) for key in ("pid", "tid") if key in event):
            yield f"{event['name']} has an id that is no integer"
        if event["ph"] == "X":
            track = event["pid"], event["tid"]
            if event["dur"] < 0 or event["ts"] < 0 or event["ts"] < ends.get(track, 0.0) - 0.0011:
                yield f"{event['name']} at {event['ts']} overlaps on its track"
            ends[track] = event["ts"] + event["dur"]
    named = {(event["pid"], event["tid"]) for event in document["traceEvents"] if event["name"] == "thread_name"}
    if set(ends) - named:
        yield f"tracks without a name: {set(ends) - named}"


def test_chrome_events_keep_the_rules_and_are_json() -> None:
    worker = lane("worker", 900, ((1000 * MS, 1050 * MS, "running"),), is_process=True, ident=None)
    lost = lane("gone", 0, ((1001 * MS, 1002 * MS, "holding"),))
    trace = two_threads(lanes=(*two_threads().lanes, worker, lost))
    document = json.loads(json.dumps(chrome_trace(trace, pid=11)))
    assert list(broken_rules(document)) == []
    tracks = {e["args"]["name"]: e["tid"] for e in document["traceEvents"] if e["name"] == "thread_name"}
    assert len(set(tracks.values())) == len(tracks)
    gil = [event for event in document["traceEvents"] if event["ph"] == "X" and event["tid"] == tracks["GIL"]]
    assert [event["name"] for event in gil[:2]] == ["one", "other"]
    assert (gil[1]["ts"], gil[1]["dur"]) == (5000.0, 5000.0)
    counts = [event["args"]["threads"] for event in document["traceEvents"] if event["ph"] == "C"]
    assert set(counts) == {0, 1}


def test_free_spells_are_gaps_in_the_gil_track() -> None:
    holders = ((1000 * MS, 1010 * MS, 0), (1010 * MS, 1020 * MS, FREE), (1020 * MS, 1100 * MS, 1))
    events = chrome_trace(two_threads(holders=holders), pid=11)["traceEvents"]
    assert [(e["ts"], e["dur"]) for e in events if e["ph"] == "X" and e["tid"] == 0] == [(0, 10_000), (20_000, 80_000)]


# -- pictures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["svg", "png", "html"])
def test_a_picture_is_written(tmp_path: Path, ending: str) -> None:
    pytest.importorskip("matplotlib")
    from gilstudy.report.picture import save_picture

    path = tmp_path / f"trace.{ending}"
    trace = two_threads()
    save_picture(path, trace, summarise(trace), title="a <title>")
    begins = {"svg": b"<?xml", "png": b"\x89PNG", "html": b"<!doctype html>"}[ending]
    assert path.read_bytes().startswith(begins)
    if ending == "html":
        assert "<title>a &lt;title&gt;" in path.read_text(encoding="utf-8")


# -- the command -----------------------------------------------------------------------------------------------------


def trace_command(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gilstudy", "trace", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=cwd)


def test_a_script_is_run_as_python_would_run_it(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("value = 'found'")
    (tmp_path / "script.py").write_text("import sys, beside; print(__name__, sys.argv[1:], beside.value)")
    done = trace_command("--quiet", "--out", "t.json", "script.py", "--out", "x", cwd=tmp_path)
    assert done.stdout.splitlines()[0] == "__main__ ['--out', 'x'] found"
    assert list(broken_rules(json.loads((tmp_path / "t.json").read_text()))) == []
    assert done.returncode == 0


def test_a_module_and_a_function_can_be_traced(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def work(n, word): print(n + 1, word)\nif __name__ == '__main__': print('main')")
    assert trace_command("--quiet", "-m", "mine", cwd=tmp_path).stdout.startswith("main\n")
    assert trace_command("--quiet", "mine:work", "41", "x", cwd=tmp_path).stdout.startswith("42 x\n")


def test_what_fails_is_told_and_still_shown(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("raise ValueError('no')")
    done = trace_command("--quiet", "bad.py", cwd=tmp_path)
    assert done.returncode == 1
    assert "ValueError: no" in done.stderr
    assert done.stderr.count("File ") == 1  # none of the frames between Python and the script
    assert "\nwatched   for " in done.stderr
    assert done.stdout == ""


def test_threads_that_outlive_the_script_are_waited_for_as_python_does(tmp_path: Path) -> None:
    (tmp_path / "leaves.py").write_text(
        "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.2), print('last'))).start()"
    )
    done = trace_command("--quiet", "leaves.py", cwd=tmp_path)
    assert done.stdout.splitlines()[0] == "last"
    assert done.returncode == 0


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX's signals")
def test_an_interrupt_ends_the_program_and_shows_what_was_seen(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text("import time\nprint('begun', flush=True)\nwhile True: time.sleep(0.01)")
    command = [sys.executable, "-m", "gilstudy", "trace", "--quiet", "--out", "t.json", "long.py"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT  # as Python ends; a shell says 130
    assert err.rstrip().splitlines()[0] == "Traceback (most recent call last):"
    assert "KeyboardInterrupt\nwatched   for " in err
    assert out == ""
    assert json.loads((tmp_path / "t.json").read_text())["traceEvents"]


def test_arms_can_be_traced_by_name() -> None:
    done = trace_command("--seconds", "0.1", "threads")
    assert done.returncode == 0, done.stderr
    assert "MainThread" in done.stderr
    assert done.stdout == ""
    assert "worker (2)" in trace_command("--by-name", "--seconds", "0.1", "threads").stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name what to trace"),
        (("--out", "x.txt", "threads"), "must end in .json, .svg, .png, .html"),
        (("nowhere.py",), "there is no file"),
        (("no_such_arm",), "there is no arm"),
        (("no_such_module:f",), "cannot import"),
        (("-m", "no_such_module"), "there is no module 'no_such_module'"),
        (("-m", "no.such.module"), "there is no module 'no.such.module'"),
        (("threads", "--seconds", "1"), "put options before its name"),
        (("--period", "5", "threads"), "20 to 1000"),
        (("--window", "9:3", "threads"), "the end must come after"),
    ],
)
def test_bad_input_is_one_line(words: tuple[str, ...], said: str) -> None:
    done = trace_command(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1

"""The probe: its judgement from scripted evidence, its inputs and outputs, and calls of which the truth is known."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import gilstudy
from gilstudy.errors import BadInput
from gilstudy.probing import controls
from gilstudy.probing.evidence import Doubt, Evidence, is_firm, judge, wilson
from gilstudy.probing.probe import Probe, probe_call, seen_in
from gilstudy.probing.sweep import sweep
from gilstudy.probing.table import Call, cases_in, public_functions
from gilstudy.report.probe import Entry, document, junit
from gilstudy.watching.gil import gil_reason
from gilstudy.watching.trace import FREE, Lane, Trace

gil = pytest.mark.skipif(bool(gil_reason()), reason=gil_reason())
posix = pytest.mark.skipif(os.name != "posix", reason="needs a C library's usleep")

MS = 1_000_000
HELD = Evidence(looks=1000, window_ns=100 * MS, longest_hold_ns=100 * MS, beat_window_ns=100 * MS)
FREED = replace(HELD, released_ns=90 * MS, times_released=40, beats=60)


# -- judgement -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        (HELD, "holds"),
        (FREED, "releases"),
        (replace(FREED, released_ns=50 * MS), "releases"),
        (replace(FREED, released_ns=49 * MS), "mixed"),
        (replace(FREED, released_ns=1), "mixed"),
        (replace(FREED, beats=0), "inconclusive"),
        (replace(HELD, beats=1), "inconclusive"),
        (replace(HELD, looks=20), "inconclusive"),
        (Evidence(), "inconclusive"),
    ],
)
def test_the_witnesses_must_agree(evidence: Evidence, verdict: str) -> None:
    found, reason = judge(evidence)
    assert found == verdict
    assert bool(reason) == (verdict == "inconclusive")


def test_the_reason_names_the_witness_who_differs() -> None:
    assert "the heartbeat thread never got it" in judge(replace(FREED, beats=0))[1]
    assert "it was never seen free in 1000 looks" in judge(replace(HELD, beats=2))[1]


def test_evidence_adds_up() -> None:
    both = HELD + FREED
    assert (both.looks, both.released_ns, both.beats, both.longest_hold_ns) == (2000, 90 * MS, 60, 100 * MS)


def test_more_is_asked_near_the_border_between_two_verdicts() -> None:
    assert is_firm(HELD)
    assert is_firm(FREED)
    assert not is_firm(replace(FREED, released_ns=50 * MS))
    assert not is_firm(replace(FREED, beats=0))


def test_wilson_is_the_textbook_interval() -> None:
    # 10 of 100: Wilson's 95 % interval is 0.0552 to 0.1744.
    found = wilson(0.1, 100)
    assert found.low == pytest.approx(0.0552, abs=1e-4)
    assert found.high == pytest.approx(0.1744, abs=1e-4)
    assert wilson(0.0, 100).low == 0.0
    assert wilson(1.0, 100).high == 1.0


def watched(holders: tuple[tuple[int, int, int], ...], gap_ns: int = 100_000) -> Trace:
    own = Lane(name="me", ident=7, native_id=7, is_process=False, pieces=(), holds=(), cpu_ns=None, ready_ns=None,
               turns_on_cpu=None)  # fmt: skip
    return Trace(
        begin_ns=0, end_ns=100 * MS, gil_reason="", lanes_reason="", gil_wanted_by=(), lanes=(own,), holders=holders,
        handoffs=0, handoffs_seen=0, switch_interval_s=5.0, period_ns=100_000, polls=1000, longest_gap_ns=gap_ns,
        watch_cpu_ns=0,
    )  # fmt: skip


def test_only_what_was_free_within_the_calls_counts() -> None:
    # Free until just after the beginning: a change is known to within two looks, so that may have been before it.
    trace = watched(((0, 10_050_000, FREE), (10_050_000, 40 * MS, 0), (40 * MS, 60 * MS, FREE), (60 * MS, 100 * MS, 0)))
    found = seen_in(trace, 7, 10 * MS, 90 * MS)
    assert (found.times_released, found.released_ns, found.longest_hold_ns) == (1, 20 * MS, 30 * MS)
    assert found.looks == 800


def test_one_long_release_that_fills_the_call_counts() -> None:
    trace = watched(((0, 9_990_000, 0), (9_990_000, 90_010_000, FREE), (90_010_000, 100 * MS, 0)))
    found = seen_in(trace, 7, 10 * MS, 90 * MS)
    assert (found.times_released, found.released_ns) == (1, 80 * MS)


# -- calls of which the truth is known -------------------------------------------------------------------------------


def countdown(n: int) -> None:
    while n:
        n -= 1


MEGABYTE, NUMBERS = bytes(1_000_000), list(range(50_000, 0, -1))
KNOWN: dict[str, tuple[str, Callable[[], object]]] = {
    "sha256 of 1 MB": ("releases", lambda: hashlib.sha256(MEGABYTE)),
    "sha256 of 10 B": ("holds", lambda: hashlib.sha256(b"0123456789")),
    "crc32 of 1 MB": ("releases", lambda: zlib.crc32(MEGABYTE)),
    "crc32 of 10 B": ("holds", lambda: zlib.crc32(b"0123456789")),
    "sleep": ("releases", lambda: time.sleep(0.002)),
    "a long sleep": ("releases", lambda: time.sleep(0.5)),
    "sorted": ("holds", lambda: sorted(NUMBERS)),
    "json.dumps": ("holds", lambda: json.dumps(list(range(1000)))),
    "pure Python": ("holds", lambda: countdown(10_000)),
    "a long call in pure Python": ("holds", lambda: countdown(12_000_000)),
}


@gil
@pytest.mark.parametrize("name", KNOWN)
def test_the_probe_is_never_wrong_about(name: str) -> None:
    truth, call = KNOWN[name]
    found = probe_call(name, call)
    assert found.verdict in (truth, "inconclusive"), found  # a host too busy for an answer is no error


@gil
@posix
def test_the_controls_come_out_right_or_say_why_not() -> None:
    assert controls.failure() == "" or "control failed" in controls.failure()


@gil
@posix
def test_a_control_that_comes_out_wrong_blocks_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "PyDLL", ctypes.CDLL)  # so the control that keeps the GIL lets it go
    found = gilstudy.probe(time.sleep, 0.001)
    assert found.verdict == "inconclusive"
    assert "the probe's own control failed: a sleep that keeps the GIL" in found.reason
    assert not found.releases


@gil
def test_what_the_call_raises_is_raised_and_the_switch_interval_put_back() -> None:
    before = sys.getswitchinterval()
    calls = 0

    def fails_later() -> None:
        nonlocal calls
        calls += 1
        if calls > 3:
            raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        probe_call("fails", fails_later)
    assert sys.getswitchinterval() == before


def test_where_there_is_nothing_to_see_no_call_is_made() -> None:
    called: list[int] = []
    found = probe_call("x", lambda: called.append(1), doubt=Doubt("this build has no GIL", "not-applicable"))
    assert (found.verdict, found.calls, called) == ("not-applicable", 0, [])
    assert probe_call("x", lambda: None, doubt=Doubt("not applicable")).verdict == "inconclusive"


# -- sweep -----------------------------------------------------------------------------------------------------------


def answer(verdict: Any, reason: str = "") -> Probe:
    return Probe(name="x", verdict=verdict, reason=reason, calls=3, call_ns=1000.0, released=wilson(0.9, 1000),
                 longest_hold_ns=None, times_released=None, evidence=FREED)  # fmt: skip


@pytest.mark.parametrize("threshold", [1, 2, 3, 7, 2048, 5121, 99_999, 100_000])
def test_a_sweep_finds_the_exact_threshold(threshold: int) -> None:
    tried: list[int] = []

    def probe_at(size: int) -> Probe:
        tried.append(size)
        return answer("holds" if size < threshold else "mixed" if size < 2 * threshold else "releases")

    found = sweep(probe_at, 1, 100_000)
    assert found.threshold == threshold
    assert len(tried) == len(set(tried)) <= 40
    assert [size for size, _ in found.probes] == sorted(tried)


def test_a_sweep_that_finds_no_threshold_says_so() -> None:
    assert sweep(lambda size: answer("holds"), 1, 100).threshold is None
    unsure = sweep(lambda size: answer("inconclusive", "too busy") if size == 10 else
                   answer("releases" if size > 10 else "holds"), 1, 100)  # fmt: skip
    assert (unsure.threshold, unsure.reason) == (None, "at N = 10: too busy")


# -- cases -----------------------------------------------------------------------------------------------------------


def test_arguments_are_written_as_in_a_call() -> None:
    case = Call(target="builtins:sorted", arguments="data[:N], reverse=True", setup="data = [1, 3, 2]")
    assert case.values(2) == (([1, 3],), {"reverse": True})
    assert case.call(3)() == [3, 2, 1]


@pytest.mark.parametrize("arguments", ["1 +", "nowhere", "1/0", "a=1, 2"])
def test_arguments_that_do_not_work_are_said_in_one_line(arguments: str) -> None:
    with pytest.raises(BadInput, match="do not work") as told:
        Call(target="builtins:sorted", arguments=arguments).values()
    assert "\n" not in str(told.value)


def test_a_table_of_functions(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    path.write_text('setup = "a = 1"\n[functions]\ncrc32 = "b\'x\'"\n"json:dumps" = { args = "a", expect = "holds" }\n')
    one, other = cases_in(path, "zlib")
    assert (one.target, one.arguments, one.expect) == ("zlib:crc32", "b'x'", "")
    assert (other.target, other.expect, other.values()) == ("json:dumps", "holds", ((1,), {}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[functions]",
        "[functions\n",
        "x = 1\n[functions]\na = ''",
        "[functions]\na = 3",
        "[functions]\na = {}",
        "[functions]\na = {arg = ''}",
        "[functions]\na = {args = '', expect = 'maybe'}",
    ],
)
def test_a_table_that_is_wrong_is_bad_input(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.toml"
    path.write_text(text)
    with pytest.raises(BadInput):
        cases_in(path, "zlib")


def test_the_public_functions_of_a_module() -> None:
    assert {"compress", "crc32"} <= set(public_functions("zlib"))
    assert "error" not in public_functions("zlib")
    with pytest.raises(BadInput, match="cannot import"):
        public_functions("no_such_module")


# -- reports ---------------------------------------------------------------------------------------------------------

ENTRIES = (
    Entry(target="a:right", probe=answer("releases"), expect="releases"),
    Entry(target="a:wrong", probe=answer("holds"), expect="releases"),
    Entry(target="a:unsure", probe=answer("inconclusive", "too busy"), expect="releases"),
    Entry(target="b:broken", probe=None, error="the call failed: ValueError: <no>"),
    Entry(target="b:free", probe=answer("mixed")),
)


def test_junit_counts_wrong_broken_and_unsure_apart() -> None:
    suite = ElementTree.fromstring(junit(ENTRIES))[0]
    assert [suite.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["5", "1", "1", "1"]
    inside = {case.get("name"): [child.tag for child in case if child.tag != "system-out"] for case in suite}
    assert inside == {"right": [], "wrong": ["failure"], "unsure": ["skipped"], "broken": ["error"], "free": []}


def test_json_has_every_function_and_its_evidence() -> None:
    told = json.loads(json.dumps(document(ENTRIES)))
    assert told["schema"] == 1
    assert [one["verdict"] for one in told["probes"]] == ["releases", "holds", "inconclusive", "failed", "mixed"]
    assert told["probes"][0]["evidence"]["looks"] == 1000


def probe_command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gilstudy", "probe", *words], capture_output=True, text=True, timeout=60
    )


@gil
def test_the_command(tmp_path: Path) -> None:
    xml, json_file = tmp_path / "p.xml", tmp_path / "p.json"
    done = probe_command("zlib:crc32", "json:loads", "--args", "'[]'", "--json", str(json_file), "--junit", str(xml))
    assert done.returncode == 1  # crc32 takes no text
    assert "TypeError" in done.stdout
    assert json.loads(json_file.read_text())["probes"][0]["verdict"] == "failed"
    assert ElementTree.parse(xml).getroot().get("errors") == "1"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name what to probe"),
        (("zlib",), "not of the form module:function"),
        (("zlib:nothing",), "there is no 'nothing'"),
        (("zlib:ZLIB_VERSION",), "is not a function"),
        (("zlib:crc32", "--args", "1 +"), "do not work"),
        (("zlib:crc32", "--args", "1", "--sweep", "1:9"), "must use it"),
        (("zlib:crc32", "--args", "N", "--sweep", "9:1"), "sizes go from 1 up"),
        (("--module", "zlib"), "needs --table"),
        (("--table", "nowhere.toml"), "cannot read"),
    ],
)
def test_bad_input_is_one_line(words: tuple[str, ...], said: str) -> None:
    done = probe_command(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_junit_is_xml_whatever_the_names_and_errors_are() -> None:
    nasty = "[red]\x00\x1b\ud800\uffff\n<&>\"'"
    entry = Entry(target=f"a:{nasty}", probe=None, error=nasty, expect="releases")
    unsure = Entry(target=nasty, probe=answer("inconclusive", nasty))
    root = ElementTree.fromstring(junit([entry, unsure]))
    assert root.get("errors") == "1"

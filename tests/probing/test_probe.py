"""The probe: its judgement from scripted evidence, its inputs and outputs, and calls of which the truth is known."""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import gilstudy
from gilstudy.probing import controls
from gilstudy.probing.entries import Entry
from gilstudy.probing.evidence import Doubt, Evidence
from gilstudy.probing.probe import Probe, probe_call
from gilstudy.probing.shares import share_of
from gilstudy.probing.sweep import sweep
from gilstudy.report.probe import document, junit
from gilstudy.watching.gil import gil_reason

gil = pytest.mark.skipif(bool(gil_reason()), reason=gil_reason())
posix = pytest.mark.skipif(os.name != "posix", reason="needs a C library's usleep")

# -- calls of which the truth is known -------------------------------------------------------------------------------


def countdown(n: int) -> None:
    while n:
        n -= 1


def stat_in_the_midst() -> None:
    countdown(40_000)
    os.stat(os.curdir)  # noqa: PTH116
    countdown(40_000)


def threads_of_its_own() -> None:
    threads = [threading.Thread(target=countdown, args=(300_000,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


MEGABYTES = bytes(8_000_000)


def pool_of_c() -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(hashlib.sha256, [MEGABYTES] * 2))


def counts_down() -> Iterator[int]:
    for number in range(5):
        countdown(3000)
        yield number


async def asleep() -> None:
    await asyncio.sleep(0.003)


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
    "a stat in the midst of Python": ("holds", stat_in_the_midst),
    "threads of its own": ("not-judged", lambda: threads_of_its_own()),
    "a pool of C": ("releases", lambda: pool_of_c()),
    "a coroutine that waits": ("releases", asleep),
    "a generator": ("holds", counts_down),
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
    assert found.releases is None


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


@gil
def test_what_is_known_of_a_call_that_lets_go_for_an_instant() -> None:
    found = probe_call("stat", stat_in_the_midst)
    assert (found.releases, found.lets_go, found.instants, found.verdict) == (False, True, 1.0, "holds")
    assert found.evidence.calls_released == found.evidence.calls == found.calls - 1  # the first one is known by itself
    assert "holds, but for an instant" in repr(found)


@gil
def test_a_call_whose_work_other_threads_do_without_the_gil_releases_it_and_that_is_told() -> None:
    found = probe_call("pool", pool_of_c)
    assert found.verdict in ("releases", "inconclusive")
    assert found.notes == ("other threads do some of its work, and do not have the GIL meanwhile",)


@gil
def test_how_often_a_long_call_lets_go_is_told_as_it_was_seen() -> None:
    found = probe_call("sleep", lambda: time.sleep(0.45))
    assert (found.verdict, found.times_released, found.calls) == ("releases", 1.0, 2)


@gil
def test_arguments_that_were_used_up_are_told() -> None:
    sleeps = [0.03]

    def drained() -> None:
        if sleeps:
            time.sleep(sleeps.pop())

    found = probe_call("drained", drained)
    assert (found.verdict, found.releases) == ("not-judged", None)
    assert "used up" in found.reason


@gil
@posix
def test_the_budget_bounds_what_is_spent_and_is_checked() -> None:
    assert gilstudy.probe(countdown, 1000, budget_s=0.01).verdict in ("holds", "inconclusive")
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="budget_s"):
            gilstudy.probe(countdown, 1000, budget_s=wrong)


def test_a_probe_is_shown_in_one_line_and_answers_only_if_there_is_an_answer() -> None:
    told = {verdict: answer(verdict) for verdict in ("releases", "mixed", "holds", "inconclusive", "not-judged")}
    assert [told[verdict].releases for verdict in told] == [True, False, False, None, None]
    assert repr(told["releases"]) == "<Probe x: releases, free for 90 % [87, 92]; 3 calls of 1 us>"
    assert repr(told["holds"]) == "<Probe x: holds; 3 calls of 1 us>"
    assert repr(answer("inconclusive", "too busy")) == "<Probe x: inconclusive, because too busy>"
    strange = replace(told["holds"], name="a\nb", instants=1.0)
    assert repr(strange) == "<Probe a\\nb: holds, but for an instant; 3 calls of 1 us>"


# -- sweep -----------------------------------------------------------------------------------------------------------


def answer(verdict: Any, reason: str = "") -> Probe:
    return Probe(name="x", verdict=verdict, reason=reason, calls=3, call_ns=1000.0, released=share_of(0.9, 1000),
                 longest_hold_ns=None, times_released=None, evidence=Evidence(looks=1000))  # fmt: skip


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


def test_a_sweep_finds_where_it_lets_go_for_an_instant() -> None:
    found = sweep(lambda size: replace(answer("holds"), instants=1.0 if size >= 7 else None), 1, 100)
    assert found.threshold == 7


def test_a_sweep_that_finds_no_threshold_says_so() -> None:
    assert sweep(lambda size: answer("holds"), 1, 100).threshold is None
    unsure = sweep(lambda size: answer("inconclusive", "too busy") if size == 10 else
                   answer("releases" if size > 10 else "holds"), 1, 100)  # fmt: skip
    assert (unsure.threshold, unsure.reason) == (None, "at N = 10: too busy")


# -- reports ---------------------------------------------------------------------------------------------------------

ENTRIES = (
    Entry(target="a:right", probe=answer("releases"), expect="releases"),
    Entry(target="a:wrong", probe=answer("holds"), expect="releases"),
    Entry(target="a:unsure", probe=answer("inconclusive", "too busy"), expect="releases"),
    Entry(target="b:broken", probe=None, error="the call failed: ValueError: <no>"),
    Entry(target="b:free", probe=answer("mixed")),
    Entry(target="b:threads", probe=answer("not-judged", "it works in threads"), expect="holds"),
    Entry(target="b:any", probe=answer("not-judged", "it works in threads")),
)


def test_junit_counts_wrong_broken_and_unsure_apart() -> None:
    suite = ElementTree.fromstring(junit(ENTRIES))[0]
    assert [suite.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["7", "2", "1", "2"]
    inside = {case.get("name"): [child.tag for child in case if child.tag != "system-out"] for case in suite}
    assert inside == {
        "right": [],
        "wrong": ["failure"],
        "unsure": ["skipped"],
        "broken": ["error"],
        "free": [],
        "threads": ["failure"],
        "any": ["skipped"],
    }


def test_json_has_every_function_and_its_evidence() -> None:
    told = json.loads(json.dumps(document(ENTRIES)))
    assert told["schema"] == 1
    assert [one["verdict"] for one in told["probes"]] == [
        *("releases", "holds", "inconclusive", "failed", "mixed"),
        *("not-judged", "not-judged"),
    ]
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

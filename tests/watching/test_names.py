"""Names are data: whatever they are, every report tells them as they are, and nothing in them is obeyed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from builders import a_host, a_reading, a_runtime
from nasty import NASTY, is_harmless, is_told
from rich.console import Console

from gilstudy.concluding.claims import Claim
from gilstudy.errors import BadInput
from gilstudy.lessons.catalogue import CATALOGUE
from gilstudy.lessons.lesson import Seen
from gilstudy.lessons.perform import Performance
from gilstudy.lessons.words import Words
from gilstudy.measuring.conductor import Progress
from gilstudy.probing.entries import Entry
from gilstudy.probing.evidence import Evidence
from gilstudy.probing.probe import Probe
from gilstudy.probing.sweep import Sweep
from gilstudy.recording.events import Event, EventKind, Play
from gilstudy.report.console import console
from gilstudy.report.info import print_info
from gilstudy.report.lesson import print_lesson
from gilstudy.report.probe import document, junit, print_probes
from gilstudy.report.progress import Display
from gilstudy.system.streams import Output


def printed(report: Callable[[Console], None]) -> str:
    out = io.StringIO()
    report(console(output=Output(out)))
    return out.getvalue()


def an_entry(name: str) -> tuple[Entry, ...]:
    probe = Probe(
        name=name,
        verdict="inconclusive",
        reason=name,
        calls=0,
        call_ns=0.0,
        released=None,
        longest_hold_ns=None,
        times_released=None,
        evidence=Evidence(),
    )
    swept = Sweep(low=1, high=9, threshold=None, reason=name, probes=((9, probe),))
    return Entry(target=name, probe=None, error=name), Entry(target=f"a:{name}", probe=probe, sweep=swept)


def a_lesson(name: str) -> Performance:
    def event(at: int, kind: EventKind, thread: str = "") -> Event:
        return Event(at_ns=at, pid=1, thread_id=len(thread), process=name, thread=thread, kind=kind, text=name)

    told = (event(0, "started"), event(1, "said"), event(2, "started", name or "t"), event(3, "said", name or "t"))
    play = Play(program="x", main_pid=1, ending="failed", trouble=name, elapsed_ns=5, events=told)
    claim = Claim(id="lock-serialises", verdict="inconclusive", evidence=name, scope=name, counterexample=None)
    return Performance(
        lesson="join-one",
        outcome="failed",
        trouble=f"because {name}",
        elapsed_ns=5,
        plays=(play,),
        seen=Seen(checks=()),
        claims=(claim,),
    )


@pytest.mark.parametrize("name", NASTY)
def test_the_facts_of_a_host(name: str) -> None:
    host = replace(a_host(), cpu_model=name, os=name, machine=name, governor=name)
    runtime = a_runtime(executable=name, compiler=name, version=name, implementation=name)
    text = printed(lambda printer: print_info(printer, host, runtime, a_reading(), unusable=name))
    assert is_harmless(text)
    assert is_told(name, text)


@pytest.mark.parametrize("name", NASTY)
def test_probes(name: str) -> None:
    entries = an_entry(name)
    text = printed(lambda printer: print_probes(printer, entries, [name]))
    assert is_harmless(text)
    assert is_told(name, text)
    xml = junit(entries)
    assert is_harmless(xml)
    assert ElementTree.fromstring(xml).get("tests") == "2"
    assert json.loads(json.dumps(document(entries)))["probes"][0]["function"] == name


@pytest.mark.parametrize("name", NASTY)
def test_lessons(name: str) -> None:
    given = a_lesson(name)
    text = printed(lambda printer: print_lesson(printer, CATALOGUE["join-one"], given, Words("en")))
    assert is_harmless(text)
    assert is_told(f"because {name}", text)


@pytest.mark.parametrize("name", NASTY)
def test_the_progress_of_a_study(name: str) -> None:
    out = io.StringIO()
    terminal = Console(file=out, force_terminal=True, width=400, height=20)  # one that would read markup
    progress = Progress(phase="measuring", round=3, elapsed_s=1.0, budget_s=9.0, failed=(name, "threads"))
    with Display(terminal) as display:
        display.notice(progress)
        display.experiment("costs", 1, 5)
    assert len(name) > 200 or is_told(name, out.getvalue())
    assert not any(f"{name}" in out.getvalue() for _ in [0] if name and not is_harmless(name))


@pytest.mark.parametrize("name", NASTY)
def test_errors_in_a_line(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from gilstudy import cli
    from gilstudy.commands import info

    def fails(args: object) -> int:
        raise BadInput(f"there is no {name}")

    monkeypatch.setattr(info, "run", fails)
    assert cli.main(["info"]) == 2
    told = capsys.readouterr().err
    assert is_harmless(told)
    assert told.count("\n") == 1
    assert is_told(f"there is no {name}", told)
    with pytest.raises(SystemExit) as ending:
        cli.main([f"x{name}"])
    assert ending.value.code == 2
    assert is_harmless(capsys.readouterr().err)
